# Targets for working on octavo; `make` lists them.
.PHONY: help build test check race interop fuzz bench bench-peers generate models cover licences memory large calibration images demo

GO ?= go
VENV ?= .venv
PEERS ?= .venv-peers
PEERFLAGS ?=
BENCHFLAGS ?=
LARGE ?=
LARGEFLAGS ?=
FUZZTIME ?= 60s
MODELS ?= /tmp/octavo-models

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## build the binary into ./octavo
	CGO_ENABLED=0 $(GO) build -trimpath -o octavo ./cmd/octavo

test: ## run the tests; they need nothing but Go
	$(GO) test ./...

check: ## everything that CI runs; .ci/run STEP... runs some of it
	.ci/run

race: ## race detector over the concurrent packages (needs a C compiler)
	.ci/run race

interop: ## compare with ONNX Runtime and onnx.checker (makes a Python environment in VENV)
	interop/run $(VENV)

fuzz: ## fuzz every reader of foreign bytes, FUZZTIME each
	@set -e; for dir in $$($(GO) list -f '{{.Dir}}' ./internal/...); do \
	  for target in $$(cat $$dir/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do \
	    echo "==> $$target in $${dir#$(CURDIR)/}"; \
	    $(GO) test $$dir -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME); \
	  done; \
	done

bench: ## kernel benchmarks as a table; BENCHFLAGS="-family gemm -bench Products"
	$(GO) run ./bench/kernels $(BENCHFLAGS)

bench-peers: build $(MODELS)/empty.onnx ## compare with ONNX Runtime, OpenVINO and LiteRT and write a page of docs/benchmarks; PEERFLAGS="--quick --only resnet50"
	cmp -s bench/peers/requirements.txt $(PEERS)/stamp || { python3 -m venv $(PEERS) && \
	  $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/peers/requirements.txt && \
	  cp bench/peers/requirements.txt $(PEERS)/stamp; }
	CGO_ENABLED=0 $(GO) build -o $(MODELS)/engine ./bench/peers
	$(PEERS)/bin/python bench/peers/peers.py --octavo ./octavo --engine $(MODELS)/engine --models $(MODELS) -o docs/benchmarks $(PEERFLAGS)

generate: ## write the generated files anew (the polynomials need python3 with mpmath)
	$(GO) mod download
	$(GO) generate ./internal/... ./cmd/...
	python3 internal/kernels/eltwise/_fit/fit.py > z.tmp && gofmt z.tmp > internal/kernels/eltwise/zcoefficients.go && rm z.tmp

models: ## write the full-size networks with seeded weights into MODELS
	$(GO) run ./bench/models -o $(MODELS)

# The last one to be written stands for all.
$(MODELS)/empty.onnx: $(wildcard bench/models/*.go)
	$(GO) run ./bench/models -o $(MODELS)

cover: ## share of statements that the tests reach, by package and in all
	$(GO) test -coverprofile=cover.prof -coverpkg=./... . ./cmd/... ./internal/... ./bench/...
	$(GO) tool cover -func=cover.prof | tail -n 1

licences: ## each module of go.mod with the first words of its licence
	@$(GO) mod download
	@sed -n 's/^[[:space:]]*\([a-z][^ ]*\.[^ ]*\) v.*/\1/p' go.mod | while read -r m; do \
	  dir=$$($(GO) list -m -f '{{.Dir}}' $$m); \
	  printf '%-36s %-10s %s\n' $$m $$($(GO) list -m -f '{{.Version}}' $$m) \
	    "$$(cat $$dir/LICENSE* | tr -s '[:space:]' ' ' | sed 's/^ //' | cut -c1-90)"; \
	done

images: ## peak memory of reading 2,000 and 20,000 pictures, and decoding with one thread and with two
	$(GO) run ./bench/images

memory: build ## peak memory of calibrating the seeded ResNet-50 with 16 and with 128 samples, three times each
	$(GO) run ./bench/models -o $(MODELS) -only resnet50
	$(GO) run ./bench/models -o $(MODELS) -samples 16
	$(GO) run ./bench/models -o $(MODELS) -samples 128
	for i in 1 2 3; do for n in 16 128; do \
	  ./octavo quantize $(MODELS)/resnet50.onnx --data $(MODELS)/images-$$n.npz -o $(MODELS)/out.onnx --force --silence OCT002 | grep took; \
	done; done

large: build ## time and memory of inspect, convert and quantize on a transformer of 6 GB, beside copying it; LARGE names the folder for its files
	$(GO) run ./bench/large -octavo ./octavo $(if $(LARGE),-o $(LARGE)) $(LARGEFLAGS)

calibration: ## time of calibrating a sample of the seeded ResNet-50 over that of one float run, at one thread and two
	$(GO) run ./bench/models -o $(MODELS) -only resnet50
	$(GO) run ./bench/models -o $(MODELS) -samples 128
	$(GO) run ./bench/calibration -model $(MODELS)/resnet50.onnx -data $(MODELS)/images-128.npz

demo: ## the tour
	$(GO) run ./cmd/octavo demo

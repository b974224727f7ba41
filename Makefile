# Targets for working on octavo; `make` lists them.
.PHONY: help build test check race interop fuzz bench generate models memory demo

GO ?= go
VENV ?= .venv
FUZZTIME ?= 60s
MODELS ?= /tmp/octavo-models

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## build the binary into ./octavo
	CGO_ENABLED=0 $(GO) build -trimpath -o octavo ./cmd/octavo

test: ## run the tests
	$(GO) test ./...

check: ## everything that CI runs
	bash .ci/run

race: ## race detector over the concurrent packages
	$(GO) test -race . ./internal/runtime/... ./internal/quant/... ./internal/validate/... ./internal/diag ./internal/atomicfile

interop: ## compare with ONNX Runtime and onnx.checker (makes a Python environment in .venv)
	bash interop/run $(VENV)

fuzz: ## fuzz the decoders, FUZZTIME each
	$(GO) test ./internal/format/onnx -run '^$$' -fuzz FuzzDecode -fuzztime $(FUZZTIME)
	$(GO) test ./internal/wire/npy -run '^$$' -fuzz FuzzNpy -fuzztime $(FUZZTIME)
	$(GO) test ./internal/wire/npy -run '^$$' -fuzz FuzzNpz -fuzztime $(FUZZTIME)
	$(GO) test ./internal/wire/proto -run '^$$' -fuzz FuzzFields -fuzztime $(FUZZTIME)
	$(GO) test ./internal/ir -run '^$$' -fuzz FuzzParse -fuzztime $(FUZZTIME)

bench: ## kernel benchmarks
	$(GO) test -run '^$$' -bench . ./internal/kernels/...

generate: ## write the generated assembly
	cd internal/kernels/gemm/_asm && $(GO) run . ..

models: ## write the full-size networks with seeded weights into MODELS
	$(GO) run ./bench/models -o $(MODELS)

memory: build ## peak memory of calibrating the seeded ResNet-50 with 16 and with 128 samples, three times each
	$(GO) run ./bench/models -o $(MODELS) -only resnet50
	$(GO) run ./bench/models -o $(MODELS) -samples 16
	$(GO) run ./bench/models -o $(MODELS) -samples 128
	for i in 1 2 3; do for n in 16 128; do \
	  ./octavo quantize $(MODELS)/resnet50.onnx --data $(MODELS)/images-$$n.npz -o $(MODELS)/out.onnx --force --silence OCT002 | grep took; \
	done; done

demo: ## the tour
	$(GO) run ./cmd/octavo demo

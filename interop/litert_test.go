package interop_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestLiteRTOperators runs models of integer operators, made by litert.py, and
// compares every element with LiteRT's reference kernels.
func TestLiteRTOperators(t *testing.T) {
	py := python(t)
	for _, seed := range []string{"1", "2", "3"} {
		dir := t.TempDir()
		litert(t, py, "ops", dir, seed)
		models, err := filepath.Glob(filepath.Join(dir, "*.tflite"))
		if err != nil || len(models) < 58 {
			t.Fatalf("%d models (%v)", len(models), err)
		}
		for _, path := range models {
			t.Run(seed+"/"+filepath.Base(path), func(t *testing.T) { compareLiteRT(t, path, dir) })
		}
	}
}

// TestLiteRTModels does the same with the integer models of ../shared, on noise.
// Those with operators of real numbers, and with kernels that quantize
// activations while they run, are compared in the tests of the façade.
func TestLiteRTModels(t *testing.T) {
	py := python(t)
	dir := t.TempDir()
	var files []string
	for _, glob := range []string{"fixtures/*/tflite/*int8*.tflite", "fixtures/*/tflite/*int16x8.tflite", "models/mlperf-tiny/*/*.tflite", "models/tflite-micro/person_detect.tflite"} {
		found, err := filepath.Glob(filepath.Join("..", "..", "shared", glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if !realOrLSTM(f) {
				files = append(files, f)
			}
		}
	}
	if len(files) == 0 {
		t.Skip("no models in ../shared")
	}
	litert(t, py, "files", dir, "1", append([]string{"8"}, files...)...)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) { compareLiteRT(t, path, dir) })
	}
}

// realOrLSTM reports whether a file is known to compute with real numbers.
func realOrLSTM(path string) bool {
	name := filepath.Base(path)
	switch name {
	case "ad01_fp32.tflite", "kws_ref_model_float32.tflite", "vww_96_float.tflite", "pretrainedResnet.tflite":
		return true
	}
	return strings.Contains(name, ".fused.")
}

func litert(t *testing.T, py, what, dir, seed string, args ...string) {
	t.Helper()
	if out, err := exec.Command(py, append([]string{"litert.py", what, dir, seed}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// compareLiteRT runs a model over the samples that lie in a folder.
func compareLiteRT(t *testing.T, path, dir string) {
	t.Helper()
	stem := filepath.Join(dir, strings.TrimSuffix(filepath.Base(path), ".tflite"))
	if why, err := os.ReadFile(stem + ".refused"); err == nil {
		t.Skipf("LiteRT refuses it: %s", why)
	}
	off, all := map[int]int{}, 0
	eachOutput(t, path, stem, func(i int, got, want *tensor.Tensor) {
		off[i] += differing(t, got, want)
		all += want.Len()
	})
	for i, n := range off {
		if n > 0 {
			t.Errorf("output %d: %d elements differ (all outputs have %d)", i, n, all)
		}
	}
}

// eachOutput runs a model over the samples that litert.py wrote beside stem, and
// visits each of its outputs with LiteRT's.
func eachOutput(t *testing.T, path, stem string, visit func(i int, got, want *tensor.Tensor)) {
	t.Helper()
	m := open(t, path)
	info, err := m.Inspect()
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	samples, err := filepath.Glob(stem + ".[0-9]*.in.npz")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no samples (%v)", err)
	}
	for _, sample := range samples {
		in := octavo.Inputs{}
		for k, v := range readNpz(t, sample) {
			in[info.Inputs[number(t, k)].Name] = v
		}
		got, err := p.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range readNpz(t, strings.TrimSuffix(sample, ".in.npz")+".out.npz") {
			i := number(t, k)
			visit(i, got[info.Outputs[i].Name], want)
		}
	}
}

func number(t *testing.T, key string) int {
	t.Helper()
	var i int
	if _, err := fmt.Sscan(key, &i); err != nil {
		t.Fatal(err)
	}
	return i
}

// differing counts the elements of got that are not those of want.
func differing(t *testing.T, got, want *tensor.Tensor) int {
	t.Helper()
	if got == nil || got.Type() != want.Type() || got.Len() != want.Len() {
		t.Fatalf("got %v, want %v", got, want)
	}
	n := 0
	if want.Type() == dtype.Float32 {
		w := tensor.Data[float32](want)
		for i, v := range tensor.Data[float32](got) {
			if v != w[i] {
				n++
			}
		}
		return n
	}
	g, ok := tensor.Ints(got)
	w, _ := tensor.Ints(want)
	if !ok {
		t.Fatalf("%v is neither integers nor numbers", want)
	}
	for i, v := range g {
		if v != w[i] {
			n++
		}
	}
	return n
}

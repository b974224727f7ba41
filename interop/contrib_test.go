package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// contribTolerance is the largest difference from ONNX Runtime, of the largest
// magnitude of an output.
const contribTolerance = 1e-5

// TestContribGoldens runs the models of testdata/contrib, which contrib.py
// made, and compares with what ONNX Runtime computed then.
func TestContribGoldens(t *testing.T) { runContrib(t, filepath.Join("testdata", "contrib"), 17) }

// TestContrib does the same with models made now, of other numbers.
func TestContrib(t *testing.T) {
	py := python(t)
	for _, seed := range []string{"2", "3", "4"} {
		dir := t.TempDir()
		out, err := exec.Command(py, "contrib.py", dir, seed).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		runContrib(t, dir, 17)
	}
}

// runContrib compares every model of a folder, of which there are at least
// least, with the outputs beside it.
func runContrib(t *testing.T, dir string, least int) {
	t.Helper()
	models, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil || len(models) < least {
		t.Fatalf("%d models in %s, want at least %d (%v)", len(models), dir, least, err)
	}
	for _, path := range models {
		stem := strings.TrimSuffix(path, ".onnx")
		t.Run(filepath.Base(stem), func(t *testing.T) {
			in, want := readNpz(t, stem+".in.npz"), readNpz(t, stem+".out.npz")
			if len(want) == 0 {
				t.Fatal("no outputs to compare")
			}
			m := open(t, path)
			compareRun(t, m, in, want)
			// What is written back computes the same.
			back := filepath.Join(t.TempDir(), "back.onnx")
			if err := m.Save(back); err != nil {
				t.Fatal(err)
			}
			compareRun(t, open(t, back), in, want)
		})
	}
}

func compareRun(t *testing.T, m *octavo.Model, in, want octavo.Inputs) {
	t.Helper()
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		if err := near(got[name], w, contribTolerance); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// near says how far got is from want: floats may differ by tolerance of the
// largest, integers not at all.
func near(got, want *tensor.Tensor, tolerance float64) error {
	if got == nil {
		return fmt.Errorf("missing")
	}
	if got.Type() != want.Type() || !slices.Equal(got.Shape(), want.Shape()) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	if want.Type() != dtype.Float32 {
		if !tensor.Equal(got, want) {
			return fmt.Errorf("%v differs", want)
		}
		return nil
	}
	g, w := tensor.Data[float32](got), tensor.Data[float32](want)
	largest, off, at := 0.0, 0.0, 0
	for i, v := range w {
		largest = max(largest, math.Abs(float64(v)))
		if d := math.Abs(float64(g[i]) - float64(v)); !(d <= off) {
			off, at = d, i
		}
	}
	if !(off <= tolerance*largest) {
		return fmt.Errorf("element %d of %v: got %v, want %v: off by %.2g of the largest", at, want, g[at], w[at], off/largest)
	}
	return nil
}

func readNpz(t *testing.T, path string) octavo.Inputs {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(bytes.NewReader(b), int64(len(b)), 1<<26)
	if err != nil {
		t.Fatal(err)
	}
	out, dir := octavo.Inputs{}, t.TempDir()
	for i, m := range a.Members {
		data, err := a.Read(m)
		if err != nil {
			t.Fatal(err)
		}
		one := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(one, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if out[m.Name], err = octavo.ReadArray(one); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestContribFixtures runs the models that ONNX Runtime quantized with operators
// of its own, and compares with what it recorded. One step of quantization in
// the middle of a network moves its output.
func TestContribFixtures(t *testing.T) {
	paths, err := filepath.Glob(fixtures + "/*/ort/*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		recorded := strings.TrimSuffix(path, ".onnx") + ".disabled.npy"
		// The domain of a node, not of what the model imports.
		if !bytes.Contains(b, []byte("\x3a\x0dcom.microsoft")) {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			m := open(t, path)
			x, err := octavo.ReadArray(filepath.Join(filepath.Dir(path), "..", "inputs.npy"))
			if err != nil {
				t.Fatal(err)
			}
			want, err := octavo.ReadArray(recorded)
			if err != nil {
				t.Fatal(err)
			}
			info, err := m.Inspect()
			if err != nil {
				t.Fatal(err)
			}
			p, err := m.Compile()
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Run(context.Background(), octavo.Inputs{info.Inputs[0].Name: x})
			if err != nil {
				t.Fatal(err)
			}
			tolerance := 0.01
			if strings.Contains(path, "lstm") {
				tolerance = contribTolerance
			}
			if err := near(got[info.Outputs[0].Name], want, tolerance); err != nil {
				t.Error(err)
			}
			ran++
		})
	}
	if ran == 0 {
		t.Skip("the fixtures are not here")
	}
}

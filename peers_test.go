package octavo

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestAgainstONNXRuntime compares the default recipe with ONNX Runtime's
// quantizers on the same samples (interop/accuracy.py).
func TestAgainstONNXRuntime(t *testing.T) {
	py := os.Getenv("OCTAVO_PYTHON")
	if py == "" {
		t.Skip("OCTAVO_PYTHON is not set: run make interop")
	}
	root := t.TempDir()
	for _, s := range subjects(t) {
		dir := filepath.Join(root, s.name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		m := open(t, s.path)
		q, err := Quantize(context.Background(), m, Recipe{Mode: Static}, WithCalibration(inputsOf(s.calib)))
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Save(filepath.Join(dir, "int8.onnx")); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(s.path)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "float.onnx"), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		writeArray(t, filepath.Join(dir, "calib.npy"), stacked(s.calib))
		writeArray(t, filepath.Join(dir, "test.npy"), stacked(s.test))
		labels := make([]int64, len(s.test))
		for i, x := range s.test {
			labels[i] = x.Label
		}
		writeArray(t, filepath.Join(dir, "labels.npy"), tensor.FromSlice(labels, len(labels)))
	}
	out, err := exec.Command(py, "interop/accuracy.py", root).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// stacked puts samples of one input on a new first axis.
func stacked(s []Sample) *Tensor {
	var data []float32
	var shape []int
	for _, x := range s {
		for _, t := range x.Inputs {
			data = append(data, tensor.Data[float32](t)...)
			shape = t.Shape()
		}
	}
	return tensor.FromSlice(data, append([]int{len(s)}, shape...)...)
}

func writeArray(t *testing.T, path string, x *Tensor) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := WriteArray(f, x); err != nil {
		t.Fatal(err)
	}
}

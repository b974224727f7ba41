package octavo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/octavo-ml/octavo/testdata"
)

// TestSameBytesForAnyNumberOfThreads quantizes and saves with one thread, two
// and four, and twice with the same.
func TestSameBytesForAnyNumberOfThreads(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"model.onnx", "calib.npz"} {
		b, err := testdata.Demo.ReadFile("demo/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var first []byte
	for _, threads := range []int{1, 1, 2, 4} {
		old := runtime.GOMAXPROCS(threads)
		m := open(t, filepath.Join(dir, "model.onnx"))
		d, err := m.OpenData(DataOptions{Paths: []string{filepath.Join(dir, "calib.npz")}})
		if err != nil {
			t.Fatal(err)
		}
		q, err := Quantize(context.Background(), m, Recipe{Mode: Static}, WithCalibration(d.Samples(0)), WithThreads(threads))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "out.onnx")
		if err := q.Save(path); err != nil {
			t.Fatal(err)
		}
		runtime.GOMAXPROCS(old)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		} else if !bytes.Equal(b, first) {
			t.Errorf("%d threads: the file differs from the first", threads)
		}
	}
}

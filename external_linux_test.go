package octavo_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestSaveFails: a save that fails while it writes leaves the old model, its
// old data and nothing else.
func TestSaveFails(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 207 MB")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.onnx"), filepath.Join(dir, "saved", "model.onnx")
	if err := os.Mkdir(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	writeMatrix(t, in, 1)
	m, err := octavo.Load(in)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Save(out, octavo.ExternalData(0)); err != nil {
		t.Fatal(err)
	}
	if files := m.Files(); len(files) != 2 || files[0] != out || files[1] != out+".data" {
		t.Errorf("the files are %q", files)
	}
	model, data := sum(t, out), sum(t, out+".data")
	if err := os.Truncate(in, 100_000_000); err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]octavo.SaveOption{{octavo.ExternalData(0)}, nil} {
		if err := m.Save(out, opts...); !errors.Is(err, tensor.ErrFileChanged) {
			t.Errorf("got %v, want %v", err, tensor.ErrFileChanged)
		}
		entries, err := os.ReadDir(filepath.Dir(out))
		if err != nil || len(entries) != 2 || sum(t, out) != model || sum(t, out+".data") != data {
			t.Errorf("the folder holds %v (%v); the model is as it was: %v, its data: %v", entries, err, sum(t, out) == model, sum(t, out+".data") == data)
		}
	}
}

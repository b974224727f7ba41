package tflite_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/tflite"
	"github.com/octavo-ml/octavo/internal/ir"
)

// shared is where models of others lie, beside the checkout.
const shared = "../../../../shared"

// files returns all TensorFlow Lite files of ../shared.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, dir := range []string{"fixtures", "models"} {
		err := filepath.WalkDir(filepath.Join(shared, dir), func(p string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(p, ".tflite") {
				out = append(out, p)
			}
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if len(out) == 0 {
		t.Skip("no models beside the checkout, in ../shared")
	}
	return out
}

func decode(t *testing.T, path string) *format.Model {
	t.Helper()
	src, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	m, err := tflite.Decode(src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAllFiles reads every file, finds all shapes that do not depend on the
// batch, and carries nothing unknown.
func TestAllFiles(t *testing.T) {
	for _, path := range files(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			m := decode(t, path)
			for _, w := range m.Warnings {
				if !strings.Contains(w.Msg, "the limit") {
					t.Errorf("warning %s", w.Msg)
				}
			}
			if err := ir.Verify(m.Graph); err != nil {
				t.Error(err)
			}
			if err := ir.Infer(m.Graph); err != nil {
				t.Error(err)
			}
			for _, v := range m.Graph.Outputs {
				if v.Shape == nil {
					t.Errorf("output %q has no shape", v.Name)
				}
			}
		})
	}
}

package tflite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/tflite"
	"github.com/octavo-ml/octavo/internal/ir"
)

// FuzzDecode: no bytes make the door panic or allocate much more than the file
// has; what it reads is well-formed.
func FuzzDecode(f *testing.F) {
	for _, c := range operatorCases(f) {
		f.Add(c.Model)
	}
	files, err := filepath.Glob("testdata/*.tflite")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			t.Skip("too large")
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := tflite.Decode(format.FromBytes("fuzzed", b))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(256*len(b))+64<<20 {
			t.Errorf("%d bytes allocated for a file of %d", n, len(b))
		}
		if err != nil {
			if !errors.As(err, new(*diag.FormatError)) && !errors.As(err, new(*diag.UnsupportedError)) {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		if err := ir.Verify(m.Graph); err != nil {
			t.Fatalf("the graph is not well-formed: %v", err)
		}
	})
}

package tensor_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestGuardOfTruncatedFile: a file that shrinks underneath is an error, not
// the end of the process.
func TestGuardOfTruncatedFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "data")
	const size = 1 << 20
	if err := os.WriteFile(name, pattern(size), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := tensor.Map(f)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x, err := tensor.FromStorage(dtype.Uint8, []int{size}, whole(t, m))
	if err != nil {
		t.Fatal(err)
	}
	sum := func() (sum int, err error) {
		err = tensor.Guard(func() error {
			for _, b := range x.Bytes() {
				sum += int(b)
			}
			return nil
		})
		return sum, err
	}
	if n, err := sum(); err != nil || n == 0 {
		t.Fatalf("the whole file: %d, %v", n, err)
	}
	if err := f.Truncate(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := sum(); !errors.Is(err, tensor.ErrFileChanged) {
		t.Errorf("the cut file: got %v, want %v", err, tensor.ErrFileChanged)
	}
	if err := tensor.Guard(func() error { x.Clone(); return nil }); !errors.Is(err, tensor.ErrFileChanged) {
		t.Errorf("cloning from the cut file: got %v", err)
	}
	write := func() error {
		out, err := os.Create(filepath.Join(t.TempDir(), "copy"))
		if err != nil {
			return err
		}
		defer out.Close()
		_, err = out.Write(x.Bytes())
		return err
	}
	if err := tensor.Guard(write); !errors.Is(err, tensor.ErrFileChanged) {
		t.Errorf("writing from the cut file: got %v", err)
	}
	// A nil dereference is no change of the file and stays a panic.
	defer func() {
		if recover() == nil {
			t.Error("a nil dereference passes for a changed file")
		}
	}()
	var p *int
	_ = tensor.Guard(func() error { *p = 1; return nil })
}

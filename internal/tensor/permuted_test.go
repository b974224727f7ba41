package tensor_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// whereabouts returns x in every kind of storage.
func whereabouts(x *tensor.Tensor) map[string]*tensor.Tensor {
	b := x.Bytes()
	return map[string]*tensor.Tensor{
		"heap": x,
		"computed": tensor.Computed(x.Type(), x.Shape(), func(off int64, dst []byte) error {
			copy(dst, b[off:])
			return nil
		}),
	}
}

// TestPermutedIsPermute compares the two, as a whole and a part.
func TestPermutedIsPermute(t *testing.T) {
	types := []dtype.Type{dtype.Int8, dtype.Uint16, dtype.Int32, dtype.Int64, dtype.Uint4, dtype.Complex128}
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(0, 40), 0, 3).Draw(t, "shape")
		perm := rapid.Permutation(indices(len(shape))).Draw(t, "perm")
		typ := rapid.SampledFrom(types).Draw(t, "type")
		x := tensor.New(typ, shape...)
		for i := range x.Bytes() {
			x.Bytes()[i] = byte(i * 7)
		}
		want := tensor.Permute(x, perm)
		for kind, x := range whereabouts(x) {
			if typ == dtype.Uint4 && kind == "computed" {
				continue
			}
			got := tensor.Permuted(x, perm)
			if !tensor.Equal(got, want) {
				t.Fatalf("%s %v by %v differs", kind, shape, perm)
			}
			if err := got.Storage().Chunks(func([]byte) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if len(shape) == 0 {
				continue
			}
			lo := rapid.IntRange(0, want.Shape()[0]).Draw(t, "lo")
			hi := rapid.IntRange(lo, want.Shape()[0]).Draw(t, "hi")
			if !tensor.Equal(got.Slice(lo, hi), want.Slice(lo, hi)) {
				t.Fatalf("%s: rows %d to %d of %v by %v differ", kind, lo, hi, shape, perm)
			}
			if typ == dtype.Uint4 {
				continue
			}
			size := typ.Size(1)
			first := rapid.IntRange(0, want.Len()).Draw(t, "first")
			end := rapid.IntRange(first, want.Len()).Draw(t, "end")
			part := tensor.Aligned((end - first) * size)
			if err := got.ReadAt(part, int64(first*size)); err != nil || !bytes.Equal(part, want.Bytes()[first*size:end*size]) {
				t.Fatalf("%s: elements %d to %d of %v by %v differ (%v)", kind, first, end, shape, perm, err)
			}
		}
	})
}

// TestPermutedFile streams a transposed file of several windows.
func TestPermutedFile(t *testing.T) {
	const rows, columns = 3000, 3001
	b := pattern(4 * rows * columns)
	name := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := tensor.Map(f)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x, err := tensor.FromStorage(dtype.Uint32, []int{rows, columns}, whole(t, m))
	if err != nil {
		t.Fatal(err)
	}
	y := tensor.Permuted(x, []int{1, 0})
	if !slices.Equal(y.Shape(), []int{columns, rows}) {
		t.Fatalf("the shape is %v", y.Shape())
	}
	heap, err := tensor.FromBytes(dtype.Uint32, []int{rows, columns}, b)
	if err != nil {
		t.Fatal(err)
	}
	want := tensor.Permute(heap, []int{1, 0}).Bytes()
	if !bytes.Equal(streamed(t, y), want) {
		t.Error("the transposed file differs")
	}
	// Twice is where it was, also through a computed source.
	if !bytes.Equal(streamed(t, tensor.Permuted(y, []int{1, 0})), b) {
		t.Error("transposed twice it is another file")
	}
}

func TestJoined(t *testing.T) {
	a := tensor.FromSlice([]int16{1, 2, 3, 4}, 2, 2)
	b := tensor.Permuted(tensor.FromSlice([]int16{5, 6, 7, 8, 9, 10}, 3, 2), []int{1, 0})
	c := tensor.Splat(dtype.Int16, []int{2, 1}, []byte{1, 1})
	wide := tensor.Joined(1, a, b, c)
	want := tensor.FromSlice([]int16{1, 2, 5, 7, 9, 257, 3, 4, 6, 8, 10, 257}, 2, 6)
	if !tensor.Equal(wide, want) {
		t.Errorf("along axis 1: %v", tensor.Data[int16](wide))
	}
	if got := tensor.Data[int16](tensor.Joined(0, wide.Slice(1, 2), wide)); !slices.Equal(got, []int16{3, 4, 6, 8, 10, 257, 1, 2, 5, 7, 9, 257, 3, 4, 6, 8, 10, 257}) {
		t.Errorf("along axis 0: %v", got)
	}
	empty := tensor.New(dtype.Int16, 2, 0)
	if got := tensor.Joined(1, empty, empty); got.Len() != 0 || len(got.Bytes()) != 0 {
		t.Errorf("nothing joined: %v", got)
	}
	if got := tensor.Joined(1, empty, a, empty); !tensor.Equal(got, a) {
		t.Errorf("joined with nothing: %v", tensor.Data[int16](got))
	}
}

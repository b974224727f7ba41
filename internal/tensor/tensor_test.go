package tensor_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func TestCount(t *testing.T) {
	for _, c := range []struct {
		shape []int
		want  int
		ok    bool
	}{
		{nil, 1, true},
		{[]int{2, 3}, 6, true},
		{[]int{2, 0, 3}, 0, true},
		{[]int{0, math.MaxInt, math.MaxInt}, 0, false},
		{[]int{-1}, 0, false},
		{[]int{0, -1}, 0, false},
		{[]int{math.MaxInt, 2}, 0, false},
	} {
		if n, ok := tensor.Count(c.shape); n != c.want || ok != c.ok {
			t.Errorf("Count(%v) = %d, %v, want %d, %v", c.shape, n, ok, c.want, c.ok)
		}
	}
}

func TestNewIsAlignedAndZero(t *testing.T) {
	for _, typ := range dtype.All() {
		x := tensor.New(typ, 3, 5)
		if x.Len() != 15 || x.Rank() != 2 {
			t.Fatalf("%v: %d elements, rank %d", typ, x.Len(), x.Rank())
		}
		if typ == dtype.String {
			if len(x.Strings()) != 15 || x.Bytes() != nil {
				t.Errorf("strings: %d, bytes %v", len(x.Strings()), x.Bytes())
			}
			continue
		}
		b := x.Bytes()
		if len(b) != typ.Size(15) || uintptr(unsafe.Pointer(&b[0]))%64 != 0 || bytes.Count(b, []byte{0}) != len(b) {
			t.Errorf("%v: %d bytes at %p", typ, len(b), b)
		}
	}
}

func TestFromBytesChecksSize(t *testing.T) {
	if _, err := tensor.FromBytes(dtype.Float32, []int{2}, make([]byte, 7)); err == nil {
		t.Error("7 bytes pass for two float32")
	}
	if _, err := tensor.FromBytes(dtype.Int4, []int{3}, make([]byte, 2)); err != nil {
		t.Errorf("two bytes hold three int4: %v", err)
	}
	if _, err := tensor.FromBytes(dtype.Int8, []int{math.MaxInt, 2}, nil); err == nil {
		t.Error("an overflowing shape passes")
	}
	if _, err := tensor.FromBytes(dtype.String, []int{0}, nil); err == nil {
		t.Error("strings from bytes pass")
	}
	if _, err := tensor.FromStrings([]string{"a"}, 2); err == nil {
		t.Error("one string passes for two")
	}
}

func TestDataOfUnalignedBytes(t *testing.T) {
	b := tensor.Aligned(9)
	copy(b[1:], []byte{1, 0, 0, 0, 2, 0, 0, 0})
	x, err := tensor.FromBytes(dtype.Int32, []int{2}, b[1:])
	if err != nil {
		t.Fatal(err)
	}
	if got := tensor.Data[int32](x); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("got %v", got)
	}
}

func TestDataRefusesOtherWidth(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("float32 read as int64")
		}
	}()
	tensor.Data[int64](tensor.New(dtype.Float32, 2))
}

func TestIntsAndFromInts(t *testing.T) {
	for _, typ := range dtype.All() {
		if !typ.IsInteger() {
			if _, ok := tensor.Ints(tensor.New(typ, 1)); ok != (typ == dtype.Bool) {
				t.Errorf("Ints of %v: %v", typ, ok)
			}
			continue
		}
		lo, hi := typ.Range()
		vals := []int64{lo, hi, 1, 0, hi}
		got, ok := tensor.Ints(tensor.FromInts(typ, vals, 5))
		if !ok || !slices.Equal(got, vals) {
			t.Errorf("%v: got %v, want %v", typ, got, vals)
		}
	}
}

func TestPackOrder(t *testing.T) {
	x := tensor.Pack(dtype.Int4, []int8{1, -2, 7}, 3)
	if got := x.Bytes(); !bytes.Equal(got, []byte{0xe1, 0x07}) {
		t.Errorf("int4: got %x", got)
	}
	y := tensor.Pack(dtype.Uint2, []int8{0, 1, 2, 3, 3}, 5)
	if got := y.Bytes(); !bytes.Equal(got, []byte{0xe4, 0x03}) {
		t.Errorf("uint2: got %x", got)
	}
}

// TestPackRoundTrip: Unpack undoes Pack for values of the type.
func TestPackRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]dtype.Type{dtype.Int4, dtype.Uint4, dtype.Int2, dtype.Uint2}).Draw(t, "type")
		lo, hi := typ.Range()
		vals := rapid.SliceOfN(rapid.Int8Range(int8(lo), int8(hi)), 0, 20).Draw(t, "values")
		if got := tensor.Unpack(tensor.Pack(typ, vals, len(vals))); !slices.Equal(got, vals) {
			t.Fatalf("got %v, want %v", got, vals)
		}
	})
}

func TestReshapeSharesMemory(t *testing.T) {
	x := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	y, err := x.Reshape(4)
	if err != nil {
		t.Fatal(err)
	}
	if &tensor.Data[float32](x)[0] != &tensor.Data[float32](y)[0] {
		t.Error("reshaping copies")
	}
	for _, shape := range [][]int{{3}, {-4}, {math.MaxInt, 4}} {
		if _, err := x.Reshape(shape...); err == nil {
			t.Errorf("reshaped to %v", shape)
		}
	}
}

func TestSlice(t *testing.T) {
	x := tensor.FromSlice([]int16{1, 2, 3, 4, 5, 6}, 3, 2)
	if got := tensor.Data[int16](x.Slice(1, 3)); !slices.Equal(got, []int16{3, 4, 5, 6}) {
		t.Errorf("rows 1 to 3: %v", got)
	}
	if got := x.Slice(2, 2); got.Len() != 0 || !slices.Equal(got.Shape(), []int{0, 2}) {
		t.Errorf("nothing: %v", got)
	}
	s, _ := tensor.FromStrings([]string{"a", "b", "c"}, 3)
	if got := s.Slice(1, 2).Strings(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("strings: %v", got)
	}
}

// TestSliceOfPackedElements: whatever the cut, the slice equals a tensor
// packed from the same elements, padding bits included.
func TestSliceOfPackedElements(t *testing.T) {
	vals := []int8{1, -2, 3, -4, 5, -6, 7}
	x := tensor.Pack(dtype.Int4, vals, 7)
	for lo := range 8 {
		for hi := lo; hi < 8; hi++ {
			if want := tensor.Pack(dtype.Int4, vals[lo:hi], hi-lo); !tensor.Equal(x.Slice(lo, hi), want) {
				t.Errorf("[%d:%d]: bytes %x, want %x", lo, hi, x.Slice(lo, hi).Bytes(), want.Bytes())
			}
		}
	}
}

func TestCloneIsApart(t *testing.T) {
	x := tensor.FromSlice([]uint8{1, 2}, 2)
	y := x.Clone()
	tensor.Data[uint8](y)[0] = 9
	if tensor.Data[uint8](x)[0] != 1 || tensor.Equal(x, y) {
		t.Error("the clone shares memory")
	}
	s, _ := tensor.FromStrings([]string{"a"}, 1)
	if !tensor.Equal(s, s.Clone()) {
		t.Error("strings change when cloned")
	}
}

func TestEqual(t *testing.T) {
	x := tensor.FromSlice([]float32{1, 2}, 2)
	for name, y := range map[string]*tensor.Tensor{
		"shape": tensor.FromSlice([]float32{1, 2}, 2, 1),
		"type":  tensor.FromSlice([]int32{1, 2}, 2),
		"bytes": tensor.FromSlice([]float32{1, 3}, 2),
	} {
		if tensor.Equal(x, y) {
			t.Errorf("other %s counts as equal", name)
		}
	}
	if !tensor.Equal(x, tensor.FromSlice([]float32{1, 2}, 2)) {
		t.Error("equal tensors differ")
	}
}

// TestPermute compares with index arithmetic element by element.
func TestPermute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 4).Draw(t, "shape")
		perm := rapid.Permutation(indices(len(shape))).Draw(t, "perm")
		typ := rapid.SampledFrom([]dtype.Type{dtype.Int8, dtype.Uint16, dtype.Int32, dtype.Int64, dtype.Uint4}).Draw(t, "type")
		n, _ := tensor.Count(shape)
		vals := make([]int64, n)
		for i := range vals {
			vals[i] = int64(i % 16 % 128)
			if typ == dtype.Int8 {
				vals[i] = int64(i % 128)
			}
		}
		got := tensor.Permute(tensor.FromInts(typ, vals, shape...), perm)
		ints, _ := tensor.Ints(got)
		strides := tensor.Strides(shape)
		for o := range ints {
			at, rest := 0, o
			for i := len(perm) - 1; i >= 0; i-- {
				d := shape[perm[i]]
				at, rest = at+rest%d*strides[perm[i]], rest/d
			}
			if ints[o] != vals[at] {
				t.Fatalf("%v by %v: element %d is %d, want %d", shape, perm, o, ints[o], vals[at])
			}
		}
	})
}

func TestPermuteWideAndText(t *testing.T) {
	c := tensor.FromSlice([]complex128{1, 2i, 3, 4i}, 2, 2)
	if got := tensor.Data[complex128](tensor.Permute(c, []int{1, 0})); !slices.Equal(got, []complex128{1, 3, 2i, 4i}) {
		t.Errorf("complex: %v", got)
	}
	s, _ := tensor.FromStrings([]string{"a", "b"}, 1, 2)
	if got := tensor.Permute(s, []int{1, 0}); !slices.Equal(got.Strings(), []string{"a", "b"}) || got.Shape()[0] != 2 {
		t.Errorf("strings: %v %v", got, got.Strings())
	}
	if got := tensor.Permute(tensor.Scalar[int8](3), nil); tensor.Data[int8](got)[0] != 3 {
		t.Errorf("scalar: %v", got)
	}
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

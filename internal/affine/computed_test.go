package affine_test

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// laid returns x in several kinds of storage, whose elements are x's.
func laid(x *tensor.Tensor) map[string]*tensor.Tensor {
	b := x.Bytes()
	odd := append(make([]byte, 1, len(b)+1), b...)
	unaligned, err := tensor.FromBytes(x.Type(), x.Shape(), odd[1:])
	if err != nil {
		panic(err)
	}
	out := map[string]*tensor.Tensor{
		"heap":      x,
		"unaligned": unaligned,
		"computed": tensor.Computed(x.Type(), x.Shape(), func(off int64, dst []byte) error {
			copy(dst, b[off:])
			return nil
		}),
	}
	if x.Rank() == 2 {
		out["turned"] = tensor.Permuted(tensor.Permute(x, []int{1, 0}), []int{1, 0})
	}
	return out
}

// paramsFor draws parameters for a tensor of a shape: one scale, one an index
// of an axis, or one a block.
func paramsFor(t *rapid.T, typ dtype.Type, shape []int) affine.Params {
	p := affine.Params{Type: typ, Axis: rapid.IntRange(-1, len(shape)-1).Draw(t, "axis")}
	n := 1
	if p.Axis >= 0 {
		n = shape[p.Axis]
		if p.BlockSize = rapid.SampledFrom([]int{0, 0, 2, 7, 32}).Draw(t, "block"); p.BlockSize > 0 {
			n, _ = tensor.Count(p.ScaleShape(shape))
		}
	}
	lo, hi := typ.Range()
	for i := range n {
		p.Scale = append(p.Scale, 0.01+float32(i%13)/100)
		p.ZeroPoint = append(p.ZeroPoint, lo+int64(i*5)%(hi-lo+1))
	}
	return p
}

// TestQuantizedIsQuantize compares what is computed by parts, read as a whole,
// in order and from the middle, with the definition of a quantized element.
func TestQuantizedIsQuantize(t *testing.T) {
	types := []dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int16, dtype.Uint16, dtype.Int4, dtype.Uint4, dtype.Int2}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		shape := rapid.SliceOfN(rapid.IntRange(1, 70), 1, 3).Draw(t, "shape")
		n, _ := tensor.Count(shape)
		x := tensor.FromSlice(kerneltest.Floats(kerneltest.Rand(uint64(n)), n, true), shape...)
		p := paramsFor(t, typ, shape)
		want := byElement(x, p)
		if got, err := affine.Quantize(x, p, affine.RoundHalfEven); err != nil || !tensor.Equal(got, want) {
			t.Fatalf("%v%v, axis %d, block %d: Quantize differs (%v)", typ, shape, p.Axis, p.BlockSize, err)
		}
		for where, x := range laid(x) {
			got, err := affine.Quantized(x, p)
			if err != nil {
				t.Fatal(err)
			}
			if !tensor.Equal(got, want) {
				t.Fatalf("%s %v%v, axis %d, block %d: differs", where, typ, shape, p.Axis, p.BlockSize)
			}
			lo := rapid.IntRange(0, len(want.Bytes())-1).Draw(t, "from") &^ 63
			part := slices.Repeat([]byte{0xaa}, len(want.Bytes())-lo)
			if err := got.ReadAt(part, int64(lo)); err != nil || !slices.Equal(part, want.Bytes()[lo:]) {
				t.Fatalf("%s %v%v, axis %d, block %d: differs from byte %d on (%v)", where, typ, shape, p.Axis, p.BlockSize, lo, err)
			}
		}
	})
}

// byElement quantizes one element after the other.
func byElement(x *tensor.Tensor, p affine.Params) *tensor.Tensor {
	shape := x.Shape()
	strides, dims := tensor.Strides(shape), p.ScaleShape(shape)
	lo, hi := p.Type.Range()
	out := make([]int64, x.Len())
	for i, v := range tensor.Data[float32](x) {
		k := 0
		switch {
		case p.BlockSize > 0:
			for a, s := range tensor.Strides(dims) {
				at := i / strides[a] % shape[a]
				if a == p.Axis {
					at /= p.BlockSize
				}
				k += at * s
			}
		case len(p.Scale) > 1:
			k = i / strides[p.Axis] % shape[p.Axis]
		}
		q := math.RoundToEven(float64(v / p.Scale[k]))
		if q != q {
			q = math.Inf(-1)
		}
		out[i] = int64(max(float64(lo), min(float64(hi), q+float64(p.Zero(k)))))
	}
	return tensor.FromInts(p.Type, out, shape...)
}

// TestLargeWeightsByParts: parameters and integers of a tensor that several
// goroutines take, each its parts.
func TestLargeWeightsByParts(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	const rows, cols = 1100, 701
	x := tensor.FromSlice(kerneltest.Floats(kerneltest.Rand(8), rows*cols, false), rows, cols)
	d := tensor.Data[float32](x)
	for _, axis := range []int{affine.PerTensorAxis, 0, 1} {
		n := []int{1, rows, cols}[axis+1]
		lo, hi := make([]float32, n), make([]float32, n)
		for i, v := range d {
			k := []int{0, i / cols, i % cols}[axis+1]
			lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
		}
		s := affine.Scheme{Type: dtype.Int8}
		for where, x := range laid(x) {
			p, finite, err := affine.WeightParams(x, s, axis)
			if err != nil || !finite {
				t.Fatal(finite, err)
			}
			for k := range n {
				scale, zero := affine.ChooseParams(float64(lo[k]), float64(hi[k]), s)
				if p.Scale[k] != scale || p.ZeroPoint[k] != zero {
					t.Fatalf("%s, axis %d: scale %d is %v, %d, want %v, %d", where, axis, k, p.Scale[k], p.ZeroPoint[k], scale, zero)
				}
			}
			q, err := affine.Quantized(x, p)
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			if err := q.Storage().Chunks(func(b []byte) error { got = append(got, b...); return nil }); err != nil {
				t.Fatal(err)
			}
			if want := byElement(laid(x)["computed"].Clone(), p); !slices.Equal(got, want.Bytes()) {
				t.Fatalf("%s, axis %d: integers differ", where, axis)
			}
		}
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
		d[rows*cols-3] = bad
		for _, axis := range []int{affine.PerTensorAxis, 0, 1} {
			if _, finite, err := affine.WeightParams(x, affine.Scheme{Type: dtype.Int8}, axis); err != nil || finite {
				t.Errorf("axis %d: %v counts as finite (%v)", axis, bad, err)
			}
		}
		if _, _, finite, err := affine.Extremes(x); err != nil || finite {
			t.Errorf("%v counts as finite (%v)", bad, err)
		}
	}
}

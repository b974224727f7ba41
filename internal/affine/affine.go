// Package affine is the arithmetic of quantization: how real numbers become
// integers and back, how parameters follow from ranges, and how an accumulator
// of integer products becomes the next tensor.
//
// real = Scale·(q − ZeroPoint). Everything that quantizes anything asks this
// package; nobody else divides by a scale. Ranges and roundings follow ONNX
// Runtime's quantizer bit for bit. The package must not know operators, graphs,
// statistics or files; the loops lie in kernels/convert. Start at [Params],
// [ChooseParams] and [Quantize].
package affine

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// Rounding says what becomes of a quotient half-way between two integers.
type Rounding uint8

// The roundings.
const (
	RoundHalfEven Rounding = iota // ONNX
	RoundHalfAway                 // TFLite: away from zero
)

// String returns "half-even" or "half-away".
func (r Rounding) String() string {
	if r == RoundHalfAway {
		return "half-away"
	}
	return "half-even"
}

// PerTensorAxis is the axis that stands for one scale for all elements.
const PerTensorAxis = -1

// Params maps the integers of a tensor to real numbers. The zero Params stands
// for a tensor that is not quantized.
type Params struct {
	// Type is the element type of the quantized tensor: an integer type of at
	// most 32 bits, Int64 (a bias of 64-bit accumulators), or an 8-bit float with
	// zero points 0.
	Type dtype.Type
	// Scale has one element (per tensor), one for each index of Axis (per
	// axis), or, with a BlockSize, the shape of the tensor with
	// ceil(dim/BlockSize) along Axis, in row-major order (per group).
	Scale []float32
	// ZeroPoint is as long as Scale; nil stands for zeros.
	ZeroPoint []int64
	// Axis means nothing where Scale has one element; otherwise it is not
	// negative.
	Axis int
	// BlockSize is 0 unless the parameters are per group.
	BlockSize int
}

// PerTensor returns parameters with one scale.
func PerTensor(typ dtype.Type, scale float32, zeroPoint int64) Params {
	return Params{Type: typ, Scale: []float32{scale}, ZeroPoint: []int64{zeroPoint}, Axis: PerTensorAxis}
}

// Present reports whether p is not the zero Params.
func (p Params) Present() bool { return len(p.Scale) > 0 }

// IsPerTensor reports whether one scale and zero point serve all elements.
func (p Params) IsPerTensor() bool { return len(p.Scale) == 1 }

// Zero returns the i-th zero point.
func (p Params) Zero(i int) int64 {
	if p.ZeroPoint == nil {
		return 0
	}
	return p.ZeroPoint[i]
}

// Symmetric reports whether all zero points are 0.
func (p Params) Symmetric() bool {
	return !slices.ContainsFunc(p.ZeroPoint, func(z int64) bool { return z != 0 })
}

// Equal reports whether p and q map every integer to the same number: nil zero
// points equal zeros, and the axis of a single scale does not count.
func (p Params) Equal(q Params) bool {
	if p.Type != q.Type || !slices.Equal(p.Scale, q.Scale) {
		return false
	}
	for i := range p.Scale {
		if p.Zero(i) != q.Zero(i) {
			return false
		}
	}
	return len(p.Scale) <= 1 || p.Axis == q.Axis && p.BlockSize == q.BlockSize
}

// ScaleShape returns the shape of the scale tensor of a tensor of the given
// shape: empty per tensor, one dimension per axis, all of them per group.
func (p Params) ScaleShape(shape []int) []int {
	switch {
	case p.BlockSize > 0:
		s := slices.Clone(shape)
		s[p.Axis] = blocks(s[p.Axis], p.BlockSize)
		return s
	case p.IsPerTensor():
		return []int{}
	}
	return []int{len(p.Scale)}
}

func blocks(dim, size int) int { return dim/size + min(dim%size, 1) }

// Quantizable reports whether tensors can be quantized to t.
func Quantizable(t dtype.Type) bool {
	return t.IsInteger() && t.Bits() <= 32 && t != dtype.Uint32 || t == dtype.Int64 || float8(t) != nil
}

// Validate checks that p fits a tensor of the given shape.
func (p Params) Validate(shape []int) error {
	switch {
	case !Quantizable(p.Type):
		return fmt.Errorf("affine: no quantization to %v", p.Type)
	case len(p.Scale) == 0:
		return fmt.Errorf("affine: no scale")
	case p.ZeroPoint != nil && len(p.ZeroPoint) != len(p.Scale):
		return fmt.Errorf("affine: %d zero points for %d scales", len(p.ZeroPoint), len(p.Scale))
	case p.BlockSize < 0:
		return fmt.Errorf("affine: block size %d is negative", p.BlockSize)
	}
	lo, hi := p.Type.Range()
	for i, s := range p.Scale {
		if f := float64(s); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("affine: scale %v is not finite", s)
		}
		if z := p.Zero(i); z < lo || z > hi {
			return fmt.Errorf("affine: zero point %d is outside %v", z, p.Type)
		}
	}
	if p.IsPerTensor() && p.BlockSize == 0 {
		return nil
	}
	if p.Axis < 0 || p.Axis >= len(shape) {
		return fmt.Errorf("affine: axis %d is outside shape %v", p.Axis, shape)
	}
	want := shape[p.Axis]
	if p.BlockSize > 0 {
		want = 1
		for _, d := range p.ScaleShape(shape) {
			want *= d
		}
	}
	if want != len(p.Scale) {
		return fmt.Errorf("affine: %d scales for shape %v along axis %d with block size %d, want %d", len(p.Scale), shape, p.Axis, p.BlockSize, want)
	}
	return nil
}

// each calls fn for stretches [lo, hi) of a row-major tensor that together are
// all elements. Scales k to k+n serve a stretch: n is 1, or the stretch is made
// of rows of n elements, each with its own scale.
func (p Params) each(shape []int, fn func(lo, hi, k, n int)) {
	total := 1
	for _, d := range shape {
		total *= d
	}
	p.eachIn(shape, 0, total, fn)
}

// eachIn is each for the elements from lo to hi alone.
func (p Params) eachIn(shape []int, lo, hi int, fn func(lo, hi, k, n int)) {
	if lo >= hi {
		return
	}
	if p.IsPerTensor() {
		fn(lo, hi, 0, 1)
		return
	}
	dim, inner := shape[p.Axis], 1
	for _, d := range shape[p.Axis+1:] {
		inner *= d
	}
	switch {
	case p.BlockSize > 0:
		perRow := blocks(dim, p.BlockSize)
		for lo < hi {
			// A stretch is the rows of a block.
			outer, d := lo/(dim*inner), lo/inner%dim/p.BlockSize
			start := (outer*dim + d*p.BlockSize) * inner
			end := (outer*dim + min((d+1)*p.BlockSize, dim)) * inner
			eachRow(lo, min(hi, end), start, (outer*perRow+d)*inner, inner, fn)
			lo = end
		}
	case inner == 1:
		eachRow(lo, hi, 0, 0, dim, fn)
	default:
		for lo < hi {
			c := lo / inner
			end := min(hi, (c+1)*inner)
			fn(lo, end, c%dim, 1)
			lo = end
		}
	}
}

// eachRow calls fn for elements lo to hi of rows of n elements that begin at
// start, the first of which has scale k: for the rest of a row, whole rows, and
// the beginning of one.
func eachRow(lo, hi, start, k, n int, fn func(lo, hi, k, n int)) {
	if n == 1 {
		fn(lo, hi, k, 1)
		return
	}
	if off := (lo - start) % n; off > 0 {
		m := min(n-off, hi-lo)
		fn(lo, lo+m, k+off, m)
		lo += m
	}
	if whole := (hi - lo) / n * n; whole > 0 {
		fn(lo, lo+whole, k, n)
		lo += whole
	}
	if lo < hi {
		fn(lo, hi, k, hi-lo)
	}
}

// Groups calls fn, for each scale k, with the elements of x, which has the
// given shape, that it serves. fn must not keep the slice.
func (p Params) Groups(shape []int, x []float32, fn func(k int, group []float32)) {
	// Scales are served one after the other: a stretch of rows is gathered by
	// column, and what one index of an axis has in several places is put
	// together.
	if p.IsPerTensor() {
		fn(0, x)
		return
	}
	inner := 1
	for _, d := range shape[p.Axis+1:] {
		inner *= d
	}
	dim := shape[p.Axis]
	if p.BlockSize > 0 {
		buf := make([]float32, 0, p.BlockSize)
		p.each(shape, func(lo, hi, k, n int) {
			for j := range n {
				buf = buf[:0]
				for i := lo + j; i < hi; i += n {
					buf = append(buf, x[i])
				}
				fn(k+j, buf)
			}
		})
		return
	}
	var buf []float32
	for c := range dim {
		buf = buf[:0]
		for base := c * inner; base < len(x); base += dim * inner {
			buf = append(buf, x[base:base+inner]...)
		}
		fn(c, buf)
	}
}

package gemm

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// Products of bfloat16 lie outside the contract of bits: their numbers are not
// those of float32, and who wants those does not call them. The twin is what
// Intel's manual says of VDPBF16PS, so that machines agree nevertheless.

// Duo is how many consecutive k the panels of bfloat16 hold together: what one
// dot-product instruction multiplies.
const Duo = 2

// HasBF16 reports whether this machine has instructions for BF16. Go computes
// the same numbers where it has none, some hundred times slower.
func HasBF16() bool { return hasBF16() }

// RoundBF16 stores src rounded to bfloat16 as instructions do it: half to even,
// subnormal numbers to zero.
func RoundBF16(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	if len(src) > 0 && hasBF16() {
		roundBF16(dst, src)
		return
	}
	for i, v := range src {
		dst[i] = toBF16(v)
	}
}

// toBF16 is RoundBF16 for one number.
func toBF16(v float32) uint16 {
	if subnormal(v) {
		return uint16(math.Float32bits(v) >> 16 & 0x8000)
	}
	return convert.F32ToBF16(v)
}

func subnormal(v float32) bool { return math.Float32bits(v)&0x7f800000 == 0 }

// flush makes a zero of a subnormal number.
func flush(v float32) float32 {
	if subnormal(v) {
		return math.Float32frombits(math.Float32bits(v) & (1 << 31))
	}
	return v
}

// BF16Panel is FloatPanel for bfloat16: each tap begins a duo.
func (m Matrix) BF16Panel() int { return Width * m.Taps * duos(m.Depth()) }

// BF16Len is the length of the matrix packed by PackBF16Panel.
func (m Matrix) BF16Len() int { return padded(m.Columns) * m.Taps * duos(m.Depth()) }

// duos is the number of elements of the duos that hold k.
func duos(k int) int { return (k + 1) &^ 1 }

// BF16 is Floats for bfloat16: A and B hold it, sums are float32, C and other
// hold float32, or both bfloat16. Subnormal numbers are zeros everywhere but in
// what is added to the sums.
//
//	acc := flush(bias[j]) // or −0
//	for k := 0; k < depth; k += 2 { // of each tap
//		acc = flush(fma(A[i,k+1], B[k+1,j], acc))
//		acc = flush(fma(A[i,k], B[k,j], acc))
//	}
//	c[i*ldc+j] = T(min(max(acc+other[i*ldc+j], lo), hi))
func BF16[T float32 | uint16](c, other []T, ldc int, a []uint16, r *Rows, m int, panel []uint16, j, cols int, e *FloatEnd) {
	if m == 0 || cols == 0 {
		return
	}
	width := padded(cols)
	_, _, _ = a[:r.reach(m, r.Depth)], panel[:len(r.Tap)*duos(r.Depth)*width], c[:(m-1)*ldc+cols]
	if other != nil {
		_ = other[:(m-1)*ldc+cols]
	}
	if !hasBF16() || e.late {
		bf16Generic(c, other, ldc, a, r, m, panel, width, cols, e.bias[j:], e)
		return
	}
	size := int(unsafe.Sizeof(c[0]))
	bf16(unsafe.Pointer(unsafe.SliceData(c)), unsafe.Pointer(unsafe.SliceData(other)), ldc, size, a, r, m, panel, width, cols, e.bias[j:], e)
}

// bf16Generic is the twin that defines the bits of BF16.
func bf16Generic[T float32 | uint16](c, other []T, ldc int, a []uint16, r *Rows, m int, panel []uint16, width, cols int, bias []float32, e *FloatEnd) {
	var sums [Width]float32
	for i := range m {
		row, b := sums[:cols], panel
		for j := range row {
			row[j] = flush(bias[j])
		}
		for _, tap := range r.Tap {
			x := a[r.Row[i]+tap:][:r.Depth]
			for k := 0; k < len(x); k += Duo {
				low, high := flush(convert.BF16ToF32(x[k])), float32(0)
				if k+1 < len(x) {
					high = flush(convert.BF16ToF32(x[k+1]))
				}
				for j, acc := range row {
					acc = flush(exact.FMA32(high, flush(convert.BF16ToF32(b[2*j+1])), acc))
					row[j] = flush(exact.FMA32(low, flush(convert.BF16ToF32(b[2*j])), acc))
				}
				b = b[Duo*width:]
			}
		}
		var add []T
		if other != nil {
			add = other[i*ldc:]
		}
		endBF16(c[i*ldc:], add, row, e)
	}
}

// endBF16 stores a row.
func endBF16[T float32 | uint16](c, other []T, sums []float32, e *FloatEnd) {
	lo, hi := e.least, e.most
	if e.late {
		lo, hi = e.lo, e.hi
	}
	for j, v := range sums {
		if other != nil {
			v += wide(other[j])
		}
		narrow(&c[j], min(max(v, lo), hi))
	}
}

func wide[T float32 | uint16](x T) float32 {
	if h, ok := any(x).(uint16); ok {
		return convert.BF16ToF32(h)
	}
	return float32(x)
}

func narrow[T float32 | uint16](c *T, v float32) {
	switch c := any(c).(type) {
	case *float32:
		*c = v
	case *uint16:
		*c = toBF16(v)
	}
}

package gemm

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// Products of bfloat16 lie outside the contract of bits: their numbers are not
// those of float32, and who wants those does not call them. The twins are what
// Intel's manual says of VDPBF16PS and of TDPBF16PS, so that machines with the
// same of these agree nevertheless.

// Duo is how many consecutive k the panels of bfloat16 hold together: what one
// dot-product instruction multiplies.
const Duo = 2

// maxPairs is how many of them a row of a tile holds.
const maxPairs = 16

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

// BF16 is Floats for bfloat16: A and B hold it, sums are float32, C and other
// hold float32, or both bfloat16. The depth of a tap is one that Paired returns.
// Subnormal numbers are zeros everywhere but in what is added to the sums, which
// begin with the bias, or −0, and which instructions and tiles add up each in an
// order of their own: pairs and tiled say in which.
//
//	c[i*ldc+j] = T(min(max(acc+other[i*ldc+j], lo), hi))
//
// Here min and max keep −0 beside a limit that is +0.
func BF16[T float32 | uint16](c, other []T, ldc int, a []uint16, r *Rows, m int, panel []uint16, j, cols int, e *FloatEnd) {
	if m == 0 || cols == 0 {
		return
	}
	width := padded(cols)
	_, _, _ = a[:r.reach(m, r.Depth)], panel[:len(r.Tap)*r.Depth*width], c[:(m-1)*ldc+cols]
	if other != nil {
		_ = other[:(m-1)*ldc+cols]
	}
	if e.late || !hasBF16() {
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
		row := sums[:cols]
		for j := range row {
			row[j] = flush(bias[j])
		}
		for t, tap := range r.Tap {
			if x, b := a[r.Row[i]+tap:][:r.Depth], panel[t*r.Depth*width:]; hasTiles() {
				tiled(row, x, b, width)
			} else {
				pairs(row, x, b, width)
			}
		}
		var more []T
		if other != nil {
			more = other[i*ldc:]
		}
		endBF16(c[i*ldc:], more, row, e)
	}
}

// pairs adds as VDPBF16PS does:
//
//	for k := 0; k < depth; k += 2 {
//		acc = flush(fma(A[i,k+1], B[k+1,j], acc))
//		acc = flush(fma(A[i,k], B[k,j], acc))
//	}
func pairs(sums []float32, x, b []uint16, width int) {
	for k := 0; k < len(x); k += Duo {
		low, high := number(x[k]), number(x[k+1])
		for j, acc := range sums {
			acc = flush(exact.FMA32(high, number(b[2*j+1]), acc))
			sums[j] = flush(exact.FMA32(low, number(b[2*j]), acc))
		}
		b = b[Duo*width:]
	}
}

// tiled adds as TDPBF16PS does, which multiplies all pairs of a step at once:
//
//	for each step {
//		even, odd := 0, 0
//		for each k of the step, by 2 {
//			even = flush(fma(A[i,k], B[k,j], even))
//			odd = flush(fma(A[i,k+1], B[k+1,j], odd))
//		}
//		acc = flush(acc + flush(even+odd))
//	}
func tiled(sums []float32, x, b []uint16, width int) {
	step := len(x) / tileSteps(len(x)/Duo)
	for ; len(x) > 0; x, b = x[step:], b[step*width:] {
		for j, acc := range sums {
			var even, odd float32
			for k := 0; k < step; k += Duo {
				y := b[k*width+2*j:]
				even = flush(exact.FMA32(number(x[k]), number(y[0]), even))
				odd = flush(exact.FMA32(number(x[k+1]), number(y[1]), odd))
			}
			sums[j] = flush(acc + flush(even+odd))
		}
	}
}

// number is the float that a bfloat16 is to instructions.
func number(x uint16) float32 { return flush(convert.BF16ToF32(x)) }

// endBF16 stores a row.
func endBF16[T float32 | uint16](c, other []T, sums []float32, e *FloatEnd) {
	for j, v := range sums {
		if other != nil {
			v += wide(other[j])
		}
		switch {
		case e.late:
			v = min(max(v, e.lo), e.hi)
		case v < e.least:
			v = min(e.least, e.most)
		case v > e.most:
			v = e.most
		}
		narrow(&c[j], v)
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

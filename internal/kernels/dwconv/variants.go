package dwconv

import (
	"math"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
)

// variant is one implementation of chain, which runs the first whose level may
// be used. Tests and benchmarks run every row of the table; each equals the
// generic twin to the bit.
type variant struct {
	name  string
	level cpu.Level
}

// finish is what is applied to every result: the bias, then the clamp by Go's
// min and max. Variants read it by its layout.
type finish struct {
	bias, lo, hi float32
}

// identity changes nothing, not even the sign of a zero.
var identity = finish{float32(math.Copysign(0, -1)), float32(math.Inf(-1)), float32(math.Inf(1))}

// chainGeneric is the twin that defines the bits. The length of dst is a
// multiple of width.
//
//	for i := range dst {
//		acc := float32(0)
//		for t, o := range off {
//			acc = fma(w[t], x[o+i], acc)
//		}
//		dst[i] = min(max(acc+f.bias, f.lo), f.hi)
//	}
func chainGeneric(dst, x []float32, off []int, w []float32, f *finish) {
	w = w[:len(off)]
	for i := 0; i < len(dst); i += 4 {
		var s0, s1, s2, s3 float32
		for t, o := range off {
			x, a := (*[4]float32)(x[o+i:]), w[t]
			w0, w1, w2, w3 := exact.Wide(a, x[0], s0), exact.Wide(a, x[1], s1), exact.Wide(a, x[2], s2), exact.Wide(a, x[3], s3)
			if exact.Hard(w0) || exact.Hard(w1) || exact.Hard(w2) || exact.Hard(w3) {
				s0, s1 = exact.FMA32(a, x[0], s0), exact.FMA32(a, x[1], s1)
				s2, s3 = exact.FMA32(a, x[2], s2), exact.FMA32(a, x[3], s3)
				continue
			}
			s0, s1, s2, s3 = float32(w0), float32(w1), float32(w2), float32(w3)
		}
		*(*[4]float32)(dst[i:]) = [4]float32{f.apply(s0), f.apply(s1), f.apply(s2), f.apply(s3)}
	}
}

func (f *finish) apply(v float32) float32 { return min(max(v+f.bias, f.lo), f.hi) }

package conv_test

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// bf16Variants has a row for the instructions, which belong to no level.
var bf16Variants = []kerneltest.Variant{{Name: "amx bf16", Level: cpu.AMX}, {Name: "avx512 bf16", Level: cpu.AVX512}, {Name: "generic", Level: cpu.Generic}}

// integers returns n small integers, which bfloat16 holds, and whose sums are
// exact in any order.
func integers(draw func(int) int, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(draw(33) - 16)
	}
	return out
}

func TestRunBF16EqualsItsDefinition(t *testing.T) {
	kerneltest.Run(t, bf16Variants, func(t *testing.T) {
		if cpu.Current() != cpu.Generic && !gemm.HasBF16() {
			t.Skip("this machine has no kernels for bfloat16")
		}
		r := kerneltest.Rand(13)
		for i := range 160 {
			g := anyGeometry(r, i)
			x, w := integers(r.IntN, g.Batch*g.In*product(g.Size)), integers(r.IntN, weightLen(g))
			bias := integers(r.IntN, g.Out)
			want := naive(g, x, w, exact.FMA32)
			var other []float32
			if i%7 == 2 {
				other = integers(r.IntN, len(want))
			}
			for j := range want {
				want[j] += bias[j%g.Out]
				if other != nil {
					want[j] += other[j]
				}
				want[j] = min(max(want[j], -20), 100)
			}
			p := conv.NewPlan(g, conv.BFloat16)
			packed, checkPacked := kerneltest.Guard[uint16](t, p.WeightBF16(), 3)
			p.PackBF16Parts(packed, w, 0, p.Packs())
			checkPacked()
			run := bf16Run{p: p, x: kerneltest.Fence(t, short(x)), w: packed, ends: p.FloatEnds(bias, true, -20, 100), mid: r.IntN(p.Blocks() + 1)}
			kerneltest.Equal(t, runBF16(t, run, len(want), other), want, "%+v", g)
			kerneltest.Equal(t, long(runBF16(t, run, len(want), short(other))), want, "%+v", g)
		}
	})
}

type bf16Run struct {
	p    *conv.Plan
	x, w []uint16
	ends []*gemm.FloatEnd
	mid  int // where the work is cut in two
}

func runBF16[T float32 | uint16](t *testing.T, r bf16Run, n int, other []T) []T {
	y, check := kerneltest.Guard[T](t, n, n%4)
	for _, part := range [][2]int{{r.mid, r.p.Blocks()}, {0, r.mid}} {
		scratch, checkScratch := kerneltest.Guard[uint16](t, r.p.ScratchLen(), n%5)
		for i := range scratch {
			scratch[i] = 0x7fc0 // NaN
		}
		conv.RunBF16(r.p, y, other, r.x, r.w, r.ends, part[0], part[1], scratch)
		checkScratch()
	}
	check()
	return y
}

func short(x []float32) []uint16 {
	if x == nil {
		return nil
	}
	out := make([]uint16, len(x))
	convert.EncodeBF16(out, x)
	return out
}

func long(x []uint16) []float32 {
	out := make([]float32, len(x))
	convert.DecodeBF16(out, x)
	return out
}

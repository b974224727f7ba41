package dwconv

import (
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// anyRescaling returns one of n channels; one in four has a factor above 1, and
// one in five factors of float64.
func anyRescaling(r *rand.Rand, i, n int, grid convert.Grid) *convert.Rescaling {
	bias, factors, reals := make([]int32, n), make([]convert.Fixed, n), make([]float64, n)
	for c := range n {
		bias[c] = r.Int32N(1<<16) - 1<<15
		factors[c] = convert.Fixed{M: 1<<30 + r.Int32N(1<<30), Right: r.Int32N(14)}
		reals[c] = r.Float64() / 300
		switch r.IntN(12) {
		case 0:
			factors[c].M = 0
		case 1:
			factors[c].M = 1 << 30
		case 2:
			factors[c].Right = r.Int32N(32)
		}
	}
	if i%4 == 1 {
		factors[n/2].Left, factors[n/2].Right = 2, 0
	}
	if i%5 == 0 {
		return convert.NewRealRescaling(bias, reals, grid.ZeroPoint, grid.QMin, grid.QMax)
	}
	return convert.NewRescaling(bias, factors, grid.ZeroPoint, grid.QMin, grid.QMax)
}

// testLastFixed compares results of type U with the rescaling of whole sums.
func testLastFixed[T, U uint8 | int8](t *testing.T, grid convert.Grid) {
	kerneltest.Run(t, variants, func(t *testing.T) {
		r := kerneltest.Rand(15)
		for i := range 160 {
			c := newLastBytesCase[T](r, 1+2*i) // without a bias
			p := NewLast(c.g)
			fixed := anyRescaling(r, i, c.g.Channels, grid)
			want := make([]U, len(c.sums))
			kerneltest.OnGo(t, func() { convert.Rescale(fixed, want, c.sums) })
			w := make([]int8, p.WeightBytes())
			p.PackBytes(w, c.w)
			f := FinishFixed(p, c.zero, c.w, fixed, int64(product(c.g.Kernel))*255*128)
			y, check := kerneltest.Guard[U](t, len(want), i%4)
			mid := r.IntN(p.ByteBlocks() + 1)
			for _, part := range [][2]int{{mid, p.ByteBlocks()}, {0, mid}} {
				scratch, checkScratch := kerneltest.Guard[uint8](t, p.FixedScratchLen(), 0)
				RunBytes(p, y, kerneltest.Fence(t, c.x), kerneltest.Fence(t, w), f, part[0], part[1], scratch)
				checkScratch()
			}
			check()
			kerneltest.Equal(t, y, want, "%d: %+v zero %d", i, c.g, c.zero)
		}
	})
}

func TestLastFixedIsRescaledSums(t *testing.T) {
	u, s := convert.Grid{ZeroPoint: 131, QMin: 0, QMax: 255}, convert.Grid{ZeroPoint: -128, QMin: -128, QMax: 90}
	t.Run("uint8", func(t *testing.T) { testLastFixed[uint8, uint8](t, u) })
	t.Run("int8", func(t *testing.T) { testLastFixed[int8, int8](t, s) })
	u, s = convert.Grid{ZeroPoint: 20, QMin: 20, QMax: 180}, convert.Grid{ZeroPoint: 5, QMin: 5, QMax: 127}
	t.Run("int8 to uint8", func(t *testing.T) { testLastFixed[int8, uint8](t, u) })
	t.Run("int8 of few", func(t *testing.T) { testLastFixed[int8, int8](t, s) })
}

func TestLastFixedAllocatesNothing(t *testing.T) {
	p := NewLast(square(80, 11, 3, 1))
	r := anyRescaling(kerneltest.Rand(16), 2, 80, convert.GridOf[int8](4))
	x, y, w := make([]int8, 80*121), make([]int8, 80*121), make([]int8, p.WeightBytes())
	s := make([]byte, p.FixedScratchLen())
	f := FinishFixed(p, int8(3), make([]int8, 80*9), r, 9*255*128)
	kerneltest.Run(t, variants, func(t *testing.T) {
		if got := testing.AllocsPerRun(10, func() { RunBytes(p, y, x, w, f, 0, p.ByteBlocks(), s) }); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

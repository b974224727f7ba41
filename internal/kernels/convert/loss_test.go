package convert

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func TestLossesEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(53)
		for _, n := range append(kerneltest.Lengths(4), 32, 100, 129) {
			x := kerneltest.Fence(t, kerneltest.Floats(r, n, false))
			for _, scales := range [][2]float64{{0.07, -0.08}, {0x1p-126, 1e30}, {1, 3}, {1e-3, 1e-3}} {
				for _, ends := range [][2]float64{{-8, 7}, {0, 15}, {-3, 252}} {
					var want [2]float64
					for i, s := range scales {
						for _, v := range x {
							q := math.RoundToEven(min(max(float64(v)/s, ends[0]), ends[1]))
							d := float64(v) - float64(q*s)
							want[i] += float64(d * d)
						}
					}
					got := Losses(x, scales, ends[0], ends[1])
					kerneltest.Equal(t, got[:], want[:], "%d elements, scales %v, integers %v", n, scales, ends)
				}
			}
		}
	})
}

func TestEndsEqualTheirDefinition(t *testing.T) {
	negative := float32(math.Copysign(0, -1))
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(54)
		for _, n := range append(kerneltest.Lengths(16), 100) {
			for _, odd := range []float32{1, 0, negative, 1e30, -1e30, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())} {
				for _, at := range []int{0, n / 2, n - 1} {
					if n == 0 {
						continue
					}
					x := kerneltest.Fence(t, kerneltest.Floats(r, n, false))
					if odd == 0 {
						for i := range x { // only zeros, of both signs
							x[i] = 0
						}
					}
					x[at] = odd
					lo, hi, finite := Ends(x)
					if want := odd-odd == 0; finite != want {
						t.Fatalf("%v among %d is finite: %v", odd, n, finite)
					}
					if !finite {
						continue
					}
					wantLo, wantHi := x[0], x[0]
					for _, v := range x {
						wantLo, wantHi = min(wantLo, v), max(wantHi, v)
					}
					got, want := []float32{lo, hi}, []float32{wantLo + 0, wantHi + 0}
					kerneltest.Equal(t, got, want, "%d elements with %v at %d", n, odd, at)
				}
			}
		}
	})
	if lo, hi, finite := Ends(nil); lo != 0 || hi != 0 || !finite {
		t.Errorf("nothing: %v, %v, %v", lo, hi, finite)
	}
}

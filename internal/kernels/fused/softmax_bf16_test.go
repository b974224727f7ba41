package fused

import (
	"math"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// bf16Variants has a row for the instructions, which belong to no level.
var bf16Variants = []kerneltest.Variant{{Name: "avx512 bf16", Level: cpu.AVX512}, {Name: "generic", Level: cpu.Generic}}

// TestProbabilities compares with the twin to the bit, and with softmax.
func TestProbabilities(t *testing.T) {
	kerneltest.Run(t, bf16Variants, func(t *testing.T) {
		r := kerneltest.Rand(17)
		for i, n := range append(kerneltest.Lengths(lanes), 197, 512) {
			for _, kind := range []string{"plain", "special", "wide"} {
				rows, step := 1+i%5, n+i%4
				p := &Probabilities{X: kerneltest.Floats(r, rows*n, kind == "special"), Rows: rows, Cols: n, Times: 0.125, Step: step}
				if kind == "wide" {
					for i := range p.X {
						p.X[i] *= 900
					}
				}
				switch i % 3 {
				case 1:
					p.Add, p.AddStep = kerneltest.Fence(t, kerneltest.Floats(r, n, false)), 0
				case 2:
					p.Add, p.AddStep = kerneltest.Fence(t, kerneltest.Floats(r, rows*n, false)), n
					p.Add[0] = float32(math.Inf(-1))
				}
				var check func()
				p.Y, check = kerneltest.Guard[uint16](t, rows*step, i%3)
				twin, scores := *p, slices.Clone(p.X)
				twin.X, twin.Y = slices.Clone(p.X), make([]uint16, len(p.Y))
				p.X = kerneltest.Fence(t, p.X)
				p.Run()
				check()
				for r := range rows {
					twin.row(r)
				}
				got, want := make([]float32, len(p.Y)), make([]float32, len(p.Y))
				convert.DecodeBF16(got, p.Y)
				convert.DecodeBF16(want, twin.Y)
				kerneltest.Equal(t, got, want, "%s, %d rows of %d", kind, rows, n)
				if kind != "special" {
					p.near(t, got, scores)
				}
			}
		}
	})
}

// near compares with softmax in float64.
func (p *Probabilities) near(t *testing.T, got, scores []float32) {
	for r := range p.Rows {
		x, most, sum := make([]float64, p.Cols), math.Inf(-1), 0.0
		for i := range x {
			x[i] = float64(float32(scores[r*p.Cols+i] * p.Times))
			if p.Add != nil {
				x[i] = float64(float32(x[i]) + p.Add[r*p.AddStep+i])
			}
			most = max(most, x[i])
		}
		for i, v := range x {
			x[i] = math.Exp(v - most)
			sum += x[i]
		}
		for i, v := range x {
			if y := float64(got[r*p.Step+i]); math.Abs(y-v/sum) > v/sum*0x1p-8+2e-35 {
				t.Fatalf("row %d of %d: element %d is %v, want about %v", r, p.Cols, i, y, v/sum)
			}
		}
	}
}

package fused

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
)

func rows() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "ztail_avx2_amd64.s", "zsoftmax_avx2_amd64.s", "ztail_avx512_amd64.s", "zsoftmax_avx512_amd64.s", "zsoftmax_bf16_amd64.s", "ztail_neon_arm64.s")
}

// special are arguments that need care: no numbers, infinities, and exact
// middles between two integers of a grid with the given scale.
func special(r *rand.Rand, x []float32, scale float32) {
	all := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, float32(math.Copysign(0, -1)), 1e30, -1e30, 1e-40}
	for range len(x) / 5 {
		if i := r.IntN(len(x)); i%2 == 0 {
			x[i] = all[r.IntN(len(all))]
		} else {
			x[i] = (float32(r.IntN(256)-100) + 0.5) * scale
		}
	}
}

func TestTailsEqualTheirOperators(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(51)
		for i, s := range [][2]int{{1, 1}, {3, 16}, {5, 17}, {Rows, 64}, {7, 63}, {2, 48}, {4, 40}} {
			for _, scale := range []float32{0.02, 0.5, 1e-4, 3e-5, 1e-31, 1e31} {
				for _, with := range []string{"", "bias", "bias, other", "gelu", "bias, gelu"} {
					m, n := s[0], s[1]
					step := n + 3
					b := &Block{X: kerneltest.Floats(r, m*n, false), Rows: m, Cols: n, Step: step}
					special(r, b.X, scale)
					switch with {
					case "bias", "bias, gelu":
						b.Bias = kerneltest.Floats(r, n, false)
					case "bias, other":
						b.Bias, b.Other = kerneltest.Floats(r, n, false), kerneltest.Floats(r, (m-1)*step+n, false)
					}
					gelu := with == "gelu" || with == "bias, gelu"
					want := make([]float32, m*n)
					for x := range want {
						want[x] = b.X[x]
						if b.Bias != nil {
							want[x] += b.Bias[x%n]
						}
						if b.Other != nil {
							want[x] += b.Other[x/n*step+x%n]
						}
						if gelu {
							want[x] = eltwise.Gelu(want[x])
						}
					}
					name := fmt.Sprintf("%v scale %v %s", s, scale, with)
					if !gelu {
						got, check := kerneltest.Guard[float32](t, m*n, i)
						Floats(got, n, b)
						check()
						kerneltest.Equal(t, got, want, "%s", name)
					} else {
						got, check := kerneltest.Guard[float32](t, m*n, i)
						GeluFloats(got, n, b)
						check()
						kerneltest.Equal(t, got, want, "%s", name)
					}
					for _, signed := range []bool{false, true} {
						g := convert.GridOf[uint8](100)
						if signed {
							g = convert.GridOf[int8](-7)
						}
						q := NewGrid(scale, g, signed)
						bytes, got := make([]byte, m*n), make([]byte, m*n)
						kerneltest.OnGo(t, func() { q.store(bytes, want) })
						out, check := kerneltest.Guard[byte](t, m*n, i)
						if gelu {
							GeluBytes(out, n, b, q)
						} else {
							Bytes(out, n, b, q)
						}
						check()
						copy(got, out)
						kerneltest.Equal(t, got, bytes, "%s", name)
					}
				}
			}
		}
	})
}

// TestGeluOfAllArguments goes through arguments densely, on grids on which
// Gelu's approximation shows.
func TestGeluOfAllArguments(t *testing.T) {
	step := float32(4e-6)
	if testing.Short() {
		step = 1e-4
	}
	kerneltest.Run(t, rows()[:len(rows())-1], func(t *testing.T) {
		floats := make([]float32, Rows*Width)
		for _, scale := range []float32{0.03, 1e-3, 5e-6} {
			q := NewGrid(scale, convert.GridOf[uint8](60), false)
			b := &Block{X: make([]float32, Rows*Width), Rows: Rows, Cols: Width}
			want, got := make([]byte, len(b.X)), make([]byte, len(b.X))
			for at := float32(-8); at < 8; {
				for i := range b.X {
					b.X[i] = at
					at += step
				}
				GeluBytes(got, Width, b, q)
				line := make([]float32, len(b.X))
				eltwise.GeluAll(line, b.X)
				q.store(want, line)
				kerneltest.Equal(t, got, want, "scale %v, near %v", scale, at)
				GeluFloats(floats, Width, b)
				kerneltest.Equal(t, floats, line, "floats near %v", at)
			}
		}
	})
}

func TestLevelsRequantize(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(52)
		for i, s := range [][2]int{{1, 1}, {5, 17}, {48, 64}, {7, 30}} {
			m, n := s[0], s[1]
			x, off, acc := make([]float32, m*n), make([]float32, m), make([]int32, m*n)
			for k := range off {
				off[k] = float32(r.IntN(10000) - 5000)
			}
			for k := range x {
				v := r.IntN(200000) - 100000
				x[k], acc[k] = float32(v)+off[k/n], int32(v)
			}
			q := NewGrid(1, convert.GridOf[uint8](77), false)
			want := make([]byte, m*n)
			kerneltest.OnGo(t, func() { convert.Requantize(want, acc, 0.0015, q.grid) })
			got, check := kerneltest.Guard[byte](t, m*n, i)
			Levels(got, n, x, n, m, n, off, 0.0015, q)
			check()
			kerneltest.Equal(t, got, want, "%v", s)
		}
	})
}

func TestSoftmaxEqualsItsOperators(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(53)
		for round := range 120 {
			n, m := []int{1, 2, 15, 16, 17, 128, 197, 500}[round%8], 1+round%5
			x, add, off := make([]float32, m*n), make([]float32, m*n), make([]float32, m)
			for i := range x {
				x[i], add[i] = float32(r.IntN(40000)-20000), -10000*float32(r.IntN(2))
			}
			for i := range off {
				off[i] = float32(r.IntN(300) - 150)
			}
			switch round % 11 {
			case 3:
				x[r.IntN(m*n)] = float32(math.NaN())
			case 5:
				x[r.IntN(m*n)] = float32(math.Inf(-1))
			case 6:
				x[r.IntN(m*n)] = float32(math.Inf(1))
			}
			step := []int{0, n}[round%2]
			if round%3 == 0 {
				add = nil
			}
			p := &Softmax{By: 3e-4 * float32(1+round%5), Times: 0.125, Grid: NewGrid([]float32{1. / 255, 0.002, 0.01}[round%3], convert.GridOf[uint8](0), false)}
			scores, want, e := make([]float32, m*n), make([]byte, m*n), make([]float32, n)
			for i, v := range x {
				scores[i] = float32(float32((v-off[i/n])*p.By) * p.Times)
				if add != nil {
					scores[i] += add[i/n*step+i%n]
				}
			}
			kerneltest.OnGo(t, func() {
				for i := range m {
					reduce.Softmax(e, scores[i*n:(i+1)*n])
					p.Grid.store(want[i*n:(i+1)*n], e)
				}
			})
			got, check := kerneltest.Guard[byte](t, m*n, round)
			mem, checkX := kerneltest.Guard[float32](t, m*n, round)
			scratch, checkE := kerneltest.Guard[float32](t, 2*n, round)
			copy(mem, x)
			p.Run(&Scores{X: mem, Rows: m, Cols: n, Off: off, Add: add, AddStep: step, Y: got, Step: n, Scratch: scratch})
			check()
			checkX()
			checkE()
			kerneltest.Equal(t, got, want, "round %d of %d", round, n)
			kerneltest.Equal(t, mem, scores, "scores of round %d of %d", round, n)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	b := &Block{X: make([]float32, Rows*Width), Rows: Rows, Cols: Width}
	q := NewGrid(0.02, convert.GridOf[uint8](3), false)
	y, e := make([]byte, Rows*Width), make([]float32, Rows*Width)
	p := &Softmax{By: 1, Times: 1, Grid: q}
	scores := &Scores{X: b.X, Rows: 2, Cols: 100, Off: make([]float32, 2), Y: y, Step: 100, Scratch: e}
	if n := testing.AllocsPerRun(10, func() {
		GeluBytes(y, Width, b, q)
		Bytes(y, Width, b, q)
		Floats(e, Width, b)
		p.Run(scores)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkBlock(b *testing.B) {
	x := &Block{X: make([]float32, Rows*Width), Rows: Rows, Cols: Width, Bias: make([]float32, Width)}
	r := kerneltest.Rand(1)
	for i := range x.X {
		x.X[i] = float32(r.NormFloat64())
	}
	q := NewGrid(0.02, convert.GridOf[uint8](10), false)
	y, e := make([]byte, Rows*Width), make([]float32, 2*128)
	p := &Softmax{By: 1, Times: 1, Grid: NewGrid(1./255, convert.GridOf[uint8](0), false)}
	scores := &Scores{X: make([]float32, 16*128), Rows: 16, Cols: 128, Off: make([]float32, 16), Y: y, Step: 128, Scratch: e}
	copy(scores.X, x.X)
	for _, v := range rows() {
		b.Run("gelu/"+v.Name, func(b *testing.B) {
			kerneltest.Limit(b, v.Level)
			for b.Loop() {
				GeluBytes(y, Width, x, q)
			}
		})
		b.Run("bytes/"+v.Name, func(b *testing.B) {
			kerneltest.Limit(b, v.Level)
			for b.Loop() {
				Bytes(y, Width, x, q)
			}
		})
		b.Run("softmax/"+v.Name, func(b *testing.B) {
			kerneltest.Limit(b, v.Level)
			for b.Loop() {
				p.Run(scores)
			}
		})
	}
}

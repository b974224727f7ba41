package algo

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// correlated makes n rows of k elements that mostly follow three hidden
// numbers, around a mean that is not 0.
func correlated(rng *rand.Rand, n, k int) []float32 {
	mix := make([]float64, 3*k)
	for i := range mix {
		mix[i] = rng.NormFloat64()
	}
	rows := make([]float32, n*k)
	for i := range n {
		h := [3]float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		for j := range k {
			rows[i*k+j] = float32(2 + 0.1*rng.NormFloat64() + h[0]*mix[j] + h[1]*mix[k+j] + h[2]*mix[2*k+j])
		}
	}
	return rows
}

// TestHessianIsTheCovariance compares with sums in float64, for rows in several
// leaves, below and above the width at which kernels multiply.
func TestHessianIsTheCovariance(t *testing.T) {
	for _, k := range []int{5, 70} {
		rng := rand.New(rand.NewPCG(1, uint64(k)))
		const n = 100
		rows := correlated(rng, n, 2*k)
		h := NewHessian(2, k, k, k, 1)
		h.Add(rows[:60*2*k], 2)
		h.Add(rows[60*2*k:], 1)
		for _, centred := range []bool{true, false} {
			for group := range 2 {
				got := h.matrix(group, centred)
				for a := range k {
					for b := range k {
						sa, sb, sab := 0.0, 0.0, 0.0
						for i := range n {
							x, y := float64(rows[i*2*k+group*k+a]), float64(rows[i*2*k+group*k+b])
							sa, sb, sab = sa+x, sb+y, sab+x*y
						}
						want := sab / n
						if centred {
							want -= sa / n * sb / n
						}
						if d := math.Abs(got[a*k+b] - want); d > 1e-4*(1+math.Abs(want)) {
							t.Fatalf("width %d, group %d, centred %v: element %d,%d is %v, want %v", k, group, centred, a, b, got[a*k+b], want)
						}
					}
				}
			}
		}
	}
}

// outputError is the mean square of what rounding changes in the outputs of a
// layer, for its rows, without the mean where a bias takes that over.
func outputError(rows, w []float32, q []int64, scale []float32, k int, centred bool) float64 {
	n, total := len(rows)/k, 0.0
	for m := range len(w) / k {
		sum, square := 0.0, 0.0
		for i := range n {
			e := 0.0
			for j := range k {
				e += float64(rows[i*k+j]) * (float64(w[m*k+j]) - float64(scale[m])*float64(q[m*k+j]))
			}
			sum, square = sum+e, square+e*e
		}
		if square /= float64(n); centred {
			square -= sum / float64(n) * sum / float64(n)
		}
		total += square
	}
	return total
}

// roundedMemory is rows in memory with their integers.
type roundedMemory struct {
	memoryRows
	q []int64
}

func (r roundedMemory) Store(q []int64, first, n, from, to int) {
	for i := range n {
		copy(r.q[(first+i)*r.k+from:(first+i)*r.k+to], q[i*(to-from):])
	}
}

// rounded returns what round stores for a weight of rows of k elements.
func rounded(w []float32, k int, round func(Rounded)) []int64 {
	r := roundedMemory{memoryRows{w, k}, make([]int64, len(w))}
	round(r)
	return r.q
}

// TestRoundBeatsPlainRounding: with correlated inputs the outputs change far
// less than by rounding each weight to the nearest, in one block or several,
// and the integers stay within their bounds.
func TestRoundBeatsPlainRounding(t *testing.T) {
	const k, m, n = 24, 6, 400
	rng := rand.New(rand.NewPCG(7, 7))
	rows, w := correlated(rng, n, k), make([]float32, m*k)
	for i := range w {
		w[i] = float32(rng.NormFloat64())
	}
	scale := make([]float32, m)
	for i := range scale {
		for _, v := range w[i*k : i*k+k] {
			scale[i] = max(scale[i], v/7, -v/7)
		}
	}
	plain := make([]int64, m*k)
	for i, v := range w {
		plain[i] = int64(math.RoundToEven(float64(v / scale[i/k])))
	}
	for _, block := range []int{k, 8} {
		for _, centred := range []bool{true, false} {
			h := NewHessian(1, k, block, block, 1)
			h.Add(rows, 1)
			by := func(threads int) []int64 {
				return rounded(w, k, func(r Rounded) { h.Round(r, Grid{Scale: scale, Lo: -7, Hi: 7}, centred, threads) })
			}
			q := by(1)
			if slices.Min(q) < -7 || slices.Max(q) > 7 {
				t.Errorf("integers from %d to %d, bounds are -7 and 7", slices.Min(q), slices.Max(q))
			}
			got, want := outputError(rows, w, q, scale, k, centred), outputError(rows, w, plain, scale, k, centred)
			if got > want/2 {
				t.Errorf("block %d, centred %v: error %.4g, plain rounding gives %.4g", block, centred, got, want)
			}
			if again := by(3); !slices.Equal(q, again) {
				t.Errorf("block %d: three threads give other integers than one", block)
			}
		}
	}
}

// TestRoundWithoutKnowledge: inputs that are always 0, or none, leave plain
// rounding around the zero points.
func TestRoundWithoutKnowledge(t *testing.T) {
	h := NewHessian(1, 4, 4, 4, 1)
	w := []float32{0.26, -0.74, 0.24, 1, 0.1, 9, -9, 0}
	g := Grid{Scale: []float32{0.5, 1}, Zero: []int64{0, 3}, Lo: -8, Hi: 7}
	want := []int64{1, -1, 0, 2, 3, 7, -6, 3}
	for range 2 {
		if got := rounded(w, 4, func(r Rounded) { h.Round(r, g, true, 1) }); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		h.Add(make([]float32, 40), 1)
	}
}

// TestShiftMovesTheMeanBehindTheClamp takes a layer whose outputs came out 0.3
// too high and with a spread of their own.
func TestShiftMovesTheMeanBehindTheClamp(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	float, quant := make([]float32, 5000), make([]float32, 5000)
	for i := range float {
		v := rng.NormFloat64()
		float[i], quant[i] = float32(v), float32(v+0.3+0.2*rng.NormFloat64())
	}
	for _, c := range []struct{ lo, hi float64 }{{math.Inf(-1), math.Inf(1)}, {0, math.Inf(1)}, {0, 1}} {
		want := Mean(float, c.lo, c.hi)
		s := Shift(quant, want, c.lo, c.hi)
		for i := range quant {
			quant[i] += float32(s)
		}
		if got := Mean(quant, c.lo, c.hi); math.Abs(got-want) > 1e-3 {
			t.Errorf("clamp %v to %v: mean %v, want %v", c.lo, c.hi, got, want)
		}
		for i := range quant {
			quant[i] -= float32(s)
		}
	}
	if s := Shift(nil, 1, 0, 1); s != 0 {
		t.Errorf("no places: shift %v", s)
	}
}

func TestEffortGrows(t *testing.T) {
	if n := OfEffort(LeastEffort); len(n) != 0 {
		t.Errorf("effort %d uses %v", LeastEffort, n)
	}
	if got := OfEffort(MostEffort); !slices.Equal(got, Names()) {
		t.Errorf("effort %d uses %v, all are %v", MostEffort, got, Names())
	}
}

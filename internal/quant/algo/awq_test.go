package algo

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// groupsOf puts columns into groups of n side by side.
func groupsOf(k, n int) (of []int, groups int) {
	for c := range k {
		of = append(of, c/n)
	}
	return of, (k + n - 1) / n
}

// TestRoundSharedBeatsPlainRounding: with a scale for each group of columns,
// side by side or scattered, the outputs change far less than by rounding each
// weight to the nearest with the same scales.
func TestRoundSharedBeatsPlainRounding(t *testing.T) {
	const k, m, n = 24, 6, 400
	rng := rand.New(rand.NewPCG(7, 7))
	rows, w := correlated(rng, n, k), make([]float32, m*k)
	for i := range w {
		w[i] = float32(rng.NormFloat64() * (1 + float64(i%3)))
	}
	side, groups := groupsOf(k, 8)
	scattered := make([]int, k)
	for c := range scattered {
		scattered[c] = c % groups
	}
	for _, c := range []struct {
		name              string
		of                []int
		full, block, unit int
	}{{"side by side", side, k, k, 8}, {"in blocks", side, 8, 8, 8}, {"scattered", scattered, k, k, k}} {
		h := NewHessian(1, k, c.full, c.block, c.unit)
		h.Add(rows, 1)
		round := func(threads int) (q []int64, scale []float32) {
			scale = make([]float32, m*groups)
			fit := func(row, group int, x, cost []float64) (float32, int64) {
				if len(x) != 8 || len(cost) != 8 {
					t.Fatalf("%s: a group of %d weights and %d costs", c.name, len(x), len(cost))
				}
				if scale[row*groups+group] != 0 {
					t.Errorf("%s: row %d, group %d is fitted twice", c.name, row, group)
				}
				far := 0.0
				for _, v := range x {
					far = max(far, math.Abs(v))
				}
				scale[row*groups+group] = float32(far / 7)
				return scale[row*groups+group], 0
			}
			return rounded(w, k, func(r Rounded) {
				h.RoundShared(r, Shared{Of: c.of, Groups: groups, Lo: -7, Hi: 7}, fit, threads)
			}), scale
		}
		q, scale := round(1)
		if slices.Min(q) < -7 || slices.Max(q) > 7 {
			t.Errorf("%s: integers from %d to %d, bounds are -7 and 7", c.name, slices.Min(q), slices.Max(q))
		}
		plain := make([]float32, m*groups)
		for i, v := range w {
			s := &plain[i/k*groups+c.of[i%k]]
			*s = max(*s, v/7, -v/7)
		}
		change := func(value func(i int) float64) float64 {
			sum := 0.0
			for r := range n {
				for i := range m {
					e := 0.0
					for j := range k {
						e += float64(rows[r*k+j]) * (float64(w[i*k+j]) - value(i*k+j))
					}
					sum += e * e
				}
			}
			return sum
		}
		got := change(func(i int) float64 { return float64(q[i]) * float64(scale[i/k*groups+c.of[i%k]]) })
		want := change(func(i int) float64 {
			s := float64(plain[i/k*groups+c.of[i%k]])
			return s * math.RoundToEven(float64(w[i])/s)
		})
		if got > want/2 {
			t.Errorf("%s: error %.4g, plain rounding gives %.4g", c.name, got, want)
		}
		if again, _ := round(3); !slices.Equal(q, again) {
			t.Errorf("%s: three threads give other integers than one", c.name)
		}
	}
}

// TestGramIsTheErrorOfTheOutputs compares with outputs that are worked out, for
// groups whose products are all formed and for one too wide.
func TestGramIsTheErrorOfTheOutputs(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct{ k, group int }{{12, 4}, {mostGram + 1, mostGram + 1}} {
		const n = 30
		rows, factors := make([]float32, n*c.k), make([]float32, c.k)
		for i := range rows {
			rows[i] = float32(rng.NormFloat64())
		}
		for i := range factors {
			factors[i] = 1 + float32(i%3)
		}
		of, groups := groupsOf(c.k, c.group)
		g := NewGram(rows, c.k, of, groups, factors, 2)
		const outputs = 3
		all, products, cost := make([]float32, outputs*c.group), make([]float32, outputs*c.group), make([]float64, outputs)
		for i := range all {
			all[i] = float32(rng.NormFloat64())
		}
		for i := range groups * outputs {
			group, e := i/outputs, all[i%outputs*c.group:][:c.group]
			want := 0.0
			for r := range n {
				y := 0.0
				for i := range e {
					x := float64(e[i]) * float64(rows[r*c.k+group*c.group+i]) / float64(factors[group*c.group+i])
					if c.group > mostGram {
						want += x * x / n
					}
					y += x
				}
				if c.group <= mostGram {
					want += y * y / n
				}
			}
			g.Costs(cost, group, all, products)
			if got := cost[i%outputs]; math.Abs(got-want) > 1e-5*want {
				t.Errorf("%d columns, group %d, output %d: %v, want %v", c.k, group, i%outputs, got, want)
			}
		}
	}
}

// TestProtectFindsTheGreatChannels: one channel of the inputs is a hundred times
// the others; its weights are raised, and the outputs come out nearer.
func TestProtectFindsTheGreatChannels(t *testing.T) {
	const k, m, n = 32, 240, 100
	rng := rand.New(rand.NewPCG(2, 3))
	rows, w := make([]float32, n*k), make([]float32, m*k)
	for i := range rows {
		if rows[i] = float32(rng.NormFloat64()); i%k == 5 {
			rows[i] *= 100
		}
	}
	for i := range w {
		w[i] = float32(rng.NormFloat64())
	}
	round := func(dst, w []float32, _ int) {
		far := float32(0)
		for _, v := range w {
			far = max(far, v, -v)
		}
		for i, v := range w {
			dst[i] = float32(math.RoundToEven(float64(v/far*7))) * far / 7
		}
	}
	weights := []Weight{{memoryRows{w[:m*k/2], k}, round}, {memoryRows{w[m*k/2:], k}, round}}
	factors, rest := Protect(rows, k, weights, 1)
	if len(factors) != k || rest > 0.5 {
		t.Fatalf("%d factors leave %.3f of the error", len(factors), rest)
	}
	for c, f := range factors {
		if c != 5 && f >= factors[5]/2 {
			t.Errorf("channel %d has factor %v, the great one %v", c, f, factors[5])
		}
	}
	if again, _ := Protect(rows, k, weights, 3); !slices.Equal(factors, again) {
		t.Error("three threads give other factors than one")
	}
	if f, rest := Protect(make([]float32, n*k), k, weights, 1); f != nil || rest != 1 {
		t.Errorf("inputs of 0 give factors %v, rest %v", f, rest)
	}
	if f, _ := Protect(nil, k, weights, 1); f != nil {
		t.Error("no inputs give factors")
	}
}

// TestDivideLeavesWhatIsComputed: factors go into the normalization before the
// layers, into the layer before, or into an operator of their own; the graph
// computes the same.
func TestDivideLeavesWhatIsComputed(t *testing.T) {
	const head = "graph net\ninput x float32[2,2]\nconst one float32[2] = [1 2]\nconst w float32[2,2] = [1 -2 3 4]\nconst v float32[2,2] = [2 1 -1 3]\n"
	for _, c := range []struct{ name, text, at, added string }{
		{"norm", "n float32[2,2] = LayerNormalization(x, one, one)\na float32[2,2] = MatMul(n, w)\nb float32[2,2] = MatMul(n, v)\ny float32[2,2] = Add(a, b)\n", "n", ""},
		{"norm that others read", "n float32[2,2] = LayerNormalization(x, one, one)\na float32[2,2] = MatMul(n, w)\ny float32[2,2] = Add(a, n)\n", "n", "Mul"},
		{"layer", "a float32[2,2] = Gemm(x, w, one)\nr float32[2,2] = Relu(a)\ny float32[2,2] = MatMul(r, v)\n", "r", ""},
		{"input", "y float32[2,2] = MatMul(x, w)\n", "x", "Mul"},
	} {
		g := parse(t, head+c.text+"output y\n")
		x := tensor.FromSlice([]float32{0.5, -1, 2, 3}, 2, 2)
		before, count := run(t, g, x)[0], len(g.Nodes)
		found := Readings(g, all)
		i := slices.IndexFunc(found, func(r Reading) bool { return r.Value() == c.at })
		if i < 0 {
			t.Fatalf("%s: value %s is not found", c.name, c.at)
		}
		if found[i].Folds() != (c.added == "") || !found[i].Worth(0.5) {
			t.Errorf("%s: folds: %v", c.name, found[i].Folds())
		}
		changed, _ := found[i].Divide(g, ir.NewNamer(g), []float32{4, 0.5})
		if (changed == "w") != (c.name == "layer") {
			t.Errorf("%s: weight %q of the layer before has changed", c.name, changed)
		}
		if err := ir.Infer(g); err != nil {
			t.Fatal(err)
		}
		if err := ir.Verify(g); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if (len(g.Nodes) > count) != (c.added != "") {
			t.Errorf("%s: %d nodes have become %d", c.name, count, len(g.Nodes))
		}
		for i, v := range run(t, g, x)[0] {
			if math.Abs(float64(v-before[i])) > 1e-5 {
				t.Errorf("%s: output %d was %v and is %v", c.name, i, before[i], v)
			}
		}
	}
}

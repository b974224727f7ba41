package op_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// attended is a random attention: sizes, and which of its inputs and attributes
// there are.
type attended struct {
	batch, heads, kvHeads, queries, keys, past, size, vSize int
	o                                                       *op.Attention
	in                                                      []*tensor.Tensor
	flat                                                    bool
}

func normal(rng *rand.Rand, shape ...int) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return tensor.FromSlice(x, shape...)
}

func drawAttention(rng *rand.Rand) attended {
	a := attended{batch: 1 + rng.IntN(3), kvHeads: 1 + rng.IntN(3), queries: 1 + rng.IntN(6), keys: 1 + rng.IntN(7),
		size: 1 + rng.IntN(9), vSize: 1 + rng.IntN(9), o: op.New[op.Attention](), flat: rng.IntN(2) == 0}
	a.heads = a.kvHeads * (1 + rng.IntN(3))
	a.o.IsCausal = rng.IntN(2) == 0
	if rng.IntN(3) == 0 {
		a.o.LeftWindowSize = rng.IntN(4) - 1
		a.o.RightWindowSize = rng.IntN(4) - 1
	}
	if rng.IntN(3) == 0 {
		a.o.Softcap = 1 + rng.Float32()
	}
	if rng.IntN(2) == 0 {
		a.o.Scale = op.Some(2 * rng.Float32())
	}
	a.o.QKMatmulOutputMode = rng.IntN(4)
	a.in = make([]*tensor.Tensor, 7)
	if a.flat {
		a.o.QNumHeads, a.o.KVNumHeads = a.heads, a.kvHeads
		a.in[0], a.in[1], a.in[2] = normal(rng, a.batch, a.queries, a.heads*a.size), normal(rng, a.batch, a.keys, a.kvHeads*a.size), normal(rng, a.batch, a.keys, a.kvHeads*a.vSize)
	} else {
		a.in[0], a.in[1], a.in[2] = normal(rng, a.batch, a.heads, a.queries, a.size), normal(rng, a.batch, a.kvHeads, a.keys, a.size), normal(rng, a.batch, a.kvHeads, a.keys, a.vSize)
	}
	switch rng.IntN(3) {
	case 0:
		a.past = rng.IntN(5)
		a.in[4], a.in[5] = normal(rng, a.batch, a.kvHeads, a.past, a.size), normal(rng, a.batch, a.kvHeads, a.past, a.vSize)
	case 1:
		n := make([]int64, a.batch)
		for i := range n {
			n[i] = int64(rng.IntN(a.keys + 1))
		}
		a.in[6] = tensor.FromSlice(n, a.batch)
	}
	if rng.IntN(3) > 0 {
		shape := []int{a.batch, a.heads, a.queries, a.past + a.keys}
		for i := range 3 {
			if rng.IntN(2) == 0 {
				shape[i] = 1
			}
		}
		if rng.IntN(3) == 0 {
			shape[3] = 1 + rng.IntN(shape[3])
		}
		if cut := rng.IntN(4); !slices.ContainsFunc(shape[:cut], func(n int) bool { return n > 1 }) {
			shape = shape[cut:]
		}
		if m := normal(rng, shape...); rng.IntN(2) == 0 {
			a.in[3] = m
		} else {
			yes := tensor.New(dtype.Bool, shape...)
			for i, v := range tensor.Data[float32](m) {
				tensor.Data[bool](yes)[i] = v > -0.3
			}
			a.in[3] = yes
		}
	}
	return a
}

// at returns a number of head h of operand i, which may have past numbers.
func (a attended) at(i, b, h, p, j, heads, size int) float64 {
	if i > 0 && a.in[i+3] != nil {
		if p < a.past {
			return float64(tensor.Data[float32](a.in[i+3])[((b*heads+h)*a.past+p)*size+j])
		}
		p -= a.past
	}
	x := tensor.Data[float32](a.in[i])
	positions := a.keys
	if i == 0 {
		positions = a.queries
	}
	if a.flat {
		return float64(x[((b*positions+p)*heads+h)*size+j])
	}
	return float64(x[((b*heads+h)*positions+p)*size+j])
}

// bias returns what the mask and the attributes add to a score.
func (a attended) bias(b, h, i, j int) float64 {
	out := 0.0
	if m := a.in[3]; m != nil {
		at, step := 0, 1
		shape := m.Shape()
		if j >= shape[len(shape)-1] {
			return math.Inf(-1)
		}
		for d, k := len(shape)-1, 0; d >= 0; d, k = d-1, k+1 {
			if shape[d] > 1 {
				at += step * []int{j, i, h, b}[k]
			}
			step *= shape[d]
		}
		if m.Type() == dtype.Float32 {
			out = float64(tensor.Data[float32](m)[at])
		} else if !tensor.Data[bool](m)[at] {
			return math.Inf(-1)
		}
	}
	place := i + a.past
	if n := a.in[6]; n != nil {
		full := int(tensor.Data[int64](n)[b])
		place = i + full - a.queries
		if j >= full {
			return math.Inf(-1)
		}
	}
	if a.o.IsCausal && j > place || a.o.LeftWindowSize >= 0 && place-j > a.o.LeftWindowSize || a.o.RightWindowSize >= 0 && j-place > a.o.RightWindowSize {
		return math.Inf(-1)
	}
	return out
}

// TestAttentionByItsFormula compares random attentions with the formula in
// double precision, one number at a time.
func TestAttentionByItsFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 25))
	for round := range 400 {
		a := drawAttention(rng)
		in := op.Of(a.in...)
		got, err := a.o.Eval(in)
		if err != nil {
			t.Fatalf("round %d: %+v: %v", round, a, err)
		}
		total := a.past + a.keys
		y := make([]float32, a.batch*a.queries*a.heads*a.vSize)
		scores := make([]float32, a.batch*a.heads*a.queries*total)
		scale := 1 / math.Sqrt(float64(a.size))
		if a.o.Scale.Set {
			scale = float64(a.o.Scale.Value)
		}
		for b := range a.batch {
			for h := range a.heads {
				kv := h / (a.heads / a.kvHeads)
				for i := range a.queries {
					raw, capped, biased, p := make([]float64, total), make([]float64, total), make([]float64, total), make([]float64, total)
					most, sum := math.Inf(-1), 0.0
					for j := range total {
						for d := range a.size {
							raw[j] += scale * a.at(0, b, h, i, d, a.heads, a.size) * a.at(1, b, kv, j, d, a.kvHeads, a.size)
						}
						capped[j] = raw[j]
						if c := float64(a.o.Softcap); c > 0 {
							capped[j] = c * math.Tanh(raw[j]/c)
						}
						biased[j] = capped[j] + a.bias(b, h, i, j)
						most = max(most, biased[j])
					}
					for j := range total {
						if !math.IsInf(most, -1) {
							p[j] = math.Exp(biased[j] - most)
						}
						sum += p[j]
					}
					for j := range total {
						if sum > 0 {
							p[j] /= sum
						}
						scores[((b*a.heads+h)*a.queries+i)*total+j] = float32([][]float64{raw, capped, biased, p}[a.o.QKMatmulOutputMode][j])
					}
					for d := range a.vSize {
						v := 0.0
						for j := range total {
							v += p[j] * a.at(2, b, kv, j, d, a.kvHeads, a.vSize)
						}
						to := ((b*a.heads+h)*a.queries+i)*a.vSize + d
						if a.flat {
							to = ((b*a.queries+i)*a.heads+h)*a.vSize + d
						}
						y[to] = float32(v)
					}
				}
			}
		}
		for i, want := range map[int]*tensor.Tensor{0: tensor.FromSlice(y, got[0].Tensor.Shape()...), 3: tensor.FromSlice(scores, a.batch, a.heads, a.queries, total)} {
			if err := optest.Compare(got[i].Tensor, want, 2e-6); err != nil {
				t.Fatalf("round %d: output %d: %v\n%+v\n%+v", round, i, err, a, a.o)
			}
		}
	}
}

// TestExpandOfWhatIsHardlyKnown: what Infer accepts expands, or is an error that
// says what is missing; an expansion's outputs fit what is inferred.
func TestExpandOfWhatIsHardlyKnown(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	expanded := 0
	for _, c := range optest.All() {
		o, ok := c.Op.(op.Expander)
		if !ok {
			continue
		}
		for range 30 {
			facts := make([]op.Fact, len(c.In))
			for i, x := range c.In {
				if x != nil {
					facts[i] = op.TensorFact(x.Type(), blur(rng, op.Known(x.Shape()...)))
				}
			}
			out, err := o.Infer(facts, len(c.Want))
			if err != nil {
				t.Fatalf("%s: %v of %v", c.Name, err, facts)
			}
			f, err := o.Expand(facts)
			if err != nil {
				continue
			}
			expanded++
			if len(f.Out) != len(out) {
				t.Errorf("%s: %d outputs, want %d", c.Name, len(f.Out), len(out))
			}
			f.Prune(func(i int) bool { return i == 0 })
			for _, v := range f.Out[1:] {
				if v != op.Absent {
					t.Errorf("%s: output %d is not wanted and stays", c.Name, v)
				}
			}
		}
	}
	if expanded < 200 {
		t.Errorf("%d expansions, want 200 at least", expanded)
	}
}

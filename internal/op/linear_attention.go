package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// LinearAttention is attention without softmax, as a state [batch, KV heads,
// size, value size] that each position changes and then reads: S = e^g·S +
// k⊗v, and scale·qᵀ·S comes out. Inputs are queries [batch, positions,
// heads·size], keys and values with KV heads, the state before (absent: zeros),
// the logarithms of decay g, one for each KV head or number of a key, and rates
// β, one for each KV head or for all. UpdateRule says whether g takes part
// (gated, gated_delta), and whether v is β·(v - Sᵀ·k) (delta, gated_delta).
// Outputs are [batch, positions, heads·value size] and the state. Sums are
// those of MatMul, all in float32. (ONNX operators: LinearAttention-27.)
type LinearAttention struct {
	ChunkSize  int     `attr:"chunk_size,default=64"` // a hint that changes nothing
	KVNumHeads int     `attr:"kv_num_heads,required"`
	QNumHeads  int     `attr:"q_num_heads,required"`
	Scale      float32 `attr:"scale,default=0"` // 0: 1/√size
	UpdateRule string  `attr:"update_rule,default=gated_delta"`
}

// Name returns "LinearAttention".
func (*LinearAttention) Name() string { return "LinearAttention" }

// Positions of the inputs behind queries, keys and values.
const (
	atState = 3 + iota
	atDecay
	atRate
)

// rule returns what takes part in the update.
func (o *LinearAttention) rule() (gated, delta bool, err error) {
	switch o.UpdateRule {
	case "linear":
	case "gated":
		gated = true
	case "delta":
		delta = true
	case "gated_delta":
		gated, delta = true, true
	default:
		err = fmt.Errorf("update_rule %q, want linear, gated, delta or gated_delta", o.UpdateRule)
	}
	return gated, delta, err
}

// Infer returns the shapes of the output and of the state.
func (o *LinearAttention) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 6); err != nil {
		return nil, err
	}
	gated, delta, err := o.rule()
	if err != nil {
		return nil, err
	}
	if o.KVNumHeads <= 0 || o.QNumHeads <= 0 || o.QNumHeads%o.KVNumHeads != 0 {
		return nil, fmt.Errorf("q_num_heads %d and kv_num_heads %d, want a positive multiple", o.QNumHeads, o.KVNumHeads)
	}
	for _, a := range []struct {
		at    int
		what  string
		taken bool
	}{{atDecay, "decay", gated}, {atRate, "beta", delta}} {
		if have := input(in, a.at).Present(); have != a.taken {
			return nil, fmt.Errorf("update_rule %s and %s: want %s with the rules that take it, and with no other", o.UpdateRule, presence(have), a.what)
		}
	}
	typ, err := wantFloats(in[0], in[1], in[2], input(in, atDecay), input(in, atRate))
	if err != nil {
		return nil, err
	}
	state, err := wantFloats(input(in, atState))
	if err != nil {
		return nil, fmt.Errorf("past_state: %w", err)
	}
	if typ == dtype.Float64 || state == dtype.Float64 {
		return nil, fmt.Errorf("element type float64, want float32, float16 or bfloat16")
	}
	if !input(in, atState).Present() {
		state = typ
	}
	y, s, err := o.shapes(in)
	return []Fact{TensorFact(typ, y), TensorFact(state, s)}, err
}

func presence(have bool) string {
	if have {
		return "an input too many"
	}
	return "an input missing"
}

// shapes returns those of the output and of the state.
func (o *LinearAttention) shapes(in []Fact) (y, state Shape, err error) {
	var s [3]Shape
	places := OfRank(2)
	for i, what := range []string{"queries", "keys", "values"} {
		x, err := Merge(in[i].Shape, Shape{places[0], places[1], Unknown})
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", what, err)
		}
		places, s[i] = x[:2], x
	}
	size, err := perHead(s[0][2], o.QNumHeads)
	if err != nil {
		return nil, nil, fmt.Errorf("queries: %w", err)
	}
	kSize, err := perHead(s[1][2], o.KVNumHeads)
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %w", err)
	}
	vSize, err := perHead(s[2][2], o.KVNumHeads)
	if err != nil {
		return nil, nil, fmt.Errorf("values: %w", err)
	}
	if size, err = agree(size, kSize); err != nil {
		return nil, nil, fmt.Errorf("queries and keys of a head: %w", err)
	}
	heads := Size(o.KVNumHeads)
	state, err = Merge(input(in, atState).Shape, Shape{places[0], heads, size, vSize})
	if err != nil {
		return nil, nil, fmt.Errorf("past_state: %w", err)
	}
	for _, a := range []struct {
		at   int
		what string
		most Dim
		one  Dim
	}{{atDecay, "decay", heads.Mul(size), heads}, {atRate, "beta", heads, Size(1)}} {
		x, err := Merge(input(in, a.at).Shape, Shape{places[0], places[1], Unknown})
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", a.what, err)
		}
		if contradict(x[2], a.most) && contradict(x[2], a.one) {
			return nil, nil, fmt.Errorf("%s of shape %v, want %v or %v on the last axis", a.what, x, a.one, a.most)
		}
	}
	return Shape{places[0], places[1], Size(o.QNumHeads).Mul(state[3])}, state, nil
}

// Eval goes through the positions.
func (o *LinearAttention) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 2, false, func(in []Datum, out []Fact) ([]Datum, error) {
		y, err := room(out[0], dtype.Float32)
		if err != nil {
			return nil, err
		}
		state, err := room(out[1], dtype.Float32)
		if err != nil {
			return nil, err
		}
		if before := arg(in, atState); before != nil {
			copy(tensor.Data[float32](state), tensor.Data[float32](before))
		}
		o.run(in, y, state)
		return Of(y, state), nil
	})
}

// linearHead is one KV head of one batch.
type linearHead struct {
	state       []float32 // [size, value size]
	size, vSize int
	fresh       []float32 // scratch memory of a value
}

func (o *LinearAttention) run(in []Datum, y, state *tensor.Tensor) {
	q, k, v := tensor.Data[float32](in[0].Tensor), tensor.Data[float32](in[1].Tensor), tensor.Data[float32](in[2].Tensor)
	decay, rate := elements[float32](arg(in, atDecay)), elements[float32](arg(in, atRate))
	batch, places := y.Shape()[0], y.Shape()[1]
	size, vSize := state.Shape()[2], state.Shape()[3]
	group, positions := o.QNumHeads/o.KVNumHeads, max(batch*places, 1)
	decays, rates := len(decay)/positions, len(rate)/positions
	scale := o.Scale
	if scale == 0 {
		scale = 1 / root(float32(size))
	}
	dst, all := tensor.Data[float32](y), tensor.Data[float32](state)
	fresh, grown := make([]float32, vSize), slices.Repeat([]float32{1}, size)
	for b := range batch {
		for h := range o.KVNumHeads {
			s := linearHead{all[(b*o.KVNumHeads+h)*size*vSize:][:size*vSize], size, vSize, fresh}
			for p := b * places; p < (b+1)*places; p++ {
				if decay != nil {
					// One number for the head, or one for each number of a key.
					each := decays / o.KVNumHeads
					for i := range grown {
						grown[i] = eltwise.Exp(decay[p*decays+h*each+i%each])
					}
					s.fade(grown)
				}
				key, val := k[(p*o.KVNumHeads+h)*size:][:size], v[(p*o.KVNumHeads+h)*vSize:][:vSize]
				if rate != nil {
					val = s.correct(key, val, rate[p*rates+h%rates])
				}
				s.write(key, val)
				to := dst[(p*o.QNumHeads+h*group)*vSize:][:group*vSize]
				from := matrix[float32]{q[(p*o.QNumHeads+h*group)*size:], size, 1}
				multiply(to, vSize, group, vSize, size, from, matrix[float32]{s.state, vSize, 1})
				scaleBy(to, scale)
			}
		}
	}
}

// fade multiplies each row of the state.
func (s linearHead) fade(by []float32) {
	for i, g := range by {
		row := s.state[i*s.vSize : (i+1)*s.vSize]
		for j := range row {
			row[j] *= g
		}
	}
}

// correct returns rate·(v - Sᵀ·k).
func (s linearHead) correct(k, v []float32, rate float32) []float32 {
	multiply(s.fresh, s.vSize, 1, s.vSize, s.size, matrix[float32]{k, s.size, 1}, matrix[float32]{s.state, s.vSize, 1})
	for j, held := range s.fresh {
		s.fresh[j] = rate * (v[j] - held)
	}
	return s.fresh
}

// write adds k⊗v to the state.
func (s linearHead) write(k, v []float32) {
	for i, a := range k {
		row := s.state[i*s.vSize : (i+1)*s.vSize]
		for j, c := range v {
			row[j] += float32(a * c)
		}
	}
}

// Quantization says that queries, keys and values are activations.
func (*LinearAttention) Quantization() Facts {
	f := NoFacts()
	f.Data = []int{0, 1, 2}
	return f
}

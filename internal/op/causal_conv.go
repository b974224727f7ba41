package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// CausalConvWithState is a convolution of each channel by itself over what came
// before: inputs are the data [batch, channels, length], weights [channels, 1,
// k], an optional bias [channels] and the state [batch, channels, k-1] that
// stands before the data, zeros where it is absent. Outputs are as many
// positions as the data has, through Activation ("none", or "silu", which is
// "swish"), and the last k-1 positions, the next state.
type CausalConvWithState struct {
	Activation string `attr:"activation,default=none"`
}

// Name returns "CausalConvWithState".
func (*CausalConvWithState) Name() string { return "CausalConvWithState" }

// Infer returns the data's shape and the state's.
func (o *CausalConvWithState) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 4); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in...)
	if err != nil {
		return nil, err
	}
	switch o.Activation {
	case "none", "silu", "swish":
	default:
		return nil, fmt.Errorf("activation %q, want none, silu or swish", o.Activation)
	}
	x, err := Merge(in[0].Shape, OfRank(3))
	if err != nil {
		return nil, fmt.Errorf("data of shape %v, want 3 axes", in[0].Shape)
	}
	w, err := Merge(in[1].Shape, Shape{x[1], Size(1), Unknown})
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	if w[2].Is(0) {
		return nil, fmt.Errorf("weights of shape %v, want at least one position", w)
	}
	if err := wantLength(input(in, 2), "bias", w[0]); err != nil {
		return nil, err
	}
	state, err := Merge(input(in, 3).Shape, Shape{x[0], w[0], w[2].Sub(Size(1))})
	if err != nil {
		return nil, fmt.Errorf("past_state: %w", err)
	}
	return []Fact{TensorFact(typ, Shape{state[0], state[1], x[2]}), TensorFact(typ, state)}, nil
}

// Eval convolves.
func (o *CausalConvWithState) Eval(in []Datum) ([]Datum, error) { return evalFunction(o, in, 2) }

// Expand returns a Conv of the data behind the state. The shape of the weights
// must be known.
func (o *CausalConvWithState) Expand(in []Fact) (*Function, error) {
	w, ok := in[1].Shape.Ints()
	if !ok || len(w) != 3 || in[0].Type == dtype.Invalid {
		return nil, fmt.Errorf("the type of the data and the shape of the weights must be known")
	}
	b := newBuilder(in)
	before := w[2] - 1
	x := 0
	switch {
	case input(in, 3).Present():
		x = b.concat(2, 3, 0)
	case before > 0:
		x = b.call(New[Pad](), 0, b.ints(before, 0), Absent, b.ints(2))
	}
	conv := New[Conv]()
	conv.Group, conv.KernelShape = w[0], []int{w[2]}
	args := []int{x, 1}
	if input(in, 2).Present() {
		args = append(args, 2)
	}
	y := b.call(conv, args...)
	if o.Activation != "none" {
		y = b.call(New[Swish](), y)
	}
	from, to := -before, math.MaxInt32
	if before == 0 {
		from, to = 0, 0
	}
	return b.done(y, b.slice(x, 2, from, to, 1))
}

// Quantization tells the weight, of one channel a row, and the bias.
func (*CausalConvWithState) Quantization() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis, f.Bias = []int{0, 3}, 1, 0, 2
	return f
}

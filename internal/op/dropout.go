package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Dropout is the identity outside training; its second output is the mask of
// kept elements, all true. Where the third operand asks for training, each
// element is dropped with the probability of the second, ratio, in [0, 1) and
// 0.5 where it is absent; those kept are divided by 1-ratio. An element is kept
// where a uniform number is at least ratio. The numbers start at Seed, 0 where
// it is not set, on every run.
type Dropout struct {
	Seed Opt[int] `attr:"seed"`
}

// Name returns "Dropout".
func (o *Dropout) Name() string { return "Dropout" }

// Infer returns the data and its mask.
func (o *Dropout) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 3); err != nil {
		return nil, err
	}
	ratio, training := input(in, 1), input(in, 2)
	for _, f := range []Fact{ratio, training} {
		if n, ok := f.Shape.Count().Int(); f.Present() && ok && n != 1 {
			return nil, fmt.Errorf("ratio and training_mode must be scalars, got shape %v", f.Shape)
		}
	}
	if err := accept(isNumber, ratio); err != nil {
		return nil, err
	}
	if err := accept(isBool, training); err != nil {
		return nil, err
	}
	out := TensorFact(in[0].Type, in[0].Shape)
	if !training.Present() || training.Const != nil && zeroBytes(training.Const) {
		out.Values, _ = values(in[0])
	}
	return []Fact{out, TensorFact(dtype.Bool, in[0].Shape)}, nil
}

// Eval returns the data and a mask of ones, or drops elements in training.
func (o *Dropout) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 2); err != nil {
		return nil, err
	}
	x, training := in[0].Tensor, arg(in, 2)
	if training != nil && !zeroBytes(training) {
		return o.drop(x, arg(in, 1))
	}
	return Of(x, tensor.Splat(dtype.Bool, x.Shape(), []byte{1})), nil
}

func (o *Dropout) drop(x, ratio *tensor.Tensor) ([]Datum, error) {
	p := 0.5
	if ratio != nil {
		v, err := realScalars(ratio)
		if err != nil {
			return nil, err
		}
		p = v[0]
	}
	if !(p >= 0 && p < 1) {
		return nil, fmt.Errorf("a ratio of %g, want one in [0, 1)", p)
	}
	wide, err := Convert(x, dtype.Float64)
	if err != nil {
		return nil, err
	}
	m := newMersenne(uint32(o.Seed.Value))
	mask, y := make([]bool, x.Len()), make([]float64, x.Len())
	scale := 1 / (1 - p)
	for i, v := range tensor.Data[float64](wide) {
		if mask[i] = m.uniform() >= p; mask[i] {
			y[i] = v * scale
		}
	}
	out, err := Convert(tensor.FromSlice(y, x.Shape()...), x.Type())
	return Of(out, tensor.FromSlice(mask, x.Shape()...)), err
}

// Quantization says that the data is moved.
func (o *Dropout) Quantization() Facts { return moving() }

// zeroBytes reports whether every byte of t is zero.
func zeroBytes(t *tensor.Tensor) bool {
	for _, b := range t.Bytes() {
		if b != 0 {
			return false
		}
	}
	return true
}

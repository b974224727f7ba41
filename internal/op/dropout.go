package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Dropout is the identity outside training; its second output is the mask of
// kept elements, all true. Training with a ratio above 0 is random and not
// supported.
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
	if training.Const != nil && !zeroBytes(training.Const) {
		if !ratio.Present() || ratio.Const != nil && !zeroBytes(ratio.Const) {
			return nil, &diag.UnsupportedError{What: "Dropout in training mode", Hint: "export the model for inference"}
		}
	}
	out := TensorFact(in[0].Type, in[0].Shape)
	out.Values, _ = values(in[0])
	return []Fact{out, TensorFact(dtype.Bool, in[0].Shape)}, nil
}

// Eval returns the data and a mask of ones.
func (o *Dropout) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 2); err != nil {
		return nil, err
	}
	x := in[0].Tensor
	return Of(x, tensor.Splat(dtype.Bool, x.Shape(), []byte{1})), nil
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

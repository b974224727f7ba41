package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// ReverseSequence turns around the first sequence_lens[b] steps of TimeAxis
// for each element b of BatchAxis. The two are the first two axes, in either
// order.
type ReverseSequence struct {
	BatchAxis int `attr:"batch_axis,default=1"`
	TimeAxis  int `attr:"time_axis,default=0"`
}

// Name returns "ReverseSequence".
func (o *ReverseSequence) Name() string { return "ReverseSequence" }

// Infer gives the data's type and shape.
func (o *ReverseSequence) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if o.BatchAxis+o.TimeAxis != 1 || o.BatchAxis < 0 || o.TimeAxis < 0 {
		return nil, fmt.Errorf("batch_axis %d and time_axis %d must be 0 and 1", o.BatchAxis, o.TimeAxis)
	}
	if err := wantIndices(in[1]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x != nil && len(x) < 2 {
		return nil, fmt.Errorf("data of shape %v has no batch and time", x)
	}
	if x != nil {
		if _, err := Merge(in[1].Shape, Shape{x[o.BatchAxis]}); err != nil {
			return nil, fmt.Errorf("sequence_lens: %w", err)
		}
	}
	return []Fact{TensorFact(in[0].Type, x)}, nil
}

// Eval copies step by step.
func (o *ReverseSequence) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	lens, ok := tensor.Ints(in[1].Tensor)
	if !ok {
		return nil, fmt.Errorf("sequence_lens of type %v", in[1].Tensor.Type())
	}
	strides := tensor.Strides(x.Shape())
	row, steps := inner(x.Shape(), 2), x.Shape()[o.TimeAxis]
	batch, time := strides[o.BatchAxis], strides[o.TimeAxis]
	for b, l := range lens {
		if l < 0 || l > int64(steps) {
			return nil, fmt.Errorf("a sequence of %d in %d steps", l, steps)
		}
		n := int(l)
		body := lane{n: row, to: 1, from: 1}
		c.draw(x, b*batch, b*batch+(n-1)*time, lane{n: n, to: time, from: -time}, body)
		rest := b*batch + n*time
		c.draw(x, rest, rest, lane{n: steps - n, to: time, from: time}, body)
	}
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *ReverseSequence) Quantization() Facts { return moving() }

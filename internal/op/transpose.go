package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// Transpose permutes axes: output axis i is input axis Perm[i]. Without Perm
// the order is reversed.
type Transpose struct {
	Perm []int `attr:"perm"`
}

// Name returns "Transpose".
func (o *Transpose) Name() string { return "Transpose" }

// order returns the permutation for a tensor of the given rank.
func (o *Transpose) order(rank int) ([]int, error) {
	if o.Perm == nil {
		out := make([]int, rank)
		for i := range out {
			out[i] = rank - 1 - i
		}
		return out, nil
	}
	if len(o.Perm) != rank {
		return nil, fmt.Errorf("perm %v does not order a tensor of rank %d", o.Perm, rank)
	}
	out, err := axesOf(o.Perm, rank)
	if err != nil {
		return nil, fmt.Errorf("perm %v: %w", o.Perm, err)
	}
	return out, nil
}

// Infer permutes the dimensions.
func (o *Transpose) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		if o.Perm == nil {
			return []Fact{TensorFact(in[0].Type, nil)}, nil
		}
		_, err := o.order(len(o.Perm))
		return []Fact{TensorFact(in[0].Type, OfRank(len(o.Perm)))}, err
	}
	perm, err := o.order(len(x))
	if err != nil {
		return nil, err
	}
	out := make(Shape, len(x))
	for i, p := range perm {
		out[i] = x[p]
	}
	return []Fact{reshaped(in[0], out)}, nil
}

// Eval returns the permuted data.
func (o *Transpose) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	perm, err := o.order(x.Rank())
	if err != nil {
		return nil, err
	}
	src := tensor.Strides(x.Shape())
	from := make([]int, len(perm))
	for i, p := range perm {
		from[i] = src[p]
	}
	c.draw(x, 0, 0, lanesOf(c.shape, from)...)
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *Transpose) Quantization() Facts { return moving() }

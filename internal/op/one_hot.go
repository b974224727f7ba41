package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// OneHot adds an axis of the size in its second input (depth), on which the
// place that the index names holds the second of the values, and the others
// the first. Indices outside [-depth, depth) name none.
type OneHot struct {
	Axis int `attr:"axis,default=-1"`
}

// Name returns "OneHot".
func (o *OneHot) Name() string { return "OneHot" }

// Infer inserts the axis.
func (o *OneHot) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	if n, ok := in[1].Shape.Count().Int(); ok && n != 1 {
		return nil, fmt.Errorf("depth has %d elements", n)
	}
	if n, ok := in[2].Shape.Count().Int(); ok && n != 2 {
		return nil, fmt.Errorf("got %d values, want off and on", n)
	}
	idx := in[0].Shape
	if idx == nil {
		return []Fact{TensorFact(in[2].Type, nil)}, nil
	}
	axis, err := Axis(o.Axis, len(idx)+1)
	if err != nil {
		return nil, err
	}
	depth := Unknown
	if v, ok := values(in[1]); ok && len(v) == 1 {
		depth = v[0]
	} else if in[1].Const != nil {
		w, err := truncated(in[1].Const)
		if err != nil {
			return nil, err
		}
		depth = Size(int(w[0]))
	}
	if n, ok := depth.Int(); ok && n < 0 {
		return nil, fmt.Errorf("a depth of %d", n)
	}
	out := append(append(idx[:axis].Clone(), depth), idx[axis:]...)
	return []Fact{TensorFact(in[2].Type, out)}, nil
}

// truncated returns numbers of any type as integers, rounded towards zero.
func truncated(t *tensor.Tensor) ([]int64, error) {
	if v, ok := tensor.Ints(t); ok {
		return v, nil
	}
	w, err := Convert(t, dtype.Int64)
	if err != nil {
		return nil, err
	}
	return tensor.Data[int64](w), nil
}

// Eval fills in the off value and draws the on values over it.
func (o *OneHot) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	axis, err := Axis(o.Axis, len(c.shape))
	if err != nil {
		return nil, err
	}
	idx, err := truncated(in[0].Tensor)
	if err != nil {
		return nil, err
	}
	val := in[2].Tensor
	if val.Rank() != 1 {
		return nil, fmt.Errorf("values %v, want a list of two", val)
	}
	depth, row := int64(c.shape[axis]), inner(c.shape, axis+1)
	to := make([]int, 0, len(idx))
	for i, v := range idx {
		if v < 0 {
			v += depth
		}
		if v >= 0 && v < depth {
			to = append(to, (i/row*int(depth)+int(v))*row+i%row)
		}
	}
	c.fill(val.Slice(0, 1))
	c.draw(val, 0, 1, lane{n: len(to), toAt: to})
	return Of(c.done()), nil
}

package op

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// SplitToSequence cuts a tensor along Axis into a sequence: into pieces of the
// sizes that its second input lists, of the one size that it gives (the last
// piece may be smaller), or into slices, from which KeepDims false drops the
// axis.
type SplitToSequence struct {
	Axis     int  `attr:"axis,default=0"`
	KeepDims bool `attr:"keepdims,default=1"`
}

// ConcatFromSequence joins the elements of a sequence along Axis, or along a
// new axis at that place.
type ConcatFromSequence struct {
	Axis    int  `attr:"axis,required"`
	NewAxis bool `attr:"new_axis"`
}

// Name returns "SplitToSequence".
func (o *SplitToSequence) Name() string { return "SplitToSequence" }

// Name returns "ConcatFromSequence".
func (o *ConcatFromSequence) Name() string { return "ConcatFromSequence" }

// Infer gives the pieces the data's shape but for the axis.
func (o *SplitToSequence) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 2); err != nil {
		return nil, err
	}
	elem := TensorFact(in[0].Type, in[0].Shape.Clone())
	if elem.Shape == nil {
		return []Fact{sequenceOf(elem)}, nil
	}
	axis, err := Axis(o.Axis, len(elem.Shape))
	if err != nil {
		return nil, err
	}
	switch sized := input(in, 1).Present(); {
	case sized:
		elem.Shape[axis] = Unknown
	case o.KeepDims:
		elem.Shape[axis] = Size(1)
	default:
		elem.Shape = slices.Delete(elem.Shape, axis, axis+1)
	}
	return []Fact{sequenceOf(elem)}, nil
}

// sizes returns the sizes of the pieces of a dimension.
func (o *SplitToSequence) sizes(dim int, split *tensor.Tensor) ([]int, error) {
	size := int64(1)
	if split != nil {
		v, ok := tensor.Ints(split)
		if !ok {
			return nil, fmt.Errorf("split of type %v", split.Type())
		}
		if split.Rank() > 0 {
			out, sum := make([]int, len(v)), int64(0)
			for i, n := range v {
				if n < 0 || n > int64(dim)-sum {
					return nil, fmt.Errorf("split %v does not add up to %d", v, dim)
				}
				out[i], sum = int(n), sum+n
			}
			if sum != int64(dim) {
				return nil, fmt.Errorf("split %v does not add up to %d", v, dim)
			}
			return out, nil
		}
		if size = v[0]; size < 1 {
			return nil, fmt.Errorf("pieces of size %d", size)
		}
	}
	var out []int
	for rest := dim; rest > 0; {
		n := int(min(size, int64(rest)))
		out = append(out, n)
		rest -= n
	}
	return out, nil
}

// Eval returns the pieces.
func (o *SplitToSequence) Eval(in []Datum) ([]Datum, error) {
	x, split := arg(in, 0), arg(in, 1)
	if x == nil {
		return nil, errors.New("the data is no tensor")
	}
	axis, err := Axis(o.Axis, x.Rank())
	if err != nil {
		return nil, err
	}
	sizes, err := o.sizes(x.Shape()[axis], split)
	if err != nil {
		return nil, err
	}
	pieces, err := parts(x, axis, sizes)
	if err != nil {
		return nil, err
	}
	if split == nil && !o.KeepDims {
		shape := slices.Delete(slices.Clone(x.Shape()), axis, axis+1)
		for i, t := range pieces {
			if pieces[i], err = t.Reshape(shape...); err != nil {
				return nil, err
			}
		}
	}
	return []Datum{{Kind: SequenceKind, Seq: Of(pieces...)}}, nil
}

// Infer knows all but the length of the axis.
func (o *ConcatFromSequence) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	elem, err := wantSequence(in[0])
	if err != nil {
		return nil, err
	}
	out := TensorFact(elem.Type, elem.Shape.Clone())
	if out.Shape == nil {
		return []Fact{out}, nil
	}
	axis, err := Axis(o.Axis, len(out.Shape)+b2i(o.NewAxis))
	if err != nil {
		return nil, err
	}
	if o.NewAxis {
		out.Shape = slices.Insert(out.Shape, axis, Unknown)
	} else {
		out.Shape[axis] = Unknown
	}
	return []Fact{out}, nil
}

// Eval returns the elements joined.
func (o *ConcatFromSequence) Eval(in []Datum) ([]Datum, error) {
	seq, err := sequence(input(in, 0))
	if err != nil {
		return nil, err
	}
	if len(seq) == 0 {
		return nil, errors.New("the sequence is empty")
	}
	list := slices.Clone(seq)
	axis, err := Axis(o.Axis, list[0].Tensor.Rank()+b2i(o.NewAxis))
	if err != nil {
		return nil, err
	}
	for i, d := range list {
		if !o.NewAxis || d.Tensor.Rank() < axis {
			continue
		}
		shape := slices.Insert(slices.Clone(d.Tensor.Shape()), axis, 1)
		if list[i].Tensor, err = d.Tensor.Reshape(shape...); err != nil {
			return nil, err
		}
	}
	c := New[Concat]()
	c.Axis = axis
	return c.Eval(list)
}

package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// largeFold is the size from which a constant result is computed when it is
// read, and largePart how much of it one evaluation makes.
const (
	largeFold = 1 << 20
	largePart = 1 << 18
)

// FoldLargeConstants is FoldConstants where results of 1 MiB and more are
// computed by parts when they are read, as far as their operators allow that:
// those that work element by element, Transpose, Concat and what only changes
// shapes. So the memory does not grow with the weights.
func FoldLargeConstants(g *ir.Graph) (bool, error) {
	var produced int64
	return foldConstants(g, &produced, false, true)
}

// foldLarge returns the only output of a node of constants that is computed
// when it is read, nil where that does not go or the output is small.
func foldLarge(n *ir.Node, in []op.Datum, out op.Fact) (*tensor.Tensor, error) {
	shape, ok := out.Shape.Ints()
	count, fits := tensor.Count(shape)
	if !ok || !fits || len(n.Out) != 1 || out.Type.Bits()%8 != 0 || out.Type.Size(count) < largeFold {
		return nil, nil
	}
	for _, d := range in {
		if t := d.Tensor; t != nil && (t.Type() == dtype.String || t.Type().Bits()%8 != 0) {
			return nil, nil
		}
	}
	switch o := n.Op.(type) {
	case *op.Transpose:
		x := in[0].Tensor
		perm := make([]int, x.Rank())
		for i := range perm {
			perm[i] = x.Rank() - 1 - i
			if o.Perm != nil {
				perm[i], _ = op.Axis(o.Perm[i], x.Rank()) // Infer has checked it
			}
		}
		return tensor.Permuted(x, perm), nil
	case *op.Concat:
		axis, err := op.Axis(o.Axis, len(shape))
		if err != nil {
			return nil, err
		}
		parts := make([]*tensor.Tensor, len(in))
		for i, d := range in {
			parts[i] = d.Tensor
		}
		return tensor.Joined(axis, parts...), nil
	}
	if e, ok := n.Op.(op.Evaluator); ok && op.PerElement(n.Op) {
		return byParts(e, in, out.Type, shape), nil
	}
	return nil, nil
}

// byParts returns the output of an operator that works element by element.
func byParts(e op.Evaluator, in []op.Datum, typ dtype.Type, shape []int) *tensor.Tensor {
	size := typ.Size(1)
	// A part is some rows of the first axis whose rows are small.
	axis, inner := len(shape)-1, 1
	for axis > 0 && inner*shape[axis]*size <= largePart {
		inner *= shape[axis]
		axis--
	}
	rows := max(1, largePart/(inner*size))
	return tensor.Computed(typ, shape, func(off int64, dst []byte) error {
		for len(dst) > 0 {
			first := int(off) / size
			row, skip := first/inner, first%inner
			outer, lo := row/shape[axis], row%shape[axis]
			hi := min(lo+rows, shape[axis], lo+(skip+len(dst)/size+inner-1)/inner)
			y, err := evalPart(e, in, shape, axis, outer, lo, hi)
			if err != nil {
				return err
			}
			k := copy(dst, y.Bytes()[skip*size:])
			dst, off = dst[k:], off+int64(k)
		}
		return nil
	})
}

// evalPart evaluates rows lo to hi of an axis; outer is the index over all
// axes before it.
func evalPart(e op.Evaluator, in []op.Datum, shape []int, axis, outer, lo, hi int) (*tensor.Tensor, error) {
	args := make([]op.Datum, len(in))
	for i, d := range in {
		if d.Tensor == nil || d.Tensor.Len() == 1 {
			args[i] = d // Clip takes bounds without dimensions alone
			continue
		}
		t, err := partOf(d.Tensor, shape, axis, outer, lo, hi)
		if err != nil {
			return nil, err
		}
		args[i] = op.Datum{Tensor: t}
	}
	res, err := e.Eval(args)
	if err != nil {
		return nil, err
	}
	for _, d := range args {
		if d.Tensor != nil {
			d.Tensor.Release()
		}
	}
	y := res[0].Tensor
	want := hi - lo
	for _, d := range shape[axis+1:] {
		want *= d
	}
	if y.Len() != want {
		return nil, fmt.Errorf("a part of %d elements came out as %d", want, y.Len())
	}
	return y, nil
}

// partOf returns what an operand that is broadcast to shape holds for the same
// rows.
func partOf(t *tensor.Tensor, shape []int, axis, outer, lo, hi int) (*tensor.Tensor, error) {
	dims := make([]int, len(shape))
	for i := range dims {
		dims[i] = 1
		if k := i - len(shape) + t.Rank(); k >= 0 {
			dims[i] = t.Shape()[k]
		}
	}
	strides := tensor.Strides(dims)
	at := 0
	for i := axis - 1; i >= 0; i-- {
		if dims[i] > 1 {
			at += outer % shape[i] * strides[i]
		}
		outer /= shape[i]
	}
	n := strides[axis]
	if dims[axis] > 1 {
		at, n = at+lo*strides[axis], (hi-lo)*strides[axis]
		dims[axis] = hi - lo
	}
	flat, err := t.Reshape(t.Len())
	if err != nil {
		return nil, err
	}
	return flat.Slice(at, at+n).Reshape(dims[axis:]...)
}

package pass

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// weight returns rows lo to hi of direction d of operand k, [directions, rows,
// columns], as [columns, rows] if turned. It is stored as the operand is: as
// floats, integers behind a DequantizeLinear, or float16 behind a Cast.
func (u *unroller) weight(k, d, lo, hi int, turned bool) *ir.Value {
	v := u.n.In[k]
	part := func(t *tensor.Tensor) *ir.Value {
		rows, err := t.Reshape(t.Shape()[0]*t.Shape()[1], t.Shape()[2])
		if err != nil {
			panic(err) // it has as many elements
		}
		from := d * t.Shape()[1]
		rows = rows.Slice(from+lo, from+hi)
		if turned {
			rows = tensor.Permute(rows, []int{1, 0})
		}
		return u.constant("weight", rows)
	}
	if v.Const != nil && v.Const.Type() == dtype.Float32 {
		return part(v.Const)
	}
	if n := u.widens(v); n != nil {
		switch o := n.Op.(type) {
		case *op.Cast:
			return u.put(o, part(n.In[0].Const))
		case *op.DequantizeLinear:
			p, ok, err := ir.ParamsOf(n)
			switch {
			case err != nil || !ok:
			case p.BlockSize > 0 && !wholeRows(p, n.In[0].Const.Shape()) || !p.IsPerTensor() && p.BlockSize == 0 && p.Axis == 2:
				if t, err := affine.Dequantize(n.In[0].Const, p, dtype.Float32); err == nil {
					return part(t)
				}
			default:
				return u.dequantized(part(n.In[0].Const), o, p, d, lo, hi, turned)
			}
		}
	}
	u.refuse("with weights that are computed", "make them constants")
	return nil
}

// wholeRows reports whether blocks are the rows of weights [directions, rows,
// columns].
func wholeRows(p affine.Params, shape []int) bool {
	return p.Axis == 2 && p.BlockSize >= shape[2]
}

// dequantized returns rows lo to hi of direction d of integers, which have one
// scale, one for each direction, one for each row, or one for each row of each
// direction.
func (u *unroller) dequantized(w *ir.Value, o *op.DequantizeLinear, p affine.Params, d, lo, hi int, turned bool) *ir.Value {
	scale, zero := p.Scale, p.ZeroPoint
	var shape []int
	switch {
	case p.IsPerTensor():
		lo, hi = 0, 1
	case p.BlockSize > 0:
		lo, hi = lo+d*u.gates*u.hidden, hi+d*u.gates*u.hidden
	case p.Axis == 0:
		lo, hi = d, d+1
	}
	if scale = scale[lo:hi]; len(zero) > 0 {
		zero = zero[lo:hi]
	}
	if len(scale) > 1 {
		shape = []int{len(scale)}
	}
	in := []*ir.Value{w, u.constant("scale", tensor.FromSlice(scale, shape...))}
	if len(zero) > 0 {
		in = append(in, u.constant("zero_point", tensor.FromInts(p.Type, zero, shape...)))
	}
	return u.put(with(o, func(c *op.DequantizeLinear) {
		c.BlockSize = 0
		if c.Axis = 0; turned {
			c.Axis = 1
		}
	}), in...)
}

// widens returns the node that makes numbers of a constant in fewer bits, nil
// where v is something else.
func (u *unroller) widens(v *ir.Value) *ir.Node {
	n := u.prod[v]
	if n == nil || len(n.In) == 0 || n.In[0] == nil || n.In[0].Const == nil {
		return nil
	}
	return n
}

// floats returns direction d of operand k as numbers, nil where it is absent.
func (u *unroller) floats(k, d int) []float32 {
	v := u.in(k)
	if v == nil {
		return nil
	}
	t, err := v.Const, error(nil)
	if n := u.widens(v); n != nil {
		switch n.Op.(type) {
		case *op.Cast:
			t, err = op.Convert(n.In[0].Const, dtype.Float32)
		case *op.DequantizeLinear:
			if p, ok, _ := ir.ParamsOf(n); ok {
				t, err = affine.Dequantize(n.In[0].Const, p, dtype.Float32)
			}
		}
	}
	if err != nil || t == nil || t.Type() != dtype.Float32 {
		u.refuse("with biases or peepholes that are computed", "make them constants")
		return nil
	}
	width := t.Len() / t.Shape()[0]
	return tensor.Data[float32](t)[d*width : (d+1)*width]
}

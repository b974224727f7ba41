package pass

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// scored is attention that is written out as Softmax(scale·q·kᵀ + …)·v.
type scored struct {
	scale         op.Opt[float32]
	filter        float32
	causal        bool
	bias, mask    *ir.Value
	batch, length op.Dim // of the queries
	keys, size    op.Dim // size: of a head of queries
}

// sized reports whether all that constants are made of is known.
func (s scored) sized() bool {
	_, length := s.length.Int()
	keys, fixed := s.keys.Int()
	_, size := s.size.Int()
	if s.causal && !(length && fixed) {
		return false
	}
	if m := s.mask; m != nil {
		switch len(m.Shape) {
		case 1:
			if !fixed || keys == 0 || !m.Shape[0].Same(s.batch) {
				return false
			}
		case 2, 3:
		default:
			return false
		}
	}
	return size || s.scale.Set && s.scale.Value != 0
}

// attend adds the attention of q [B, heads, S, ·], kᵀ [B, heads, ·, T] and v
// [B, heads, T, ·], whose result [B, S, heads·width] is y.
func (e *expander) attend(y *ir.Value, s scored, q, k, v *ir.Value) error {
	factor := s.scale.Value
	if factor == 0 {
		n, _ := s.size.Int()
		factor = 1 / float32(math.Sqrt(float64(n)))
	}
	scale, err := e.number(factor)
	if err != nil {
		return err
	}
	x := e.put(nil, op.New[op.Mul](), e.put(nil, op.New[op.MatMul](), q, k), scale)
	x = e.summed(nil, x, s.bias)
	if s.mask != nil {
		m, err := e.masked(s)
		if err != nil {
			return err
		}
		x = e.summed(nil, x, m)
	}
	if length, _ := s.length.Int(); s.causal && length > 1 {
		m, err := e.later(s)
		if err != nil {
			return err
		}
		x = e.summed(nil, x, m)
	}
	x = e.put(nil, op.New[op.MatMul](), e.put(nil, op.New[op.Softmax](), x), v)
	x = e.turned(x, []int{0, 2, 1, 3})
	width := int64(-1)
	if len(y.Shape) == 3 {
		width = told(y.Shape[2])
	}
	e.put(y, op.New[op.Reshape](), x, constant(e, []int64{0, 0, width}, 3))
	return nil
}

// masked returns what a mask adds to the scores: the filter for keys that are
// left out, 0 for the others.
func (e *expander) masked(s scored) (*ir.Value, error) {
	none, err := e.number(0)
	if err != nil {
		return nil, err
	}
	out, err := e.number(s.filter)
	if err != nil {
		return nil, err
	}
	m := s.mask
	var seen *ir.Value
	axes := []int64{1, 2}
	switch len(m.Shape) {
	case 1:
		n, _ := s.keys.Int()
		places := make([]int32, n)
		for i := range places {
			places[i] = int32(i)
		}
		ends := e.put(nil, op.New[op.Unsqueeze](), m, constant(e, []int64{1}, 1))
		seen = e.put(nil, op.New[op.Less](), constant(e, places, 1, n), ends)
	case 3:
		axes = []int64{1}
		fallthrough
	default:
		seen = e.put(nil, op.New[op.Greater](), m, ir.NewConst(e.names.Name(e.n.Out[0].Name+"_constant"), tensor.Scalar(int32(0))))
	}
	seen = e.put(nil, op.New[op.Unsqueeze](), seen, constant(e, axes, len(axes)))
	return e.put(nil, op.New[op.Where](), seen, none, out), nil
}

// later returns the constant that a causal mask adds [S, T].
func (e *expander) later(s scored) (*ir.Value, error) {
	rows, _ := s.length.Int()
	keys, _ := s.keys.Int()
	m := make([]float32, rows*keys)
	for i := range rows {
		for t := keys - rows + i + 1; t < keys; t++ {
			m[i*keys+t] = -math.MaxFloat32
		}
	}
	t, err := op.Convert(tensor.FromSlice(m, rows, keys), e.n.In[0].Type)
	if err != nil {
		return nil, err
	}
	return ir.NewConst(e.names.Name(e.n.Out[0].Name+"_causal"), t), nil
}

// told returns a dimension for Reshape, -1 where it is not known: tensors without
// elements do not tell it.
func told(d op.Dim) int64 {
	if n, ok := d.Int(); ok {
		return int64(n)
	}
	return -1
}

// byHead lays x [B, L, heads·size] out as [B, heads, L, size], or with the last
// two axes swapped.
func (e *expander) byHead(x *ir.Value, heads int, size op.Dim, swapped bool) *ir.Value {
	x = e.put(nil, op.New[op.Reshape](), x, constant(e, []int64{0, 0, int64(heads), told(size)}, 4))
	if swapped {
		return e.turned(x, []int{0, 2, 3, 1})
	}
	return e.turned(x, []int{0, 2, 1, 3})
}

// divided returns a dimension over the number of heads.
func divided(d op.Dim, heads int) op.Dim {
	if n, ok := d.Int(); ok && heads > 0 && n > 0 {
		return op.Size(n / heads)
	}
	return op.Unknown
}

// filterOf is the filter of masks where none is given.
func filterOf(v op.Opt[float32]) float32 {
	if v.Set {
		return v.Value
	}
	return -10000
}

// expandMultiHead: without caches, with queries, keys and values apart, and a
// constant bias of the projections or none.
func expandMultiHead(e *expander) (bool, error) {
	o := e.n.Op.(*op.MultiHeadAttention)
	q, k, v, bias := e.in(0), e.in(1), e.in(2), e.in(3)
	if e.result(1) != nil || e.result(2) != nil || e.result(3) != nil || e.in(6) != nil || e.in(7) != nil || k == nil || v == nil ||
		len(q.Shape) != 3 || len(k.Shape) != 3 && len(k.Shape) != 4 || len(v.Shape) != len(k.Shape) {
		return false, nil
	}
	s := scored{scale: o.Scale, filter: filterOf(o.MaskFilterValue), causal: o.Unidirectional,
		bias: e.in(5), mask: e.in(4), batch: q.Shape[0], length: q.Shape[1], keys: k.Shape[len(k.Shape)-2], size: divided(q.Shape[2], o.NumHeads)}
	if len(k.Shape) == 3 {
		s.keys = k.Shape[1]
	}
	if !s.sized() {
		return false, nil
	}
	if bias != nil {
		width, ok := q.Shape[2].Int()
		if !ok || bias.Const == nil || bias.Const.Type() != dtype.Float32 || bias.Const.Len() < 2*width {
			return false, nil
		}
		part := func(x *ir.Value, from, to int) *ir.Value {
			c := ir.NewConst(e.names.Name(bias.Name+"_part"), bias.Const.Slice(from, to))
			return e.summed(nil, x, c)
		}
		q, k, v = part(q, 0, width), part(k, width, 2*width), part(v, 2*width, bias.Const.Len())
	}
	if len(e.in(1).Shape) == 4 {
		k = e.turned(k, []int{0, 1, 3, 2})
	} else {
		k, v = e.byHead(k, o.NumHeads, s.size, true), e.byHead(v, o.NumHeads, divided(e.in(2).Shape[2], o.NumHeads), false)
	}
	return true, e.attend(e.n.Out[0], s, e.byHead(q, o.NumHeads, s.size, false), k, v)
}

// expandAttention: without caches.
func expandAttention(e *expander) (bool, error) {
	o := e.n.Op.(*op.MicrosoftAttention)
	x, w := e.in(0), e.in(1)
	if e.result(1) != nil || e.in(4) != nil || e.in(6) != nil || o.DoRotary || o.PastPresentShareBuffer || len(x.Shape) != 3 || len(w.Shape) != 2 {
		return false, nil
	}
	width, ok := w.Shape[1].Int()
	if !ok {
		return false, nil
	}
	sizes := []int64{int64(width / 3), int64(width / 3), int64(width / 3)}
	if len(o.HiddenSizes) == 3 {
		sizes = []int64{int64(o.HiddenSizes[0]), int64(o.HiddenSizes[1]), int64(o.HiddenSizes[2])}
	}
	s := scored{scale: o.Scale, filter: filterOf(o.MaskFilterValue), causal: o.Unidirectional, bias: e.in(5), mask: e.in(3),
		batch: x.Shape[0], length: x.Shape[1], keys: x.Shape[1], size: divided(op.Size(int(sizes[0])), o.NumHeads)}
	if !s.sized() {
		return false, nil
	}
	y := e.summed(nil, e.put(nil, op.New[op.MatMul](), x, w), e.in(2))
	cut := op.New[op.Split]()
	cut.Axis = 2
	q := e.put(nil, cut, y, constant(e, sizes, 3))
	n := e.out[len(e.out)-1]
	k, v := &ir.Value{Name: e.names.Name(q.Name)}, &ir.Value{Name: e.names.Name(q.Name)}
	n.Out = append(n.Out, k, v)
	return true, e.attend(e.n.Out[0], s, e.byHead(q, o.NumHeads, s.size, false), e.byHead(k, o.NumHeads, s.size, true),
		e.byHead(v, o.NumHeads, divided(op.Size(int(sizes[2])), o.NumHeads), false))
}

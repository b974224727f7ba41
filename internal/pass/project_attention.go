package pass

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// ProjectAttention takes the projection out of ONNX Runtime's Attention, so that
// it is a product like others, which can be quantized; the rest stays one
// operator.
//
// Before: y = MicrosoftAttention(x, w, b, mask)
// After:  y = MultiHeadAttention(Split(Add(MatMul(x, w), b)), mask)
//
// Conditions: no cache, no rotation; the mask is absent or [batch, keys]. Types
// and shapes must have been inferred; those of new values are not.
func ProjectAttention(g *ir.Graph) bool {
	e := &expander{names: ir.NewNamer(g)}
	changed := false
	for _, n := range g.Nodes {
		if e.n = n; !e.projects() {
			e.out = append(e.out, n)
			continue
		}
		e.project()
		changed = true
	}
	g.Nodes = e.out
	return changed
}

// projects reports whether the projection of e.n can be taken out.
func (e *expander) projects() bool {
	o, ok := e.n.Op.(*op.MicrosoftAttention)
	if !ok || len(e.n.Out) == 0 || e.n.Out[0] == nil || e.result(1) != nil || e.in(4) != nil || e.in(6) != nil || o.DoRotary || o.PastPresentShareBuffer {
		return false
	}
	if m := e.in(3); m != nil && len(m.Shape) != 2 {
		return false
	}
	return e.sections(o) != nil
}

// sections returns how many columns queries, keys and values have; nil where
// that is not known.
func (e *expander) sections(o *op.MicrosoftAttention) []int64 {
	if s := o.HiddenSizes; len(s) == 3 {
		return []int64{int64(s[0]), int64(s[1]), int64(s[2])}
	}
	if w := e.in(1).Shape; len(w) == 2 {
		if n, ok := w[1].Int(); ok {
			return []int64{int64(n / 3), int64(n / 3), int64(n / 3)}
		}
	}
	return nil
}

func (e *expander) project() {
	o := e.n.Op.(*op.MicrosoftAttention)
	y := e.put(nil, op.New[op.MatMul](), e.in(0), e.in(1))
	e.out[len(e.out)-1].Name = e.n.Name // patterns that name the node mean its product
	y = e.summed(nil, y, e.in(2))
	cut := op.New[op.Split]()
	cut.Axis = 2
	q := e.put(nil, cut, y, constant(e, e.sections(o), 3))
	n := e.out[len(e.out)-1]
	k, v := &ir.Value{Name: e.names.Name(q.Name)}, &ir.Value{Name: e.names.Name(q.Name)}
	n.Out = append(n.Out, k, v)
	rest := op.New[op.MultiHeadAttention]()
	rest.NumHeads, rest.Scale, rest.MaskFilterValue, rest.Unidirectional = o.NumHeads, o.Scale, o.MaskFilterValue, o.Unidirectional
	e.put(e.n.Out[0], rest, q, k, v, nil, e.in(3), e.in(5))
	e.out[len(e.out)-1].Name = e.names.Name(e.n.Out[0].Name + "_heads")
}

package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// StripQuantization takes a QDQ graph back to floats: what its weights stand
// for become constants, and activations are no longer rounded. They are still
// limited to what their integers could hold, as a Relu or Clip that was there
// once may be nothing else any more. It returns how
// many pairs and constants it removed; a graph that computes on integers
// elsewhere, or whose inputs are integers, is an error.
//
// Before: z = F(DQ(Q(x)), DQ(w))
// After:  z = F(Clip(x, lo, hi), w′), w′ = DQ(w)
//
// It is not among the passes of Prepare, which keep what a file says.
func StripQuantization(g *ir.Graph) (pairs, constants int, err error) {
	prod := g.Producers()
	for _, n := range g.Nodes {
		dq, ok := n.Op.(*op.DequantizeLinear)
		if !ok || n.In[0] == nil {
			continue
		}
		if q := prod[n.In[0]]; q != nil {
			if _, ok := q.Op.(*op.QuantizeLinear); !ok {
				continue
			}
			p, ok, err := ir.ParamsOf(q)
			if err != nil || !ok || !p.IsPerTensor() {
				return pairs, constants, fmt.Errorf("strip: %s: its parameters are not constant, or not one for all elements", q.Label())
			}
			pairs++
			if finite(p) != nil { // what a mask's -inf made, which bounds nothing
				n.Op, n.In = op.New[op.Identity](), []*ir.Value{q.In[0]}
				continue
			}
			least, most := p.Type.Range()
			end := func(name string, v int64) *ir.Value {
				return ir.NewConst(n.Out[0].Name+name, tensor.Scalar(float32(v-p.Zero(0))*p.Scale[0]))
			}
			n.Op, n.In = &op.Clip{}, []*ir.Value{q.In[0], end("_lo", least), end("_hi", most)}
			continue
		}
		in := make([]op.Datum, len(n.In))
		for i, v := range n.In {
			if v != nil && v.Const == nil {
				in = nil
				break
			}
			if v != nil {
				in[i] = op.Datum{Tensor: v.Const}
			}
		}
		if in == nil {
			continue
		}
		out, err := dq.Eval(in)
		if err != nil {
			return pairs, constants, fmt.Errorf("strip: %s: %w", n.Label(), err)
		}
		n.Op, n.In = &op.Identity{}, []*ir.Value{ir.NewConst(n.Out[0].Name+"_float", out[0].Tensor)}
		constants++
	}
	if _, err := EliminateDead(g); err != nil {
		return pairs, constants, err
	}
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.QuantizeLinear, *op.DequantizeLinear:
			return pairs, constants, fmt.Errorf("strip: %s: what it computes is used as integers, or comes as integers: that cannot be taken back", n.Label())
		}
	}
	return pairs, constants, nil
}

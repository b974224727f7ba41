package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// dequantized makes a constant of what a DequantizeLinear of constants gives,
// and reports whether it is one: no run repeats it. Products that take codes
// as they are stored have been found before.
func (pl *plan) dequantized(n, key *ir.Node) (bool, error) {
	dq, ok := n.Op.(*op.DequantizeLinear)
	if !ok || pl.p.plain || pl.p.keep[n.Out[0].Name] {
		return false, nil
	}
	in := make([]op.Datum, len(n.In))
	for i, v := range n.In {
		if v != nil && v.Const == nil {
			return false, nil
		}
		if v != nil {
			in[i] = op.Datum{Tensor: v.Const}
		}
	}
	// What follows from the shapes of inputs is another one in each plan.
	shared := !slices.ContainsFunc(key.In, func(v *ir.Value) bool { return v != nil && v.Const == nil })
	c := pl.packs(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.reals[key]
	if t == nil || !shared {
		out, err := dq.Eval(in)
		if err != nil {
			return false, err
		}
		t = out[0].Tensor
		n.In[0].Const.Release()
	}
	if shared {
		c.reals[key] = t
	}
	n.Out[0].Const = t
	v := &pl.values[pl.index[n.Out[0]]]
	v.fixed, v.shape = t, nil
	return true, nil
}

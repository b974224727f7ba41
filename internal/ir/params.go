package ir

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ParamsOf returns the parameters of a QuantizeLinear or DequantizeLinear, and
// false where they are computed.
func ParamsOf(n *Node) (affine.Params, bool, error) {
	var p affine.Params
	if len(n.In) < 2 || n.In[1] == nil || n.In[1].Const == nil || n.In[1].Type != dtype.Float32 {
		return p, false, nil
	}
	switch o := n.Op.(type) {
	case *op.QuantizeLinear:
		p.Type, p.Axis, p.BlockSize = n.Out[0].Type, o.Axis, o.BlockSize
	case *op.DequantizeLinear:
		p.Type, p.Axis, p.BlockSize = n.In[0].Type, o.Axis, o.BlockSize
	}
	scale := n.In[1].Const
	p.Scale = tensor.Data[float32](scale)
	if len(n.In) > 2 && n.In[2] != nil {
		if n.In[2].Const == nil {
			return p, false, nil
		}
		zero, ok := tensor.Ints(n.In[2].Const)
		if !ok {
			return p, false, nil
		}
		if len(zero) != len(p.Scale) {
			return p, false, fmt.Errorf("%d zero points for %d scales", len(zero), len(p.Scale))
		}
		p.ZeroPoint = zero
		if p.Type == dtype.Invalid { // nothing is inferred yet
			p.Type = n.In[2].Type
		}
	}
	if len(p.Scale) == 1 && p.BlockSize == 0 {
		p.Axis = affine.PerTensorAxis
		return p, true, nil
	}
	if n.In[0].Shape == nil {
		return p, false, nil
	}
	var err error
	p.Axis, err = op.Axis(p.Axis, len(n.In[0].Shape))
	return p, err == nil, err
}

package pass

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FusePadIntoConv moves zero padding of the spatial axes into the convolution
// that reads it.
//
// Before: y = Conv(Pad(x, p), W; pads=q)    After: y = Conv(x, W; pads=p+q)
//
// Conditions: the mode is constant with value zero, the amounts are constant,
// not negative and zero for batch and channels; only the Conv reads the padded
// value; the Conv has explicit pads. Padding taps take part in the sum either
// way, so bits stay.
func FusePadIntoConv(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	changed := false
	for _, n := range g.Nodes {
		conv, ok := n.Op.(*op.Conv)
		if !ok || conv.AutoPad != "" && conv.AutoPad != "NOTSET" {
			continue
		}
		pad, o, ok := from[*op.Pad](m, n.In[0])
		if !ok || !m.only(n.In[0]) || o.Mode != "constant" {
			continue
		}
		amounts, ok := zeroPads(pad, conv.Layout)
		if !ok {
			continue
		}
		rank := len(amounts) / 2
		spatial, first := rank-2, conv.Layout.Spatial()
		fused := *conv
		fused.Pads = make([]int, 2*spatial)
		copy(fused.Pads, conv.Pads)
		for i := range spatial {
			fused.Pads[i] += amounts[first+i]
			fused.Pads[spatial+i] += amounts[rank+first+i]
		}
		n.Op = &fused
		n.In[0] = pad.In[0]
		m = newMatcher(g)
		changed = true
	}
	return changed, nil
}

// zeroPads returns the amounts, begins then ends of all axes, of a Pad that
// adds zeros to spatial axes alone.
func zeroPads(pad *ir.Node, l op.Layout) ([]int, bool) {
	rank := len(pad.In[0].Shape)
	if rank < 3 || len(pad.In) < 2 || pad.In[1] == nil || pad.In[1].Const == nil {
		return nil, false
	}
	if len(pad.In) > 2 && pad.In[2] != nil {
		if v, ok := scalar(pad.In[2]); !ok || v != 0 {
			return nil, false
		}
	}
	vals, _ := tensor.Ints(pad.In[1].Const)
	axes := make([]int64, rank)
	for i := range axes {
		axes[i] = int64(i)
	}
	if len(pad.In) > 3 && pad.In[3] != nil {
		if pad.In[3].Const == nil {
			return nil, false
		}
		axes, _ = tensor.Ints(pad.In[3].Const)
	}
	if len(vals) != 2*len(axes) {
		return nil, false
	}
	full := make([]int, 2*rank)
	for i, a := range axes {
		ax, err := op.Axis(int(a), rank)
		if err != nil {
			return nil, false
		}
		lo, hi := vals[i], vals[len(axes)+i]
		if lo < 0 || hi < 0 || (ax == 0 || ax == l.Channel(rank)) && (lo > 0 || hi > 0) {
			return nil, false
		}
		full[ax], full[rank+ax] = int(lo), int(hi)
	}
	return full, true
}

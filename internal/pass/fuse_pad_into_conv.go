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
		fused, ok := padded(conv, pad)
		if !ok {
			continue
		}
		n.Op = fused
		n.In[0] = pad.In[0]
		m = newMatcher(g)
		changed = true
	}
	return changed, nil
}

// FusePadOfIntegers is FusePadIntoConv for a Pad whose integers keep their
// parameters. It leaves out nodes that watched reports.
//
// Before: y = Conv(DQ(Q(Pad(DQ(x), p))), W; pads=q)
// After:  y = Conv(DQ(x), W; pads=p+q)
//
// Conditions: those of FusePadIntoConv; all scales and zero points are the same,
// so that the padding is the zero point either way.
func FusePadOfIntegers(g *ir.Graph, watched func(*ir.Node) bool) (bool, error) {
	m := newMatcher(g)
	changed := false
	for _, n := range g.Nodes {
		conv, ok := n.Op.(*op.Conv)
		if !ok || conv.AutoPad != "" && conv.AutoPad != "NOTSET" {
			continue
		}
		dq, _, ok := from[*op.DequantizeLinear](m, n.In[0])
		if !ok {
			continue
		}
		q, _, ok := from[*op.QuantizeLinear](m, dq.In[0])
		if !ok {
			continue
		}
		pad, o, ok := from[*op.Pad](m, q.In[0])
		if !ok || o.Mode != "constant" || !m.only(n.In[0]) || !m.only(dq.In[0]) || !m.only(q.In[0]) || watched(dq) || watched(q) || watched(pad) {
			continue
		}
		first, _, ok := from[*op.DequantizeLinear](m, pad.In[0])
		if !ok || !sameParams(first, q) || !sameParams(first, dq) {
			continue
		}
		fused, ok := padded(conv, pad)
		if !ok {
			continue
		}
		n.Op = fused
		n.In[0] = pad.In[0]
		m = newMatcher(g)
		changed = true
	}
	if !changed {
		return false, nil
	}
	_, err := EliminateDead(g)
	return true, err
}

// sameParams reports whether two nodes have the same known parameters of a
// tensor.
func sameParams(a, b *ir.Node) bool {
	p, ok, err := ir.ParamsOf(a)
	if !ok || err != nil || !p.IsPerTensor() {
		return false
	}
	q, ok, err := ir.ParamsOf(b)
	return ok && err == nil && p.Equal(q)
}

// padded returns conv with the padding of a Pad, which zeroPads accepts.
func padded(conv *op.Conv, pad *ir.Node) (*op.Conv, bool) {
	amounts, ok := zeroPads(pad, conv.Layout)
	if !ok {
		return nil, false
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
	return &fused, true
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

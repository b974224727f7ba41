package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// least is from where down a constant stands for minus infinity: exporters
// write attention masks as -inf, -3.4e38, -1e9, -65504 or -1e4.
const least = -1e4

// boundless reports whether n, on a target that is quantized whole, reads
// numbers that stand for minus infinity: as integers they would take all the
// room of the real ones beside them. What it computes of them is such again,
// unless its range is known or it multiplies by a weight.
func (p *placer) boundless(n *ir.Node, f op.Facts) bool {
	if !p.target.Whole || weighted(n, f) || f.Bounds {
		return false
	}
	reads := slices.ContainsFunc(data(n, f, true), func(i int) bool {
		v := n.In[i]
		return p.masks[v] || v.Const != nil && reaches(v.Const)
	})
	if reads && f.Range == nil {
		for _, v := range n.Out {
			p.masks[v] = true
		}
	}
	return reads
}

// reaches reports whether a constant holds numbers that stand for minus
// infinity.
func reaches(t *tensor.Tensor) bool {
	if t.Type() != dtype.Float32 {
		return false
	}
	return slices.ContainsFunc(tensor.Data[float32](t), func(x float32) bool { return x <= least })
}

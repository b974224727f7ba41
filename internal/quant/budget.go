package quant

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
)

// streamBytes bounds what is held of all samples between two layers: where
// they are large, fewer are taken.
const streamBytes = 64 << 20

// liveBytes returns how much of one sample is held at most where g goes
// through it layer by layer, with a quarter for the quantized graph beside it.
// What shapes do not tell counts as nothing.
func liveBytes(g *ir.Graph, samples []calibrate.Kept) int64 {
	if len(samples) == 0 {
		return 0
	}
	c, _ := g.Clone()
	for _, v := range c.Inputs {
		if t := samples[0].In[v.Name]; t != nil {
			v.Shape = op.Known(t.Shape()...)
		}
	}
	if ir.Infer(c) != nil {
		return 0 // the run itself will tell
	}
	s := newStream(c, c.Nodes, nil, 1)
	ends := map[int]int64{} // what is held no more after a node
	size := func(v *ir.Value) int64 {
		n, ok := v.Shape.Count().Int()
		if !ok || v.Shape == nil {
			return 0
		}
		return int64(n) * int64(max(v.Type.Bits(), 8)) / 8
	}
	held, most := int64(0), int64(0)
	for _, v := range c.Inputs {
		if last, ok := s.last[v]; ok {
			held += size(v)
			ends[last] += size(v)
		}
	}
	for i, n := range s.nodes {
		for _, v := range n.Out {
			if last, ok := s.last[v]; ok && v != nil {
				held += size(v)
				ends[last] += size(v)
			}
		}
		most = max(most, held)
		held -= ends[i]
	}
	return most + most/4
}

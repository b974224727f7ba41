package quant

import (
	"runtime/debug"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
)

// streamBytes bounds what is held of all samples between two layers: where
// they are large, fewer are taken.
const streamBytes = 64 << 20

// littleBytes is what constants may take for their copies in programs not to be
// worth a collection.
const littleBytes = 16 << 20

// release gives memory back to the system where the constants of g, of which a
// program has held copies, are many.
func release(g *ir.Graph) {
	n := 0
	for _, v := range g.Values() {
		if v.Const != nil {
			if n += v.Type.Size(v.Const.Len()); n > littleBytes {
				debug.FreeOSMemory()
				return
			}
		}
	}
}

// smallBytes is what more samples than are needed may hold together.
const smallBytes = 1 << 20

// smalls returns how many samples that hold so many bytes each are small
// together.
func smalls(each int64) int { return min(int(smallBytes/max(each, 1)), SmallImproveSamples) }

// thinned returns every second sample, every fourth and so on, until no more are
// left than are needed or small together.
func thinned(kept []calibrate.Kept, each int64) []calibrate.Kept {
	for len(kept) > max(smalls(each), ImproveSamples) {
		var half []calibrate.Kept
		for i := 0; i < len(kept); i += 2 {
			half = append(half, kept[i])
		}
		kept = half
	}
	return kept
}

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

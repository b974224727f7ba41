package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// forLogarithm is why a node of findRelative stays float.
const forLogarithm = "a logarithm is made of what it computes, and 8 bits lose the small numbers which that makes as large as the great ones; an override that names it, as *=int8 names all, quantizes it all the same"

// findRelative finds the logarithms and what is computed for them alone, back
// to the last activation of a layer or to the input: spectra and the filters
// that make them. A step of 8 bits is as large there as most of the numbers.
func (p *placer) findRelative() {
	const (
		near  = 1 // no layer lies between it and the logarithm
		layer = 2
	)
	level := map[*ir.Node]int{}
	for _, n := range slices.Backward(p.g.Nodes) {
		if op.Relative(n.Op) {
			level[n] = near
			continue
		}
		reached := p.reachOf(n, level)
		f, _ := facts(n)
		switch {
		case reached == 0:
		case weighted(n, f) && f.State == op.None:
			level[n] = layer
		case f.Moves || op.KeepsRatios(n.Op):
			level[n] = reached
		case (f.Clamp != nil || f.Bounds || f.Homogeneous) && reached == near:
			level[n] = near
		}
	}
	for n := range level {
		p.relative[n] = true
	}
}

// reachOf returns the greatest level among the nodes that read what n computes;
// 0 where one of them has none, or nothing reads it.
func (p *placer) reachOf(n *ir.Node, level map[*ir.Node]int) int {
	most := 0
	for _, v := range n.Out {
		if v == nil || !v.Type.IsFloat() {
			continue
		}
		if p.g.IsOutput(v) {
			return 0
		}
		for _, u := range p.uses[v] {
			if level[u.Node] == 0 {
				return 0
			}
			most = max(most, level[u.Node])
		}
	}
	return most
}

package quant

import (
	"cmp"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/observe"
)

// finish drops points that nothing reads and orders the rest by the graph.
func (p *placer) finish() {
	rank := map[string]int{}
	for i, v := range p.g.Values() {
		rank[v.Name] = i
	}
	last := func(pt Point) int { // a second pair stands behind the first
		if pt.Again {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(p.out.Points, func(a, b Point) int {
		return cmp.Or(rank[a.Value]-rank[b.Value], last(a)-last(b))
	})
}

// observerOf returns the observer that an override asks for at v's producer.
func (p *placer) observerOf(v *ir.Value) *observe.Method {
	n := p.prod[v]
	if n == nil {
		return nil
	}
	var out *observe.Method
	for _, o := range p.recipe.Overrides {
		if o.Observer != "" && matches(o.Match, n) {
			m, err := observe.ParseMethod(o.Observer)
			if err == nil { // resolve has parsed it
				out = &m
			}
		}
	}
	return out
}

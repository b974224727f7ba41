package quant

import (
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/quant/observe"
)

// rangeKey is what the range of an activation depends on.
type rangeKey struct {
	observed string
	method   observe.Method
	want     observe.Want
}

type foundRange struct {
	lo, hi float64
	err    error
}

// keyOf returns what the range of an activation depends on.
func (s *settings) keyOf(pt Point) rangeKey {
	k := rangeKey{pt.Value, s.observer, observe.Want{Type: pt.Type, Symmetric: pt.Symmetric}}
	if pt.Ranged != "" {
		k.observed = pt.Ranged
	}
	if pt.Observer != nil {
		k.method = *pt.Observer
	}
	return k
}

// findRanges lets methods find the ranges of all activations, which some
// search long for.
func findRanges(s *settings, points []Point, st Statistics, threads int) map[rangeKey]foundRange {
	out := map[rangeKey]foundRange{}
	var keys []rangeKey
	for _, pt := range points {
		if pt.Role != Activation || pt.Fixed != nil {
			continue
		}
		k := s.keyOf(pt)
		if _, twice := out[k]; !twice && st[k.observed] != nil {
			out[k], keys = foundRange{}, append(keys, k)
		}
	}
	found := make([]foundRange, len(keys))
	algo.Each(len(keys), threads, func(i int) {
		f := &found[i]
		f.lo, f.hi, f.err = st[keys[i].observed].Range(keys[i].method, keys[i].want)
	})
	for i, k := range keys {
		out[k] = found[i]
	}
	return out
}

// Chosen is the range that a method gave for a value.
type Chosen struct {
	Value string // that was observed
	Want  observe.Want
	Lo    float64
	Hi    float64
}

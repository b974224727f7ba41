// Package algo holds the algorithms that win back the accuracy which plain
// rounding loses: those that rewrite the float graph before ranges are chosen
// (equalize, smooth), and the arithmetic of those that choose integers and
// biases layer by layer (gptq, bias-correction, awq). What widen does needs
// none: package quant tries plans.
//
// It asks operators for facts and never names one; it knows no recipe, no plan
// and no file. Package quant conducts it. Start at [Table], [Equalize],
// [Smooth], [Hessian] and [Shift].
package algo

import (
	"slices"
	"sync"
	"sync/atomic"
)

// The algorithms, by the words that recipes use.
const (
	Equalizing = "equalize"
	Smoothing  = "smooth"
	GPTQ       = "gptq"
	Correcting = "bias-correction"
	Widening   = "widen"
)

// Table lists the algorithms in the order in which they run, with the least
// effort that includes each.
var Table = []struct {
	Name   string
	Effort int
}{
	{Equalizing, 1},
	{Smoothing, 1},
	{GPTQ, 2},
	{Correcting, 1},
	{Widening, 3},
}

// The least and the greatest effort, and what is taken where nobody says.
const (
	LeastEffort    = 0
	MostEffort     = 3
	StandardEffort = 2
)

// Names returns the words of all algorithms.
func Names() []string {
	var out []string
	for _, a := range Table {
		out = append(out, a.Name)
	}
	return out
}

// OfEffort returns the algorithms that an effort includes.
func OfEffort(effort int) []string {
	out := []string{}
	for _, a := range Table {
		if a.Effort <= effort {
			out = append(out, a.Name)
		}
	}
	return out
}

// Uses reports whether the list holds one of the names.
func Uses(list []string, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(list, n) })
}

// Each calls f with 0 to n-1 on up to the given number of goroutines. What f
// makes of one number must not depend on the others.
func Each(n, threads int, f func(i int)) {
	if threads = min(threads, n); threads <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

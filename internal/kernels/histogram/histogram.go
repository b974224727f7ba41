// Package histogram counts float32 values by the upper half of their bits: the
// sign, the exponent and seven bits of the mantissa.
//
// It sees slices and must not know which values are watched or what is made of
// the counts. Counts are integers, so that they depend neither on the order of
// the values nor on the instruction set. Start at [Counter]; bounds.go has the
// extremes.
package histogram

import (
	"math"

	"github.com/octavo-ml/octavo/internal/cpu"
)

//go:generate go -C _asm run . ..

// variant is one implementation of Bounds and Counter.Add, which run the first
// whose level may be used. Tests run every row of the table.
type variant struct {
	name  string
	level cpu.Level
}

// Chunk is the most values that Counter.Add takes: what stays in the first
// level of cache.
const Chunk = 2048

const (
	// shift is where the count lies in a cell, above the sum of the lower halves.
	shift = 40
	one   = 1 << shift
	// room is below how many values neither part of a cell can run over.
	room = 1 << (64 - shift)
	// lanes is the most values of one vector.
	lanes = 16
	// negative is where the cells of negative numbers begin.
	negative = 1 << 15
)

// cells hold, by the upper half of a value's bits, the count of values and the
// sum of their lower halves.
type cells [1 << 16]uint64

// Counter counts values until it is drained. It is for one goroutine at a time.
// Of the megabyte of its tables it touches what its values lie in.
type Counter struct {
	tables *[2]cells             // taken in turn: adding to a cell again at once would wait
	kept   [Chunk + lanes]uint32 // a whole vector may be stored behind the last
	held   int                   // values since it was drained
}

// NewCounter returns a counter of nothing.
func NewCounter() *Counter { return &Counter{tables: new([2]cells)} }

// Add counts the values of x, which are at most Chunk and all finite, but for
// zeros, whose number it returns. The counter must not be full.
func (c *Counter) Add(x []float32) (zeros uint64) {
	x = x[:min(len(x), Chunk)]
	c.held += len(x)
	t := c.tables
	zeros, done := c.addSpans(x)
	// Branches on what is zero would be hard to foresee: zeros are counted too,
	// and taken away.
	var plus, minus uint64
	for i, v := range x[done:] {
		b := math.Float32bits(v)
		t[i&1][b>>16] += one | uint64(b&0xffff)
		plus += (uint64(b) - 1) >> 63
		minus += (uint64(b^1<<31) - 1) >> 63
	}
	t[0][0] -= plus << shift
	t[0][negative] -= minus << shift
	return zeros + plus + minus
}

// Full reports whether the counter has to be drained before it takes a chunk.
func (c *Counter) Full() bool { return c.held >= room-Chunk }

// Reset tells the counter that all its pages were drained.
func (c *Counter) Reset() { c.held = 0 }

// halves returns the two tables' cells of a page.
func (c *Counter) halves(page int) (a, b *[128]uint64) {
	at := page << 7
	return (*[128]uint64)(c.tables[0][at:]), (*[128]uint64)(c.tables[1][at:])
}

// Holds reports whether it counted values of a sign and exponent, whose
// bits are page, since they were drained.
func (c *Counter) Holds(page int) bool {
	var some uint64
	a, b := c.halves(page)
	for i, v := range a {
		some |= v + b[i] // zeros taken away leave one below 0
	}
	return some != 0
}

// Drain adds what it counted of a page to count and low, by the seven bits of
// the mantissa, and forgets it.
func (c *Counter) Drain(page int, count, low *[128]uint64) {
	a, b := c.halves(page)
	for i, v := range a {
		v += b[i]
		count[i] += v >> shift
		low[i] += v & (one - 1)
	}
	*a, *b = [128]uint64{}, [128]uint64{}
}

package observe

import (
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/histogram"
)

// octaves is how far below the largest magnitude values are told apart;
// smaller ones are only counted. 24 octaves are a factor of 1.7e7: no 16-bit
// quantization sees them.
const octaves = 24

// Histogram counts float32 values exactly: a bin is the upper half of the bits
// (sign, exponent, 7 bits of mantissa), with a count and the sum of the lower
// bits, so that the mean of a bin is exact. Bins of one exponent form a page;
// pages that no value falls into do not exist. The state depends only on the
// multiset of values, not on their order or on how they were split.
type Histogram struct {
	pages [512]*page // by sign and exponent
	zeros uint64
	tiny  [2]uint64 // values too small to tell apart, by sign
	top   int       // largest exponent seen
}

type page struct {
	count [128]uint64
	low   [128]uint64
}

// add counts finite values: it is what counters are measured by.
func (h *Histogram) add(x []float32) {
	for _, v := range x {
		b := math.Float32bits(v)
		// Zeros share the exponent of the subnormals, never their page.
		if b<<1 == 0 {
			h.zeros++
			continue
		}
		p := h.pages[b>>23]
		if p == nil {
			if p = h.page(b); p == nil {
				continue
			}
		}
		i := b >> 16 & 127
		p.count[i]++
		p.low[i] += uint64(b & 0xffff)
	}
}

// drain takes over what a counter holds, whose extremes are e: as add would
// have, had it been given the values.
func (h *Histogram) drain(c *histogram.Counter, e histogram.Extremes) {
	least, greatest := e.Exponents()
	if least <= greatest && greatest > h.top {
		h.raise(greatest)
	}
	for e := least; e <= greatest; e++ {
		for sign := range 2 {
			i := sign<<8 | e
			switch {
			case !c.Holds(i):
			case e < h.top-octaves:
				var few page
				c.Drain(i, &few.count, &few.low)
				for _, n := range few.count {
					h.tiny[sign] += n
				}
			default:
				if h.pages[i] == nil {
					h.pages[i] = &page{}
				}
				c.Drain(i, &h.pages[i].count, &h.pages[i].low)
			}
		}
	}
	c.Reset()
}

// page makes the page of a value, or counts the value where it gets none.
func (h *Histogram) page(b uint32) *page {
	e := int(b >> 23 & 255)
	if e < h.top-octaves {
		h.tiny[b>>31]++
		return nil
	}
	if e > h.top {
		h.raise(e)
	}
	p := &page{}
	h.pages[b>>23] = p
	return p
}

// raise moves the window of distinguished exponents up to the new top.
func (h *Histogram) raise(top int) {
	h.top = top
	for sign := range 2 {
		for e := 0; e < top-octaves; e++ {
			if p := h.pages[sign<<8|e]; p != nil {
				for _, n := range p.count {
					h.tiny[sign] += n
				}
				h.pages[sign<<8|e] = nil
			}
		}
	}
}

// merge adds the counts of o.
func (h *Histogram) merge(o *Histogram) {
	if o.top > h.top {
		h.raise(o.top)
	}
	h.zeros += o.zeros
	for sign := range 2 {
		h.tiny[sign] += o.tiny[sign]
		for e := range 256 {
			i := sign<<8 | e
			src := o.pages[i]
			if src == nil {
				continue
			}
			if e < h.top-octaves {
				for _, n := range src.count {
					h.tiny[sign] += n
				}
				continue
			}
			if h.pages[i] == nil {
				h.pages[i] = &page{}
			}
			for k := range src.count {
				h.pages[i].count[k] += src.count[k]
				h.pages[i].low[k] += src.low[k]
			}
		}
	}
}

// Bin is a group of values near each other.
type Bin struct {
	Lo, Hi float64 // the bounds in ascending order
	Mean   float64
	Count  float64
}

// Bins returns the occupied bins in ascending order; zeros and tiny values are
// one bin at 0.
func (h *Histogram) Bins() []Bin {
	var out []Bin
	one := func(sign, e, k int) {
		p := h.pages[sign<<8|e]
		if p == nil || p.count[k] == 0 {
			return
		}
		base := uint32(sign)<<31 | uint32(e)<<23 | uint32(k)<<16
		n := p.count[k]
		near, far := float64(math.Float32frombits(base)), float64(math.Float32frombits(base|0xffff))
		mean := float64(math.Float32frombits(base + uint32(p.low[k]/n)))
		out = append(out, Bin{min(near, far), max(near, far), mean, float64(n)})
	}
	for e := 255; e >= 0; e-- {
		for k := 127; k >= 0; k-- {
			one(1, e, k)
		}
	}
	if n := h.zeros + h.tiny[0] + h.tiny[1]; n > 0 {
		out = append(out, Bin{Count: float64(n)})
	}
	for e := range 256 {
		for k := range 128 {
			one(0, e, k)
		}
	}
	return out
}

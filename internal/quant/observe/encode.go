package observe

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Append appends the exact state of s to b: equal states give equal bytes,
// whatever the order in which samples came.
func (s *Stats) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(s.Min))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(s.Max))
	for _, n := range []uint64{s.Count, s.NaN, s.Inf, uint64(len(s.samples))} {
		b = binary.AppendUvarint(b, n)
	}
	byIndex := slices.Clone(s.samples)
	slices.SortFunc(byIndex, func(x, y extent) int { return x.index - y.index })
	for _, e := range byIndex {
		b = binary.AppendUvarint(b, uint64(e.index))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(e.min))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(e.max))
	}
	if s.hist == nil {
		return append(b, 0)
	}
	return s.hist.append(append(b, 1))
}

func (h *Histogram) append(b []byte) []byte {
	pages := uint64(0)
	for _, p := range h.pages {
		if p != nil {
			pages++
		}
	}
	for _, n := range []uint64{h.zeros, h.tiny[0], h.tiny[1], uint64(h.top), pages} {
		b = binary.AppendUvarint(b, n)
	}
	for i, p := range h.pages {
		if p == nil {
			continue
		}
		b = binary.AppendUvarint(b, uint64(i))
		for k := range p.count {
			if b = binary.AppendUvarint(b, p.count[k]); p.count[k] > 0 {
				b = binary.AppendUvarint(b, p.low[k])
			}
		}
	}
	return b
}

// errState is a state that Append did not write.
var errState = errors.New("broken statistics")

// reader takes apart what Append wrote; after the end it gives zeros and fails.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) float() float32 {
	if len(r.b) < 4 {
		r.failed, r.b = true, nil
		return 0
	}
	v := math.Float32frombits(binary.LittleEndian.Uint32(r.b))
	r.b = r.b[4:]
	return v
}

// minExtent is the least number of bytes of an extent, minPage of a page.
const minExtent, minPage = 9, 129

// Decode reads the state that b begins with and returns the rest of b.
func Decode(b []byte) (*Stats, []byte, error) {
	r := &reader{b: b}
	s := &Stats{Min: r.float(), Max: r.float(), Count: r.uvarint(), NaN: r.uvarint(), Inf: r.uvarint()}
	n := r.uvarint()
	if n > uint64(len(r.b)/minExtent) {
		return nil, nil, errState
	}
	s.samples = make([]extent, 0, n)
	for range n {
		i := r.uvarint()
		if i > math.MaxInt32 {
			return nil, nil, errState
		}
		s.samples = append(s.samples, extent{int(i), r.float(), r.float()})
	}
	if len(r.b) == 0 {
		return nil, nil, errState
	}
	has := r.b[0]
	r.b = r.b[1:]
	if has == 1 {
		s.hist = r.histogram()
	}
	if r.failed || has > 1 {
		return nil, nil, errState
	}
	return s, r.b, nil
}

func (r *reader) histogram() *Histogram {
	h := &Histogram{zeros: r.uvarint(), tiny: [2]uint64{r.uvarint(), r.uvarint()}}
	top, pages := r.uvarint(), r.uvarint()
	if top > 254 || pages > uint64(len(r.b)/minPage) {
		r.failed = true
		return nil
	}
	h.top = int(top)
	for range pages {
		i := r.uvarint()
		if i >= uint64(len(h.pages)) || h.pages[i] != nil || int(i&255) > h.top || int(i&255) < h.top-octaves {
			r.failed = true
			return nil
		}
		p := &page{}
		for k := range p.count {
			if p.count[k] = r.uvarint(); p.count[k] > 0 {
				p.low[k] = r.uvarint()
			}
		}
		h.pages[i] = p
	}
	return h
}

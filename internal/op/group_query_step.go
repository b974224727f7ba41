package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// gqaStep is one step of GroupQueryAttention: its heads, and for each sequence
// how many places it has before the step, after it, and how many of the step's
// are no padding.
type gqaStep struct {
	heads
	before, after, filled []int
}

// step reads the inputs; k and v of the heads are those of the step alone.
func (o *GroupQueryAttention) step(in []Datum) (*gqaStep, error) {
	bd, ld, sd, err := o.sizes(factsOf(in))
	if err != nil {
		return nil, err
	}
	d, _ := Shape{bd, ld, sd}.Ints()
	batch, length, size := d[0], d[1], d[2]
	s := &gqaStep{heads: heads{batch: batch, heads: o.NumHeads, groups: o.KVNumHeads, queries: length, size: size, wide: size,
		scale: o.Scale.Value, softcap: o.Softcap, bias: arg(in, gqaBias)}}
	if err := s.lengths(in); err != nil {
		return nil, err
	}
	q := floats(arg(in, gqaQuery))
	if k := arg(in, gqaKey); k != nil {
		s.q = inHeads(q, batch, length, o.NumHeads*size, 0, o.NumHeads, size, size, nil)
		s.k = inHeads(floats(k), batch, length, o.KVNumHeads*size, 0, o.KVNumHeads, size, size, nil)
		s.v = inHeads(floats(arg(in, gqaValue)), batch, length, o.KVNumHeads*size, 0, o.KVNumHeads, size, size, nil)
	} else {
		width := (o.NumHeads + 2*o.KVNumHeads) * size
		part := func(from, n int) []float32 { return inHeads(q, batch, length, width, from*size, n, size, size, nil) }
		s.q, s.k, s.v = part(0, o.NumHeads), part(o.NumHeads, o.KVNumHeads), part(o.NumHeads+o.KVNumHeads, o.KVNumHeads)
	}
	if o.DoRotary {
		r := rotationOf(arg(in, gqaCos), arg(in, gqaSin), o.RotaryInterleaved)
		if err := s.turn(r, arg(in, gqaPlaces)); err != nil {
			return nil, err
		}
	}
	s.span = func(b, q int) (lo, hi int) {
		hi = s.after[b]
		if !o.Causal {
			return 0, hi
		}
		end := s.before[b] + q + 1
		if o.LocalWindowSize > 0 {
			lo = max(0, end-o.LocalWindowSize)
		}
		hi = min(hi, end)
		return min(lo, hi), hi
	}
	if sink := floats(arg(in, gqaSink)); sink != nil {
		s.sink = func(h int) (float32, bool) { return sink[h], true }
	} else if o.SmoothSoftmax == 1 {
		s.sink = func(int) (float32, bool) { return 0, true }
	}
	return s, nil
}

// lengths reads how many places each sequence has.
func (s *gqaStep) lengths(in []Datum) error {
	last, total := integers(arg(in, gqaLast)), integers(arg(in, gqaTotal))[0]
	capacity := int64(0)
	if p := arg(in, gqaPastKey); p != nil {
		capacity = int64(p.Shape()[2])
	}
	var given []int64
	if f := arg(in, gqaFilled); f != nil {
		given = integers(f)
	}
	for b := range s.batch {
		after := last[b] + 1
		filled := min(int64(s.queries), after)
		if given != nil {
			filled = given[b]
		}
		before := after - filled
		if after < 1 || after > total || filled < 0 || filled > int64(s.queries) || before < 0 || before > capacity {
			return fmt.Errorf("sequence %d has %d places after the step, %d of them new, of %d in all and %d in the cache", b, after, filled, total, capacity)
		}
		s.before, s.after, s.filled = append(s.before, int(before)), append(s.after, int(after)), append(s.filled, int(filled))
	}
	return nil
}

// turn turns queries and keys that are no padding, at the given places or at
// those that follow the cache.
func (s *gqaStep) turn(r rotation, places *tensor.Tensor) error {
	var at []int64
	if places != nil {
		at = integers(places)
	}
	for b := range s.batch {
		for i := range s.filled[b] {
			place := int64(s.before[b] + i)
			if at != nil {
				place = at[b*s.queries+i]
			}
			if place < 0 || place >= int64(r.places) {
				return fmt.Errorf("place %d is outside tables of %d", place, r.places)
			}
			for h := range s.heads.heads {
				r.turn(s.q[((b*s.heads.heads+h)*s.queries+i)*s.size:][:s.size], int(place))
			}
			for g := range s.groups {
				r.turn(s.k[((b*s.groups+g)*s.queries+i)*s.size:][:s.size], int(place))
			}
		}
	}
	return nil
}

// store fills a cache with what was before and then what the step adds.
func (s *gqaStep) store(to, past, fresh []float32, shape *tensor.Tensor) {
	capacity := 0
	if shape != nil {
		capacity = shape.Shape()[2]
	}
	row := s.size
	for b := range s.batch {
		for g := range s.groups {
			i := b*s.groups + g
			dst := to[i*s.keys*row : (i+1)*s.keys*row]
			n := copy(dst, past[i*capacity*row:][:s.before[b]*row])
			copy(dst[n:], fresh[i*s.queries*row:][:s.filled[b]*row])
		}
	}
}

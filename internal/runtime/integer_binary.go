package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// limits returns the integers that a region's result is limited to.
func limits(q *op.Quantized) (lo, hi int32) {
	least, most := q.Out[0].Type.Range()
	if q.Clamp != nil {
		least, most = q.Out[0].Bounds(q.Clamp.Lo, q.Clamp.Hi)
	}
	return int32(least), int32(most)
}

// spread is how the smaller of two operands, whose elements are outer × inner,
// meets the larger one: each of its rows of inner elements is taken down times
// in turn, each element across times.
type spread struct {
	outer, down, inner, across int
}

// spreadOf returns how an operand of shape b meets one of shape a, which is that
// of the result; false where it does otherwise.
func spreadOf(a, b []int) (spread, bool) {
	s := spread{1, 1, 1, 1}
	if len(b) > len(a) {
		return s, false
	}
	// From the last axis on: across, inner, down, outer.
	parts := []*int{&s.across, &s.inner, &s.down, &s.outer}
	at := 0
	for i := len(a) - 1; i >= 0; i-- {
		d := 1
		if k := i - len(a) + len(b); k >= 0 {
			d = b[k]
		}
		if a[i] == 1 && d == 1 {
			continue
		}
		want := 0 // the operand stands still
		if d == a[i] {
			want = 1
		} else if d != 1 {
			return s, false
		}
		for at%2 != want {
			at++
		}
		if at >= len(parts) {
			return s, false
		}
		*parts[at] *= a[i]
	}
	return s, true
}

// tileLen is how many elements of a repeated operand are laid out at once.
const tileLen = 4096

// parts returns how many parts the larger operand is cut in, and the number of
// elements of each but the last of an outer row. Where the smaller one is
// repeated, a part meets one tile of it.
func (s spread) parts() (count, each int) {
	switch row := s.inner * s.across; {
	case s.down == 1 && s.across == 1:
		return (s.outer*row + tileLen - 1) / tileLen, tileLen
	case s.across == 1 && row <= tileLen:
		each = min(s.down, tileLen/row) * row
	case s.across == 1:
		each = row
	default:
		each = s.across
	}
	whole := s.down * s.inner * s.across
	return s.outer * ((whole + each - 1) / each), each
}

// portion returns where a part of the larger operand lies, and the elements of the
// smaller one that it meets, laid out in tile if they are repeated. have is what
// the tile holds, the first element's index plus 1.
func portion[T uint8 | int8 | int16](s spread, i, each, all int, small, tile []T, have *int) (lo, hi int, meets []T) {
	if s.down == 1 && s.across == 1 {
		lo, hi = i*each, min((i+1)*each, all)
		return lo, hi, small[lo:hi]
	}
	whole := s.down * s.inner * s.across
	cuts := (whole + each - 1) / each
	outer := i / cuts
	lo = outer*whole + i%cuts*each
	hi = min(lo+each, (outer+1)*whole)
	if s.across == 1 {
		row := small[outer*s.inner : (outer+1)*s.inner]
		if s.inner > tileLen {
			return lo, hi, row
		}
		if *have != outer+1 {
			for at := 0; at < each; at += len(row) {
				copy(tile[at:], row)
			}
			*have = outer + 1
		}
		return lo, hi, tile[:hi-lo]
	}
	v := small[outer*s.inner+i%cuts%s.inner]
	if from := 0; *have == 0 || tile[0] != v {
		for from = range tile[:min(hi-lo, tileLen)] {
			tile[from] = v
		}
		*have = 1
	}
	return lo, hi, tile[:min(hi-lo, tileLen)]
}

// dispatchQuantizedBinary runs sums and products of two tensors of one type, of
// which one may be repeated.
func (pl *plan) dispatchQuantizedBinary(s *step, q *op.Quantized) {
	a, b := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if a.typ != q.Out[0].Type || b.typ != q.Out[0].Type || a.dims() == nil || b.dims() == nil {
		return
	}
	sp, ok := spreadOf(a.dims(), b.dims())
	first := false // the repeated operand
	if !ok {
		if sp, ok = spreadOf(b.dims(), a.dims()); !ok {
			return
		}
		first = true
	}
	n := sp.outer * sp.down * sp.inner * sp.across
	if n == 0 || q.Round != affine.RoundHalfEven || !pl.place(s, 0) {
		return
	}
	p := pairOf(q)
	if sp.down == 1 && sp.across == 1 {
		pl.overwrite(s, 0)
	}
	pl.scratch = max(pl.scratch, tileLen*pl.p.threads)
	parts, each := sp.parts()
	s.share(parts, n, func(f *frame, s *step, slot, lo, hi int) {
		x, y, out, tile := f.vals[s.in[0]], f.vals[s.in[1]], f.out(s), f.bytes(slot, tileLen)
		if out.Type() == dtype.Int8 {
			pairs(p, sp, first, tensor.Data[int8](out), tensor.Data[int8](x), tensor.Data[int8](y), lo, hi, each, signed(tile))
		} else {
			pairs(p, sp, first, out.Bytes(), x.Bytes(), y.Bytes(), lo, hi, each, tile)
		}
	})
}

// pair is the arithmetic of a sum or a product of two grids on a third.
type pair struct {
	product bool
	sum     affine.Sum
	za, zb  int32
	m, c    float32
	lo, hi  int32
}

func pairOf(q *op.Quantized) pair {
	var p pair
	if _, p.product = q.Inner.(*op.Mul); p.product {
		p.za, p.zb = int32(q.In[0].Zero(0)), int32(q.In[1].Zero(0))
		p.m, p.c = affine.MulFactor(q.In[0], q.In[1], q.Out[0]), float32(q.Out[0].Zero(0))
	} else {
		p.sum = affine.SumOf(q.In[0], q.In[1], q.Out[0])
	}
	p.lo, p.hi = limits(q)
	return p
}

// pairs computes parts from to to.
func pairs[T uint8 | int8](p pair, s spread, first bool, dst, a, b []T, from, to, each int, tile []T) {
	large, small := a, b
	if first {
		large, small = b, a
	}
	have := 0
	for i := from; i < to; i++ {
		lo, hi, meets := portion(s, i, each, len(dst), small, tile, &have)
		for ; lo < hi; lo += len(meets) {
			n := min(len(meets), hi-lo)
			x, y, out := large[lo:lo+n], meets[:n], dst[lo:lo+n]
			if first {
				x, y = y, x
			}
			if p.product {
				convert.Product(out, x, y, p.za, p.zb, p.m, p.c, p.lo, p.hi)
			} else {
				convert.Sum(out, x, y, p.sum.A, p.sum.B, p.sum.C, p.lo, p.hi)
			}
		}
	}
}

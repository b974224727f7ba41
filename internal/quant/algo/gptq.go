package algo

import "math"

// Grid is where the rows of a weight may lie: scale·(q − zero) with q in
// [lo, hi]; one scale and zero for each row, or one for all.
type Grid struct {
	Scale  []float32
	Zero   []int64
	Lo, Hi int64
}

func (g Grid) row(i int) (scale float64, zero int64) {
	scale = float64(g.Scale[i%len(g.Scale)])
	if len(g.Zero) > 0 {
		zero = g.Zero[i%len(g.Zero)]
	}
	return scale, zero
}

// Rows is a weight as rows, one for each output channel, of which some are read at
// a time: so no copy of a large one is made. Several goroutines read them.
type Rows interface {
	// Count is the number of rows.
	Count() int
	// Read copies elements from to to of n rows from first on to dst, row by row.
	Read(dst []float32, first, n, from, to int)
}

// Rounded is a weight that takes its integers too: several goroutines store rows,
// or columns of them, of their own.
type Rounded interface {
	Rows
	// Store takes the integers of what Read copies.
	Store(q []int64, first, n, from, to int)
}

// roundedAtOnce is how many rows of a weight are rounded by one goroutine.
const roundedAtOnce = 8

// Round chooses integers for a weight of rows, each as long as a group of h is
// wide, so that the outputs of the layer change little: the error of a column
// is taken over by those that are rounded after it (Frantar et al., "GPTQ",
// 2022). Columns go in order of the diagonal of the Hessian, the greatest
// first. Blocks are rounded by themselves. With centred a bias is to take
// the mean error over.
func (h *Hessian) Round(weight Rounded, g Grid, centred bool, threads int) {
	rows := weight.Count()
	per := max(rows/max(h.groups, 1), 1)
	Each(len(h.products), h.outer(threads), func(p int) {
		group, b := p/len(h.blocks), h.blocks[p%len(h.blocks)]
		k := b.to - b.from
		f := factor(h.matrix(p, centred), k)
		Each((per+roundedAtOnce-1)/roundedAtOnce, h.inner(threads), func(i int) {
			first := group*per + i*roundedAtOnce
			n := min(roundedAtOnce, per-i*roundedAtOnce, rows-first)
			if n <= 0 {
				return
			}
			w, q := make([]float32, n*k), make([]int64, n*k)
			weight.Read(w, first, n, b.from, b.to)
			for r := range n {
				scale, zero := g.row(first + r)
				f.round(q[r*k:r*k+k], w[r*k:r*k+k], scale, zero, g.Lo, g.Hi)
			}
			weight.Store(q, first, n, b.from, b.to)
		})
	})
}

// outer and inner share threads between the blocks and the rows of one.
func (h *Hessian) outer(threads int) int { return min(threads, len(h.products)) }
func (h *Hessian) inner(threads int) int { return max(threads/max(h.outer(threads), 1), 1) }

// triangle says how errors of columns that are rounded first weigh on one that
// comes later.
type triangle struct {
	order []int
	rows  []float64 // row c: what error i < c counts for column c; nil: nothing is known
	cost  []float64 // what the square of what is left of column c counts
}

// factor brings the columns of a Hessian H into order and writes it as R·Rᵀ
// with R upper triangular: the error e of a row costs |Rᵀe|², whose element c
// depends on the errors up to c.
func factor(h []float64, k int) triangle { return factorIn(h, k, make([]int, k)) }

// factorIn is factor for columns of which some stay together, given the group
// of each.
func factorIn(h []float64, k int, of []int) triangle {
	known := damped(h, k)
	if !known {
		clear(h)
	}
	t := triangle{order: byGroup(h, k, of)}
	if !known {
		return t
	}
	r := make([]float64, k*k)
	for j := k - 1; j >= 0; j-- {
		rj := r[j*k : j*k+k]
		oj := t.order[j]
		d := h[oj*k+oj] - dot(rj[j+1:], rj[j+1:])
		if !(d > 0) {
			return t // not definite: products of numbers beyond measure
		}
		root := math.Sqrt(d)
		rj[j] = root
		for i := range j {
			ri := r[i*k : i*k+k]
			ri[j] = (h[t.order[i]*k+oj] - dot(ri[j+1:], rj[j+1:])) / root
		}
	}
	t.rows, t.cost = make([]float64, k*k), make([]float64, k)
	for c := range k {
		t.cost[c] = float64(r[c*k+c] * r[c*k+c])
		for i := range c {
			t.rows[c*k+i] = r[i*k+c] / r[c*k+c]
		}
	}
	return t
}

// dot sums products in four lanes, in a fixed order.
func dot(a, b []float64) float64 {
	var s [4]float64
	n := len(a) &^ 3
	b = b[:len(a)]
	for i := 0; i < n; i += 4 {
		s[0] += float64(a[i] * b[i])
		s[1] += float64(a[i+1] * b[i+1])
		s[2] += float64(a[i+2] * b[i+2])
		s[3] += float64(a[i+3] * b[i+3])
	}
	for i := n; i < len(a); i++ {
		s[0] += float64(a[i] * b[i])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

func (t triangle) round(dst []int64, w []float32, scale float64, zero, lo, hi int64) {
	k := len(w)
	e := make([]float64, k)
	for c, o := range t.order {
		x := float64(w[o]) / scale
		target := x
		if t.rows != nil {
			target += dot(t.rows[c*k:c*k+c], e[:c])
		}
		q := min(max(math.RoundToEven(target)+float64(zero), float64(lo)), float64(hi))
		if q != q {
			q = float64(zero)
		}
		dst[o] = int64(q)
		e[c] = x - (q - float64(zero))
	}
}

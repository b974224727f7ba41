package algo

import (
	"slices"

	"math"
)

// Fit chooses the scale and the zero point of weights that share them. cost
// says how much the squared error of each counts.
type Fit func(row, group int, weights, cost []float64) (scale float32, zero int64)

// Shared says which columns of a row have one scale.
type Shared struct {
	Of     []int // the group of each column
	Groups int
	Lo, Hi int64 // bounds of the integers
}

// RoundShared returns integers for a weight of rows as [Hessian.Round] does,
// without a bias to take anything over, where several columns of a row share
// a scale: groups are rounded one after the other, that whose inputs are the
// greatest first, and the scale of a group is fitted to what its weights have
// become by the errors before it (Frantar et al., 2022, section 4). fit is
// called from several goroutines, once for each row and group.
//
// The blocks of h must hold whole groups: NewHessian cuts where it is told.
func (h *Hessian) RoundShared(weight []float32, s Shared, fit Fit, threads int) []int64 {
	rows := len(weight) / max(h.width, 1)
	out := make([]int64, len(weight))
	per := max(rows/max(h.groups, 1), 1)
	for p := range h.products { // one after the other, as each takes much memory
		group, b := p/len(h.blocks), h.blocks[p%len(h.blocks)]
		k := b.to - b.from
		of := s.Of[b.from:b.to]
		f := factorIn(h.matrix(p, false), k, of)
		Each(per, threads, func(i int) {
			if r := group*per + i; r < rows {
				at := r*h.width + b.from
				f.roundShared(out[at:at+k], weight[at:at+k], of, s, r, fit)
			}
		})
	}
	return out
}

// byGroup orders columns by their group, that of the greatest sum of the
// diagonal first, and within a group by the diagonal.
func byGroup(h []float64, k int, of []int) []int {
	sum := map[int]float64{}
	order := make([]int, k)
	for i := range k {
		order[i] = i
		sum[of[i]] += h[i*k+i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := of[a], of[b]; {
		case x != y && sum[x] != sum[y]:
			return descending(sum[x], sum[y])
		case x != y:
			return x - y
		}
		return descending(h[a*k+a], h[b*k+b])
	})
	return order
}

func descending(x, y float64) int {
	switch {
	case x > y:
		return -1
	case x < y:
		return 1
	}
	return 0
}

// roundShared rounds one row.
func (t triangle) roundShared(dst []int64, w []float32, of []int, s Shared, row int, fit Fit) {
	k := len(w)
	e := make([]float64, k)
	group := make([]float64, 0, k)
	cost := make([]float64, 0, k)
	for from := 0; from < k; {
		to := from + 1
		for to < k && of[t.order[to]] == of[t.order[from]] {
			to++
		}
		group, cost = group[:0], cost[:0]
		for c := from; c < to; c++ {
			x := float64(w[t.order[c]])
			weigh := 1.0
			if t.rows != nil {
				x += dot(t.rows[c*k:c*k+from], e[:from])
				weigh = t.cost[c]
			}
			group, cost = append(group, x), append(cost, weigh)
		}
		scale32, zero := fit(row, of[t.order[from]], group, cost)
		scale := float64(scale32)
		for c := from; c < to; c++ {
			o := t.order[c]
			target := group[c-from]
			if t.rows != nil {
				target += dot(t.rows[c*k+from:c*k+c], e[from:c])
			}
			q := min(max(math.RoundToEven(target/scale)+float64(zero), float64(s.Lo)), float64(s.Hi))
			if q != q {
				q = float64(zero)
			}
			dst[o] = int64(q)
			e[c] = float64(w[o]) - float64((q-float64(zero))*scale)
		}
		from = to
	}
}

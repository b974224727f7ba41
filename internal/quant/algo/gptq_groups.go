package algo

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/kernels/gemm"
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

// RoundShared chooses integers for a weight of rows as [Hessian.Round] does,
// without a bias to take anything over, where several columns of a row share
// a scale: groups are rounded one after the other, that whose inputs are the
// greatest first, and the scale of a group is fitted to what its weights have
// become by the errors before it (Frantar et al., 2022, section 4). fit is
// called from several goroutines, once for each row and group.
//
// The blocks of h must hold whole groups: NewHessian cuts where it is told.
func (h *Hessian) RoundShared(weight Rounded, s Shared, fit Fit, threads int) {
	rows := weight.Count()
	per := max(rows/max(h.groups, 1), 1)
	for p := range h.products { // one after the other, as each takes much memory
		group, b := p/len(h.blocks), h.blocks[p%len(h.blocks)]
		k := b.to - b.from
		of := s.Of[b.from:b.to]
		t := factorIn(h.matrix(p, false), k, of)
		runs := t.runs(of)
		Each((per+chunk-1)/chunk, threads, func(i int) {
			first := group*per + i*chunk
			n := min(chunk, per-i*chunk, rows-first)
			if n <= 0 {
				return
			}
			w, q := make([]float32, n*k), make([]int64, n*k)
			weight.Read(w, first, n, b.from, b.to)
			t.roundShared(q, w, runs, s, first, n, fit)
			weight.Store(q, first, n, b.from, b.to)
		})
	}
}

// groupRun is the columns of one group, which are rounded one after the other.
type groupRun struct {
	from, to int // in the order of the triangle
	group    int
	packed   []float32 // what errors of the columns before count for them; nil: nothing
	end      *gemm.FloatEnd
}

func (t triangle) runs(of []int) []groupRun {
	var out []groupRun
	k := len(of)
	for from := 0; from < k; {
		g := groupRun{from: from, to: from + 1, group: of[t.order[from]]}
		for g.to < k && of[t.order[g.to]] == g.group {
			g.to++
		}
		if n := g.to - from; t.rows != nil && from > 0 {
			counts := make([]float32, n*from)
			for c := range n {
				for i, v := range t.rows[(from+c)*k:][:from] {
					counts[c*from+i] = float32(v)
				}
			}
			g.packed, g.end = make([]float32, gemm.Plain(from, n, 1, from).Floats()), gemm.NewFloatEnd(n, nil, false, 0, 0)
			gemm.PackLive(g.packed, counts, from, n, 1, from)
		}
		out = append(out, g)
		from = g.to
	}
	return out
}

// weigh returns what the errors e of n rows, each of k columns, count for the
// columns of a run: rows of as many elements.
func (g *groupRun) weigh(dst, e []float32, n, k int) {
	rows := gemm.Rows{Row: make([]int32, n), Tap: []int32{0}, Depth: g.from}
	for i := range rows.Row {
		rows.Row[i] = int32(i * k)
	}
	w := g.to - g.from
	for j := 0; j < w; j += gemm.Width {
		gemm.Floats(dst[j:], nil, w, e, &rows, n, g.packed[j*g.from:], j, min(gemm.Width, w-j), g.end)
	}
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

// roundShared rounds n rows group by group. What the errors of other groups count
// is summed in float32, for all rows at once.
func (t triangle) roundShared(dst []int64, weight []float32, runs []groupRun, s Shared, first, n int, fit Fit) {
	k := len(t.order)
	e, before := make([]float32, n*k), make([]float32, n*k)
	for _, g := range runs {
		width := g.to - g.from
		if g.packed != nil {
			g.weigh(before, e, n, k)
		}
		group, cost, now := make([]float64, width), make([]float64, width), make([]float64, width)
		for r := range n {
			w, out := weight[r*k:][:k], dst[r*k:][:k]
			for c := range group {
				group[c], cost[c] = float64(w[t.order[g.from+c]]), 1
				if g.packed != nil {
					group[c] += float64(before[r*width+c])
				}
				if t.rows != nil {
					cost[c] = t.cost[g.from+c]
				}
			}
			scale32, zero := fit(first+r, g.group, group, cost)
			scale := float64(scale32)
			for c, target := range group {
				o, at := t.order[g.from+c], g.from+c
				if t.rows != nil {
					target += dot(t.rows[at*k+g.from:at*k+at], now[:c])
				}
				q := min(max(math.RoundToEven(target/scale)+float64(zero), float64(s.Lo)), float64(s.Hi))
				if q != q {
					q = float64(zero)
				}
				out[o] = int64(q)
				now[c] = float64(w[o]) - float64((q-float64(zero))*scale)
				e[r*k+at] = float32(now[c])
			}
		}
	}
}

package algo

import (
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// Leaf is how many samples are summed in float32 before their sum joins the
// others, in order and in float64: so the result depends neither on threads nor
// on where a run was cut.
const Leaf = 16

// damping is the share of the mean of the diagonal that is added to it.
const damping = 0.01

// Hessian is the matrix by which errors of the weights of a layer count: the
// mean product of each two elements of its input rows, for each group of
// channels, in blocks of columns along the diagonal.
type Hessian struct {
	width, groups int
	blocks        []span
	n             int
	shift         []float32   // what is taken off before products are formed
	sum           []float64   // of the rows less shift
	products      [][]float64 // by group, then block
}

type span struct{ from, to int }

// NewHessian returns an empty one for rows of groups times width elements. A
// width above full is cut into blocks of at most block columns, at multiples of
// unit, which may be more.
func NewHessian(groups, width, full, block, unit int) *Hessian {
	h := &Hessian{width: width, groups: groups, shift: nil, sum: make([]float64, groups*width)}
	units := (width + unit - 1) / unit
	n := 1
	if width > full {
		n = min((width+block-1)/block, units)
	}
	for i := range n {
		h.blocks = append(h.blocks, span{units * i / n * unit, min(units*(i+1)/n*unit, width)})
	}
	for range groups {
		for _, b := range h.blocks {
			h.products = append(h.products, make([]float64, (b.to-b.from)*(b.to-b.from)))
		}
	}
	return h
}

// Add takes in the rows of a leaf, each groups times width elements. Leaves
// come in the order of their samples.
func (h *Hessian) Add(rows []float32, threads int) {
	all := h.groups * h.width
	n := len(rows) / max(all, 1)
	if n == 0 {
		return
	}
	if h.shift == nil {
		h.shift = make([]float32, all)
		mean := make([]float64, all)
		for i := range n {
			for j, v := range rows[i*all : i*all+all] {
				mean[j] += float64(v)
			}
		}
		for j, v := range mean {
			h.shift[j] = float32(v / float64(n))
		}
	}
	h.n += n
	Each(len(h.products), h.outer(threads), func(p int) {
		group, b := p/len(h.blocks), h.blocks[p%len(h.blocks)]
		k := b.to - b.from
		columns := make([]float32, k*n)
		Each(k, h.inner(threads), func(j int) {
			at := group*h.width + b.from + j
			col := columns[j*n : j*n+n]
			s := 0.0
			for i := range col {
				col[i] = rows[i*all+at] - h.shift[at]
				s += float64(col[i])
			}
			h.sum[at] += s
		})
		addProducts(h.products[p], columns, k, n, h.inner(threads))
	})
}

// addProducts adds the product of each two of the k columns of n elements.
func addProducts(dst []float64, columns []float32, k, n, threads int) {
	if k < gemm.Width/2 { // packing would cost more than it saves
		for i := range k {
			a := columns[i*n : i*n+n]
			for j := range i + 1 {
				s := 0.0
				for t, v := range columns[j*n : j*n+n] {
					s += float64(float64(a[t]) * float64(v))
				}
				dst[i*k+j] += s
				if i != j {
					dst[j*k+i] += s
				}
			}
		}
		return
	}
	m := gemm.Plain(n, k, 1, n)
	packed := make([]float32, m.Floats())
	gemm.PackLive(packed, columns, n, k, 1, n)
	out := make([]float32, k*k)
	end, rows := gemm.NewFloatEnd(k, nil, false, 0, 0), gemm.RowsOf(k, n)
	Each((k+gemm.Width-1)/gemm.Width, threads, func(i int) {
		j := i * gemm.Width
		gemm.Floats(out[j:], nil, k, columns, rows, k, packed[j*n:], j, min(gemm.Width, k-j), end)
	})
	for i, v := range out {
		dst[i] += float64(v)
	}
}

// matrix returns a block of a group as a mean: of products of the distances
// from the mean where centred, else of the elements themselves.
func (h *Hessian) matrix(p int, centred bool) []float64 {
	group, b := p/len(h.blocks), h.blocks[p%len(h.blocks)]
	k, n := b.to-b.from, float64(max(h.n, 1))
	out := make([]float64, k*k)
	at := group*h.width + b.from
	for i := range k {
		di := h.sum[at+i] / n
		mi := di
		if h.shift != nil {
			mi += float64(h.shift[at+i])
		}
		for j := range k {
			dj := h.sum[at+j] / n
			out[i*k+j] = h.products[p][i*k+j]/n - float64(di*dj)
			if !centred {
				mj := dj
				if h.shift != nil {
					mj += float64(h.shift[at+j])
				}
				out[i*k+j] += float64(mi * mj)
			}
		}
	}
	return out
}

// damped adds to the diagonal what keeps the matrix definite, and reports
// whether anything is in it.
func damped(h []float64, k int) bool {
	mean := 0.0
	for i := range k {
		h[i*k+i] = max(h[i*k+i], 0)
		mean += h[i*k+i]
	}
	mean /= float64(max(k, 1))
	if !(mean > 0) || math.IsInf(mean, 0) {
		return false
	}
	for i := range k {
		h[i*k+i] += float64(damping * mean)
	}
	return true
}

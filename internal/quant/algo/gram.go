package algo

import "github.com/octavo-ml/octavo/internal/kernels/gemm"

// mostGram is how many columns have all their products formed: of wider groups
// only the squares are.
const mostGram = 128

// Gram tells what errors of the weights of a group of columns cost in the
// outputs, other groups being right.
type Gram struct {
	groups []gram
}

type gram struct {
	n        int
	products []float64 // n×n, or n squares alone
	packed   []float32 // n×n, relative to the greatest square
	unit     float64   // that one
	end      *gemm.FloatEnd
}

// NewGram forms the mean products of the columns of each group, given rows of k
// inputs that are divided by factors, nil for none, and the group of each
// column.
func NewGram(inputs []float32, k int, of []int, groups int, factors []float32, threads int) *Gram {
	columns := make([][]int, groups)
	for c, g := range of {
		columns[g] = append(columns[g], c)
	}
	n := len(inputs) / max(k, 1)
	out := &Gram{make([]gram, groups)}
	Each(groups, threads, func(g int) {
		w := len(columns[g])
		x := make([]float64, w*n) // by column
		for i, c := range columns[g] {
			f := 1.0
			if factors != nil {
				f = float64(factors[c])
			}
			for r := range n {
				x[i*n+r] = float64(inputs[r*k+c]) / f
			}
		}
		p := gram{n: w, products: make([]float64, w)}
		if w <= mostGram {
			p.products = make([]float64, w*w)
		}
		for i := range w {
			a := x[i*n : i*n+n]
			if w > mostGram {
				p.products[i] = dot(a, a) / float64(max(n, 1))
				continue
			}
			for j := range i + 1 {
				v := dot(a, x[j*n:j*n+n]) / float64(max(n, 1))
				p.products[i*w+j], p.products[j*w+i] = v, v
			}
		}
		p.pack()
		out.groups[g] = p
	})
	return out
}

// pack makes of all products what a kernel multiplies with.
func (p *gram) pack() {
	if len(p.products) == p.n {
		return
	}
	for i := range p.n {
		p.unit = max(p.unit, p.products[i*p.n+i])
	}
	if p.unit == 0 {
		p.unit = 1
	}
	m := gemm.Plain(p.n, p.n, 1, p.n)
	relative := make([]float32, p.n*p.n)
	for i, v := range p.products {
		relative[i] = float32(v / p.unit)
	}
	p.packed, p.end, p.products = make([]float32, m.Floats()), gemm.NewFloatEnd(p.n, nil, false, 0, 0), nil
	gemm.PackLive(p.packed, relative, p.n, p.n, 1, p.n)
}

// Costs sets each cost to the mean squared error of an output for errors of the
// weights of a group, of which e holds those of one output after the other. Products
// need as much memory as e has.
func (g *Gram) Costs(cost []float64, group int, e, products []float32) {
	p := &g.groups[group]
	if p.packed == nil {
		for r := range cost {
			cost[r] = 0
			for i, v := range e[r*p.n:][:p.n] {
				cost[r] += float64(float64(v) * float64(v) * p.products[i])
			}
		}
		return
	}
	rows := gemm.RowsOf(len(cost), p.n)
	for j := 0; j < p.n; j += gemm.Width {
		gemm.Floats(products[j:], nil, p.n, e, rows, len(cost), p.packed[j*p.n:], j, min(gemm.Width, p.n-j), p.end)
	}
	for r := range cost {
		sum := 0.0
		for i, v := range e[r*p.n:][:p.n] {
			sum += float64(float64(v) * float64(products[r*p.n+i]))
		}
		cost[r] = float64(sum * p.unit)
	}
}

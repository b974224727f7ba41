package algo

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
		out.groups[g] = p
	})
	return out
}

// Cost returns the mean squared error of an output for errors e of the weights
// of a group.
func (g *Gram) Cost(group int, e []float64) float64 {
	p := g.groups[group]
	sum := 0.0
	if len(p.products) == p.n {
		for i, v := range e {
			sum += float64(float64(v*v) * p.products[i])
		}
		return sum
	}
	for i, v := range e {
		sum += float64(v * dot(e, p.products[i*p.n:i*p.n+p.n]))
	}
	return sum
}

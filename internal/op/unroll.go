package op

import "fmt"

// Unrolled is an operator whose output is the product of a matrix of rows,
// taken from operand 0, with its weight: what rounding weights by a Hessian
// stands on.
type Unrolled interface {
	Quantizable
	// Unroll tells the rows for an operand 0 of shape x and a weight of shape
	// w.
	Unroll(x, w []int) (Rows, error)
}

// Rows are the rows of operand 0. There is one for each place of the output:
// each combination of the indices of its axes but that of the channels, in
// row-major order.
type Rows struct {
	// Count is the number of rows, Width that of the elements of one that a
	// group of channels multiplies, Groups that of groups.
	Count, Width, Groups int
	// Gather writes row i of the data x, which is Groups times Width elements,
	// in the order of the weight's axes without that of its output channels.
	Gather func(dst, x []float32, i int)
}

// Unroll tells the windows. A row holds the taps of a channel together.
func (o *Conv) Unroll(x, w []int) (Rows, error) {
	g, err := o.Geometry(x, w)
	if err != nil {
		return Rows{}, err
	}
	taps, places, area := g.Taps(), g.Places(), inner(g.In, 0)
	data := plane{g.Channels, area, g.Layout}
	return Rows{g.Batch * places, taps * g.Channels / g.Group, g.Group, func(dst, x []float32, i int) {
		from := make([]int, taps)
		g.sources(from, i%places, 1)
		first, channel := data.at(i/places, 0, 0), data.at(0, 1, 0)
		for t, p := range from {
			if p < 0 {
				for c := range g.Channels {
					dst[c*taps+t] = 0
				}
				continue
			}
			at := first + p*data.step()
			for c := range g.Channels {
				dst[c*taps+t] = x[at+c*channel]
			}
		}
	}}, nil
}

// Unroll tells the rows of the left matrix; the right one has two axes.
func (o *MatMul) Unroll(x, w []int) (Rows, error) { return matrixRows(x, w, 0) }

// Unroll tells the rows of A, which is not transposed.
func (o *Gemm) Unroll(x, w []int) (Rows, error) {
	if o.TransA {
		return Rows{}, fmt.Errorf("rows of a transposed matrix are not told")
	}
	axis := 0
	if o.TransB {
		axis = 1
	}
	return matrixRows(x, w, axis)
}

// matrixRows are the rows of a stack of matrices whose last axis meets an axis
// of w.
func matrixRows(x, w []int, axis int) (Rows, error) {
	if len(w) != 2 || len(x) == 0 || x[len(x)-1] != w[axis] {
		return Rows{}, fmt.Errorf("data of shape %v and a weight of shape %v have no rows in common", x, w)
	}
	k := w[axis]
	return Rows{inner(x, 0) / max(k, 1), k, 1, func(dst, x []float32, i int) { copy(dst, x[i*k:i*k+k]) }}, nil
}

package fused

import (
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
)

// Softmax takes rows of integer sums to probabilities of 8 bits: in float32
// steps s = ((x − off)·By)·Times + add, then reduce.Softmax(s), rounded to Grid.
type Softmax struct {
	By, Times float32
	Grid      *Grid
}

// Row does so with a row of x, in which s stays. add is nil or as long as x; e
// is scratch memory of x's length.
func (p *Softmax) Row(dst []byte, x, e []float32, off float32, add []float32) {
	if len(x) == 0 || p.row(dst, x, e, off, add) {
		return
	}
	with := [1]float32{off}
	eltwise.Sub(x, x, with[:])
	with[0] = p.By
	eltwise.Mul(x, x, with[:])
	with[0] = p.Times
	eltwise.Mul(x, x, with[:])
	if add != nil {
		eltwise.Add(x, x, add[:len(x)])
	}
	p.exact(dst, x, e)
}

// exact is what follows the scores.
func (p *Softmax) exact(dst []byte, x, e []float32) {
	e = e[:len(x)]
	reduce.Softmax(e, x)
	p.Grid.store(dst[:len(x)], e)
}

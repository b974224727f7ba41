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

// Scores are up to 64 rows of sums, one after the other, and where their
// probabilities go: row r to Y[r*Step].
type Scores struct {
	X          []float32
	Rows, Cols int
	Off        []float32 // one for each row
	Add        []float32 // nil, or rows AddStep apart, which may be 0
	AddStep    int
	Y          []byte
	Step       int
	Scratch    []float32 // of 2·Cols elements
}

// Run does so with each row; s stays in X.
func (p *Softmax) Run(t *Scores) {
	if t.Rows == 0 || t.Cols == 0 || p.rows(t) {
		return
	}
	for r := range t.Rows {
		x := t.X[r*t.Cols : (r+1)*t.Cols]
		for i, v := range x {
			x[i] = float32(float32((v-t.Off[r])*p.By) * p.Times)
		}
		if t.Add != nil {
			eltwise.Add(x, x, t.Add[r*t.AddStep:][:t.Cols])
		}
		p.exact(t.Y[r*t.Step:], x, t.Scratch)
	}
}

// exact is what follows the scores.
func (p *Softmax) exact(dst []byte, x, e []float32) {
	e = e[:len(x)]
	reduce.Softmax(e, x)
	p.Grid.store(dst[:len(x)], e)
}

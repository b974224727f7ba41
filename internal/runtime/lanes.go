package runtime

import (
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// mostOperands is how many operands lanes have.
const mostOperands = 3

// lanes is a broadcast of up to three operands as runs of n elements: in a run
// operand i advances by step[i], and along each axis outside of the runs by its
// stride.
type lanes struct {
	n, all  int // elements of a run, and of the result
	step    [mostOperands]int
	dims    []int
	strides [][mostOperands]int
}

// lanesOf returns the longest runs in which operands make up shape, and false
// where they do not broadcast.
func lanesOf(shape []int, operands ...[]int) (lanes, bool) {
	all, ok := tensor.Count(shape)
	strides := make([][]int, len(operands))
	for i, o := range operands {
		s, fits := eltwise.BroadcastStrides(o, shape)
		strides[i], ok = s, ok && fits
	}
	if !ok {
		return lanes{}, false
	}
	l := lanes{n: 1, all: all}
	// From the inside out; axes that all operands cross evenly become one.
	for d := len(shape) - 1; d >= 0; d-- {
		if shape[d] == 1 {
			continue
		}
		var s [mostOperands]int
		k := len(l.dims)
		even := k > 0
		for i := range operands {
			s[i] = strides[i][d]
			even = even && l.strides[k-1][i]*l.dims[k-1] == s[i]
		}
		if even {
			l.dims[k-1] *= shape[d]
			continue
		}
		l.dims, l.strides = append(l.dims, shape[d]), append(l.strides, s)
	}
	if len(l.dims) > 0 {
		l.n, l.step = l.dims[0], l.strides[0]
		l.dims, l.strides = l.dims[1:], l.strides[1:]
	}
	return l, true
}

// at returns where the operands are at element i of the result, and how many
// elements are left of its run.
func (l *lanes) at(i int) (offset [mostOperands]int, left int) {
	row, in := i/l.n, i%l.n
	for k, s := range l.step {
		offset[k] = in * s
	}
	for d, n := range l.dims {
		j := row % n
		row /= n
		for k, s := range l.strides[d] {
			offset[k] += j * s
		}
	}
	return offset, l.n - in
}

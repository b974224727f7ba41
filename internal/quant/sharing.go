package quant

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// sharing tells which elements of a weight share a scale, where it is taken as
// rows, one for each output channel.
type sharing struct {
	of     []int // the group of each column of a row
	groups int   // of a row; the scales of rows follow each other
	unit   int   // at whose multiples a row can be cut between groups
	point  Point
	shape  []int
	perm   []int // brings the axis of the channels to the front
}

// sharingOf returns how the weight of a point is shared, given its shape and
// the axis of its output channels; false where rows share scales with others.
func sharingOf(pt Point, shape []int, axis int) (*sharing, bool) {
	if pt.Axis == PerTensor || pt.Block == 0 && pt.Axis != axis || pt.Block > 0 && pt.Axis == axis {
		return nil, false
	}
	s := &sharing{point: pt, shape: shape, perm: frontPerm(axis, len(shape))}
	width := 1
	for _, a := range s.perm[1:] {
		width *= shape[a]
	}
	s.of, s.groups, s.unit = make([]int, width), 1, max(width, 1)
	if pt.Block == 0 {
		return s, width > 0
	}
	dims, blocks := make([]int, len(shape)-1), make([]int, len(shape)-1)
	inner := 1
	for i, a := range s.perm[1:] {
		dims[i], blocks[i] = shape[a], 1
		if a == pt.Axis {
			blocks[i] = pt.Block
		}
		s.groups *= (dims[i] + blocks[i] - 1) / blocks[i]
	}
	if s.perm[1] == pt.Axis { // then groups lie side by side
		for _, d := range dims[1:] {
			inner *= d
		}
		s.unit = pt.Block * inner
	}
	for j := range s.of {
		rest, groups := j, 1
		for i := len(dims) - 1; i >= 0; i-- {
			s.of[j] += rest % dims[i] / blocks[i] * groups
			rest /= dims[i]
			groups *= (dims[i] + blocks[i] - 1) / blocks[i]
		}
	}
	return s, width > 0
}

// frontPerm is the permutation that brings an axis to the front.
func frontPerm(axis, rank int) []int {
	perm := []int{axis}
	for i := range rank {
		if i != axis {
			perm = append(perm, i)
		}
	}
	return perm
}

// rows returns how many rows there are.
func (s *sharing) rows() int { return s.shape[s.perm[0]] }

// params returns the parameters of the weight from those of its rows, group by
// group.
func (s *sharing) params(scale []float32, zero []int64) affine.Params {
	p := affine.Params{Type: s.point.Type, Axis: s.point.Axis, BlockSize: s.point.Block, Scale: scale, ZeroPoint: zero}
	if s.point.Block == 0 || s.perm[0] == 0 {
		return p
	}
	whole := p.ScaleShape(s.shape)
	moved, inverse := make([]int, len(whole)), make([]int, len(whole))
	for i, a := range s.perm {
		moved[i], inverse[a] = whole[a], i
	}
	p.Scale = tensor.Data[float32](tensor.Permute(tensor.FromSlice(scale, moved...), inverse))
	p.ZeroPoint = tensor.Data[int64](tensor.Permute(tensor.FromSlice(zero, moved...), inverse))
	return p
}

// columnsOf returns the columns of each group.
func (s *sharing) columnsOf() [][]int {
	out := make([][]int, s.groups)
	for c, g := range s.of {
		out[g] = append(out[g], c)
	}
	return out
}

package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// turnedParams returns the parameters of a tensor whose axes are exchanged, axis
// perm[i] of the given shape becoming axis i.
func turnedParams(p affine.Params, shape, perm []int) affine.Params {
	if p.IsPerTensor() && p.BlockSize == 0 {
		return p
	}
	if p.BlockSize > 0 {
		whole := p.ScaleShape(shape)
		p.Scale = tensor.Data[float32](tensor.Permute(tensor.FromSlice(p.Scale, whole...), perm))
		if p.ZeroPoint != nil {
			p.ZeroPoint = tensor.Data[int64](tensor.Permute(tensor.FromSlice(p.ZeroPoint, whole...), perm))
		}
	}
	p.Axis = slices.Index(perm, p.Axis)
	return p
}

// inverseOf returns the permutation that undoes perm.
func inverseOf(perm []int) []int {
	inverse := make([]int, len(perm))
	for i, p := range perm {
		inverse[p] = i
	}
	return inverse
}

// heldIntegers returns the integers of a constant on the heap. The real numbers
// are read by parts, from where they lie.
func heldIntegers(c *tensor.Tensor, p affine.Params) (*tensor.Tensor, error) {
	if src, perm, ok := tensor.Unpermuted(c); ok {
		q, err := heldIntegers(src, turnedParams(p, c.Shape(), inverseOf(perm)))
		if err != nil {
			return nil, err
		}
		return tensor.Permute(q, perm), nil
	}
	q, err := affine.Quantized(c, p)
	if err != nil {
		return nil, err
	}
	return q.Clone(), nil
}

package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// A convolution of bytes with fewer filters than the narrowest kernel has columns
// runs as one that computes some neighbours of a line together: with a copy of
// the filters for each of them, shifted by the stride, in a kernel as wide as
// all reach. The results lie where they did. The zeros beside a filter add
// nothing to sums of integers; to those of floats they would, a NaN times 0
// being one.

// columns is the number of filters from which on kernels have full columns.
const columns = 16

// abreast returns how many outputs are computed together, 1 where it does not
// pay or the shape does not allow it. What is computed is the input under all of
// them, in groups, for each line of the kernel.
func abreast(g op.Geometry) int {
	last := len(g.In) - 1
	if g.Group != 1 || g.Transposed || g.Dilations[last] != 1 || g.Filters == 0 || g.Out[last] == 0 {
		return 1
	}
	groups := func(n int) int { return gemm.Groups((g.Kernel[last] + (n-1)*g.Strides[last]) * g.Channels) }
	best := 1
	for n := 2; n*g.Filters <= columns; n++ {
		gain := groups(best)*n - groups(n)*best
		if g.Out[last]%n == 0 && (gain > 0 || gain == 0 && best > 1) {
			best = n
		}
	}
	return best
}

// widened returns the geometry of the convolution that computes n outputs of g's
// together.
func widened(g conv.Geometry, n int) conv.Geometry {
	last := len(g.Size) - 1
	g.Kernel, g.Stride, g.Result = slices.Clone(g.Kernel), slices.Clone(g.Stride), slices.Clone(g.Result)
	g.Out *= n
	g.Kernel[last] += (n - 1) * g.Stride[last]
	g.Stride[last] *= n
	g.Result[last] /= n
	return g
}

// shifted returns n copies of the filters w, [filters, channels, kernel...], each
// shifted along the last axis by the stride from the one before.
func shifted(w *tensor.Tensor, n int, stride int) []int8 {
	shape, src := w.Shape(), tensor.Data[int8](w)
	if n == 1 {
		return src
	}
	k := shape[len(shape)-1]
	lines, wide := len(src)/k, k+(n-1)*stride
	out := make([]int8, n*lines*wide)
	for j := range n {
		for i := range lines {
			copy(out[(j*lines+i)*wide+j*stride:], src[i*k:(i+1)*k])
		}
	}
	return out
}

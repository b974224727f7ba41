package op

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// reduction is what all reductions share: the axes are the optional second
// operand; none means all, or, with NoopWithEmptyAxes, no reduction.
type reduction struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// axes returns the reduced axes, sorted; nil, false where they are computed.
func (r reduction) axes(in []Fact) ([]int, bool, error) {
	rank := len(in[0].Shape)
	l, err := listAt(in, 1, "axes")
	if err != nil {
		return nil, false, err
	}
	nums, known := l.numbers()
	if l.given && !known {
		return nil, false, nil
	}
	if len(nums) == 0 {
		if r.NoopWithEmptyAxes {
			return nil, true, nil
		}
		return allAxes(rank), true, nil
	}
	axes, err := axesOf(nums, rank)
	slices.Sort(axes)
	return axes, true, err
}

func (r reduction) infer(in []Fact, ok func(dtype.Type) bool) ([]Fact, error) {
	if err := need(in, 1, 2); err != nil {
		return nil, err
	}
	if err := accept(ok, in[0]); err != nil {
		return nil, err
	}
	out := Fact{Type: in[0].Type}
	if in[0].Shape == nil {
		return []Fact{out}, nil
	}
	axes, known, err := r.axes(in)
	if err != nil {
		return nil, err
	}
	if !known {
		if r.Keepdims {
			out.Shape = OfRank(len(in[0].Shape))
		}
		return []Fact{out}, nil
	}
	out.Shape = Known()
	for i, d := range in[0].Shape {
		switch {
		case !slices.Contains(axes, i):
			out.Shape = append(out.Shape, d)
		case r.Keepdims:
			out.Shape = append(out.Shape, Size(1))
		}
	}
	return []Fact{out}, nil
}

// inferFold is infer that also follows the elements of a shape tensor, which f
// combines.
func (r reduction) inferFold(in []Fact, f func(a, b Dim) Dim) ([]Fact, error) {
	out, err := r.infer(in, isNumber)
	if err != nil || out[0].Shape == nil {
		return out, err
	}
	v, ok := values(in[0])
	if n, one := out[0].Shape.Count().Int(); !ok || len(v) == 0 || !one || n != 1 {
		return out, nil
	}
	total := v[0]
	for _, d := range v[1:] {
		total = f(total, d)
	}
	out[0].Values = held([]Dim{total}, out[0].Type)
	return out, nil
}

// reducer computes one result from n elements of x that lie stride apart.
type reducer[T any] func(x []T, n, stride int) T

// reducers reduce by element type; nil where the operator does not take the
// type. i64 serves all integers and Bool, and wraps, but Uint64 where u64 is
// given. Without either, integers are reduced as Float64 and truncated.
type reducers struct {
	f32 reducer[float32]
	f64 reducer[float64]
	i64 reducer[int64]
	u64 reducer[uint64]
}

// evalReduce reduces in the type of the input; narrow floats in float32.
func evalReduce(o Op, r reduction, in []Datum, fn reducers) ([]Datum, error) {
	out, shape, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	axes, _, err := r.axes(factsOf(in))
	if err != nil {
		return nil, err
	}
	x, typ := arg(in, 0), out.Type
	compute := native(typ)
	if !typ.IsFloat() && fn.i64 == nil {
		compute = dtype.Float64
	}
	if x, err = Convert(x, compute); err != nil {
		return nil, err
	}
	n, stride := 1, 1
	for _, a := range axes {
		n *= x.Shape()[a]
	}
	switch {
	case len(axes) > 0 && !consecutive(axes):
		// The reduced axes go last, in order.
		perm := []int{}
		for i := range x.Rank() {
			if !slices.Contains(axes, i) {
				perm = append(perm, i)
			}
		}
		x = tensor.Permute(x, append(perm, axes...))
	case len(axes) > 0:
		stride = inner(x.Shape(), axes[len(axes)-1]+1)
	}
	var y *tensor.Tensor
	switch {
	case compute == dtype.Float32:
		y = reduceAll(x, shape, n, stride, tensor.Data[float32], fn.f32)
	case compute == dtype.Float64:
		y = reduceAll(x, shape, n, stride, tensor.Data[float64], fn.f64)
	case compute == dtype.Uint64 && fn.u64 != nil:
		y = reduceAll(x, shape, n, stride, tensor.Data[uint64], fn.u64)
	default:
		y = reduceAll(x, shape, n, stride, integers, fn.i64)
		y = tensor.FromInts(typ, tensor.Data[int64](y), shape...)
	}
	y, err = Convert(y, typ)
	return Of(y), err
}

// consecutive reports whether the axes follow each other.
func consecutive(axes []int) bool {
	return axes[len(axes)-1]-axes[0] == len(axes)-1
}

// reduceAll reduces groups of n elements; element k of a group is stride
// elements behind the one before.
func reduceAll[T tensor.Element](x *tensor.Tensor, shape []int, n, stride int, data func(*tensor.Tensor) []T, f reducer[T]) *tensor.Tensor {
	src, out := data(x), make([]T, lengthOf(shape))
	for i := range out {
		if n == 0 {
			out[i] = f(nil, 0, 1)
			continue
		}
		out[i] = f(src[i/stride*stride*n+i%stride:], n, stride)
	}
	return tensor.FromSlice(out, shape...)
}

func sumOf[T number](x []T, n, stride int) T {
	var s T
	for i := range n {
		s += x[i*stride]
	}
	return s
}

// sumMapped applies f before a sum in the kernels' fixed order.
func sumMapped(f func(float32) float32) reducer[float32] {
	return func(x []float32, n, stride int) float32 {
		y := make([]float32, n)
		for i := range y {
			y[i] = f(x[i*stride])
		}
		return reduce.SumF32(y)
	}
}

func sumMapped64(f func(float64) float64) reducer[float64] {
	return func(x []float64, n, stride int) float64 {
		var s float64
		for i := range n {
			s += float64(f(x[i*stride]))
		}
		return s
	}
}

func productOf[T number](x []T, n, stride int) T {
	p := T(1)
	for i := range n {
		p *= x[i*stride]
	}
	return p
}

// extreme is the least or greatest element; of none it is what the other
// elements cannot exceed.
func extreme[T number](pick func(x []T, n, stride int) T, empty T) reducer[T] {
	return func(x []T, n, stride int) T {
		if n == 0 {
			return empty
		}
		return pick(x, n, stride)
	}
}

// logSumExp is log(Σ e^x) with the maximum taken out first.
func logSumExp(x []float32, n, stride int) float32 {
	if n == 0 {
		return float32(math.Inf(-1))
	}
	m := reduce.MaxStrided(x, n, stride)
	if m-m != 0 {
		return m
	}
	return eltwise.Log(sumMapped(func(v float32) float32 { return eltwise.Exp(v - m) })(x, n, stride)) + m
}

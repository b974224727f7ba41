package op

import (
	"fmt"
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

func (r reduction) infer(in []Fact) ([]Fact, error) {
	if err := need(in, 1, 2); err != nil {
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

// reducer computes one result from n elements of x that lie stride apart.
type reducer[T any] func(x []T, n, stride int) T

// evalReduce reduces in the type of the input: ints for integers.
func evalReduce(o Op, r reduction, in []Datum, f32 reducer[float32], f64 reducer[float64], i64 reducer[int64]) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	axes, _, err := r.axes(factsOf(in))
	if err != nil {
		return nil, err
	}
	shape, ok := out[0].Shape.Ints()
	if !ok {
		return nil, fmt.Errorf("the axes are not known")
	}
	x := arg(in, 0)
	n := 1
	for _, a := range axes {
		n *= x.Shape()[a]
	}
	if len(axes) > 0 && (axes[len(axes)-1] != x.Rank()-1 || axes[0] != x.Rank()-len(axes)) && !consecutive(axes) {
		// The reduced axes go last, in order.
		perm := []int{}
		for i := range x.Rank() {
			if !slices.Contains(axes, i) {
				perm = append(perm, i)
			}
		}
		x = tensor.Permute(x, append(perm, axes...))
		axes = nil
	}
	stride := 1
	if len(axes) > 0 {
		stride = inner(x.Shape(), axes[len(axes)-1]+1)
	}
	switch typ := x.Type(); {
	case typ == dtype.Float64:
		return Of(tensor.FromSlice(reduceAll(tensor.Data[float64](x), lengthOf(shape), n, stride, f64), shape...)), nil
	case typ.IsFloat():
		f, err := Convert(x, dtype.Float32)
		if err != nil {
			return nil, err
		}
		y, err := Convert(tensor.FromSlice(reduceAll(tensor.Data[float32](f), lengthOf(shape), n, stride, f32), shape...), typ)
		return Of(y), err
	}
	ints, ok := tensor.Ints(x)
	if !ok || i64 == nil {
		return nil, fmt.Errorf("%v is not reduced", x.Type())
	}
	return Of(tensor.FromInts(x.Type(), reduceAll(ints, lengthOf(shape), n, stride, i64), shape...)), nil
}

// consecutive reports whether the axes follow each other.
func consecutive(axes []int) bool {
	return axes[len(axes)-1]-axes[0] == len(axes)-1
}

// reduceAll reduces count groups of n elements; element k of a group is stride
// elements behind the one before.
func reduceAll[T any](x []T, count, n, stride int, f reducer[T]) []T {
	out := make([]T, count)
	for i := range out {
		from := i/stride*stride*n + i%stride
		if n == 0 {
			out[i] = f(nil, 0, 1)
			continue
		}
		out[i] = f(x[from:], n, stride)
	}
	return out
}

func sumOf[T number](x []T, n, stride int) T {
	var s T
	for i := range n {
		s += x[i*stride]
	}
	return s
}

// mapped applies f before a sum in the kernels' fixed order.
func mapped(f func(float32) float32) reducer[float32] {
	return func(x []float32, n, stride int) float32 {
		y := make([]float32, n)
		for i := range y {
			y[i] = f(x[i*stride])
		}
		return reduce.SumF32(y)
	}
}

func mapped64(f func(float64) float64) reducer[float64] {
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
	return eltwise.Log(mapped(func(v float32) float32 { return eltwise.Exp(v - m) })(x, n, stride)) + m
}

package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MatMul is NumPy's matrix product: the last two axes are matrices, the others
// broadcast, and an operand of rank 1 is a row on the left and a column on the
// right.
type MatMul struct{}

// Name returns "MatMul".
func (o *MatMul) Name() string { return "MatMul" }

// Infer broadcasts the leading axes.
func (o *MatMul) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	typ, err := wantNumbers(in...)
	if err != nil {
		return nil, err
	}
	a, b := in[0].Shape, in[1].Shape
	if a == nil || b == nil {
		return []Fact{TensorFact(typ, nil)}, nil
	}
	if len(a) == 0 || len(b) == 0 {
		return nil, fmt.Errorf("a scalar among shapes %v and %v", a, b)
	}
	wa, wb := asMatrix(a, b)
	k, n := len(wa)-1, len(wb)-2
	if x, y := wa[k], wb[n]; contradict(x, y) {
		return nil, fmt.Errorf("shapes %v and %v: %v columns against %v rows", a, b, x, y)
	}
	out, err := Broadcast(wa[:len(wa)-2], wb[:n])
	if err != nil {
		return nil, err
	}
	if len(a) > 1 {
		out = append(out, wa[len(wa)-2])
	}
	if len(b) > 1 {
		out = append(out, wb[len(wb)-1])
	}
	return []Fact{TensorFact(typ, out)}, nil
}

// asMatrix gives operands of rank 1 their second axis.
func asMatrix(a, b Shape) (Shape, Shape) {
	if len(a) == 1 {
		a = Shape{Size(1), a[0]}
	}
	if len(b) == 1 {
		b = Shape{b[0], Size(1)}
	}
	return a, b
}

// contradict reports whether two dimensions are different numbers.
func contradict(a, b Dim) bool {
	m, ok := a.Int()
	n, known := b.Int()
	return ok && known && m != n
}

// wantNumbers checks that the inputs with a known type have one arithmetic
// type, which it returns.
func wantNumbers(in ...Fact) (dtype.Type, error) {
	typ, err := sameType(in...)
	if err == nil && typ != dtype.Invalid && !plainFloat(typ) && !(typ.IsInteger() && typ.Bits() >= 8) {
		err = fmt.Errorf("element type %v, want a number", typ)
	}
	return typ, err
}

// Eval multiplies.
func (o *MatMul) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		a, b := in[0].Tensor, in[1].Tensor
		y, err := room(out[0], a.Type())
		if err != nil {
			return nil, err
		}
		wa, wb := asMatrix(Known(a.Shape()...), Known(b.Shape()...))
		sa, _ := wa.Ints()
		sb, _ := wb.Ints()
		byType(y.Type(), matMul[float32], matMul[float64], matMul[int64], matMul[int32], matMul[int16], matMul[int8])(y, a, b, sa, sb)
		return Of(y), nil
	})
}

// byType picks a function by element type. Sums and products of integers do
// not depend on their sign, so that unsigned types share the signed ones'.
func byType[F any](t dtype.Type, f32, f64, i64, i32, i16, i8 F) F {
	switch {
	case t == dtype.Float32:
		return f32
	case t == dtype.Float64:
		return f64
	case t.Bits() == 64:
		return i64
	case t.Bits() == 32:
		return i32
	case t.Bits() == 16:
		return i16
	}
	return i8
}

// matMul multiplies stacks of matrices of shapes sa and sb into y, broadcasting
// the leading axes.
func matMul[T eltwise.Number](y, a, b *tensor.Tensor, sa, sb []int) {
	ra, rb := len(sa)-2, len(sb)-2
	m, k, n := sa[ra], sa[ra+1], sb[rb+1]
	c, x, w := tensor.Data[T](y), tensor.Data[T](a), tensor.Data[T](b)
	if len(c) == 0 {
		return
	}
	lead, _ := Broadcast(Known(sa[:ra]...), Known(sb[:rb]...))
	dims, _ := lead.Ints()
	if inner(sb[:rb], 0) == 1 {
		// One matrix on the right: all rows on the left are one matrix.
		multiply(c, n, len(c)/n, n, k, matrix[T]{x, k, 1}, matrix[T]{w, n, 1})
		return
	}
	atA, atB := stacked(sa[:ra], dims), stacked(sb[:rb], dims)
	for i := range atA {
		multiply(c[i*m*n:], n, m, n, k, matrix[T]{x[atA[i]*m*k:], k, 1}, matrix[T]{w[atB[i]*k*n:], n, 1})
	}
}

// stacked returns for each element of the broadcast shape dims which element
// of shape s it reads.
func stacked(s, dims []int) []int {
	at := []int{0}
	pad := len(dims) - len(s)
	for i, n := range dims {
		own := 1
		if i >= pad {
			own = s[i-pad]
		}
		next := make([]int, 0, len(at)*n)
		for _, v := range at {
			for j := range n {
				next = append(next, v*own+min(j, own-1))
			}
		}
		at = next
	}
	return at
}

// Quantization tells the weight, of one output a column. Each operand that is
// not constant is data.
func (o *MatMul) Quantization() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis = []int{0, 1}, 1, -1
	f.WeightInput, f.Groups, f.Channels = -2, 1, -1
	return f
}

package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// matrix is a view of a matrix: element (i, j) is data[i*rs+j*cs].
type matrix[T eltwise.Number] struct {
	data   []T
	rs, cs int
}

func (m matrix[T]) transposed() matrix[T] { return matrix[T]{m.data, m.cs, m.rs} }

// columns is how many columns of B are packed at once.
const columns = 32 * gemm.NR

// multiply stores the m×n product of a (m×k) and b (k×n) in c, whose row i
// begins at c[i*ldc]. Floats are accumulated by fused multiply-adds in
// ascending k from +0; integers wrap.
func multiply[T eltwise.Number](c []T, ldc, m, n, k int, a, b matrix[T]) {
	if m == 0 || n == 0 {
		return
	}
	switch c := any(c).(type) {
	case []float32:
		x, y := any(a).(matrix[float32]), any(b).(matrix[float32])
		pa := make([]float32, gemm.PackedA(m, k))
		gemm.PackA(pa, x.data, m, k, x.rs, x.cs)
		pb := make([]float32, gemm.PackedB(k, min(n, columns)))
		for j := 0; j < n; j += columns {
			w := min(columns, n-j)
			gemm.PackB(pb, y.data[min(j*y.cs, len(y.data)):], k, w, y.rs, y.cs)
			gemm.F32(c[j:], ldc, m, w, k, pa, pb, gemm.Epilogue{})
		}
		return
	case []float64:
		x, y := any(a).(matrix[float64]), any(b).(matrix[float64])
		rows(c, ldc, m, n, k, x, y, func(s, t, acc float64) float64 { return math.FMA(s, t, acc) })
		return
	}
	rows(c, ldc, m, n, k, a, b, func(s, t, acc T) T { p := s * t; return T(p) + acc })
}

// rows is the product with an accumulation of its own.
func rows[T eltwise.Number](c []T, ldc, m, n, k int, a, b matrix[T], add func(s, t, acc T) T) {
	for i := range m {
		row := c[i*ldc : i*ldc+n]
		clear(row)
		for p := range k {
			s := a.data[i*a.rs+p*a.cs]
			at := p * b.rs
			for j := range row {
				row[j] = add(s, b.data[at], row[j])
				at += b.cs
			}
		}
	}
}

// evalWide evaluates o on inputs whose half-precision tensors are widened to
// float32, Float64 too unless double is set, and rounds the outputs once to
// the inferred types. It checks all that Infer checks first.
func evalWide(o Op, in []Datum, outs int, double bool, f func(in []Datum, out []Fact) ([]Datum, error)) ([]Datum, error) {
	facts, err := prepare(o, in, outs)
	if err != nil {
		return nil, err
	}
	wide := append([]Datum(nil), in...)
	for i, d := range in {
		if d.Tensor == nil {
			continue
		}
		t := d.Tensor.Type()
		if t == dtype.Float16 || t == dtype.BFloat16 || t == dtype.Float64 && !double {
			if wide[i].Tensor, err = Convert(d.Tensor, dtype.Float32); err != nil {
				return nil, err
			}
		}
	}
	res, err := f(wide, facts)
	if err != nil {
		return nil, err
	}
	for i, d := range res {
		if i < len(facts) && d.Tensor != nil && facts[i].Type != d.Tensor.Type() {
			if res[i].Tensor, err = Convert(d.Tensor, facts[i].Type); err != nil {
				return nil, err
			}
		}
	}
	return res, nil
}

// room allocates an output of a type that has arithmetic for the inferred
// shape of f.
func room(f Fact, typ dtype.Type) (*tensor.Tensor, error) {
	f.Type = typ
	c, err := newCanvas(f)
	if err != nil {
		return nil, err
	}
	return c.done(), nil
}

// wantFloats checks that the inputs with a known type are floating-point
// tensors of one type, which it returns.
func wantFloats(in ...Fact) (dtype.Type, error) {
	typ, err := sameType(in...)
	if err == nil && typ != dtype.Invalid && !plainFloat(typ) {
		err = fmt.Errorf("element type %v, want a floating-point type", typ)
	}
	return typ, err
}

func plainFloat(t dtype.Type) bool {
	return t == dtype.Float32 || t == dtype.Float64 || t == dtype.Float16 || t == dtype.BFloat16
}

// wantLength checks that a vector input has n elements, where both are known.
func wantLength(f Fact, what string, n Dim) error {
	if !f.Present() || f.Shape == nil {
		return nil
	}
	if len(f.Shape) != 1 {
		return fmt.Errorf("%s of shape %v, want a vector", what, f.Shape)
	}
	have, ok := f.Shape[0].Int()
	want, known := n.Int()
	if ok && known && have != want {
		return fmt.Errorf("%s has %d elements, want %d", what, have, want)
	}
	return nil
}

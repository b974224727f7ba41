package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Gemm is alpha·A·B + beta·C of matrices, A and B transposed where TransA and
// TransB say so. C broadcasts and may be absent.
type Gemm struct {
	Alpha  float32 `attr:"alpha,default=1"`
	Beta   float32 `attr:"beta,default=1"`
	TransA bool    `attr:"transA,default=0"`
	TransB bool    `attr:"transB,default=0"`
}

// Name returns "Gemm".
func (o *Gemm) Name() string { return "Gemm" }

// Infer takes the rows of A and the columns of B.
func (o *Gemm) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	typ, err := wantNumbers(in...)
	if err != nil {
		return nil, err
	}
	a, err := Merge(in[0].Shape, OfRank(2))
	if err != nil {
		return nil, fmt.Errorf("operand A of shape %v, want a matrix", in[0].Shape)
	}
	b, err := Merge(in[1].Shape, OfRank(2))
	if err != nil {
		return nil, fmt.Errorf("operand B of shape %v, want a matrix", in[1].Shape)
	}
	if o.TransA {
		slices.Reverse(a)
	}
	if o.TransB {
		slices.Reverse(b)
	}
	if contradict(a[1], b[0]) {
		return nil, fmt.Errorf("operand A of shape %v and B of shape %v", in[0].Shape, in[1].Shape)
	}
	if typ.Class() == dtype.Unsigned && (o.Alpha != 1 || o.Beta != 1) {
		return nil, fmt.Errorf("alpha %g and beta %g with element type %v; 1 is supported", o.Alpha, o.Beta, typ)
	}
	out := Shape{a[0], b[1]}
	if c := input(in, 2); c.Present() && c.Shape != nil {
		if err := fits(c.Shape, out); err != nil {
			return nil, fmt.Errorf("operand C: %w", err)
		}
	}
	return []Fact{TensorFact(typ, out)}, nil
}

// fits checks that s broadcasts to the shape to without changing it, as far as
// both are known.
func fits(s, to Shape) error {
	if len(s) > len(to) {
		return fmt.Errorf("shape %v does not broadcast to %v", s, to)
	}
	for i, d := range s {
		if e := to[len(to)-len(s)+i]; !d.Is(1) && contradict(d, e) {
			return fmt.Errorf("shape %v does not broadcast to %v", s, to)
		}
	}
	return nil
}

// Eval multiplies, scales and adds, each step rounded.
func (o *Gemm) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		a, b, c := in[0].Tensor, in[1].Tensor, arg(in, 2)
		y, err := room(out[0], a.Type())
		if err != nil {
			return nil, err
		}
		if c != nil {
			if c, err = expanded(c, out[0].Shape); err != nil {
				return nil, err
			}
		}
		byType(y.Type(), evalGemm[float32], evalGemm[float64], evalGemm[int64], evalGemm[int32], evalGemm[int16], evalGemm[int8])(o, y, a, b, c)
		return Of(y), nil
	})
}

func evalGemm[T eltwise.Number](o *Gemm, y, a, b, c *tensor.Tensor) {
	ma := matrix[T]{tensor.Data[T](a), a.Shape()[1], 1}
	mb := matrix[T]{tensor.Data[T](b), b.Shape()[1], 1}
	k := a.Shape()[1]
	if o.TransA {
		ma, k = ma.transposed(), a.Shape()[0]
	}
	if o.TransB {
		mb = mb.transposed()
	}
	m, n, d := y.Shape()[0], y.Shape()[1], tensor.Data[T](y)
	multiply(d, n, m, n, k, ma, mb)
	scaleBy(d, o.Alpha)
	if c == nil {
		return
	}
	add := tensor.Data[T](c)
	if o.Beta != 1 {
		add = slices.Clone(add)
		scaleBy(add, o.Beta)
	}
	for i, v := range add {
		d[i] += v
	}
}

// scaleBy multiplies by a factor, integers through float64 with the fraction cut
// off.
func scaleBy[T eltwise.Number](d []T, factor float32) {
	if factor == 1 {
		return
	}
	switch d := any(d).(type) {
	case []float32:
		for i, v := range d {
			d[i] = v * factor
		}
		return
	case []float64:
		for i, v := range d {
			d[i] = v * float64(factor)
		}
		return
	}
	for i, v := range d {
		p := float64(v) * float64(factor)
		d[i] = T(int64(min(max(p, -1<<63), 1<<63-1024)))
	}
}

// Quantization tells the weight, of one output a column of B as it is
// multiplied, and the bias C, multiplied by Beta. A, and B and C where they
// are not constant, are data.
func (o *Gemm) Quantization() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis, f.Bias, f.BiasFactor = []int{0, 1, 2}, 1, 1, 2, float64(o.Beta)
	f.WeightInput, f.Groups, f.Channels = 0, 1, -1
	if o.TransB {
		f.WeightAxis, f.WeightInput = 0, 1
	}
	if o.TransA {
		f.Groups = 0
	}
	return f
}

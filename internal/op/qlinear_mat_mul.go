package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// QLinearMatMul is MatMul on integers: a, b and y, each with scale and zero
// point; a's may be one for each row, b's one for each column.
type QLinearMatMul struct{}

// Name returns "QLinearMatMul".
func (o *QLinearMatMul) Name() string { return "QLinearMatMul" }

func (o *QLinearMatMul) form() qform {
	return qform{inner: &MatMul{}, in: []qoperand{quantizedAt(0, -2), quantizedAt(3, -1)}, scale: 6, zero: 7}
}

// Infer broadcasts the leading axes.
func (o *QLinearMatMul) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().infer(in, 8, 8) }

// Eval multiplies; see Quantized for the arithmetic.
func (o *QLinearMatMul) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// QGemm is Gemm on integers: A, B, each with scale and zero point, an optional
// Int32 C in units of alpha·a_scale·b_scale, and the result's scale and zero
// point; without them the result is float32.
type QGemm struct {
	Alpha  float32 `attr:"alpha,default=1"`
	TransA bool    `attr:"transA,default=0"`
	TransB bool    `attr:"transB,default=0"`
}

// Name returns "QGemm".
func (o *QGemm) Name() string { return "QGemm" }

func (o *QGemm) form() qform {
	g := New[Gemm]()
	g.Alpha, g.TransA, g.TransB = o.Alpha, o.TransA, o.TransB
	column := 1
	if o.TransB {
		column = 0
	}
	return qform{inner: g, in: []qoperand{quantizedAt(0, 0), quantizedAt(3, column), biasAt(6)}, scale: 7, zero: 8}
}

// Infer takes the rows of A and the columns of B.
func (o *QGemm) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().infer(in, 6, 9) }

// Eval multiplies; see Quantized for the arithmetic.
func (o *QGemm) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// MatMulInteger is MatMul of integers minus their zero points, in Int32: A, B,
// a_zero_point (one, or one a row), b_zero_point (one, or one a column).
type MatMulInteger struct{}

// Name returns "MatMulInteger".
func (o *MatMulInteger) Name() string { return "MatMulInteger" }

// Infer broadcasts the leading axes.
func (o *MatMulInteger) Infer(in []Fact, _ int) ([]Fact, error) { return inferIntegers(&MatMul{}, in) }

// Eval multiplies.
func (o *MatMulInteger) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	acc, err := multiplyCentered(arg(in, 0), arg(in, 1), arg(in, 2), arg(in, 3), out[0])
	return Of(acc), err
}

// multiplyCentered returns the Int32 product described by the fact out.
func multiplyCentered(a, b, za, zb *tensor.Tensor, out Fact) (*tensor.Tensor, error) {
	y, err := room(out, dtype.Int32)
	if err != nil {
		return nil, err
	}
	pa, err := centering(a, za, -2)
	if err != nil {
		return nil, err
	}
	pb, err := centering(b, zb, -1)
	if err != nil {
		return nil, err
	}
	acc, err := multiplyInts(a, b, pa, pb, y.Shape())
	if err != nil {
		return nil, err
	}
	return tensor.FromSlice(acc, y.Shape()...), nil
}

// MatMulIntegerToFloat is MatMulInteger, multiplied by a_scale·b_scale, plus a
// bias: A, B, a_scale, b_scale (one, or one a column), a_zero_point,
// b_zero_point, bias.
type MatMulIntegerToFloat struct{}

// Name returns "MatMulIntegerToFloat".
func (o *MatMulIntegerToFloat) Name() string { return "MatMulIntegerToFloat" }

// Infer broadcasts the leading axes.
func (o *MatMulIntegerToFloat) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 4, 7); err != nil {
		return nil, err
	}
	zero := func(i int) Fact { return input(in, i) }
	out, err := inferIntegers(&MatMul{}, []Fact{in[0], in[1], zero(4), zero(5)})
	if err != nil {
		return nil, err
	}
	out[0].Type = in[2].Type
	return out, inferRescaled(out[0], in[2], in[3], input(in, 6))
}

// inferRescaled checks the scales and the bias of a product in real numbers.
func inferRescaled(out, a, b, bias Fact) error {
	if _, err := wantFloats(a, b, bias); err != nil {
		return err
	}
	if a.Shape != nil && !a.Shape.Count().Is(1) && !a.Shape.Count().IsUnknown() {
		return fmt.Errorf("a_scale of shape %v, want 1 element", a.Shape)
	}
	if len(out.Shape) == 0 {
		return nil
	}
	n := out.Shape[len(out.Shape)-1]
	if b.Shape != nil && !b.Shape.Count().Is(1) && contradict(b.Shape.Count(), n) {
		return fmt.Errorf("b_scale of shape %v for %v columns", b.Shape, n)
	}
	return wantLength(bias, "bias", n)
}

// Eval multiplies; all steps after the integers are float32.
func (o *MatMulIntegerToFloat) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, out []Fact) ([]Datum, error) {
		acc, err := multiplyCentered(arg(in, 0), arg(in, 1), arg(in, 4), arg(in, 5), out[0])
		if err != nil {
			return nil, err
		}
		y, err := rescale(acc, arg(in, 2), arg(in, 3), arg(in, 6))
		return Of(y), err
	})
}

// rescale multiplies accumulators by a scale and a scale a column, and adds a
// bias.
func rescale(acc, a, b, bias *tensor.Tensor) (*tensor.Tensor, error) {
	n, shape := 1, acc.Shape()
	if len(shape) > 0 {
		n = shape[len(shape)-1]
	}
	if a.Len() != 1 || b.Len() != 1 && b.Len() != n || bias != nil && bias.Len() != n {
		return nil, fmt.Errorf("scales of shapes %v and %v for %d columns", a.Shape(), b.Shape(), n)
	}
	units := affine.Units(tensor.Data[float32](a)[0], tensor.Data[float32](b))
	y := affine.Rescale(tensor.Data[int32](acc), shape, len(shape)-1, units)
	if bias != nil {
		d, add := tensor.Data[float32](y), tensor.Data[float32](bias)
		for i := range d {
			d[i] += add[i%n]
		}
	}
	return y, nil
}

// DynamicQuantizeMatMul quantizes A with DynamicQuantizeLinear and multiplies:
// A, B, b_scale (one, or one a column), b_zero_point, bias.
type DynamicQuantizeMatMul struct{}

// Name returns "DynamicQuantizeMatMul".
func (o *DynamicQuantizeMatMul) Name() string { return "DynamicQuantizeMatMul" }

// Infer broadcasts the leading axes.
func (o *DynamicQuantizeMatMul) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 5); err != nil {
		return nil, err
	}
	if t := in[0].Type; t != dtype.Invalid && t != dtype.Float32 {
		return nil, fmt.Errorf("operand A of type %v, want float32", t)
	}
	out, err := inferIntegers(&MatMul{}, []Fact{TensorFact(dtype.Uint8, in[0].Shape), in[1], {}, input(in, 3)})
	if err != nil {
		return nil, err
	}
	out[0].Type = dtype.Float32
	return out, inferRescaled(out[0], TensorFact(dtype.Float32, Known()), in[2], input(in, 4))
}

// Eval quantizes and multiplies.
func (o *DynamicQuantizeMatMul) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	q, err := dynamicUint8.Eval(in[:1])
	if err != nil {
		return nil, err
	}
	acc, err := multiplyCentered(q[0].Tensor, arg(in, 1), q[2].Tensor, arg(in, 3), out[0])
	if err != nil {
		return nil, err
	}
	y, err := rescale(acc, q[1].Tensor, arg(in, 2), arg(in, 4))
	return Of(y), err
}

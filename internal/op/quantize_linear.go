package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// QuantizeLinear is round(x/scale) + zero point, clamped to the output's type.
// Scale and the optional zero point have one element, one for each index of
// Axis, or, with a BlockSize, x's shape with ceil(dim/BlockSize) along Axis.
type QuantizeLinear struct {
	Axis      int `attr:"axis,default=1"`
	BlockSize int `attr:"block_size,default=0"`
	// OutputType is the output's type where there is no zero point; Uint8 if
	// it is absent too.
	OutputType dtype.Type `attr:"output_dtype"`
	// Precision is what ONNX computes the quotient in; here it is float32.
	Precision dtype.Type `attr:"precision"`
	// Saturate is for 8-bit floats.
	Saturate bool            `attr:"saturate,default=1"`
	Round    affine.Rounding `attr:".round"`
}

// Name returns "QuantizeLinear".
func (o *QuantizeLinear) Name() string { return "QuantizeLinear" }

// Infer returns x's shape in the output's type.
func (o *QuantizeLinear) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	if t := in[0].Type; t != dtype.Invalid && !plainFloat(t) && t != dtype.Int32 {
		return nil, fmt.Errorf("element type %v, want a floating-point type or int32", t)
	}
	typ, err := o.result(input(in, 2).Type)
	if err != nil {
		return nil, err
	}
	return []Fact{TensorFact(typ, in[0].Shape.Clone())}, checkScale(in, o.Axis, o.BlockSize)
}

// result returns the output's type for a zero point of the given type.
func (o *QuantizeLinear) result(zero dtype.Type) (dtype.Type, error) {
	typ := zero
	if typ == dtype.Invalid {
		typ = o.OutputType
	}
	switch {
	case typ == dtype.Invalid:
		typ = dtype.Uint8
	case o.OutputType != dtype.Invalid && typ != o.OutputType:
		return typ, fmt.Errorf("zero point of type %v, and output_dtype %v", typ, o.OutputType)
	case !affine.Quantizable(typ):
		return typ, fmt.Errorf("no quantization to %v", typ)
	}
	return typ, nil
}

// checkScale compares the shapes of data, scale and zero point.
func checkScale(in []Fact, axis, block int) error {
	x, s := in[0].Shape, in[1].Shape
	if t := in[1].Type; t != dtype.Invalid && !t.IsFloat() {
		return fmt.Errorf("scale of type %v, want a floating-point type", t)
	}
	// One zero point serves any number of scales.
	if z := input(in, 2); z.Present() && !z.Shape.Count().Is(1) {
		if _, err := Merge(s, z.Shape); err != nil {
			return fmt.Errorf("scale and zero point: %w", err)
		}
	}
	if block < 0 {
		return fmt.Errorf("block_size %d", block)
	}
	if x == nil || s == nil || s.Count().Is(1) && block == 0 {
		return nil
	}
	a, err := Axis(axis, len(x))
	if err != nil {
		return err
	}
	if block == 0 {
		if len(s) != 1 || contradict(s[0], x[a]) {
			return fmt.Errorf("scale of shape %v for axis %d of shape %v", s, axis, x)
		}
		return nil
	}
	want := x.Clone()
	want[a] = x[a].CeilDiv(Size(block))
	if _, err := Merge(want, s); err != nil {
		return fmt.Errorf("scale of shape %v for blocks of %d on axis %d of shape %v", s, block, axis, x)
	}
	return nil
}

// Eval quantizes.
func (o *QuantizeLinear) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	x := arg(in, 0)
	p, err := paramsOf(out[0].Type, x.Rank(), arg(in, 1), arg(in, 2), o.Axis, o.BlockSize)
	if err != nil {
		return nil, err
	}
	if !p.Type.IsInteger() && !o.Saturate {
		y, err := affine.QuantizeOverflow(x, p)
		return Of(y), err
	}
	y, err := affine.Quantize(x, p, o.Round)
	return Of(y), err
}

// paramsOf returns the parameters in a scale and an optional zero point, for a
// tensor of the given type and rank. A single zero point serves all scales.
func paramsOf(typ dtype.Type, rank int, scale, zero *tensor.Tensor, axis, block int) (affine.Params, error) {
	p := affine.Params{Type: typ, BlockSize: block}
	if scale == nil || !scale.Type().IsFloat() {
		return p, fmt.Errorf("no scale")
	}
	s, err := Convert(scale, dtype.Float32)
	if err != nil {
		return p, err
	}
	if p.Scale = tensor.Data[float32](s); len(p.Scale) == 0 {
		return p, fmt.Errorf("no scale")
	}
	if zero != nil && zero.Type().IsInteger() {
		if zero.Type() != typ {
			return p, fmt.Errorf("zero point of type %v for elements of %v", zero.Type(), typ)
		}
		p.ZeroPoint, _ = tensor.Ints(zero)
		if len(p.ZeroPoint) == 1 && len(p.Scale) > 1 {
			p.ZeroPoint = slices.Repeat(p.ZeroPoint, len(p.Scale))
		}
	}
	if len(p.Scale) == 1 && block == 0 {
		p.Axis = affine.PerTensorAxis
		return p, nil
	}
	p.Axis, err = Axis(axis, rank)
	return p, err
}

// DequantizeLinear is scale·(x − zero point). The zero point may be of a
// floating-point type, as some weight formats have it; the others are as in
// QuantizeLinear.
type DequantizeLinear struct {
	Axis      int `attr:"axis,default=1"`
	BlockSize int `attr:"block_size,default=0"`
	// OutputType is the output's type if it is not the scale's.
	OutputType dtype.Type `attr:"output_dtype"`
	// Apart says that it is an operator of its own where the model comes from:
	// what reads it computes on floats there, and is no operator on integers.
	Apart bool `attr:".apart"`
}

// Name returns "DequantizeLinear".
func (o *DequantizeLinear) Name() string { return "DequantizeLinear" }

// Infer returns x's shape in the output's type.
func (o *DequantizeLinear) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	if t := in[0].Type; t != dtype.Invalid && !affine.Quantizable(t) {
		return nil, fmt.Errorf("element type %v, want a quantized type", t)
	}
	if z := input(in, 2).Type; z != dtype.Invalid && in[0].Type != dtype.Invalid && z != in[0].Type && !plainFloat(z) {
		return nil, fmt.Errorf("zero point of type %v for elements of %v", z, in[0].Type)
	}
	typ := o.OutputType
	if typ == dtype.Invalid {
		typ = in[1].Type
	}
	if typ != dtype.Invalid && !plainFloat(typ) {
		return nil, fmt.Errorf("output of type %v, want a floating-point type", typ)
	}
	return []Fact{TensorFact(typ, in[0].Shape.Clone())}, checkScale(in, o.Axis, o.BlockSize)
}

// Eval dequantizes.
func (o *DequantizeLinear) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	x, zero := arg(in, 0), arg(in, 2)
	p, err := paramsOf(x.Type(), x.Rank(), arg(in, 1), zero, o.Axis, o.BlockSize)
	if err != nil {
		return nil, err
	}
	if zero == nil || !plainFloat(zero.Type()) {
		y, err := affine.Dequantize(x, p, out[0].Type)
		return Of(y), err
	}
	z, err := Convert(zero, dtype.Float32)
	if err != nil {
		return nil, err
	}
	y, err := affine.DequantizeAround(x, p, tensor.Data[float32](z), out[0].Type)
	return Of(y), err
}

package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/lut"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Quantized is an operator on integers: what DequantizeLinear on its operands,
// the operator, a Clip and QuantizeLinear on its result come to. It is derived
// from a QDQ graph by a pass, for whoever executes or writes integer operators.
//
// This table is its arithmetic; q, z and s are an operand's integers, zero
// point and scale, y's are the result's; every step without a note is one
// float32 operation, and round is half to even.
//
//	Conv, MatMul, Gemm           acc = Σ (qa−za)(qb−zb) + bias, in int32, which wraps
//	                             unit = sa·sb (Gemm: (alpha·sa)·sb); multiplier = unit/sy
//	                             y = clamp(round(float32(acc)·multiplier) + zy)
//	  their bias                 as affine.AccumulatorBias, in units; Gemm's times beta
//	  with a float result        y = clamp(float32(acc)·unit); a float bias is added after
//	                             the product instead of to acc
//	  with an int32 result       y = acc; all scales are 1
//	AveragePool                  acc = Σ (q−z) of the window; multiplier = s/(sy·n), n the
//	GlobalAveragePool            number of elements; then as above
//	Add                          y = clamp(round(fma(qa, sa/sy, fma(qb, sb/sy, c)))), where
//	                             c = zy − fma(za, sa/sy, (sb/sy)·zb)
//	Mul                          y = clamp(round((qa−za)(qb−zb)·((sa·sb)/sy) + zy))
//	LSTM, GRU, RNN               real results; the data's product with its weight is
//	                             float32(acc)·unit (data of 16 bits: of the high bytes, plus
//	                             that of the low ones), and so is the state's, which is made
//	                             uint8 before it by DynamicQuantizeLinear, the states of a
//	                             batch together; all other steps are the operator's
//	                             (IntegerCell says where)
//	all others                   y = clamp(quantize(operator(dequantize(operands)))), by a
//	                             table of 256 entries where the operator is elementwise
//	                             and its operand 8 bits wide: the same result
//
// In random trials, ties included, ONNX Runtime's operators (QLinearConv,
// QLinearMatMul, QGemm, QLinearAdd, QLinearMul, QLinearGlobalAveragePool,
// QLinearConcat and so on) gave the same integers, with two exceptions:
// QLinearAveragePool sums in float and may differ by one where the real result
// lies half-way between two integers, and QLinearSoftmax has its own
// exponential and may differ by one, often to other scales than 1/256.
//
// The rows above "all others" hold for operands of at most 8 bits, one scale
// for the activations (MatMul's and Gemm's A: or one a row; weights: or one a
// channel), 8 or 16 bits in the result, or 32 of sums, and rounding half to even; Add and Mul
// need an integer result. A QDQ file cannot say what integers the states of
// recurrent cells are: they have the range that they turn out to have. Otherwise
// the operator runs on real numbers, as in the last row.
type Quantized struct {
	Inner Op
	// In and Out hold the parameters of Inner's operands and results; the
	// zero Params, or a missing one, stands for real numbers.
	In, Out []affine.Params
	// Clamp limits the real result 0, nil if nothing does.
	Clamp *Interval
	Round affine.Rounding
	// Fixed asks for TensorFlow Lite's arithmetic, the table of fixed.go, where
	// FixedPoint says that it has a row.
	Fixed bool
}

// Name returns "Quantized".
func (o *Quantized) Name() string { return "Quantized" }

// Infer returns the results of Inner in the types of Out.
func (o *Quantized) Infer(in []Fact, outs int) ([]Fact, error) {
	real := make([]Fact, len(in))
	for i, f := range in {
		real[i] = f
		p := input(o.In, i)
		if !p.Present() || !f.Present() {
			continue
		}
		if f.Type != dtype.Invalid && f.Type != p.Type {
			return nil, fmt.Errorf("operand %d of type %v with parameters of %v", i, f.Type, p.Type)
		}
		if shape, ok := f.Shape.Ints(); ok {
			if err := p.Validate(shape); err != nil {
				return nil, fmt.Errorf("operand %d: %w", i, err)
			}
		}
		real[i] = TensorFact(dtype.Float32, f.Shape)
	}
	out, err := o.Inner.Infer(real, outs)
	if err != nil {
		return nil, err
	}
	for i := range out {
		p := input(o.Out, i)
		if !p.Present() {
			continue
		}
		out[i].Type = p.Type
		if shape, ok := out[i].Shape.Ints(); ok || p.IsPerTensor() {
			if err := p.Validate(shape); err != nil {
				return nil, fmt.Errorf("result %d: %w", i, err)
			}
		}
	}
	return out, nil
}

// Eval computes integers from integers.
func (o *Quantized) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, len(o.Out))
	if err != nil {
		return nil, err
	}
	if o.Fixed && o.FixedPoint() {
		shape, err := sized(out[0])
		if err != nil {
			return nil, err
		}
		y, err := o.fixed(in, shape)
		return Of(y), err
	}
	if o.IntegerCell() {
		return o.recur(in)
	}
	if o.integer() {
		shape, ok := out[0].Shape.Ints()
		if !ok {
			return nil, fmt.Errorf("output shape %v is not known", out[0].Shape)
		}
		if _, err := canvasOf(dtype.Int32, shape...); err != nil {
			return nil, err
		}
		var y *tensor.Tensor
		done := true
		switch inner := o.Inner.(type) {
		case *Conv:
			y, err = o.conv(inner, in)
		case *MatMul:
			y, done, err = o.matMul(in, shape)
		case *Gemm:
			y, done, err = o.gemm(inner, in, shape)
		case *Add:
			y, err = o.add(in, shape)
		case *Mul:
			y, err = o.mul(in, shape)
		case *AveragePool:
			y, err = o.averagePool(inner, in)
		case *GlobalAveragePool:
			y, err = o.globalAveragePool(inner, in, shape)
		default:
			done = false
		}
		if done || err != nil {
			return Of(y), err
		}
	}
	if table, ok, err := o.Table(); err != nil {
		return nil, err
	} else if ok {
		y := tensor.New(o.Out[0].Type, in[0].Tensor.Shape()...)
		lut.Apply(y.Bytes(), in[0].Tensor.Bytes(), table)
		return Of(y), nil
	}
	return o.real(in)
}

// integer reports whether the operands and the result allow integer
// accumulation.
func (o *Quantized) integer() bool {
	narrow := func(i int) bool {
		p := input(o.In, i)
		return p.Present() && p.Type.IsInteger() && p.Type.Bits() <= 8
	}
	y := input(o.Out, 0)
	if o.Round != affine.RoundHalfEven || !narrow(0) || y.Present() && !o.Sums() && (!y.Type.IsInteger() || y.Type.Bits() < 8 || y.Type.Bits() > 16 || !y.IsPerTensor()) {
		return false
	}
	switch o.Inner.(type) {
	case *Conv:
		return narrow(1) && o.In[0].IsPerTensor() && along(o.In[1], 0)
	case *MatMul, *Gemm:
		return narrow(1)
	case *Add, *Mul:
		return narrow(1) && y.Present() && o.In[0].IsPerTensor() && o.In[1].IsPerTensor()
	case *AveragePool, *GlobalAveragePool:
		return o.In[0].IsPerTensor()
	}
	return false
}

// Sums reports whether the result are the sums of a product themselves.
func (o *Quantized) Sums() bool {
	switch o.Inner.(type) {
	case *Conv, *MatMul, *Gemm:
	default:
		return false
	}
	one := func(p affine.Params) bool { return p.IsPerTensor() && p.Scale[0] == 1 }
	y := input(o.Out, 0)
	return y.Type == dtype.Int32 && one(y) && y.Zero(0) == 0 && o.Clamp == nil && one(input(o.In, 0)) && one(input(o.In, 1))
}

// along reports whether p has one scale, or one for each index of the axis.
func along(p affine.Params, axis int) bool {
	return p.IsPerTensor() || p.BlockSize == 0 && p.Axis == axis
}

// real dequantizes, evaluates, limits and quantizes.
func (o *Quantized) real(in []Datum) ([]Datum, error) {
	e, ok := o.Inner.(Evaluator)
	if !ok {
		return nil, fmt.Errorf("%s cannot be evaluated", o.Inner.Name())
	}
	wide := append([]Datum(nil), in...)
	for i, d := range in {
		p := input(o.In, i)
		if d.Tensor == nil || !p.Present() {
			continue
		}
		var err error
		if wide[i].Tensor, err = affine.Dequantize(d.Tensor, p, dtype.Float32); err != nil {
			return nil, fmt.Errorf("operand %d: %w", i, err)
		}
	}
	out, err := e.Eval(wide)
	if err != nil {
		return nil, err
	}
	out = append([]Datum(nil), out...)
	for i, d := range out {
		if d.Tensor == nil {
			continue
		}
		if i == 0 && o.Clamp != nil {
			out[i].Tensor = limit(d.Tensor, *o.Clamp)
		}
		if p := input(o.Out, i); p.Present() {
			if out[i].Tensor, err = affine.Quantize(out[i].Tensor, p, o.Round); err != nil {
				return nil, fmt.Errorf("result %d: %w", i, err)
			}
		}
	}
	return out, nil
}

// limit returns float32 elements limited to the interval; NaN stays.
func limit(t *tensor.Tensor, iv Interval) *tensor.Tensor {
	if t.Type() != dtype.Float32 {
		return t
	}
	lo, hi := float32(iv.Lo), float32(iv.Hi)
	out := make([]float32, t.Len())
	for i, v := range tensor.Data[float32](t) {
		out[i] = min(max(v, lo), hi)
	}
	return tensor.FromSlice(out, t.Shape()...)
}

// Table returns the result for each of the 256 bytes of an 8-bit operand, and
// false where o is not an elementwise operator between two 8-bit tensors of one
// scale each.
func (o *Quantized) Table() (*[256]byte, bool, error) {
	f, ok := o.Inner.(Quantizable)
	_, same := o.Inner.(*Identity)
	if !ok || len(o.In) != 1 || len(o.Out) != 1 || !same && !f.Quantization().Elementwise {
		return nil, false, nil
	}
	x, y := o.In[0], o.Out[0]
	if !x.Present() || !y.Present() || x.Type.Bits() != 8 || y.Type.Bits() != 8 || !x.IsPerTensor() || !y.IsPerTensor() {
		return nil, false, nil
	}
	all := tensor.New(x.Type, 256)
	for i, b := range all.Bytes() {
		all.Bytes()[i] = b + byte(i)
	}
	out, err := o.real(Of(all))
	if o.Fixed && o.FixedPoint() {
		var t *tensor.Tensor
		t, err = o.fixed(Of(all), []int{256})
		out = Of(t)
	}
	if err != nil {
		return nil, false, err
	}
	res := out[0].Tensor.Bytes()
	return lut.Build(func(b byte) byte { return res[b] }), true, nil
}

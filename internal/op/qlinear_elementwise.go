package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// QLinearAdd is Add on integers: A, B and C, each with scale and zero point.
type QLinearAdd struct{}

// Name returns "QLinearAdd".
func (o *QLinearAdd) Name() string { return "QLinearAdd" }

func (o *QLinearAdd) form() qform { return binaryForm(&Add{}) }

// binaryForm takes two operands and the result's parameters.
func binaryForm(inner Op) qform {
	return qform{inner: inner, in: []qoperand{quantizedAt(0, 0), quantizedAt(3, 0)}, scale: 6, zero: 7}
}

// inferBinary checks that both operands have one type.
func (f qform) inferBinary(in []Fact) ([]Fact, error) {
	if _, err := sameType(input(in, 0), input(in, 3)); err != nil {
		return nil, err
	}
	for i := range min(len(in), 7) {
		if i != 2 && i != 5 && !in[i].Present() {
			return nil, fmt.Errorf("input %d is missing", i)
		}
	}
	if len(in) < 7 {
		return nil, fmt.Errorf("got %d inputs, want 7 or 8", len(in))
	}
	return f.infer(in, 2, 8)
}

// Infer broadcasts.
func (o *QLinearAdd) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().inferBinary(in) }

// Eval adds; see Quantized for the arithmetic.
func (o *QLinearAdd) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// QLinearMul is Mul on integers: A, B and C, each with scale and zero point.
type QLinearMul struct{}

// Name returns "QLinearMul".
func (o *QLinearMul) Name() string { return "QLinearMul" }

func (o *QLinearMul) form() qform { return binaryForm(&Mul{}) }

// Infer broadcasts.
func (o *QLinearMul) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().inferBinary(in) }

// Eval multiplies; see Quantized for the arithmetic.
func (o *QLinearMul) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// unaryForm takes X and the result, each with scale and zero point.
func unaryForm(inner Op) qform {
	return qform{inner: inner, in: []qoperand{quantizedAt(0, 0)}, scale: 3, zero: 4}
}

// inferUnary infers a form of one operand, whose zero points may be missing.
func (f qform) inferUnary(in []Fact) ([]Fact, error) {
	if len(in) < 4 || len(in) > 5 || !in[3].Present() {
		return nil, fmt.Errorf("got %d inputs, want 4 or 5 with a scale of the result", len(in))
	}
	return f.infer(in, 2, 5)
}

// QLinearSigmoid is Sigmoid on integers: X and Y, each with scale and zero
// point.
type QLinearSigmoid struct{}

// Name returns "QLinearSigmoid".
func (o *QLinearSigmoid) Name() string { return "QLinearSigmoid" }

func (o *QLinearSigmoid) form() qform { return unaryForm(&Sigmoid{}) }

// Infer returns X's shape.
func (o *QLinearSigmoid) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().inferUnary(in) }

// Eval computes every element.
func (o *QLinearSigmoid) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// QLinearLeakyRelu is LeakyRelu on integers: X and Y, each with scale and zero
// point.
type QLinearLeakyRelu struct {
	Alpha float32 `attr:"alpha,default=0.01"`
}

// Name returns "QLinearLeakyRelu".
func (o *QLinearLeakyRelu) Name() string { return "QLinearLeakyRelu" }

func (o *QLinearLeakyRelu) form() qform {
	l := New[LeakyRelu]()
	l.Alpha = o.Alpha
	return unaryForm(l)
}

// Infer returns X's shape.
func (o *QLinearLeakyRelu) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().inferUnary(in) }

// Eval computes every element.
func (o *QLinearLeakyRelu) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// QLinearSoftmax is Softmax on integers: X and Y, each with scale and zero
// point. Before opset 13 a line is all the axes from Axis on.
type QLinearSoftmax struct {
	Axis  int `attr:"axis,default=-1"`
	Opset int `attr:"opset,default=13"`
}

// Name returns "QLinearSoftmax".
func (o *QLinearSoftmax) Name() string { return "QLinearSoftmax" }

func (o *QLinearSoftmax) form() qform {
	s := New[Softmax]()
	s.Axis = o.Axis
	return unaryForm(s)
}

// Infer returns X's shape.
func (o *QLinearSoftmax) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().inferUnary(in) }

// Eval computes every line.
func (o *QLinearSoftmax) Eval(in []Datum) ([]Datum, error) {
	if o.Opset >= 13 {
		return evalForm(o, in, o.form())
	}
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	axis, err := Axis(o.Axis, x.Rank())
	if err != nil {
		return nil, err
	}
	lines, err := x.Reshape(inner(x.Shape()[:axis], 0), inner(x.Shape(), axis))
	if err != nil {
		return nil, err
	}
	flat := append([]Datum{{Tensor: lines}}, in[1:]...)
	last := &QLinearSoftmax{Axis: 1, Opset: 13}
	out, err := evalForm(last, flat, last.form())
	if err != nil {
		return nil, err
	}
	y, err := out[0].Tensor.Reshape(x.Shape()...)
	return Of(y), err
}

// QLinearWhere is Where on integers: condition, X with scale and zero point, Y
// with scale and zero point, and the result's.
type QLinearWhere struct{}

// Name returns "QLinearWhere".
func (o *QLinearWhere) Name() string { return "QLinearWhere" }

func (o *QLinearWhere) form() qform {
	return qform{inner: &Where{}, in: []qoperand{plainAt(0), quantizedAt(1, 0), quantizedAt(4, 0)}, scale: 7, zero: 8}
}

// Infer broadcasts.
func (o *QLinearWhere) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().infer(in, 9, 9) }

// Eval chooses; both sides are quantized anew for the result.
func (o *QLinearWhere) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// QLinearReduceMean is ReduceMean on integers: data and result, each with scale
// and zero point.
type QLinearReduceMean struct {
	Axes     []int `attr:"axes"`
	Keepdims bool  `attr:"keepdims,default=1"`
}

// Name returns "QLinearReduceMean".
func (o *QLinearReduceMean) Name() string { return "QLinearReduceMean" }

func (o *QLinearReduceMean) form() qform {
	r := New[ReduceMean]()
	r.Keepdims = o.Keepdims
	f := unaryForm(r)
	if len(o.Axes) > 0 {
		axes := make([]int64, len(o.Axes))
		for i, a := range o.Axes {
			axes[i] = int64(a)
		}
		f.in = append(f.in, qoperand{value: None, scale: None, zero: None, fixed: tensor.FromSlice(axes, len(axes))})
	}
	return f
}

// Infer drops the reduced axes or sets them to 1.
func (o *QLinearReduceMean) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().inferUnary(in) }

// Eval averages the real numbers.
func (o *QLinearReduceMean) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// QLinearConcat is Concat on integers: the result's scale and zero point, then
// each part with its own.
type QLinearConcat struct {
	Axis int `attr:"axis,required"`
}

// Name returns "QLinearConcat".
func (o *QLinearConcat) Name() string { return "QLinearConcat" }

func (o *QLinearConcat) form(n int) qform {
	c := New[Concat]()
	c.Axis = o.Axis
	f := qform{inner: c, scale: 0, zero: 1}
	for i := 2; i+2 < n; i += 3 {
		f.in = append(f.in, quantizedAt(i, 0))
	}
	return f
}

// Infer adds the parts' sizes along the axis.
func (o *QLinearConcat) Infer(in []Fact, _ int) ([]Fact, error) {
	if len(in) < 5 || (len(in)-2)%3 != 0 {
		return nil, fmt.Errorf("got %d inputs, want 2 and 3 for each part", len(in))
	}
	typ := dtype.Invalid
	for i := 2; i < len(in); i += 3 {
		if typ == dtype.Invalid {
			typ = in[i].Type
		}
		if in[i].Type != dtype.Invalid && in[i].Type != typ {
			return nil, fmt.Errorf("parts of types %v and %v", typ, in[i].Type)
		}
	}
	return o.form(len(in)).infer(in, len(in), len(in))
}

// Eval quantizes every part anew for the result.
func (o *QLinearConcat) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form(len(in))) }

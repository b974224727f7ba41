package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// qform says how an operator of ONNX's integer kind (QLinearConv and its kin)
// passes the parameters of a Quantized among its inputs.
type qform struct {
	inner Op
	in    []qoperand // the operands of inner
	// scale and zero are the inputs that hold the result's parameters, None
	// where the result is float32 or, for zero, 0.
	scale, zero int
}

// qoperand is an operand of the inner operator.
type qoperand struct {
	value int
	// scale and zero are the inputs of its parameters, None without.
	scale, zero int
	// axis is where a vector of parameters lies, counted from the end if
	// negative.
	axis int
	// bias marks an Int32 operand in the units of the accumulators.
	bias bool
	// fixed is an operand that is no input.
	fixed *tensor.Tensor
}

// quantizedAt is the operand at inputs i to i+2: value, scale, zero point.
func quantizedAt(i, axis int) qoperand {
	return qoperand{value: i, scale: i + 1, zero: i + 2, axis: axis}
}

// plainAt is an operand without parameters.
func plainAt(i int) qoperand { return qoperand{value: i, scale: None, zero: None} }

// biasAt is an operand in the units of the accumulators.
func biasAt(i int) qoperand { return qoperand{value: i, scale: None, zero: None, bias: true} }

// at returns in[i], the zero value for None.
func at[T any](in []T, i int) T {
	if i == None {
		var zero T
		return zero
	}
	return input(in, i)
}

// infer runs inner's inference on real numbers and gives its result the type
// of the output's zero point, or else of the first quantized operand.
func (f qform) infer(in []Fact, min, max int) ([]Fact, error) {
	if err := need(in, min, max); err != nil {
		return nil, err
	}
	typ := dtype.Invalid
	operands := make([]Fact, len(f.in))
	for i, o := range f.in {
		v := at(in, o.value)
		if o.fixed != nil {
			v = ConstFact(o.fixed)
		}
		operands[i] = v
		if o.bias {
			if v.Present() && v.Type != dtype.Invalid && v.Type != dtype.Int32 {
				return nil, fmt.Errorf("input %d of type %v, want int32", o.value, v.Type)
			}
			if v.Present() {
				operands[i] = TensorFact(dtype.Float32, v.Shape)
			}
		}
		if o.scale == None {
			continue
		}
		if v.Type != dtype.Invalid && (!v.Type.IsInteger() || v.Type.Bits() > 16) {
			return nil, fmt.Errorf("input %d of type %v, want quantized integers", o.value, v.Type)
		}
		if z := at(in, o.zero).Type; z != dtype.Invalid && v.Type != dtype.Invalid && z != v.Type {
			return nil, fmt.Errorf("input %d of type %v with a zero point of %v", o.value, v.Type, z)
		}
		if s := at(in, o.scale); !s.Present() || s.Type != dtype.Invalid && !s.Type.IsFloat() {
			return nil, fmt.Errorf("input %d: want a scale", o.scale)
		}
		if typ == dtype.Invalid {
			typ = v.Type
		}
		operands[i] = TensorFact(dtype.Float32, v.Shape)
	}
	if s := at(in, f.scale); !s.Present() {
		typ = dtype.Float32
	} else if z := at(in, f.zero); z.Present() {
		typ = z.Type
	}
	out, err := f.inner.Infer(operands, 1)
	if err != nil {
		return nil, err
	}
	out[0].Type = typ
	return out[:1], nil
}

// eval runs the Quantized that the inputs describe. out is the inferred type.
func (f qform) eval(in []Datum, typ dtype.Type) ([]Datum, error) {
	q := &Quantized{Inner: f.inner, In: make([]affine.Params, len(f.in)), Out: make([]affine.Params, 1)}
	operands := make([]Datum, len(f.in))
	for i, o := range f.in {
		operands[i] = at(in, o.value)
		if o.fixed != nil {
			operands[i].Tensor = o.fixed
		}
		v := operands[i].Tensor
		if v == nil || o.scale == None {
			continue
		}
		p, err := paramsOf(v.Type(), v.Rank(), vector(arg(in, o.scale)), vector(argAt(in, o.zero)), o.axis, 0)
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", o.value, err)
		}
		q.In[i] = p
	}
	if s := argAt(in, f.scale); s != nil {
		p, err := paramsOf(typ, 0, s, argAt(in, f.zero), 0, 0)
		if err != nil {
			return nil, fmt.Errorf("result: %w", err)
		}
		if !p.IsPerTensor() {
			return nil, fmt.Errorf("result: %d scales, want 1", len(p.Scale))
		}
		q.Out[0] = p
	}
	for i, o := range f.in {
		if o.bias && operands[i].Tensor != nil {
			if !q.In[0].IsPerTensor() {
				return nil, fmt.Errorf("input %d: a bias needs one scale in operand 0, got %d", o.value, len(q.In[0].Scale))
			}
			q.In[i] = f.biasParams(q)
		}
	}
	return q.Eval(operands)
}

// biasParams returns the parameters of an operand in the units of the
// accumulators.
func (f qform) biasParams(q *Quantized) affine.Params {
	p := affine.Params{Type: dtype.Int32, Axis: 0, Scale: affine.Units(q.In[0].Scale[0], q.In[1].Scale)}
	if g, ok := f.inner.(*Gemm); ok {
		p.Scale = affine.Units(g.Alpha*q.In[0].Scale[0], q.In[1].Scale)
	}
	return p
}

func argAt(in []Datum, i int) *tensor.Tensor { return at(in, i).Tensor }

// vector drops the axes of 1 of a list of parameters, [..., M, 1] or [..., 1, N]
// as QLinearMatMul has them.
func vector(t *tensor.Tensor) *tensor.Tensor {
	if t == nil || t.Rank() <= 1 {
		return t
	}
	v, err := t.Reshape(t.Len())
	if err != nil {
		return t
	}
	return v
}

// evalForm checks what Infer checks and evaluates.
func evalForm(o Op, in []Datum, f qform) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	return f.eval(in, out[0].Type)
}

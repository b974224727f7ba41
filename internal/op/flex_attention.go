package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FlexAttention is attention over Q [batch, heads, queries, size], K and V
// [batch, KV heads, keys, size] with bodies that change the scores before
// Softmax and the probabilities after it; each takes a tensor and gives one of
// the same type and shape. What lies between the two products is computed in
// SoftmaxPrecision, or as Float64 for Float64 and as Float32 otherwise. (ONNX
// operators: ai.onnx.preview.FlexAttention, an experiment.)
type FlexAttention struct {
	Scale            Opt[float32] `attr:"scale"`             // unset: 1/√size
	SoftmaxPrecision dtype.Type   `attr:"softmax_precision"` // Invalid: by the type of Q
}

// Name returns "FlexAttention".
func (*FlexAttention) Name() string { return "FlexAttention" }

// BodyNames returns the two changes.
func (*FlexAttention) BodyNames() []string { return []string{"score_mod", "prob_mod"} }

// BodiesAreOptional marks them as such.
func (*FlexAttention) BodiesAreOptional() {}

// Infer knows nothing without the bodies.
func (*FlexAttention) Infer(_ []Fact, outs int) ([]Fact, error) { return make([]Fact, outs), nil }

// attention returns the operator without bodies.
func (o *FlexAttention) attention() *Attention {
	a := New[Attention]()
	a.Scale = o.Scale
	return a
}

// precision returns the type between the products.
func (o *FlexAttention) precision(typ dtype.Type) dtype.Type {
	switch {
	case o.SoftmaxPrecision != dtype.Invalid:
		return o.SoftmaxPrecision
	case typ == dtype.Float64 || typ == dtype.Invalid:
		return typ
	}
	return dtype.Float32
}

// check looks at the numbers of inputs and bodies.
func (o *FlexAttention) check(in int, b Bodies) error {
	if err := b.check(o, in); err != nil {
		return err
	}
	if n := in - b.Captured; n != 3 {
		return ArityError(fmt.Sprintf("got %d inputs, want 3", n))
	}
	for i, body := range b.List {
		if own := len(body.In) - b.Captured; own != 1 || len(body.Out) != 1 {
			return fmt.Errorf("%s has %d inputs and %d outputs, want 1", o.BodyNames()[i], own, len(body.Out))
		}
	}
	if o.SoftmaxPrecision != dtype.Invalid && !plainFloat(o.SoftmaxPrecision) {
		return fmt.Errorf("softmax_precision %v, want a floating-point type", o.SoftmaxPrecision)
	}
	return nil
}

// InferBodies returns the output's shape.
func (o *FlexAttention) InferBodies(in []Fact, _ int, b Bodies) ([]Fact, error) {
	if err := o.check(len(in), b); err != nil {
		return nil, err
	}
	qkv, captured := in[:3], in[3:]
	for i, f := range qkv {
		if f.Shape != nil && len(f.Shape) != 4 {
			return nil, fmt.Errorf("input %d of shape %v, want 4 axes", i, f.Shape)
		}
	}
	out, err := o.attention().Infer(qkv, 4)
	if err != nil {
		return nil, err
	}
	y, scores := out[0], out[3]
	if y.Shape == nil {
		y.Shape = Shape{scores.Shape[0], scores.Shape[1], scores.Shape[2], Unknown}
	}
	scores.Type = o.precision(y.Type)
	for i, body := range b.List {
		got, err := body.Infer(append([]Fact{scores}, captured...))
		if err == nil {
			err = sameKind(got[0], scores)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.BodyNames()[i], err)
		}
	}
	return []Fact{y}, nil
}

// sameKind checks what a body gives for what it takes.
func sameKind(got, want Fact) error {
	if got.Type != dtype.Invalid && want.Type != dtype.Invalid && got.Type != want.Type {
		return fmt.Errorf("it gives %v for %v", got.Type, want.Type)
	}
	if _, err := Merge(got.Shape, want.Shape); err != nil {
		return fmt.Errorf("it changes the shape: %w", err)
	}
	return nil
}

// EvalBodies computes what the operators do that it is made of.
func (o *FlexAttention) EvalBodies(in []Datum, b Bodies) ([]Datum, error) {
	if err := o.check(len(in), b); err != nil {
		return nil, err
	}
	facts := factsOf(in[:3])
	if _, err := o.attention().Infer(facts, 4); err != nil {
		return nil, err
	}
	s, err := o.attention().sizes(facts)
	if err != nil {
		return nil, err
	}
	if s.rank != 4 {
		return nil, fmt.Errorf("inputs of %d axes, want 4", s.rank)
	}
	factor, err := o.attention().factor(s)
	if err != nil {
		return nil, err
	}
	typ := facts[atQ].Type
	precise := o.precision(typ)
	mod := func(i int, x *tensor.Tensor) (*tensor.Tensor, error) {
		got, err := b.List[i].Run(append([]Datum{{Tensor: x}}, in[3:]...))
		switch {
		case err != nil:
		case got[0].Tensor == nil:
			err = fmt.Errorf("it gives no tensor")
		default:
			err = sameKind(ConstFact(got[0].Tensor), ConstFact(x))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.BodyNames()[i], err)
		}
		return got[0].Tensor, nil
	}
	scores, err := made(func(c *builder) int {
		repeat, err := s.repeats(c)
		if err != nil {
			c.fail(err)
			return 0
		}
		by := c.number(typ, float64(factor))
		q, k := c.call(New[Mul](), 0, by), c.call(New[Mul](), repeat(1), by)
		return c.cast(c.call(New[MatMul](), q, c.transpose(k, 0, 1, 3, 2)), precise)
	}, in[atQ].Tensor, in[atK].Tensor)
	if err != nil {
		return nil, err
	}
	if scores, err = mod(0, scores); err != nil {
		return nil, err
	}
	p, err := made(func(c *builder) int { return c.call(New[Softmax](), 0) }, scores)
	if err != nil {
		return nil, err
	}
	if p, err = mod(1, p); err != nil {
		return nil, err
	}
	y, err := made(func(c *builder) int {
		repeat, err := s.repeats(c)
		if err != nil {
			c.fail(err)
			return 0
		}
		return c.cast(c.call(New[MatMul](), 0, c.cast(repeat(1), precise)), typ)
	}, p, in[atV].Tensor)
	return Of(y), err
}

// made runs the function of one output that build makes for the operands.
func made(build func(*builder) int, in ...*tensor.Tensor) (*tensor.Tensor, error) {
	b := newBuilder(factsOf(Of(in...)))
	f, err := b.done(build(b))
	if err != nil {
		return nil, err
	}
	out, err := f.run(in)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

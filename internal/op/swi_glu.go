package op

import "fmt"

// SwiGLU is Swish of the first input, of Alpha, times the second, which has
// the same shape. (Shazeer 2020, GLU Variants Improve Transformer.)
type SwiGLU struct {
	Alpha float32 `attr:"alpha,default=1"`
}

// Name returns "SwiGLU".
func (*SwiGLU) Name() string { return "SwiGLU" }

// Infer returns the shape that both inputs have.
func (*SwiGLU) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in...)
	if err != nil {
		return nil, err
	}
	shape, err := Merge(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, fmt.Errorf("the inputs: %w", err)
	}
	return []Fact{TensorFact(typ, shape)}, nil
}

// Eval computes every element.
func (o *SwiGLU) Eval(in []Datum) ([]Datum, error) { return evalFunction(o, in, 1) }

// Expand returns Swish and Mul.
func (o *SwiGLU) Expand(in []Fact) (*Function, error) {
	b := newBuilder(in)
	gate := New[Swish]()
	gate.Alpha = o.Alpha
	return b.done(b.call(New[Mul](), b.call(gate, 0), 1))
}

// Quantization: both inputs are activations.
func (*SwiGLU) Quantization() Facts { return activations() }

package op

import "fmt"

// Identity passes its input on, a sequence or an optional as well.
type Identity struct{}

// Name returns "Identity".
func (o *Identity) Name() string { return "Identity" }

// Infer returns what is known of the input.
func (o *Identity) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	out := in[0]
	out.Values, _ = values(in[0])
	out.Const = nil
	return []Fact{out}, nil
}

// Eval returns the input itself.
func (o *Identity) Eval(in []Datum) ([]Datum, error) {
	if len(in) != 1 || !in[0].Present() {
		return nil, fmt.Errorf("want one input")
	}
	return []Datum{in[0]}, nil
}

// Quantization says that the input is moved.
func (o *Identity) Quantization() Facts { return moving() }

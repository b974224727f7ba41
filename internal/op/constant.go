package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// Constant is a source: exactly one of its attributes holds its value.
type Constant struct {
	Value   *tensor.Tensor `attr:"value"`
	Float   Opt[float32]   `attr:"value_float"`
	Floats  Opt[[]float32] `attr:"value_floats"`
	Int     Opt[int64]     `attr:"value_int"`
	Ints    Opt[[]int64]   `attr:"value_ints"`
	Text    Opt[string]    `attr:"value_string"`
	Strings Opt[[]string]  `attr:"value_strings"`
}

// Name returns "Constant".
func (o *Constant) Name() string { return "Constant" }

// Tensor returns the value: a scalar for a single number or text, a vector for
// a list.
func (o *Constant) Tensor() (*tensor.Tensor, error) {
	var all []*tensor.Tensor
	add := func(set bool, make func() *tensor.Tensor) {
		if set {
			all = append(all, make())
		}
	}
	text := func(s []string, shape ...int) *tensor.Tensor {
		t, err := tensor.FromStrings(s, shape...)
		if err != nil {
			panic(err) // the shape is made from s
		}
		return t
	}
	add(o.Value != nil, func() *tensor.Tensor { return o.Value })
	add(o.Float.Set, func() *tensor.Tensor { return tensor.Scalar(o.Float.Value) })
	add(o.Floats.Set, func() *tensor.Tensor { return tensor.FromSlice(o.Floats.Value, len(o.Floats.Value)) })
	add(o.Int.Set, func() *tensor.Tensor { return tensor.Scalar(o.Int.Value) })
	add(o.Ints.Set, func() *tensor.Tensor { return tensor.FromSlice(o.Ints.Value, len(o.Ints.Value)) })
	add(o.Text.Set, func() *tensor.Tensor { return text([]string{o.Text.Value}) })
	add(o.Strings.Set, func() *tensor.Tensor { return text(o.Strings.Value, len(o.Strings.Value)) })
	if len(all) != 1 {
		return nil, fmt.Errorf("got %d values, want one", len(all))
	}
	return all[0], nil
}

// Infer returns the fact of the value.
func (o *Constant) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 0, 0); err != nil {
		return nil, err
	}
	t, err := o.Tensor()
	if err != nil {
		return nil, err
	}
	f := ConstFact(t)
	f.Values, _ = values(f)
	return []Fact{f}, nil
}

// Eval returns the value.
func (o *Constant) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	t, err := o.Tensor()
	return Of(t), err
}

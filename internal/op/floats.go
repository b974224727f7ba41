package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// evalWide evaluates o on inputs whose half-precision tensors are widened to
// float32, Float64 too unless double is set, and rounds the outputs once to
// the inferred types. It checks all that Infer checks first.
func evalWide(o Op, in []Datum, outs int, double bool, f func(in []Datum, out []Fact) ([]Datum, error)) ([]Datum, error) {
	facts, err := prepare(o, in, outs)
	if err != nil {
		return nil, err
	}
	wide := append([]Datum(nil), in...)
	for i, d := range in {
		if d.Tensor == nil {
			continue
		}
		t := d.Tensor.Type()
		if t == dtype.Float16 || t == dtype.BFloat16 || t == dtype.Float64 && !double {
			if wide[i].Tensor, err = Convert(d.Tensor, dtype.Float32); err != nil {
				return nil, err
			}
		}
	}
	res, err := f(wide, facts)
	if err != nil {
		return nil, err
	}
	for i, d := range res {
		if i < len(facts) && d.Tensor != nil && facts[i].Type != d.Tensor.Type() {
			if res[i].Tensor, err = Convert(d.Tensor, facts[i].Type); err != nil {
				return nil, err
			}
		}
	}
	return res, nil
}

// room allocates an output of a type that has arithmetic for the inferred
// shape of f.
func room(f Fact, typ dtype.Type) (*tensor.Tensor, error) {
	f.Type = typ
	c, err := newCanvas(f)
	if err != nil {
		return nil, err
	}
	return c.done(), nil
}

// wantFloats checks that the inputs with a known type are floating-point
// tensors of one type, which it returns.
func wantFloats(in ...Fact) (dtype.Type, error) {
	typ, err := sameType(in...)
	if err == nil && typ != dtype.Invalid && !plainFloat(typ) {
		err = fmt.Errorf("element type %v, want a floating-point type", typ)
	}
	return typ, err
}

func plainFloat(t dtype.Type) bool {
	return t == dtype.Float32 || t == dtype.Float64 || t == dtype.Float16 || t == dtype.BFloat16
}

// wantLength checks that a vector input has n elements, where both are known.
func wantLength(f Fact, what string, n Dim) error {
	if !f.Present() || f.Shape == nil {
		return nil
	}
	if len(f.Shape) != 1 {
		return fmt.Errorf("%s of shape %v, want a vector", what, f.Shape)
	}
	have, ok := f.Shape[0].Int()
	want, known := n.Int()
	if ok && known && have != want {
		return fmt.Errorf("%s has %d elements, want %d", what, have, want)
	}
	return nil
}

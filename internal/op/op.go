// Package op is the language of graphs: one Go struct for each operator, with
// its attributes as fields, and what the operator means.
//
// The vocabulary is ONNX's at its newest opset; doors translate to and from
// it. Each file answers the questions about one operator: Infer (types,
// shapes, values of small shape tensors), Eval (the reference meaning, through
// the kernels' Go twins, so that it equals the runtime) and Quantization (the
// mathematical facts that algorithms ask for instead of names). The package
// sees no graph, no wire format, no runtime's conventions. Start at [Op],
// [Fact] and the catalogue in table.go.
package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Op is an operator with its attributes. Implementations are pointers to
// structs made by [New] or the catalogue.
type Op interface {
	// Name returns the operator's ONNX name, such as "Conv".
	Name() string
	// Infer returns what is known of the outputs from what is known of the
	// inputs. An absent optional input is the zero Fact. outs is the number
	// of output slots of the node; the result may be longer. An error means
	// that the node can never run.
	Infer(in []Fact, outs int) ([]Fact, error)
}

// Evaluator is an operator whose meaning is known here. Eval must not write to
// its inputs; outputs may alias them. All outputs the operator can produce are
// returned, in order.
type Evaluator interface {
	Op
	Eval(in []Datum) ([]Datum, error)
}

// Kind tells tensors from the containers that hold them.
type Kind uint8

// The kinds of values.
const (
	TensorKind Kind = iota
	SequenceKind
	OptionalKind
)

// Fact is what is known of a value before it is computed. The zero Fact stands
// for an absent value.
type Fact struct {
	Kind  Kind
	Type  dtype.Type // element type; Invalid where unknown
	Shape Shape      // nil where not even the rank is known
	Elem  *Fact      // what a sequence or optional holds

	// Const is the value itself where it is a constant.
	Const *tensor.Tensor
	// Values holds the elements of an integer tensor of rank 0 or 1, as far
	// as they follow from the inputs' shapes. Nil where nothing is known.
	Values []Dim
}

// TensorFact returns the fact of a tensor of the given type and shape.
func TensorFact(t dtype.Type, s Shape) Fact { return Fact{Type: t, Shape: s} }

// ConstFact returns the fact of a constant.
func ConstFact(t *tensor.Tensor) Fact {
	return Fact{Type: t.Type(), Shape: Known(t.Shape()...), Const: t}
}

// Present reports whether the value exists.
func (f Fact) Present() bool {
	return f.Kind != TensorKind || f.Type != dtype.Invalid || f.Elem != nil || f.Shape != nil
}

// Ints returns the known integer elements, from Const or Values, and false
// where neither is known or Const is no integer tensor.
func (f Fact) Ints() ([]Dim, bool) {
	if f.Const != nil {
		v, ok := tensor.Ints(f.Const)
		if !ok {
			return nil, false
		}
		out := make([]Dim, len(v))
		for i, n := range v {
			out[i] = Size(int(n))
		}
		return out, true
	}
	return f.Values, f.Values != nil
}

// Numbers returns the known elements when all of them are plain numbers.
func (f Fact) Numbers() ([]int, bool) {
	dims, ok := f.Ints()
	if !ok {
		return nil, false
	}
	out := make([]int, len(dims))
	for i, d := range dims {
		if out[i], ok = d.Int(); !ok {
			return nil, false
		}
	}
	return out, true
}

// Datum is a computed value: a tensor, a sequence of data, or an optional.
// The zero Datum stands for an absent value.
type Datum struct {
	Tensor *tensor.Tensor
	Seq    []Datum
	Kind   Kind
}

// Of wraps tensors as data.
func Of(ts ...*tensor.Tensor) []Datum {
	out := make([]Datum, len(ts))
	for i, t := range ts {
		out[i] = Datum{Tensor: t}
	}
	return out
}

// Present reports whether the value exists.
func (d Datum) Present() bool { return d.Tensor != nil || d.Kind != TensorKind }

// input returns in[i], or the zero value where it was left out.
func input[T any](in []T, i int) T {
	if i < len(in) {
		return in[i]
	}
	var zero T
	return zero
}

// arg returns the tensor in[i], nil where it was left out.
func arg(in []Datum, i int) *tensor.Tensor { return input(in, i).Tensor }

// need checks that there are at least min and at most max inputs (max < 0:
// any number) and that the first min are present.
func need(in []Fact, min, max int) error {
	if len(in) < min || max >= 0 && len(in) > max {
		return ArityError(fmt.Sprintf("got %d inputs, want %s", len(in), span(min, max)))
	}
	for i := range min {
		if !in[i].Present() {
			return ArityError(fmt.Sprintf("input %d is missing", i))
		}
	}
	return nil
}

// ArityError says that an operator has too many inputs, too few, or lacks one
// that it needs: what is wrong whatever their types are.
type ArityError string

// Error returns the message.
func (e ArityError) Error() string { return string(e) }

func span(min, max int) string {
	switch {
	case max < 0:
		return fmt.Sprintf("at least %d", min)
	case min == max:
		return fmt.Sprint(min)
	}
	return fmt.Sprintf("%d to %d", min, max)
}

// Axis resolves an axis in [-rank, rank).
func Axis(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d is outside a tensor of rank %d", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ml is the domain of ONNX's operators of classical machine learning.
const ml = "ai.onnx.ml"

// LabelEncoder replaces elements by the value that stands beside them in two
// lists, keys and values, and by a default where they are no key. The last of
// equal keys counts, and a NaN is equal to every other.
type LabelEncoder struct {
	DefaultFloat  float32        `attr:"default_float,default=-0"`
	DefaultInt64  int64          `attr:"default_int64,default=-1"`
	DefaultString string         `attr:"default_string,default=_Unused"`
	DefaultTensor *tensor.Tensor `attr:"default_tensor"`
	KeysFloats    []float32      `attr:"keys_floats"`
	KeysInt64s    []int64        `attr:"keys_int64s"`
	KeysStrings   []string       `attr:"keys_strings"`
	KeysTensor    *tensor.Tensor `attr:"keys_tensor"`
	ValuesFloats  []float32      `attr:"values_floats"`
	ValuesInt64s  []int64        `attr:"values_int64s"`
	ValuesStrings []string       `attr:"values_strings"`
	ValuesTensor  *tensor.Tensor `attr:"values_tensor"`
}

// Name returns "LabelEncoder".
func (*LabelEncoder) Name() string { return "LabelEncoder" }

// oneList returns the only one of the lists that is set.
func oneList(floats []float32, ints []int64, texts []string, whole *tensor.Tensor) (*tensor.Tensor, error) {
	var set []*tensor.Tensor
	if len(floats) > 0 {
		set = append(set, tensor.FromSlice(floats, len(floats)))
	}
	if len(ints) > 0 {
		set = append(set, tensor.FromSlice(ints, len(ints)))
	}
	if len(texts) > 0 {
		t, err := tensor.FromStrings(texts, len(texts))
		if err != nil {
			return nil, err
		}
		set = append(set, t)
	}
	if whole != nil {
		set = append(set, whole)
	}
	if len(set) != 1 {
		return nil, fmt.Errorf("%d lists of keys or values, want one of each", len(set))
	}
	return set[0], nil
}

// lists returns keys and values followed by the default.
func (o *LabelEncoder) lists() (keys, vals, fallback *tensor.Tensor, err error) {
	if keys, err = oneList(o.KeysFloats, o.KeysInt64s, o.KeysStrings, o.KeysTensor); err != nil {
		return nil, nil, nil, err
	}
	if vals, err = oneList(o.ValuesFloats, o.ValuesInt64s, o.ValuesStrings, o.ValuesTensor); err != nil {
		return nil, nil, nil, err
	}
	if keys.Len() != vals.Len() {
		return nil, nil, nil, fmt.Errorf("%d keys and %d values", keys.Len(), vals.Len())
	}
	switch typ := vals.Type(); {
	case o.DefaultTensor != nil:
		fallback = o.DefaultTensor
	case typ == dtype.String:
		fallback, err = tensor.FromStrings([]string{o.DefaultString})
	case typ == dtype.Float32:
		fallback = tensor.Scalar(o.DefaultFloat)
	case typ.IsInteger():
		fallback = tensor.FromInts(typ, []int64{o.DefaultInt64})
	case typ.IsFloat():
		fallback, err = Convert(tensor.Scalar(o.DefaultFloat), typ)
	default:
		err = fmt.Errorf("values of type %v", typ)
	}
	if err == nil && (fallback.Type() != vals.Type() || fallback.Len() != 1) {
		err = fmt.Errorf("a default %v for values of type %v", fallback, vals.Type())
	}
	return keys, vals, fallback, err
}

// Infer returns the values' type and the operand's shape.
func (o *LabelEncoder) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferUnary(in)
	if err != nil {
		return nil, err
	}
	keys, vals, _, err := o.lists()
	if err != nil {
		return nil, err
	}
	if in[0].Type != dtype.Invalid && in[0].Type != keys.Type() {
		return nil, fmt.Errorf("an operand of type %v for keys of type %v", in[0].Type, keys.Type())
	}
	out[0].Type = vals.Type()
	return out, nil
}

// Eval looks every element up.
func (o *LabelEncoder) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	keys, vals, fallback, err := o.lists()
	if err != nil {
		return nil, err
	}
	at, err := places(keys, arg(in, 0))
	if err != nil {
		return nil, err
	}
	var to, from []int
	for i, k := range at {
		if k >= 0 {
			to, from = append(to, i), append(from, k)
		}
	}
	c.fill(fallback)
	c.draw(vals, 0, 0, lane{n: len(to), toAt: to, fromAt: from})
	return Of(c.done()), nil
}

// places returns the last index among keys of each element of x, -1 where it
// is none.
func places(keys, x *tensor.Tensor) ([]int, error) {
	switch typ := keys.Type(); {
	case typ == dtype.String:
		return placesOf(keys.Strings(), x.Strings()), nil
	case typ.IsInteger():
		return placesOf(integers(keys), integers(x)), nil
	case typ.IsFloat():
		k, err := decodeFloats(keys)
		if err != nil {
			return nil, err
		}
		v, err := decodeFloats(x)
		if err != nil {
			return nil, err
		}
		return placesOf(floatKeys(k), floatKeys(v)), nil
	}
	return nil, fmt.Errorf("keys of type %v", keys.Type())
}

func placesOf[T comparable](keys, x []T) []int {
	at := map[T]int{}
	for i, k := range keys {
		at[k] = i
	}
	out := make([]int, len(x))
	for i, v := range x {
		k, ok := at[v]
		if !ok {
			k = -1
		}
		out[i] = k
	}
	return out
}

// floatKeys gives numbers a form in which equal ones are the same, and NaNs
// too.
func floatKeys(x []float64) []uint64 {
	out := make([]uint64, len(x))
	for i, v := range x {
		if v != v {
			v = math.NaN()
		}
		out[i] = math.Float64bits(v + 0) // −0 becomes 0
	}
	return out
}

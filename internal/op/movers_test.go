package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// hostile makes small tensors and attributes, most of them senseless.
type hostile struct{ *rand.Rand }

func (h hostile) number() int {
	edges := []int{0, 0, 1, 1, 1, 2, 2, 3, -1, -1, -2, 4, 5, -5, math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32}
	return edges[h.IntN(len(edges))]
}

func (h hostile) shape() []int {
	s := make([]int, h.IntN(5))
	for i := range s {
		s[i] = []int{0, 1, 1, 2, 2, 3, 4}[h.IntN(7)]
	}
	return s
}

func (h hostile) tensor() *tensor.Tensor {
	types := []dtype.Type{dtype.Float32, dtype.Float32, dtype.Int64, dtype.Int64, dtype.Int64, dtype.Int32, dtype.Bool,
		dtype.String, dtype.Int4, dtype.Float16, dtype.Float64, dtype.Uint8, dtype.Complex128, dtype.Uint64}
	typ := types[h.IntN(len(types))]
	shape := h.shape()
	if h.IntN(2) == 0 {
		typ, shape = dtype.Int64, []int{h.IntN(5)}
	}
	t := tensor.New(typ, shape...)
	switch {
	case typ.IsInteger():
		v := make([]int64, t.Len())
		for i := range v {
			v[i] = int64(h.number())
		}
		return tensor.FromInts(typ, v, shape...)
	case typ == dtype.Float32:
		for i := range tensor.Data[float32](t) {
			edges := []float32{0, 1, -1, 0.5, 2, 1e30, float32(math.Inf(-1)), float32(math.NaN())}
			tensor.Data[float32](t)[i] = edges[h.IntN(len(edges))]
		}
	}
	return t
}

// op returns a copy of an operator of which some attributes are wild.
func (h hostile) op(model op.Op) op.Op {
	v := reflect.New(reflect.TypeOf(model).Elem()).Elem()
	v.Set(reflect.ValueOf(model).Elem())
	for i := range v.NumField() {
		f := v.Field(i)
		if h.IntN(5) > 0 {
			continue
		}
		if f.Kind() == reflect.Struct { // an Opt
			f.Field(1).SetBool(true)
			f = f.Field(0)
		}
		switch f.Interface().(type) {
		case int:
			f.SetInt(int64(h.number()))
		case bool:
			f.SetBool(!f.Bool())
		case string:
			modes := []string{"linear", "cubic", "nearest", "reflect", "wrap", "edge", "CRD", "border", "reflection", "circular",
				"tf_crop_and_resize", "align_corners", "add", "max", "not_larger", "nonsense"}
			f.SetString(modes[h.IntN(len(modes))])
		case []int:
			list := make([]int, h.IntN(4))
			for i := range list {
				list[i] = h.number()
			}
			f.Set(reflect.ValueOf(list))
		case float32:
			f.SetFloat(h.Float64())
		case *tensor.Tensor:
			f.Set(reflect.ValueOf(h.tensor()))
		case dtype.Type:
			f.SetUint(uint64(h.IntN(30)))
		case op.Layout:
			f.SetUint(1)
		}
	}
	return v.Addr().Interface().(op.Op)
}

// TestHostileInputs changes the cases of every operator that moves or selects
// data at random: none may panic, and what Infer says of inputs of which it
// knows all or little must hold for what Eval returns.
func TestHostileInputs(t *testing.T) {
	const tries = 1500
	for _, c := range optest.ShapeCases() {
		t.Run(c.Name, func(t *testing.T) {
			h := hostile{rand.New(rand.NewPCG(1, 2))}
			for range tries {
				var in []op.Datum
				for _, x := range c.In {
					switch h.IntN(12) {
					case 0:
						x = nil
					case 1, 2:
						x = h.tensor()
					}
					in = append(in, op.Datum{Tensor: x})
				}
				for h.IntN(8) == 0 {
					in = append(in, op.Datum{Tensor: h.tensor()})
				}
				evalHolds(t, h.op(c.Op), in[:len(in)-h.IntN(40)/39*min(len(in), 1)], h)
			}
		})
	}
}

func evalHolds(t *testing.T, o op.Op, in []op.Datum, h hostile) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%s%+v%v: panic: %v", o.Name(), o, shapes(in), r)
		}
	}()
	full, bare, vague := make([]op.Fact, len(in)), make([]op.Fact, len(in)), make([]op.Fact, len(in))
	for i, d := range in {
		if d.Tensor == nil {
			continue
		}
		full[i] = op.ConstFact(d.Tensor)
		bare[i] = op.TensorFact(d.Tensor.Type(), op.Known(d.Tensor.Shape()...))
		vague[i] = op.TensorFact(d.Tensor.Type(), nil)
		if h.IntN(2) == 0 {
			vague[i].Shape = op.OfRank(d.Tensor.Rank())
		}
	}
	outs := 1 + h.IntN(3)
	facts, err := o.Infer(full, outs)
	less, bareErr := o.Infer(bare, outs)
	vaguer, vagueErr := o.Infer(vague, outs)
	if err != nil {
		if _, err := o.(op.Evaluator).Eval(in); err == nil && o.Name() != "Split" {
			t.Fatalf("%s%+v%v: Eval works where Infer refuses", o.Name(), o, shapes(in))
		}
		return
	}
	for _, f := range facts {
		// Nobody folds constants of this size.
		if n, ok := f.Shape.Count().Int(); ok && (n < 0 || n > 1<<20) {
			return
		}
	}
	out, err := o.(op.Evaluator).Eval(in)
	if err != nil {
		return
	}
	if bareErr != nil || vagueErr != nil {
		t.Fatalf("%s%+v%v: Eval works where Infer refuses: %v, %v", o.Name(), o, shapes(in), bareErr, vagueErr)
	}
	for _, fs := range [][]op.Fact{facts, less, vaguer} {
		for i, f := range fs {
			if i < len(out) {
				if err := holds(f, out[i].Tensor); err != nil {
					t.Fatalf("%s%+v%v: output %d: %v", o.Name(), o, shapes(in), i, err)
				}
			}
		}
	}
}

func holds(f op.Fact, got *tensor.Tensor) error {
	if f.Type != got.Type() {
		return fmt.Errorf("inferred %v, got %v", f.Type, got)
	}
	if _, err := op.Merge(f.Shape, op.Known(got.Shape()...)); err != nil {
		return err
	}
	dims, known := f.Ints()
	vals, ok := tensor.Ints(got)
	if !known || !ok {
		return nil
	}
	if len(dims) != len(vals) {
		return fmt.Errorf("inferred %d values, got %d", len(dims), len(vals))
	}
	for i, d := range dims {
		if n, ok := d.Int(); ok && int64(n) != vals[i] {
			return fmt.Errorf("inferred value %d, got %d", n, vals[i])
		}
	}
	return nil
}

func shapes(in []op.Datum) string {
	s := ""
	for _, d := range in {
		if d.Tensor == nil {
			s += " -"
			continue
		}
		s += " " + d.Tensor.String()
		if v, ok := tensor.Ints(d.Tensor); ok && len(v) < 10 {
			s += fmt.Sprint(v)
		}
	}
	return s
}

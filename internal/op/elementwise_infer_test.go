package op_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func typed(t dtype.Type, dims ...string) op.Fact { return op.TensorFact(t, dimsOf(dims...)) }

// truths is a list of conditions of which some are known.
func truths(text ...string) op.Fact {
	f := vals(text...)
	f.Type = dtype.Bool
	return f
}

// TestElementwiseValues: shape arithmetic is followed through operators.
func TestElementwiseValues(t *testing.T) {
	half := op.TensorFact(dtype.Int64, op.Known())
	half.Values = dimsOf("n")
	small := vals("n")
	small.Type = dtype.Int32
	for _, c := range []struct {
		name string
		op   op.Op
		in   []op.Fact
		want string // "" where nothing is followed
	}{
		{"sum", &op.Add{}, []op.Fact{vals("n", "3"), vals("1", "m")}, "n+1,m+3"},
		{"of a scalar", &op.Mul{}, []op.Fact{vals("n", "3"), half}, "n*n,3*n"},
		{"difference", &op.Sub{}, []op.Fact{vals("n", "5"), ints(2)}, "n+-2,3"},
		{"quotient", &op.Div{}, []op.Fact{vals("4*n", "n", "7"), ints(2, 2, -2)}, "2*n,floor((n)/(2)),-3"},
		{"by zero", &op.Div{}, []op.Fact{vals("n"), ints(0)}, "?"},
		{"unknown element", &op.Add{}, []op.Fact{vals("?", "n"), ints(1, 1)}, "?,n+1"},
		{"lists of different length", &op.Add{}, []op.Fact{op.TensorFact(dtype.Int64, op.Shape{op.Unknown}), vals("n", "m")}, ""},
		{"negation", &op.Neg{}, []op.Fact{vals("n", "2")}, "-1*n,-2"},
		{"negation of what is not known", &op.Neg{}, []op.Fact{op.TensorFact(dtype.Int64, op.Shape{op.Unknown})}, ""},
		{"greatest", &op.Max{}, []op.Fact{vals("1", "n", "n"), vals("3", "n", "1"), ints(2, 2, 2)}, "3,?,?"},
		{"least of equals", &op.Min{}, []op.Fact{vals("n", "4"), vals("n", "2")}, "n,2"},
		{"equal", &op.Equal{}, []op.Fact{vals("n", "-1", "n", "n+-1", "n"), ints(-1, -1, 3, -1, -1)}, "0,1,?,?,0"},
		{"chosen", &op.Where{}, []op.Fact{truths("1", "0", "?", "?"), vals("a", "b", "c", "d"), vals("e", "f", "g", "d")}, "a,f,?,d"},
		{"chosen from a scalar", &op.Where{}, []op.Fact{truths("1", "0"), ints(1), vals("n", "m")}, "1,m"},
		{"product of all", op.New[op.ReduceProd](), []op.Fact{vals("2", "n", "m")}, "2*m*n"},
		{"sum of all", op.New[op.ReduceSum](), []op.Fact{vals("2", "n"), ints(0)}, "n+2"},
		{"cast to int32", with(func(o *op.Cast) { o.To = dtype.Int32 }), []op.Fact{vals("n", "5")}, "n,5"},
		{"cast that wraps", with(func(o *op.Cast) { o.To = dtype.Int32 }), []op.Fact{ints(1<<31, 5)}, "?,5"},
		{"sum that wraps", &op.Add{}, []op.Fact{small, op.ConstFact(tensor.FromSlice([]int32{5}, 1))}, "n+5"},
		{"cast to float", with(func(o *op.Cast) { o.To = dtype.Float32 }), []op.Fact{vals("n")}, ""},
		{"small integers wrap", &op.Add{}, []op.Fact{op.ConstFact(tensor.FromSlice([]uint8{250}, 1)), op.ConstFact(tensor.FromSlice([]uint8{10}, 1))}, ""},
		{"matrices", &op.Add{}, []op.Fact{op.TensorFact(dtype.Int64, op.Known(1, 1)), ints(1)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.op.Infer(c.in, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Trim(op.Shape(out[0].Values).String(), "[.]"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.want == "" && out[0].Values != nil {
				t.Error("no elements are known, and still there is a list of them")
			}
		})
	}
}

// TestValuesStayShort: products of sums that a hostile file repeats are given
// up, not multiplied out for ever.
func TestValuesStayShort(t *testing.T) {
	f := vals("a+b+c+1", "n")
	for range 40 {
		out, err := (&op.Mul{}).Infer([]op.Fact{f, f}, 1)
		if err != nil {
			t.Fatal(err)
		}
		f.Values = out[0].Values
	}
	if !f.Values[0].IsUnknown() || !f.Values[1].IsUnknown() {
		t.Errorf("powers of 2^40 have %d and %d characters", len(f.Values[0].String()), len(f.Values[1].String()))
	}
}

// TestElementwiseShapes: what is known of outputs where dimensions have names.
func TestElementwiseShapes(t *testing.T) {
	flat := with(func(o *op.ReduceMean) { o.Keepdims = false })
	axes := op.TensorFact(dtype.Int64, op.Known(1))
	for _, c := range []struct {
		name string
		op   op.Op
		in   []op.Fact
		want op.Fact
	}{
		{"broadcast", &op.Add{}, []op.Fact{floats("n", "1", "4"), floats("s", "4")}, floats("n", "s", "4")},
		{"unknown rank", &op.Mul{}, []op.Fact{floats("n"), {Type: dtype.Float32}}, op.Fact{Type: dtype.Float32}},
		{"comparison", &op.Less{}, []op.Fact{floats("n"), floats("n")}, typed(dtype.Bool, "n")},
		{"type from the other operand", &op.Add{}, []op.Fact{{Shape: dimsOf("n")}, floats()}, floats("n")},
		{"power keeps the base's type", &op.Pow{}, []op.Fact{typed(dtype.Int32, "n"), floats()}, typed(dtype.Int32, "n")},
		{"reduced to 1", op.New[op.ReduceMean](), []op.Fact{floats("n", "s", "4"), ints(-1)}, floats("n", "s", "1")},
		{"dropped", flat, []op.Fact{floats("n", "s", "4"), ints(0, 2)}, floats("s")},
		{"computed axes keep the rank", op.New[op.ReduceMean](), []op.Fact{floats("n", "s"), axes}, floats("?", "?")},
		{"computed axes", flat, []op.Fact{floats("n", "s"), axes}, op.Fact{Type: dtype.Float32}},
		{"indices", with(func(o *op.ArgMax) { o.Axis = -1 }), []op.Fact{floats("n", "s")}, typed(dtype.Int64, "n", "1")},
		{"unknown rank of indices", op.New[op.ArgMin](), []op.Fact{{Type: dtype.Float32}}, op.Fact{Type: dtype.Int64}},
		{"slope", &op.PRelu{}, []op.Fact{floats("n", "c", "s"), floats("c", "1")}, floats("n", "c", "s")},
		{"softmax of unknown rank", op.New[op.Softmax](), []op.Fact{{Type: dtype.Float32}}, op.Fact{Type: dtype.Float32}},
		{"cast like", op.New[op.CastLike](), []op.Fact{floats("n"), typed(dtype.Int8)}, typed(dtype.Int8, "n")},
		{"test", op.New[op.IsInf](), []op.Fact{floats("n")}, typed(dtype.Bool, "n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.op.Infer(c.in, 1)
			if err != nil {
				t.Fatal(err)
			}
			got := out[0]
			if got.Type != c.want.Type || !slices.Equal(got.Shape, c.want.Shape) || (got.Shape == nil) != (c.want.Shape == nil) {
				t.Errorf("got %v%v, want %v%v", got.Type, got.Shape, c.want.Type, c.want.Shape)
			}
		})
	}
}

// TestElementwiseRefuses: what can never run is an error of Infer, and of Eval
// where there are inputs to give it.
func TestElementwiseRefuses(t *testing.T) {
	word, flag, whole := typed(dtype.String, "2"), typed(dtype.Bool, "2"), typed(dtype.Int32, "2")
	x := floats("2")
	for _, c := range []struct {
		name string
		op   op.Op
		in   []op.Fact
		want string
	}{
		{"one operand", &op.Add{}, []op.Fact{x}, "want 2"},
		{"three operands", &op.Add{}, []op.Fact{x, x, x}, "want 2"},
		{"absent operand", &op.Max{}, []op.Fact{x, {}, x}, "input 1 is missing"},
		{"nothing", &op.Sum{}, nil, "at least 1"},
		{"two types", &op.Mul{}, []op.Fact{x, whole}, "differ"},
		{"Bool has no sum", &op.Add{}, []op.Fact{flag, flag}, "bool"},
		{"strings", &op.Div{}, []op.Fact{word, word}, "string"},
		{"shapes", &op.Sub{}, []op.Fact{x, floats("3")}, "do not broadcast"},
		{"integers have no mean", &op.Mean{}, []op.Fact{whole}, "int32"},
		{"and of numbers", &op.And{}, []op.Fact{whole, whole}, "int32"},
		{"not of numbers", &op.Not{}, []op.Fact{x}, "float32"},
		{"bits of floats", &op.BitwiseAnd{}, []op.Fact{x, x}, "float32"},
		{"bits of a float", &op.BitwiseNot{}, []op.Fact{x}, "float32"},
		{"order of Bool", &op.Greater{}, []op.Fact{flag, flag}, "bool"},
		{"signed shift", with(func(o *op.BitShift) { o.Direction = "LEFT" }), []op.Fact{whole, whole}, "int32"},
		{"no direction", op.New[op.BitShift](), []op.Fact{whole, whole}, "direction"},
		{"condition", &op.Where{}, []op.Fact{x, x, x}, "condition"},
		{"choices differ", &op.Where{}, []op.Fact{flag, x, whole}, "differ"},
		{"logarithm of integers", &op.Log{}, []op.Fact{whole}, "int32"},
		{"NaN of integers", &op.IsNaN{}, []op.Fact{whole}, "int32"},
		{"power of Bool", &op.Pow{}, []op.Fact{flag, x}, "bool"},
		{"slope too long", &op.PRelu{}, []op.Fact{x, floats("3")}, "do not broadcast"},
		{"slope that widens", &op.PRelu{}, []op.Fact{floats("1"), x}, "slope"},
		{"slope of more rank", &op.PRelu{}, []op.Fact{x, floats("1", "2")}, "slope"},
		{"bound of two", &op.Clip{}, []op.Fact{x, x}, "bound"},
		{"bound of another type", &op.Clip{}, []op.Fact{x, typed(dtype.Float64)}, "differ"},
		{"approximation", with(func(o *op.Gelu) { o.Approximate = "fast" }), []op.Fact{x}, "approximate"},
		{"axis of softmax", with(func(o *op.Softmax) { o.Axis = 1 }), []op.Fact{x}, "axis 1"},
		{"axis of indices", with(func(o *op.ArgMax) { o.Axis = -2 }), []op.Fact{x}, "axis -2"},
		{"axis of sums", op.New[op.CumSum](), []op.Fact{x, ints(1)}, "axis 1"},
		{"axes of sums", op.New[op.CumSum](), []op.Fact{x, ints(0, 0)}, "2 elements"},
		{"reduced axis", op.New[op.ReduceSum](), []op.Fact{x, ints(1)}, "axis 1"},
		{"reduced twice", op.New[op.ReduceSum](), []op.Fact{x, ints(0, -1)}, "twice"},
		{"axes that are no integers", op.New[op.ReduceSum](), []op.Fact{x, x}, "want integers"},
		{"sum of Bool", op.New[op.ReduceSum](), []op.Fact{flag}, "bool"},
		{"cast to nothing", op.New[op.Cast](), []op.Fact{x}, "to is missing"},
		{"round_mode", with(func(o *op.Cast) { o.To, o.RoundMode = dtype.Float8E8M0, "sideways" }), []op.Fact{x}, "round_mode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.op.Infer(c.in, 1)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			in := make([]op.Datum, len(c.in))
			for i, f := range c.in {
				shape, _ := f.Shape.Ints()
				switch {
				case f.Const != nil:
					in[i].Tensor = f.Const
				case f.Type == dtype.String:
					in[i].Tensor, _ = tensor.FromStrings([]string{"a", "b"}, 2)
				case f.Present():
					in[i].Tensor = tensor.New(f.Type, shape...)
				}
			}
			if out, err := c.op.(op.Evaluator).Eval(in); err == nil {
				t.Errorf("runs, and gives %v", out)
			}
		})
	}
}

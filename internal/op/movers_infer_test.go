package op_test

import (
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dimsOf reads dimensions such as "batch", "2*n" and "3".
func dimsOf(text ...string) op.Shape {
	s := op.Shape{}
	for _, t := range text {
		s = append(s, op.ParseDim(t))
	}
	return s
}

func floats(text ...string) op.Fact { return op.TensorFact(dtype.Float32, dimsOf(text...)) }

// ints is the constant of a list.
func ints(v ...int64) op.Fact { return op.ConstFact(tensor.FromSlice(v, len(v))) }

// vals is a list of which values are known without being constant.
func vals(text ...string) op.Fact {
	f := op.TensorFact(dtype.Int64, op.Known(len(text)))
	f.Values = dimsOf(text...)
	return f
}

func with[T any](set func(*T)) *T {
	o := op.New[T]()
	set(o)
	return o
}

// TestSymbolicShapes: what is known of outputs where dimensions have names.
func TestSymbolicShapes(t *testing.T) {
	scales := op.ConstFact(tensor.FromSlice([]float32{1, 1, 2, 0.5}, 4))
	for _, c := range []struct {
		name string
		op   op.Op
		in   []op.Fact
		want []op.Shape
	}{
		{"split heads", op.New[op.Reshape](), []op.Fact{floats("b", "s", "768"), ints(0, 0, 12, -1)}, []op.Shape{dimsOf("b", "s", "12", "64")}},
		{"merge heads", op.New[op.Reshape](), []op.Fact{floats("b", "s", "12", "64"), vals("b", "s", "-1")}, []op.Shape{dimsOf("b", "s", "768")}},
		{"flatten batch", op.New[op.Reshape](), []op.Fact{floats("b", "s", "64"), ints(-1, 64)}, []op.Shape{dimsOf("b*s", "64")}},
		{"sum of symbols cancels", op.New[op.Reshape](), []op.Fact{floats("b", "s+1", "64"), vals("-1", "s+1")}, []op.Shape{dimsOf("64*b", "s+1")}},
		{"unknown dimension copied", op.New[op.Reshape](), []op.Fact{floats("?", "4", "6"), ints(0, -1)}, []op.Shape{dimsOf("?", "24")}},
		{"rank alone", op.New[op.Reshape](), []op.Fact{floats("b"), op.TensorFact(dtype.Int64, op.Known(3))}, []op.Shape{dimsOf("?", "?", "?")}},
		{"flatten", op.New[op.Flatten](), []op.Fact{floats("b", "c", "7", "7")}, []op.Shape{dimsOf("b", "49*c")}},
		{"concat", with(func(o *op.Concat) { o.Axis = 1 }), []op.Fact{floats("b", "s"), floats("b", "p"), floats("?", "1")}, []op.Shape{dimsOf("b", "p+s+1")}},
		{"even split", with(func(o *op.Split) { o.Axis, o.NumOutputs = -1, 2 }), []op.Fact{floats("b", "2*n")}, []op.Shape{dimsOf("b", "n"), dimsOf("b", "n")}},
		{"slice to symbol", &op.Slice{}, []op.Fact{floats("1", "512"), ints(0), vals("s"), ints(1)}, []op.Shape{dimsOf("1", "s")}},
		{"slice but the last", &op.Slice{}, []op.Fact{floats("b", "s"), ints(0), ints(-1), ints(1)}, []op.Shape{dimsOf("b", "s+-1")}},
		{"slice last", &op.Slice{}, []op.Fact{floats("b", "s"), ints(-1), ints(1 << 62), ints(1)}, []op.Shape{dimsOf("b", "1")}},
		{"slice of a symbol by a number", &op.Slice{}, []op.Fact{floats("b", "s"), ints(0), ints(128), ints(1)}, []op.Shape{dimsOf("b", "?")}},
		{"reverse", &op.Slice{}, []op.Fact{floats("s"), ints(-1), ints(-1 << 62), ints(0), ints(-1)}, []op.Shape{dimsOf("s")}},
		{"gather", with(func(o *op.Gather) { o.Axis = 0 }), []op.Fact{floats("1000", "64"), op.TensorFact(dtype.Int64, dimsOf("b", "s"))}, []op.Shape{dimsOf("b", "s", "64")}},
		{"expand", &op.Expand{}, []op.Fact{floats("1", "1", "s"), vals("b", "s", "s")}, []op.Shape{dimsOf("b", "s", "s")}},
		{"tile", &op.Tile{}, []op.Fact{floats("b", "3"), ints(2, 5)}, []op.Shape{dimsOf("2*b", "15")}},
		{"pad", op.New[op.Pad](), []op.Fact{floats("b", "h"), ints(0, 1, 0, 2)}, []op.Shape{dimsOf("b", "h+3")}},
		{"range", &op.Range{}, []op.Fact{ints(0), vals("s"), ints(1)}, []op.Shape{dimsOf("s")}},
		{"constant of shape", op.New[op.ConstantOfShape](), []op.Fact{vals("b", "2")}, []op.Shape{dimsOf("b", "2")}},
		{"resize by scales", op.New[op.Resize](), []op.Fact{floats("b", "3", "h", "w"), {}, scales}, []op.Shape{dimsOf("b", "3", "2*h", "floor((w)/(2))")}},
		{"resize by sizes", op.New[op.Resize](), []op.Fact{floats("b", "h"), {}, {}, vals("b", "2*h")}, []op.Shape{dimsOf("b", "2*h")}},
		{"pixel shuffle", with(func(o *op.DepthToSpace) { o.BlockSize = 2 }), []op.Fact{floats("b", "12", "h", "w")}, []op.Shape{dimsOf("b", "3", "2*h", "2*w")}},
		{"top k", op.New[op.TopK](), []op.Fact{floats("b", "n"), vals("k")}, []op.Shape{dimsOf("b", "k"), dimsOf("b", "k")}},
		{"one hot", op.New[op.OneHot](), []op.Fact{op.TensorFact(dtype.Int64, dimsOf("b")), ints(10), floats("2")}, []op.Shape{dimsOf("b", "10")}},
		{"squeeze unknown ones", op.New[op.Squeeze](), []op.Fact{floats("b", "1")}, []op.Shape{nil}},
		{"unknown rank", op.New[op.Transpose](), []op.Fact{{Type: dtype.Float32}}, []op.Shape{nil}},
	} {
		out, err := c.op.Infer(c.in, len(c.want))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, want := range c.want {
			if got := out[i].Shape; !slices.Equal(got, want) || (got == nil) != (want == nil) {
				t.Errorf("%s: output %d: got %v, want %v", c.name, i, got, want)
			}
		}
	}
}

// TestShapeValues follows the values of shape tensors.
func TestShapeValues(t *testing.T) {
	x := floats("b", "s", "64")
	for _, c := range []struct {
		name string
		op   op.Op
		in   []op.Fact
		want op.Shape
	}{
		{"shape", op.New[op.ShapeOf](), []op.Fact{x}, dimsOf("b", "s", "64")},
		{"part of a shape", with(func(o *op.ShapeOf) { o.Start = 1 }), []op.Fact{x}, dimsOf("s", "64")},
		{"size", op.New[op.SizeOf](), []op.Fact{x}, dimsOf("64*b*s")},
		{"element", op.New[op.Gather](), []op.Fact{vals("b", "s"), op.ConstFact(tensor.Scalar[int64](-1))}, dimsOf("s")},
		{"slice", &op.Slice{}, []op.Fact{vals("b", "s", "64"), ints(2), ints(-9), ints(0), ints(-1)}, dimsOf("64", "s", "b")},
		{"concat", op.New[op.Concat](), []op.Fact{vals("b"), ints(-1), vals("s")}, dimsOf("b", "-1", "s")},
		{"concat with unknown", op.New[op.Concat](), []op.Fact{vals("b"), op.TensorFact(dtype.Int64, op.Known(1))}, dimsOf("b", "?")},
		{"unsqueeze", op.New[op.Unsqueeze](), []op.Fact{{Type: dtype.Int64, Shape: op.Known(), Values: dimsOf("s")}, ints(0)}, dimsOf("s")},
		{"squeeze", op.New[op.Squeeze](), []op.Fact{vals("s"), ints(0)}, dimsOf("s")},
		{"reshape", op.New[op.Reshape](), []op.Fact{vals("s"), ints(-1)}, dimsOf("s")},
		{"expand", &op.Expand{}, []op.Fact{vals("s"), ints(3)}, dimsOf("s", "s", "s")},
		{"identity", &op.Identity{}, []op.Fact{vals("s", "2")}, dimsOf("s", "2")},
		{"range", &op.Range{}, []op.Fact{ints(3), ints(0), ints(-1)}, dimsOf("3", "2", "1")},
		{"constant of shape", with(func(o *op.ConstantOfShape) { o.Value = tensor.FromSlice([]int64{-1}, 1) }), []op.Fact{ints(2)}, dimsOf("-1", "-1")},
		{"long tables are left alone", op.New[op.Identity](), []op.Fact{op.ConstFact(tensor.New(dtype.Int64, 5000))}, nil},
	} {
		out, err := c.op.Infer(c.in, 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := op.Shape(out[0].Values); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	parts, err := with(func(o *op.Split) { o.NumOutputs = 2 }).Infer([]op.Fact{vals("b", "s")}, 2)
	if err != nil || !slices.Equal(op.Shape(parts[1].Values), dimsOf("s")) {
		t.Errorf("split: %v, %v", parts, err)
	}
}

// TestMoversRefuse: what can never run is an error of Infer.
func TestMoversRefuse(t *testing.T) {
	strange := op.TensorFact(dtype.Bool, op.Known(2))
	for _, c := range []struct {
		name string
		op   op.Op
		in   []op.Fact
	}{
		{"no input", &op.Identity{}, nil},
		{"two values", &op.Constant{Int: op.Some[int64](1), Float: op.Some[float32](1)}, nil},
		{"no value", &op.Constant{}, nil},
		{"training of a vector", op.New[op.Dropout](), []op.Fact{floats("2"), {}, op.TensorFact(dtype.Bool, dimsOf("2"))}},
		{"two open dimensions", op.New[op.Reshape](), []op.Fact{floats("b"), ints(-1, -1)}},
		{"other count", op.New[op.Reshape](), []op.Fact{floats("6"), ints(4)}},
		{"indivisible", op.New[op.Reshape](), []op.Fact{floats("6"), ints(4, -1)}},
		{"negative dimension", op.New[op.Reshape](), []op.Fact{floats("6"), ints(-6)}},
		{"copy beyond the rank", op.New[op.Reshape](), []op.Fact{floats("6"), ints(6, 0)}},
		{"shape of bool", op.New[op.Reshape](), []op.Fact{floats("6"), strange}},
		{"perm twice", &op.Transpose{Perm: []int{0, 0}}, []op.Fact{floats("2", "3")}},
		{"perm of other rank", &op.Transpose{Perm: []int{0}}, []op.Fact{floats("2", "3")}},
		{"squeeze two", op.New[op.Squeeze](), []op.Fact{floats("2"), ints(0)}},
		{"axis twice", op.New[op.Unsqueeze](), []op.Fact{floats("2"), ints(0, -3)}},
		{"concat of types", op.New[op.Concat](), []op.Fact{floats("2"), strange}},
		{"concat of shapes", op.New[op.Concat](), []op.Fact{floats("2", "3"), floats("2", "4")}},
		{"concat of scalars", op.New[op.Concat](), []op.Fact{floats(), floats()}},
		{"split that does not add up", op.New[op.Split](), []op.Fact{floats("5"), ints(2, 2)}},
		{"too many pieces", with(func(o *op.Split) { o.NumOutputs = 4 }), []op.Fact{floats("5")}},
		{"step 0", &op.Slice{}, []op.Fact{floats("5"), ints(0), ints(1), ints(0), ints(0)}},
		{"more ends than starts", &op.Slice{}, []op.Fact{floats("5"), ints(0), ints(1, 2)}},
		{"float indices", op.New[op.Gather](), []op.Fact{floats("5"), floats("2")}},
		{"index outside", op.New[op.Gather](), []op.Fact{vals("a", "b"), ints(2)}},
		{"indices beyond the data", op.New[op.GatherElements](), []op.Fact{floats("2", "2"), op.TensorFact(dtype.Int64, op.Known(3, 3))}},
		{"too many coordinates", op.New[op.GatherND](), []op.Fact{floats("2"), op.TensorFact(dtype.Int64, op.Known(1, 2))}},
		{"updates of other type", op.New[op.ScatterND](), []op.Fact{floats("2"), op.TensorFact(dtype.Int64, op.Known(1, 1)), op.TensorFact(dtype.Int8, op.Known(1))}},
		{"unknown reduction", &op.ScatterND{Reduction: "xor"}, []op.Fact{floats("2"), op.TensorFact(dtype.Int64, op.Known(1, 1)), floats("1")}},
		{"tile overflow", &op.Tile{}, []op.Fact{floats("6"), ints(1 << 62)}},
		{"pad below zero", op.New[op.Pad](), []op.Fact{floats("2"), ints(-2, -1)}},
		{"nothing to reflect", with(func(o *op.Pad) { o.Mode = "reflect" }), []op.Fact{floats("0"), ints(1, 0)}},
		{"unknown padding", &op.Pad{Mode: "mirror"}, []op.Fact{floats("2"), ints(0, 0)}},
		{"range step 0", &op.Range{}, []op.Fact{ints(0), ints(5), ints(0)}},
		{"scales and sizes", op.New[op.Resize](), []op.Fact{floats("2"), {}, floats("1"), vals("4")}},
		{"negative scale", op.New[op.Resize](), []op.Fact{floats("2"), {}, op.ConstFact(tensor.FromSlice([]float32{-1}, 1))}},
		{"block of other depth", with(func(o *op.DepthToSpace) { o.BlockSize = 2 }), []op.Fact{floats("1", "6", "2", "2")}},
		{"block of 0", op.New[op.DepthToSpace](), []op.Fact{floats("1", "4", "2", "2")}},
		{"k beyond the axis", op.New[op.TopK](), []op.Fact{floats("2"), ints(3)}},
		{"vector triangle", op.New[op.Trilu](), []op.Fact{floats("2")}},
		{"grid of other rank", op.New[op.GridSample](), []op.Fact{floats("1", "1", "2", "2"), floats("1", "2", "2", "3")}},
	} {
		if out, err := c.op.Infer(c.in, 1); err == nil {
			t.Errorf("%s: passes as %v", c.name, out)
		}
	}
}

// TestFactsOfMovers: which operators copy operand 0.
func TestFactsOfMovers(t *testing.T) {
	linear := with(func(o *op.Resize) { o.Mode = "linear" })
	for _, c := range []struct {
		op    op.Quantizable
		moves bool
	}{
		{op.New[op.Reshape](), true}, {op.New[op.Transpose](), true}, {op.New[op.Gather](), true}, {op.New[op.Pad](), true},
		{op.New[op.Slice](), true}, {op.New[op.Split](), true}, {op.New[op.Resize](), true}, {linear, false}, {op.New[op.Concat](), false},
	} {
		f := c.op.Quantization()
		if f.Moves != c.moves || f.Weight != op.None || f.Bias != op.None {
			t.Errorf("%s: %+v", c.op.Name(), f)
		}
		if c.moves && !slices.Equal(f.Data, []int{0}) {
			t.Errorf("%s: data %v", c.op.Name(), f.Data)
		}
	}
}

package tflite

import (
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
)

// TestVersions holds operators' versions to those of LiteRT's op_version.cc.
func TestVersions(t *testing.T) {
	of := func(typ dtype.Type, channels int, shape ...int) *outTensor {
		x := &outTensor{typ: typ, shape: op.Known(shape...)}
		if typ != dtype.Float32 {
			x.scale, x.zero = slices.Repeat([]float32{0.5}, channels), make([]int64, channels)
		}
		return x
	}
	f, i8, i16 := dtype.Float32, dtype.Int8, dtype.Int16
	data := func(typ dtype.Type) *outTensor { return of(typ, 1, 1, 8, 8, 4) }
	weights := func(typ dtype.Type, channels int) *outTensor { return of(typ, channels, 4, 3, 3, 4) }
	bias := of(dtype.Int32, 1, 4)
	for _, c := range []struct {
		name    string
		options any
		in      []*outTensor
		out     *outTensor
		want    int
	}{
		{"CONV_2D", conv2DOptions{}, []*outTensor{data(f), weights(f, 1), bias}, data(f), 1},
		{"CONV_2D", conv2DOptions{}, []*outTensor{data(i8), weights(i8, 4), bias}, data(i8), 3},
		{"CONV_2D", conv2DOptions{}, []*outTensor{data(i16), weights(i8, 4), bias}, data(i16), 3},
		{"CONV_2D", conv2DOptions{}, []*outTensor{data(f), weights(i8, 1), bias}, data(f), 2},
		{"CONV_2D", conv2DOptions{}, []*outTensor{data(f), weights(i8, 4), bias}, data(f), 5},
		{"CONV_2D", conv2DOptions{}, []*outTensor{data(f), of(f, 1, 4, 3, 3, 2), bias}, data(f), 6},
		{"DEPTHWISE_CONV_2D", depthwiseOptions{DilateW: 1, DilateH: 1}, []*outTensor{data(f), weights(f, 1), bias}, data(f), 1},
		{"DEPTHWISE_CONV_2D", depthwiseOptions{DilateW: 2, DilateH: 1}, []*outTensor{data(f), weights(f, 1), bias}, data(f), 2},
		{"DEPTHWISE_CONV_2D", depthwiseOptions{}, []*outTensor{data(i8), weights(i8, 4), bias}, data(i8), 3},
		{"DEPTHWISE_CONV_2D", depthwiseOptions{}, []*outTensor{data(f), weights(i8, 4), bias}, data(f), 6},
		{"FULLY_CONNECTED", fullyConnectedOptions{}, []*outTensor{data(f), weights(f, 1), bias}, data(f), 1},
		{"FULLY_CONNECTED", fullyConnectedOptions{}, []*outTensor{data(f), weights(f, 1), nil}, data(f), 6},
		{"FULLY_CONNECTED", fullyConnectedOptions{KeepDims: true}, []*outTensor{data(i8), weights(i8, 1), bias}, data(i8), 5},
		{"FULLY_CONNECTED", fullyConnectedOptions{}, []*outTensor{data(i8), weights(i8, 1), bias}, data(i8), 4},
		{"FULLY_CONNECTED", fullyConnectedOptions{}, []*outTensor{data(i16), weights(i8, 1), bias}, data(i16), 4},
		{"FULLY_CONNECTED", fullyConnectedOptions{}, []*outTensor{data(f), weights(i8, 1), bias}, data(f), 3},
		{"FULLY_CONNECTED", fullyConnectedOptions{}, []*outTensor{data(f), weights(i8, 4), bias}, data(f), 12},
		{"TRANSPOSE_CONV", transposeConvOptions{}, []*outTensor{bias, weights(f, 1), data(f)}, data(f), 1},
		{"TRANSPOSE_CONV", transposeConvOptions{}, []*outTensor{bias, weights(i8, 1), data(i8)}, data(i8), 2},
		{"TRANSPOSE_CONV", transposeConvOptions{}, []*outTensor{bias, weights(f, 1), data(f), bias}, data(f), 3},
		{"TRANSPOSE_CONV", transposeConvOptions{Fused: fusedRelu}, []*outTensor{bias, weights(f, 1), data(f), bias}, data(f), 4},
		{"ADD", nil, []*outTensor{data(i16), data(i16)}, data(i16), 3},
		{"SUB", nil, []*outTensor{data(f), data(f)}, of(f, 1, 1, 2, 3, 4, 5), 3},
		{"SUB", nil, []*outTensor{data(i16), data(i16)}, data(i16), 5},
		{"DIV", nil, []*outTensor{data(f), data(f)}, of(f, 1, 1, 2, 3, 4, 5), 2},
		{"SOFTMAX", nil, []*outTensor{data(i8)}, data(i8), 2},
		{"SPLIT", nil, []*outTensor{bias, data(i16)}, data(i16), 4},
		{"SLICE", nil, []*outTensor{of(f, 1, 1, 2, 3, 4, 5)}, data(f), 5},
		{"TRANSPOSE", nil, []*outTensor{of(f, 1, 1, 2, 3, 4, 5)}, data(f), 4},
		{"RESIZE_BILINEAR", resizeBilinearOptions{HalfPixel: true}, []*outTensor{data(i8)}, data(i8), 3},
		{"RESIZE_BILINEAR", resizeBilinearOptions{}, []*outTensor{data(f)}, data(f), 1},
		{"LEAKY_RELU", nil, []*outTensor{data(i8)}, data(i8), 1},
		{"DEQUANTIZE", nil, []*outTensor{weights(i8, 4)}, data(f), 5},
		{"DEQUANTIZE", nil, []*outTensor{data(dtype.Float16)}, data(f), 3},
		{"QUANTIZE", nil, []*outTensor{data(f)}, data(i16), 2},
		{"BROADCAST_TO", nil, []*outTensor{data(f)}, data(f), 2},
		{"TILE", nil, []*outTensor{data(i8)}, data(i8), 3},
		{"RESHAPE", nil, []*outTensor{data(i8)}, data(i8), 1},
		{"HARD_SWISH", nil, []*outTensor{data(i8)}, data(i8), 1},
		{"LOG", nil, []*outTensor{data(i8)}, data(i8), 2},
		{"SQRT", nil, []*outTensor{data(i8)}, data(i8), 2},
		{"DIV", nil, []*outTensor{data(i8), data(i8)}, data(i8), 1},
		{"EQUAL", nil, []*outTensor{data(i8), data(i8)}, of(dtype.Bool, 1, 4), 2},
		{"SELECT_V2", nil, []*outTensor{of(dtype.Bool, 1, 4), data(i8), data(i8)}, data(i8), 1},
	} {
		if got := versionOf(&written{c.name, c.options, c.in, []*outTensor{c.out}}); got != c.want {
			t.Errorf("%s on %v with %+v: version %d, want %d", c.name, c.in[0].typ, c.options, got, c.want)
		}
	}
}

// TestRuntime: the metadata names the newest release that any operator needs.
func TestRuntime(t *testing.T) {
	for _, c := range []struct {
		used []usedCode
		want string
	}{
		{nil, "1.5.0"},
		{[]usedCode{{name: "CONV_2D", version: 3}, {name: "SOFTMAX", version: 1}}, "1.14.0"},
		{[]usedCode{{name: "FULLY_CONNECTED", version: 12}, {name: "CONV_2D", version: 5}}, "2.17.0"},
		{[]usedCode{{name: "SELECT_V2", version: 1}}, "2.2.0"},
		{[]usedCode{{name: "LOG", version: 2}}, "2.15.0"},
		{[]usedCode{{name: "SQRT", version: 2}}, "2.21.0"},
	} {
		if got := (&encoder{used: c.used}).runtime(); got != c.want {
			t.Errorf("%v need %s, want %s", c.used, got, c.want)
		}
	}
}

// TestEncodings: what is written can be read, so that every row of the table
// names operators that have a row in the other one.
func TestEncodings(t *testing.T) {
	for name := range versions {
		if _, ok := conversions[name]; !ok {
			t.Errorf("%s has versions and cannot be read", name)
		}
	}
	for name := range encodings {
		if _, err := op.ByName(name); err != nil {
			t.Error(err)
		}
	}
}

// TestNames: every tensor has a name of its own, inputs and outputs theirs, and
// the integers of a value the value's, where no other tensor has it.
func TestNames(t *testing.T) {
	e := &encoder{inputs: []int32{0}, outputs: []int32{6}}
	for _, name := range []string{"x", "x" + integersOf, "w_quantized", "w_quantized", "h" + integersOf, "y" + integersOf, "y", "h" + integersOf} {
		e.add(&outTensor{name: name})
	}
	e.call()
	want := []string{"x", "x" + integersOf, "w_quantized", "w_quantized_1", "h", "y" + integersOf, "y", "h" + integersOf}
	for i, x := range e.tensors {
		if x.name != want[i] {
			t.Errorf("tensor %d is called %q, want %q", i, x.name, want[i])
		}
	}
}

package onnx_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestUpgradeLegacy decodes forms from before opset 7 and runs them; what they
// give is worked out from the text of their version. Where x is computed by a
// node of which nothing is declared, its rank is not known when it is read.
func TestUpgradeLegacy(t *testing.T) {
	x := tensor.FromSlice(ramp(8), 1, 2, 2, 2)
	b := []field{constant("b", []float32{10, 20}, 2)}
	one := []field{constant("b", []float32{10}, 1, 1)}
	consumed := intsAttr("consumed_inputs", 0, 0)
	perChannel := []float32{10, 11, 12, 13, 24, 25, 26, 27}
	perColumn := []float32{10, 21, 12, 23, 14, 25, 16, 27}
	minus := tensor.FromSlice([]float32{-1, -2, -3, -4}, 1, 2, 2)
	scalar := func(name string, v float32) field { return constant(name, []float32{v}, 1) }
	alpha, gamma := float64(float32(1.6732)), float64(float32(1.0507))
	selu := float32(gamma * (alpha*math.Exp(-1) - alpha))
	tests := []struct {
		version int64
		name    string
		x       *tensor.Tensor
		nodes   []field
		consts  []field
		want    []float32
		shape   []int
	}{
		{6, "Add, one a channel", x, []field{node("Add", names("x", "b"), names("y"), intAttr("broadcast", 1), intAttr("axis", 1))}, b, perChannel, x.Shape()},
		{1, "Add, one a channel of an unknown value", x, []field{node("Transpose", names("x"), names("t"), intsAttr("perm", 0, 1, 2, 3)),
			node("Add", names("t", "b"), names("y"), consumed, intAttr("broadcast", 1), intAttr("axis", 1))}, b, perChannel, x.Shape()},
		{6, "Add, axis from the end, of an unknown value", x, []field{node("Transpose", names("x"), names("t"), intsAttr("perm", 0, 1, 2, 3)),
			node("Add", names("t", "b"), names("y"), intAttr("broadcast", 1), intAttr("axis", -3))}, b, perChannel, x.Shape()},
		{6, "Add, axis from the end", x, []field{node("Add", names("x", "b"), names("y"), intAttr("broadcast", 1), intAttr("axis", -1))}, b, perColumn, x.Shape()},
		{6, "Add, one a column", x, []field{node("Add", names("x", "b"), names("y"), intAttr("broadcast", 1))}, b, perColumn, x.Shape()},
		{6, "Add of one number", x, []field{node("Add", names("x", "b"), names("y"), intAttr("broadcast", 1), intAttr("axis", 0))}, one,
			[]float32{10, 11, 12, 13, 14, 15, 16, 17}, x.Shape()},
		{6, "Add behind a Relu", x, []field{node("Relu", names("x"), names("r")), node("Add", names("r", "b"), names("y"), intAttr("broadcast", 1), intAttr("axis", 1))},
			b, perChannel, x.Shape()},
		{6, "PRelu, one a channel", minus, []field{node("PRelu", names("x", "b"), names("y"))}, b, []float32{-10, -20, -60, -80}, minus.Shape()},
		{6, "PRelu of one number", minus, []field{node("PRelu", names("x", "b"), names("y"))}, []field{scalar("b", 10)}, []float32{-10, -20, -30, -40}, minus.Shape()},
		{1, "Cast by name", x, []field{node("Cast", names("x"), names("y"), textAttr("to", "FLOAT"))}, nil, ramp(8), x.Shape()},
		{6, "Cast by number", x, []field{node("Cast", names("x"), names("y"), intAttr("to", 1))}, nil, ramp(8), x.Shape()},
		{1, "Concat without an axis", x, []field{node("Concat", names("x", "x"), names("y"))}, nil, append(ramp(8), ramp(8)...), []int{1, 4, 2, 2}},
		{1, "Reshape", x, []field{node("Reshape", names("x"), names("y"), intsAttr("shape", 0, -1), intsAttr("consumed_inputs", 0))}, nil, ramp(8), []int{1, 8}},
		{1, "Pad", minus, []field{node("Pad", names("x"), names("y"), intsAttr("paddings", 0, 0, 1, 0, 0, 0), floatAttr("value", 7))}, nil, []float32{7, -1, -2, 7, -3, -4}, []int{1, 2, 3}},
		{1, "Selu", minus, []field{node("Selu", names("x"), names("s")), node("Slice", names("s"), names("y"), intsAttr("starts", 0, 0), intsAttr("ends", 1, 1), intsAttr("axes", 1, 2))},
			nil, []float32{selu}, []int{1, 1, 1}},
		{1, "GlobalLpPool", minus, []field{node("GlobalLpPool", names("x"), names("y"), floatAttr("p", 1))}, nil, []float32{3, 7}, []int{1, 2, 1}},
		{1, "Tile", minus, []field{node("Tile", names("x", "n", "a"), names("y"))}, []field{scalar("n", 2), scalar("a", 1)},
			[]float32{-1, -2, -3, -4, -1, -2, -3, -4}, []int{1, 4, 2}},
		{1, "Split by an input", minus, []field{node("Split", names("x", "n"), names("y", "z"), intAttr("axis", 2))}, []field{constant("n", []float32{1, 1}, 2)},
			[]float32{-1, -3}, []int{1, 2, 1}},
		{1, "Upsample", minus, []field{node("Reshape", names("x"), names("r"), intsAttr("shape", 1, 1, 2, 2)),
			node("Upsample", names("r"), names("y"), floatAttr("height_scale", 1), floatAttr("width_scale", 2), textAttr("mode", "bilinear"))}, nil,
			[]float32{-1, -1.5, -2, -2, -3, -3.5, -4, -4}, []int{1, 1, 2, 4}},
		{1, "Gemm", minus, []field{node("Reshape", names("x"), names("r"), intsAttr("shape", 2, 2)), node("Gemm", names("r", "r", "b"), names("y"), intAttr("broadcast", 1))}, b,
			[]float32{17, 30, 25, 42}, []int{2, 2}},
		{6, "BatchNormalization", x, []field{node("BatchNormalization", names("x", "b", "b", "z", "v"), names("y"), intAttr("is_test", 1), floatAttr("epsilon", 0), intAttr("spatial", 1))},
			append(b, constant("z", []float32{0, 0}, 2), constant("v", []float32{1, 4}, 2)), []float32{10, 20, 30, 40, 60, 70, 80, 90}, x.Shape()},
		{6, "BatchNormalization, each element", minus, []field{node("BatchNormalization", names("x", "s", "z", "m", "v"), names("y"), intAttr("is_test", 1), floatAttr("epsilon", 1), intAttr("spatial", 0))},
			[]field{constant("s", []float32{1, 2, 1, 2}, 2, 2), constant("z", []float32{0, 0, 5, 5}, 2, 2), constant("m", []float32{-1, -1, -1, -1}, 2, 2), constant("v", []float32{0, 0, 3, 3}, 2, 2)},
			[]float32{0, -2, 4, 2}, minus.Shape()},
		{6, "Dropout", x, []field{node("Dropout", names("x"), names("y"), intAttr("is_test", 0), floatAttr("ratio", 0.5))}, nil, ramp(8), x.Shape()},
		{1, "Affine", minus, []field{node("Affine", names("x"), names("y"), floatAttr("alpha", 2), floatAttr("beta", 1))}, nil, []float32{-1, -3, -5, -7}, minus.Shape()},
		{1, "Scale", minus, []field{node("Scale", names("x"), names("y"), floatAttr("scale", 2))}, nil, []float32{-2, -4, -6, -8}, minus.Shape()},
		{1, "ImageScaler", x, []field{node("ImageScaler", names("x"), names("y"), floatAttr("scale", 2), floatsAttr("bias", 1, -1))}, nil,
			[]float32{1, 3, 5, 7, 7, 9, 11, 13}, x.Shape()},
		{1, "ScaledTanh", minus, []field{node("ScaledTanh", names("x"), names("y"), floatAttr("alpha", 2), floatAttr("beta", 0))}, nil, []float32{0, 0, 0, 0}, minus.Shape()},
		{1, "ParametricSoftplus", minus, []field{node("ParametricSoftplus", names("x"), names("y"), floatAttr("alpha", 2), floatAttr("beta", 0))}, nil,
			slices.Repeat([]float32{float32(2 * math.Ln2)}, 4), minus.Shape()},
		{19, "DFT along the first axis", tensor.FromSlice([]float32{1, 2, 3, 4}, 1, 2, 2, 1), []field{node("DFT", names("x"), names("y"))}, nil,
			[]float32{4, 0, 6, 0, -2, 0, -2, 0}, []int{1, 2, 2, 2}},
		{19, "DFT along the last", tensor.FromSlice([]float32{1, 2, 3, 4}, 1, 2, 2, 1), []field{node("DFT", names("x"), names("y"), intAttr("axis", -2))}, nil,
			[]float32{3, 0, -1, 0, 7, 0, -1, 0}, []int{1, 2, 2, 2}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %s", tt.version, tt.name), func(t *testing.T) {
			var dims []int64
			for _, d := range tt.x.Shape() {
				dims = append(dims, int64(d))
			}
			parts := append(slices.Clone(tt.consts), input("x", f32, dims...), bare("y"))
			comesBack(t, decode(t, model(tt.version, append(parts, tt.nodes...)...)), tt.x, tt.want, tt.shape)
		})
	}
}

// TestNoImports: a file without imports is of opset 1.
func TestNoImports(t *testing.T) {
	g := decode(t, file(varint(1, 3), sub(7, input("x", f32, 2), output("y", f32, 2),
		node("Relu", names("x"), names("y"), intsAttr("consumed_inputs", 0)))))
	comesBack(t, g, tensor.FromSlice([]float32{-1, 2}, 2), []float32{0, 2}, []int{2})
}

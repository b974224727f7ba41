package onnx_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func ramp(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i)
	}
	return out
}

// TestUpgrade decodes nodes of older forms and runs them; what they give is
// worked out from the text of their version.
func TestUpgrade(t *testing.T) {
	x23 := tensor.FromSlice([]float32{0, 1, 2, 3, 4, 5}, 2, 3)
	third := math.Exp(1) + math.Exp(2) + 1
	soft := func(is ...float64) []float32 {
		var out []float32
		for _, i := range is {
			out = append(out, float32(math.Exp(i)/third))
		}
		return out
	}
	tests := []struct {
		version int64
		name    string
		x       *tensor.Tensor
		node    field
		consts  []field
		want    []float32
		shape   []int
	}{
		{11, "Squeeze", tensor.FromSlice(ramp(3), 1, 3, 1), node("Squeeze", names("x"), names("y"), intsAttr("axes", 0, -1)), nil, ramp(3), []int{3}},
		{11, "Squeeze of all", tensor.FromSlice(ramp(3), 1, 3, 1), node("Squeeze", names("x"), names("y")), nil, ramp(3), []int{3}},
		{7, "Unsqueeze", x23, node("Unsqueeze", names("x"), names("y"), intsAttr("axes", 0, 3)), nil, ramp(6), []int{1, 2, 3, 1}},
		{7, "Clip", x23, node("Clip", names("x"), names("y"), floatAttr("min", 1), floatAttr("max", 3.5)), nil, []float32{1, 1, 2, 3, 3.5, 3.5}, []int{2, 3}},
		{7, "Clip above", x23, node("Clip", names("x"), names("y"), floatAttr("max", 2)), nil, []float32{0, 1, 2, 2, 2, 2}, []int{2, 3}},
		{10, "Clip of nothing", x23, node("Clip", names("x"), names("y")), nil, ramp(6), []int{2, 3}},
		{11, "Softmax over rows", x23, node("Softmax", names("x"), names("y")), nil, soft(0, 1, 2, 0, 1, 2), []int{2, 3}},
		{11, "Softmax over a matrix", tensor.FromSlice([]float32{0, 1, 2, 0, 1, 2}, 2, 3, 1), node("Softmax", names("x"), names("y"), intAttr("axis", 1)), nil, soft(0, 1, 2, 0, 1, 2), []int{2, 3, 1}},
		{11, "Softmax over everything", tensor.FromSlice([]float32{0, 1, 2}, 1, 3), node("Softmax", names("x"), names("y"), intAttr("axis", 0)), nil, soft(0, 1, 2), []int{1, 3}},
		{9, "Slice", x23, node("Slice", names("x"), names("y"), intsAttr("starts", 1), intsAttr("ends", 9), intsAttr("axes", 1)), nil, []float32{1, 2, 4, 5}, []int{2, 2}},
		{9, "Slice from the end", x23, node("Slice", names("x"), names("y"), intsAttr("starts", -1, 0), intsAttr("ends", 2, -1)), nil, []float32{3, 4}, []int{1, 2}},
		{11, "Split of given sizes", x23, node("Split", names("x"), names("y", "z"), intsAttr("split", 1, 2), intAttr("axis", 1)), nil, []float32{0, 3}, []int{2, 1}},
		{7, "Split in equal parts", x23, node("Split", names("x"), names("y", "z")), nil, ramp(3), []int{1, 3}},
		{13, "Split without sizes", x23, node("Split", names("x"), names("y", "z")), nil, ramp(3), []int{1, 3}},
		{7, "Upsample", tensor.FromSlice(ramp(2), 1, 1, 1, 2), node("Upsample", names("x"), names("y"), textAttr("mode", "nearest"), floatsAttr("scales", 1, 1, 2, 2)), nil, []float32{0, 0, 1, 1, 0, 0, 1, 1}, []int{1, 1, 2, 4}},
		{9, "Upsample by an input", tensor.FromSlice(ramp(2), 1, 1, 1, 2), node("Upsample", names("x", "s"), names("y")), []field{constant("s", []float32{1, 1, 1, 2}, 4)}, []float32{0, 0, 1, 1}, []int{1, 1, 1, 4}},
		{9, "Upsample, linear", tensor.FromSlice(ramp(2), 1, 1, 1, 2), node("Upsample", names("x", "s"), names("y"), textAttr("mode", "linear")), []field{constant("s", []float32{1, 1, 1, 2}, 4)}, []float32{0, 0.5, 1, 1}, []int{1, 1, 1, 4}},
		{10, "Resize", tensor.FromSlice(ramp(2), 1, 1, 1, 2), node("Resize", names("x", "s"), names("y")), []field{constant("s", []float32{1, 1, 1, 2}, 4)}, []float32{0, 0, 1, 1}, []int{1, 1, 1, 4}},
		{11, "Resize with an empty roi and scales", tensor.FromSlice(ramp(2), 1, 1, 1, 2), node("Resize", names("x", "r", "r", "d"), names("y"), textAttr("coordinate_transformation_mode", "asymmetric"), textAttr("nearest_mode", "floor")),
			[]field{constant("r", nil, 0), sub(5, varint(2, i64), text(8, "d"), varint(1, 4), varint(7, 1), varint(7, 1), varint(7, 1), varint(7, 4))}, []float32{0, 0, 1, 1}, []int{1, 1, 1, 4}},
		{7, "Dropout", x23, node("Dropout", names("x"), names("y"), floatAttr("ratio", 0.9)), nil, ramp(6), []int{2, 3}},
		{7, "Pad", tensor.FromSlice(ramp(2), 1, 2), node("Pad", names("x"), names("y"), intsAttr("pads", 0, 1, 1, 0), floatAttr("value", 7)), nil, []float32{7, 0, 1, 7, 7, 7}, []int{2, 3}},
		{10, "Pad, reflected", tensor.FromSlice(ramp(3), 3), node("Pad", names("x"), names("y"), intsAttr("pads", 1, 0), textAttr("mode", "reflect")), nil, []float32{1, 0, 1, 2}, []int{4}},
		{13, "ReduceMean", x23, node("ReduceMean", names("x"), names("y"), intsAttr("axes", 1), intAttr("keepdims", 0)), nil, []float32{1, 4}, []int{2}},
		{13, "ReduceMax of all", x23, node("ReduceMax", names("x"), names("y"), intAttr("keepdims", 0)), nil, []float32{5}, nil},
		{11, "ReduceSum", x23, node("ReduceSum", names("x"), names("y"), intsAttr("axes", -1)), nil, []float32{3, 12}, []int{2, 1}},
		{7, "TopK", tensor.FromSlice([]float32{1, 3, 2}, 3), node("TopK", names("x"), names("y", "i"), intAttr("k", 2)), nil, []float32{3, 2}, []int{2}},
		{7, "BatchNormalization", tensor.FromSlice(ramp(4), 1, 2, 2), node("BatchNormalization", names("x", "two", "one", "one", "four"), names("y"), floatAttr("epsilon", 0), intAttr("spatial", 1)),
			[]field{constant("one", []float32{1, 1}, 2), constant("two", []float32{2, 2}, 2), constant("four", []float32{4, 4}, 2)}, ramp(4), []int{1, 2, 2}},
		{7, "BatchNormalization with unused statistics", tensor.FromSlice(ramp(4), 1, 2, 2), node("BatchNormalization", names("x", "two", "one", "one", "four"), names("y", "", ""), floatAttr("epsilon", 0)),
			[]field{constant("one", []float32{1, 1}, 2), constant("two", []float32{2, 2}, 2), constant("four", []float32{4, 4}, 2)}, ramp(4), []int{1, 2, 2}},
		{18, "GroupNormalization", tensor.FromSlice([]float32{-1, 1, -2, 2}, 1, 4, 1), node("GroupNormalization", names("x", "s", "b"), names("y"), intAttr("num_groups", 2), floatAttr("epsilon", 0)),
			[]field{constant("s", []float32{1, 10}, 2), constant("b", []float32{0, 100}, 2)}, []float32{-1, 1, 90, 110}, []int{1, 4, 1}},
		{9, "Scatter", tensor.FromSlice(ramp(3), 3), node("Scatter", names("x", "i", "u"), names("y"), intAttr("axis", 0)),
			[]field{sub(5, varint(2, i64), text(8, "i"), varint(1, 1), varint(7, 1)), constant("u", []float32{9}, 1)}, []float32{0, 9, 2}, []int{3}},
		{10, "RoiAlign", tensor.FromSlice(ramp(4), 1, 1, 2, 2), node("RoiAlign", names("x", "boxes", "batch"), names("y"), intAttr("sampling_ratio", 1)),
			[]field{constant("boxes", []float32{0, 0, 1, 1}, 1, 4), sub(5, varint(2, i64), text(8, "batch"), varint(1, 1), varint(7, 0))}, []float32{1.5}, []int{1, 1, 1, 1}},
		{16, "GridSample", tensor.FromSlice(ramp(4), 1, 1, 2, 2), node("GridSample", names("x", "g"), names("y"), textAttr("mode", "bilinear")),
			[]field{constant("g", []float32{0, 0}, 1, 1, 1, 2)}, []float32{1.5}, []int{1, 1, 1, 1}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %s", tt.version, tt.name), func(t *testing.T) {
			var dims []int64
			for _, d := range tt.x.Shape() {
				dims = append(dims, int64(d))
			}
			g := decode(t, model(tt.version, append(tt.consts, input("x", f32, dims...), bare("y"), tt.node)...))
			comesBack(t, g, tt.x, tt.want, tt.shape)
		})
	}
}

// comesBack runs g as it is, and written and read again at several opsets,
// each on what came back from the one before. No two nodes share a name.
func comesBack(t *testing.T, g *ir.Graph, x *tensor.Tensor, want []float32, shape []int) {
	t.Helper()
	seen := map[string]bool{}
	for _, n := range g.Nodes {
		if seen[n.Name] {
			t.Errorf("two nodes are called %q", n.Name)
		}
		seen[n.Name] = true
	}
	for _, version := range []int{0, 13, 18, 25} {
		y := evaluate(t, g, x)[0]
		if got := tensor.Data[float32](y); !near(got, want) || !slices.Equal(y.Shape(), shape) {
			t.Errorf("got %v %v, want %v %v", y.Shape(), got, shape, want)
		}
		enc, err := onnx.Encode(g, format.EncodeOptions{Opset: version, Name: "m"})
		if err != nil {
			if strings.Contains(err.Error(), "needs opset") {
				continue
			}
			t.Fatal(err)
		}
		g = decode(t, bytesOf(enc.Main))
	}
}

// near compares to a few units in the last place.
func near(got, want []float32) bool { return within(0, got, want) }

// within allows an absolute error too, for sums that cancel.
func within(absolute float64, got, want []float32) bool {
	return slices.EqualFunc(got, want, func(a, b float32) bool {
		return a == b || math.Abs(float64(a-b)) <= float64(1e-6*math.Abs(float64(b)))+absolute
	})
}

func TestUpgradeRefuses(t *testing.T) {
	tests := []struct {
		version int64
		node    field
		want    string
	}{
		{7, node("Pad", names("x"), names("y")), "pads is missing"},
		{9, node("Slice", names("x"), names("y"), intsAttr("starts", 0)), "ends is missing"},
		{9, node("TopK", names("x"), names("y")), "k is missing"},
		{9, node("Upsample", names("x"), names("y")), "scales are missing"},
		{9, node("Upsample", nil, names("y"), floatsAttr("scales", 1)), "scales are missing"},
		{10, node("Resize", names("x"), names("y")), "scales"},
		{11, node("Softmax", nil, names("y")), "one input"},
		{1, node("Upsample", names("x"), names("y"), floatAttr("height_scale", 2)), "scales are missing"},
		{1, node("Reshape", names("x"), names("y")), "shape is missing"},
		{1, node("Cast", names("x"), names("y"), textAttr("to", "QUAD")), `unknown element type "QUAD"`},
		{1, node("LpPool", names("x"), names("y"), floatAttr("p", 1.5)), "a norm of 1.5"},
		{1, node("Tile", names("x"), names("y")), "data, tiles and axis"},
		{1, node("ScaledTanh", names("x"), names("y"), floatAttr("alpha", 1)), "beta is missing"},
		{8, node("BatchNormalization", names("x", "x"), names("y"), intAttr("spatial", 0)), "five inputs"},
		{9, node("BatchNormalization", names("x", "x", "x", "x", "x"), names("y", "mean")), "training"},
		{9, node("Constant", nil, names("c")), "one value attribute"},
		{9, node("Constant", nil, names("x"), floatAttr("value_float", 1)), "computed twice"},
	}
	for _, tt := range tests {
		file := model(tt.version, input("x", f32, 2), bare("y"), tt.node)
		m, err := onnx.Decode(format.FromBytes("m", file))
		if err == nil {
			t.Errorf("want an error with %q, got a graph of %v", tt.want, operators(m.Graph))
			continue
		}
		isFormatError(t, tt.want, err)
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error is %q, want %q", err, tt.want)
		}
	}
}

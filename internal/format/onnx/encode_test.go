package onnx_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// int64s is an initializer of int64.
func int64s(name string, vals ...int64) field {
	return sub(5, varint(2, i64), text(8, name), varint(1, int64(len(vals))), func(m *proto.Message) {
		m.Bytes(9, tensor.FromSlice(vals, len(vals)).Bytes())
	})
}

// lifted gives x further axes, as h.
func lifted(axes ...int64) []field {
	return []field{int64s("lifted", axes...), node("Unsqueeze", names("x", "lifted"), names("h"))}
}

// TestDowngrade writes operators at versions that lack them or their form, and
// demands the same results.
func TestDowngrade(t *testing.T) {
	wave := tensor.FromSlice([]float32{-4, -1.5, -0.5, 0, 0.25, 1, 3, 8}, 2, 4)
	scale, bias := constant("s", []float32{1, 2, 0.5, -1}, 4), constant("b", []float32{0, 1, 0, -1}, 4)
	tests := []struct {
		name    string
		version int64 // that the node is read at
		low     int   // the lowest that it is written at
		nodes   []field
		ops     []string // at low
	}{
		{"Gelu", 20, 13, []field{node("Gelu", names("x"), names("y"))}, []string{"Div", "Erf", "Add", "Mul", "Mul"}},
		{"Gelu by tanh", 20, 13, []field{node("Gelu", names("x"), names("y"), textAttr("approximate", "tanh"))},
			[]string{"Mul", "Mul", "Mul", "Add", "Mul", "Tanh", "Add", "Mul", "Mul"}},
		{"HardSwish", 14, 13, []field{node("HardSwish", names("x"), names("y"))}, []string{"HardSigmoid", "Mul"}},
		{"Swish", 24, 13, []field{node("Swish", names("x"), names("y"), floatAttr("alpha", 1.5))}, []string{"Mul", "Sigmoid", "Mul"}},
		{"Mish", 18, 13, []field{node("Mish", names("x"), names("y"))}, []string{"Softplus", "Tanh", "Mul"}},
		{"LayerNormalization", 17, 13, []field{scale, bias, node("LayerNormalization", names("x", "s", "b"), names("y"), floatAttr("epsilon", 0.01))},
			[]string{"ReduceMean", "Sub", "Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "Add"}},
		{"LayerNormalization over all axes", 17, 13, []field{constant("s", ramp(8), 2, 4), node("LayerNormalization", names("x", "s"), names("y"), intAttr("axis", 0))},
			[]string{"ReduceMean", "Sub", "Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul"}},
		{"RMSNormalization", 23, 13, []field{scale, node("RMSNormalization", names("x", "s"), names("y"))},
			[]string{"Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul"}},
		{"ReduceMean", 18, 13, []field{int64s("a", 1), node("ReduceMean", names("x", "a"), names("y"))}, []string{"ReduceMean"}},
		{"ReduceMax of no axes", 18, 13, []field{int64s("a"), node("ReduceMax", names("x", "a"), names("y"), intAttr("noop_with_empty_axes", 1))}, []string{"Identity"}},
		{"Split in unequal parts", 18, 13, []field{node("Split", names("x"), names("z", "w", "y"), intAttr("num_outputs", 3), intAttr("axis", 1))}, []string{"Split"}},
		{"Pad of an axis", 18, 13, []field{int64s("p", 1, 2), int64s("a", -1), node("Pad", names("x", "p", "", "a"), names("y"))}, []string{"Pad"}},
		{"Shape from the middle", 15, 13, []field{node("Shape", names("x"), names("d"), intAttr("start", 1)),
			node("Cast", names("d"), names("y"), intAttr("to", f32))}, []string{"Shape", "Slice", "Cast"}},
		{"CastLike", 15, 13, []field{node("CastLike", names("x", "x"), names("y"))}, []string{"Cast"}},
		{"QuantizeLinear of a given type", 21, 13, []field{constant("k", []float32{0.5}), node("QuantizeLinear", names("x", "k"), names("q"), intAttr("output_dtype", 3)),
			node("Cast", names("q"), names("y"), intAttr("to", f32))}, []string{"QuantizeLinear", "Cast"}},
		{"GridSample", 20, 16, []field{sub(5, tensorFields("g", []float32{0.5, -0.25}, []int64{1, 1, 1, 2})...), int64s("n", 1, 1, 2, 4),
			node("Reshape", names("x", "n"), names("i")), node("GridSample", names("i", "g"), names("y"), textAttr("mode", "linear"))}, []string{"Reshape", "GridSample"}},
		{"SwiGLU", 28, 13, []field{node("SwiGLU", names("x", "x"), names("y"), floatAttr("alpha", 1.5))}, []string{"Mul", "Sigmoid", "Mul", "Mul"}},
		{"CausalConvWithState", 27, 13, append(lifted(0), constant("w", ramp(4), 2, 1, 2), node("CausalConvWithState", names("h", "w"), names("y", "state"), textAttr("activation", "silu"))),
			[]string{"Unsqueeze", "Pad", "Conv", "Sigmoid", "Mul", "Slice"}},
		{"RotaryEmbedding", 23, 13, append(lifted(0), constant("c", ramp(4), 1, 2, 2), node("RotaryEmbedding", names("h", "c", "c"), names("y"), intAttr("num_heads", 1))),
			[]string{"Unsqueeze", "Reshape", "Unsqueeze", "Unsqueeze", "Slice", "Slice", "Mul", "Mul", "Sub", "Mul", "Mul", "Add", "Concat", "Reshape"}},
		{"Attention", 23, 13, append(lifted(0, 1), node("Attention", names("h", "h", "h"), names("y"), intAttr("is_causal", 1))),
			[]string{"Unsqueeze", "Mul", "Mul", "Transpose", "MatMul", "Add", "Softmax", "MatMul"}},
		{"Attention with a short mask", 24, 13, append(lifted(0, 1), constant("m", ramp(2), 2, 1), node("Attention", names("h", "h", "h", "m"), names("y", "", "", "s"))),
			[]string{"Unsqueeze", "Mul", "Mul", "Transpose", "MatMul", "Pad", "ReduceMax", "Equal", "Add", "Softmax", "Where", "MatMul"}},
		{"Attention in a window", 25, 13, append(lifted(0, 1), node("Attention", names("h", "h", "h"), names("y", "k"), intAttr("left_window_size", 0))),
			[]string{"Unsqueeze", "Mul", "Mul", "Transpose", "MatMul", "Add", "Softmax", "MatMul", "Identity"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := decode(t, model(tt.version, append(tt.nodes, input("x", f32, 2, 4), bare("y"))...))
			want := evaluate(t, g, wave)[0]
			for version := 13; version <= 25; version++ {
				enc, err := onnx.Encode(g, format.EncodeOptions{Opset: version, Name: "m"})
				if version < tt.low {
					if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("needs opset %d, and opset %d is written", tt.low, version)) {
						t.Errorf("at %d the error is %v", version, err)
					}
					continue
				}
				must(t, err)
				low := decode(t, bytesOf(enc.Main))
				if version == tt.low {
					if got := operators(low); !slices.Equal(got, tt.ops) {
						t.Errorf("at %d the operators are %v, want %v", version, got, tt.ops)
					}
				}
				got := evaluate(t, low, wave)[0]
				if !slices.Equal(got.Shape(), want.Shape()) || !within(2e-7, tensor.Data[float32](got), tensor.Data[float32](want)) {
					t.Errorf("at %d: got %v, want %v", version, tensor.Data[float32](got), tensor.Data[float32](want))
				}
			}
		})
	}
}

// TestEncodeRefuses: what a version cannot say is an error that names the
// operator and the version that can, and raises the version where none was
// asked for.
func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		version int64
		node    field
		asked   int
		want    string
		unasked int64 // written when no version is asked for
	}{
		{21, node("Relu", names("x"), names("y")), 12, "versions 13 to 25 are written", 21},
		{21, node("Relu", names("x"), names("y")), 26, "versions 13 to 25 are written", 21},
		{17, node("LayerNormalization", names("x", "x"), names("y", "m")), 16, "Mean", 17},
		{18, node("BitwiseNot", names("x"), names("y")), 17, "BitwiseNot needs opset 18", 18},
		{14, node("Reshape", names("x", "x"), names("y"), intAttr("allowzero", 1)), 13, "allowzero=1 of Reshape needs opset 14", 14},
		{19, node("Pad", names("x", "x"), names("y"), textAttr("mode", "wrap")), 18, "mode=wrap of Pad needs opset 19", 19},
		{18, node("ScatterND", names("x", "x", "x"), names("y"), textAttr("reduction", "max")), 17, "reduction=max of ScatterND needs opset 18", 18},
		{16, node("RoiAlign", names("x", "x", "x"), names("y")), 15, "half_pixel", 16},
		{23, node("Attention", names("x", "x", "x"), names("y")), 21, "3 or 4 axes", 23},
		{28, node("Relu", names("x"), names("y")), 0, "", 25},
		{7, node("Relu", names("x"), names("y")), 0, "", 13},
		// The form that the reader gives an older file may need a newer one.
		{17, node("Gelu", names("x"), names("y")), 0, "", 17},
	}
	for _, tt := range tests {
		g := decode(t, model(tt.version, input("x", f32, 2), bare("y"), tt.node))
		if tt.want != "" {
			_, err := onnx.Encode(g, format.EncodeOptions{Opset: tt.asked, Name: "m"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("opset %d: error is %v, want %q", tt.asked, err, tt.want)
			}
		}
		if v := imports(t, encode(t, g, 0))[""]; v != tt.unasked {
			t.Errorf("%s: opset %d is written, want %d", operators(g)[0], v, tt.unasked)
		}
	}
}

// TestRaisesOpset: a graph that was changed since it was read is written at
// the version that it needs now.
func TestRaisesOpset(t *testing.T) {
	g := decode(t, model(13, input("x", f32, 2), bare("y"), node("Relu", names("x"), names("y"))))
	newer := decode(t, model(18, input("x", f32, 2), bare("y"), node("BitwiseNot", names("x"), names("y"))))
	g.Nodes[0].Op = newer.Nodes[0].Op
	if v := imports(t, encode(t, g, 0))[""]; v != 18 {
		t.Errorf("opset %d is written, want 18", v)
	}
	int4 := decode(t, model(13, sub(11, text(1, "x"), sub(2, sub(1, varint(1, 22), sub(2)))), bare("y"), node("Identity", names("x"), names("y"))))
	if v := imports(t, encode(t, int4, 0))[""]; v != 21 {
		t.Errorf("int4 is written at opset %d, want 21", v)
	}
	if _, err := onnx.Encode(int4, format.EncodeOptions{Opset: 20}); err == nil || !strings.Contains(err.Error(), `int4 (value "x") needs opset 21`) {
		t.Errorf("error is %v", err)
	}
}

// TestIRVersion: the lowest that goes with each opset (ONNX, Versioning.md).
func TestIRVersion(t *testing.T) {
	g := decode(t, small())
	for opset, want := range map[int]uint64{13: 7, 14: 7, 15: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13} {
		for f, err := range proto.Fields(encode(t, g, opset)) {
			must(t, err)
			if f.Num == 1 && f.Val != want {
				t.Errorf("opset %d: IR version %d, want %d", opset, f.Val, want)
			}
		}
	}
}

// TestWrittenTwice: decode and encode are inverse on what they wrote.
func TestWrittenTwice(t *testing.T) {
	for name, b := range seeds() {
		g := decode(t, b)
		must(t, inferIfPossible(g))
		first := encode(t, g, 0)
		g = decode(t, first)
		must(t, inferIfPossible(g))
		if second := encode(t, g, 0); !slices.Equal(first, second) {
			t.Errorf("%s: %d bytes became %d other bytes", name, len(first), len(second))
		}
	}
}

func inferIfPossible(g *ir.Graph) error {
	if err := ir.Infer(g); err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	return nil
}

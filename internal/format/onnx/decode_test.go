package onnx_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// small is a model with an initializer, an attribute and declared types.
func small() []byte {
	return model(17,
		text(2, "small"),
		constant("w", []float32{1, 2, 3, 4, 5, 6}, 3, 2),
		input("x", f32, 1, 3),
		output("z", f32, 1, 2),
		value(13, "y", f32, 1, 2),
		node("MatMul", names("x", "w"), names("y")),
		node("LeakyRelu", names("y"), names("z"), floatAttr("alpha", 0.25)),
	)
}

func TestDecode(t *testing.T) {
	g := decode(t, small())
	if got, want := operators(g), []string{"MatMul", "LeakyRelu"}; !slices.Equal(got, want) {
		t.Errorf("operators are %v, want %v", got, want)
	}
	out := evaluate(t, g, tensor.FromSlice([]float32{1, -1, -1}, 1, 3))
	if got, want := tensor.Data[float32](out[0]), []float32{-1.75, -2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// isFormatError fails the test unless err is one of the two errors of a door.
func isFormatError(t *testing.T, what string, err error) {
	t.Helper()
	var f *diag.FormatError
	var u *diag.UnsupportedError
	switch {
	case err == nil:
		t.Errorf("%s: no error", what)
	case !errors.As(err, &f) && !errors.As(err, &u):
		t.Errorf("%s: %T, want a FormatError: %v", what, err, err)
	}
}

func TestDecodeTruncated(t *testing.T) {
	whole := small()
	refused := 0
	for n := range whole {
		_, err := onnx.Decode(format.FromBytes("model", whole[:n]))
		if err != nil {
			isFormatError(t, fmt.Sprintf("%d of %d bytes", n, len(whole)), err)
			refused++
		}
	}
	// A cut between two fields of the model leaves a valid message; the graph
	// is the last field, so that no such cut leaves a graph.
	if refused != len(whole) {
		t.Errorf("%d of %d cuts are refused", refused, len(whole))
	}
}

func TestDecodeRefuses(t *testing.T) {
	x, y := input("x", f32, 2), output("y", f32, 2)
	relu := node("Relu", names("x"), names("y"))
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"zip", []byte("PK\x03\x04 a zip archive"), "not an ONNX model"},
		{"text", []byte("#!/bin/sh\nexit 0\n"), "not an ONNX model"},
		{"no graph", file(varint(1, 8), opset("", 17)), "no graph"},
		{"opset 0", model(0, x, y, relu), "opset 1 to 28 is read; export"},
		{"opset 29", model(29, x, y, relu), "opset 1 to 28 is read"},
		{"only another import", file(varint(1, 8), opset("acme", 1), sub(7, x, y, relu)), "imports no version of ai.onnx"},
		{"cycle", model(17, x, y, node("Add", names("x", "b"), names("a")), node("Add", names("a", "x"), names("b")),
			node("Relu", names("a"), names("y"))), "depends on its own output"},
		{"computed twice", model(17, x, y, relu, node("Neg", names("x"), names("y"))), `"y" is computed twice`},
		{"input computed", model(17, x, y, node("Relu", names("x"), names("x"))), `"x" is computed twice`},
		{"input twice", model(17, x, x, y, relu), `input "x" is given twice`},
		{"nameless input", model(17, x, input("", f32, 1), y, relu), "no name"},
		{"initializer twice", model(17, x, y, constant("w", nil, 0), constant("w", nil, 0), relu), `"w" is given twice`},
		{"undefined input", model(17, y, node("Relu", names("x"), names("y"))), `input "x" is not defined`},
		{"undefined output", model(17, x, y), `output "y" is not computed`},
		{"too few bytes", model(17, constant("w", []float32{1, 2}, 3), bare("w")), `tensor "w"`},
		{"negative dimension", model(17, constant("w", []float32{1}, -1), bare("w")), "not possible"},
		{"enormous", model(17, constant("w", []float32{1}, 1<<40, 1<<40), bare("w")), "not possible"},
		{"larger than the file", model(17, constant("w", []float32{1}, 1<<40), bare("w")), `tensor "w"`},
		{"typed data missing", model(17, sub(5, varint(2, i64), text(8, "w"), varint(1, 1<<40)), bare("w")), "needs 1099511627776 elements, got 0"},
		{"unknown element type", model(17, sub(5, varint(2, 99), text(8, "w")), bare("w")), "unknown element type 99"},
		{"unknown element type of an input", model(17, input("x", 99, 1), y, relu), "unknown element type 99"},
		{"segments", model(17, sub(5, varint(2, f32), text(8, "w"), sub(3, varint(1, 0))), bare("w")), "segments"},
		{"sparse", model(17, x, y, relu, sub(15)), "dense"},
		{"wrong kind of attribute", model(17, x, y, node("LeakyRelu", names("x"), names("y"), textAttr("alpha", "a"))), `"alpha"`},
		{"ragged floats", model(17, x, y, node("LeakyRelu", names("x"), names("y"), attr("alphas", 6, text(7, "abc")))), `"alphas"`},
		{"body in a body", model(17, x, y, deep(200)), "nested too deep"},
	}
	for _, tt := range tests {
		_, err := onnx.Decode(format.FromBytes("the.onnx", tt.file))
		isFormatError(t, tt.name, err)
		if err == nil {
			continue
		}
		if msg := err.Error(); !strings.Contains(msg, tt.want) || !strings.HasPrefix(msg, "the.onnx: ") {
			t.Errorf("%s: error is %q, want it to name the file and %q", tt.name, msg, tt.want)
		}
	}
}

// deep is a node with n graphs, one in the other.
func deep(n int) field {
	f := node("Relu", names("x"), names("y"))
	for range n {
		f = node("If", names("x"), names("y"), graphAttr("then_branch", f))
	}
	return f
}

// old is an initializer that stands in the list of inputs too, and an input
// that does not.
func TestDecodeInitializerAsInput(t *testing.T) {
	g := decode(t, model(8,
		constant("w", []float32{10, 20}, 2), input("x", f32, 2), input("w", f32, 2), bare("y"),
		node("Add", names("x", "w"), names("y"))))
	if len(g.Inputs) != 1 || g.Inputs[0].Name != "x" {
		t.Fatalf("%d inputs, the first %q", len(g.Inputs), g.Inputs[0].Name)
	}
	out := evaluate(t, g, tensor.FromSlice([]float32{1, 2}, 2))
	if got := tensor.Data[float32](out[0]); !slices.Equal(got, []float32{11, 22}) {
		t.Errorf("got %v", got)
	}
}

func TestDecodeSortsNodes(t *testing.T) {
	g := decode(t, model(17, input("x", f32, 1), bare("y"),
		node("Relu", names("a"), names("y")), node("Neg", names("x"), names("a"))))
	if got := operators(g); !slices.Equal(got, []string{"Neg", "Relu"}) {
		t.Errorf("order is %v", got)
	}
}

func TestDecodeDimensions(t *testing.T) {
	x := sub(11, text(1, "x"), sub(2, sub(1, varint(1, f32), sub(2,
		sub(1, varint(1, -1)), sub(1, text(2, "batch")), sub(1), sub(1, varint(1, 3)), sub(1, varint(1, 0))))))
	g := decode(t, model(17, x, bare("y"), node("Relu", names("x"), names("y"))))
	if got, want := g.Inputs[0].Shape.String(), (op.Shape{op.Unknown, op.Sym("batch"), op.Unknown, op.Size(3), op.Size(0)}).String(); got != want {
		t.Errorf("shape is %s, want %s", got, want)
	}
	g = decode(t, encode(t, g, 0))
	if got := g.Inputs[0].Shape.String(); !strings.Contains(got, "batch") {
		t.Errorf("the written shape is %s", got)
	}
}

// TestKeepsUnknown: what the door has no words for is in the written file as
// it was.
func TestKeepsUnknown(t *testing.T) {
	n := node("LeakyRelu", names("x"), names("y"), floatAttr("alpha", 0.5),
		intAttr("from_the_future", 7), attr("tensors", 9, sub(10, tensorFields("t", []float32{1}, []int64{1})...)), text(6, "about the node"),
		sub(9, text(1, "node_key"), text(2, "node_value")))
	whole := file(varint(1, 8), text(4, "the.domain"), varint(5, 41), text(6, "about the model"), text(99, "model field"),
		opset("", 17), sub(14, text(1, "author"), text(2, "someone")),
		sub(7, text(2, "g"), text(10, "about the graph"), text(98, "graph field"), input("x", f32, 1), sub(12, text(1, "y"), text(3, "about the output")), n))
	g := decode(t, whole)
	if g.Meta["author"] != "someone" {
		t.Errorf("metadata is %v", g.Meta)
	}
	for round := range 2 {
		written := encode(t, g, 0)
		for _, want := range []string{
			"the.domain", "about the model", "model field", "author", "someone", "about the graph", "graph field",
			"from_the_future", "tensors", "about the node", "about the output", "node_key", "node_value",
		} {
			if !bytes.Contains(written, []byte(want)) {
				t.Errorf("round %d: %q is not in the written file", round, want)
			}
		}
		g = decode(t, written)
	}
	out := evaluate(t, g, tensor.FromSlice([]float32{-2}, 1))
	if got := tensor.Data[float32](out[0])[0]; got != -1 {
		t.Errorf("got %v, want -1", got)
	}
}

func TestCustomOperator(t *testing.T) {
	n := node("Frobnicate", names("x", "", "w"), names("y", "", "z"), text(7, "acme"),
		intAttr("i", -3), floatAttr("f", 1.5), textAttr("s", "words"), intsAttr("is", 1, -2), floatsAttr("fs", 0.5),
		attr("ss", 8, text(9, "a"), text(9, "b")),
		attr("t", 4, sub(5, tensorFields("", []float32{1, 2}, []int64{2})...)))
	m, err := onnx.Decode(format.FromBytes("model", file(varint(1, 8), opset("", 17), opset("acme", 4),
		sub(7, constant("w", []float32{1}, 1), input("x", f32, 1), bare("r"), bare("z"), n, node("Relu", names("y"), names("r"))))))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Warnings) != 1 || m.Warnings[0].ID != "OCT001" || !strings.Contains(m.Warnings[0].Msg, "acme::Frobnicate (1 nodes)") {
		t.Errorf("warnings are %v", m.Warnings)
	}
	if err := ir.Infer(m.Graph); err != nil {
		t.Errorf("infer: %v", err)
	}
	written := encode(t, m.Graph, 0)
	again := decode(t, written)
	for _, g := range []*ir.Graph{m.Graph, again} {
		c, ok := g.Nodes[0].Op.(*op.Custom)
		if !ok || c.Domain != "acme" || c.Type != "Frobnicate" {
			t.Fatalf("operator is %#v", g.Nodes[0].Op)
		}
		got := map[string]string{}
		for _, a := range c.Attrs {
			if v, ok := a.Value.(*tensor.Tensor); ok {
				got[a.Name] = fmt.Sprint(tensor.Data[float32](v))
				continue
			}
			got[a.Name] = fmt.Sprint(a.Value)
		}
		want := map[string]string{"i": "-3", "f": "1.5", "s": "words", "is": "[1 -2]", "fs": "[0.5]", "ss": "[a b]", "t": "[1 2]"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("attributes are %v, want %v", got, want)
		}
		if n := g.Nodes[0]; len(n.In) != 3 || n.In[1] != nil || len(n.Out) != 3 || n.Out[1] != nil {
			t.Errorf("operands are %v and %v", n.In, n.Out)
		}
	}
	if v := imports(t, written)["acme"]; v != 4 {
		t.Errorf("acme is imported at version %d, want 4", v)
	}
}

// imports reads the opset imports of a file.
func imports(t *testing.T, file []byte) map[string]int64 {
	out := map[string]int64{}
	for f, err := range proto.Fields(file) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Num != 8 {
			continue
		}
		var domain string
		var version int64
		for f, err := range proto.Fields(f.Bytes) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Num == 1 {
				domain = string(f.Bytes)
			} else {
				version = int64(f.Val)
			}
		}
		out[domain] = version
	}
	return out
}

// TestMicrosoftQuantization: ONNX Runtime's 16-bit quantization is the standard
// one of opset 21.
func TestMicrosoftQuantization(t *testing.T) {
	ms := text(7, "com.microsoft")
	zero := sub(5, varint(2, 5), text(8, "z"), func(m *proto.Message) { m.Bytes(9, []byte{1, 0}) })
	g := decode(t, file(varint(1, 8), opset("", 17), opset("com.microsoft", 1), sub(7,
		constant("s", []float32{0.5}), zero, input("x", f32, 2), bare("y"),
		node("QuantizeLinear", names("x", "s", "z"), names("q"), ms), node("DequantizeLinear", names("q", "s", "z"), names("y"), ms))))
	out := evaluate(t, g, tensor.FromSlice([]float32{1000.2, -3}, 2))
	if got := tensor.Data[float32](out[0]); !slices.Equal(got, []float32{1000, -3}) {
		t.Errorf("got %v", got)
	}
	got := imports(t, encode(t, g, 0))
	if len(got) != 1 || got[""] != 21 {
		t.Errorf("imports are %v, want opset 21 alone", got)
	}
}

// TestOwnOperators: a file cannot hold the project's own operators, and has no
// way to ask for them.
func TestOwnOperators(t *testing.T) {
	g := decode(t, file(varint(1, 8), opset("", 17), opset("octavo", 1),
		sub(7, input("x", f32, 2), bare("y"), node("DynamicQuantize", names("x"), names("y"), text(7, "octavo")))))
	if _, ok := g.Nodes[0].Op.(*op.Custom); !ok {
		t.Errorf("operator is a %T", g.Nodes[0].Op)
	}
	g.Nodes[0].Op = op.New[op.DynamicQuantize]()
	if _, err := onnx.Encode(g, format.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "no such operator") {
		t.Errorf("error is %v", err)
	}
}

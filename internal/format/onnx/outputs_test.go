package onnx_test

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
)

// TestFirstOutputs: a node that computes nothing is dropped and said, and one
// whose first output the file leaves out has one all the same.
func TestFirstOutputs(t *testing.T) {
	m, err := onnx.Decode(format.FromBytes("m", model(17, input("x", f32, 1, 2), bare("mask"),
		node("Relu", names("x"), nil),
		node("Relu", names("x"), names("")),
		node("Dropout", names("x"), names("", "mask")))))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Graph.Nodes); n != 1 || m.Graph.Nodes[0].Out[0] == nil || m.Graph.Nodes[0].Out[0].Name == "mask" {
		t.Errorf("got\n%s", ir.Format(m.Graph))
	}
	if len(m.Warnings) != 2 || !strings.Contains(m.Warnings[0].Msg, "no outputs") {
		t.Errorf("warnings: %v", m.Warnings)
	}
}

// TestArityBehindUnknownOperators: where types are not known, the number of
// inputs is checked all the same.
func TestArityBehindUnknownOperators(t *testing.T) {
	m, err := onnx.Decode(format.FromBytes("m", model(17, input("x", f32, 1, 2), bare("y"),
		node("Strange", names("x"), names("s")), node("Mul", names("s"), names("y")))))
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(m.Graph); err == nil || !strings.Contains(err.Error(), "inputs, want 2") {
		t.Errorf("got %v", err)
	}
}

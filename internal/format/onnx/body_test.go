package onnx_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// branches is a model with an If whose bodies read a computed value, an input
// and a constant of the graph around them, one of them from a body in a body.
func branches() []byte {
	then := graphAttr("then_branch", text(2, "then"), output("t", f32, 2),
		node("Add", names("h", "w"), names("s")), node("Mul", names("s", "own"), names("t")),
		constant("own", []float32{2, 3}, 2))
	inner := graphAttr("then_branch", text(2, "inner_then"), output("it", f32, 2), node("Sub", names("n", "h"), names("it")))
	innerElse := graphAttr("else_branch", text(2, "inner_else"), output("ie", f32, 2), node("Sub", names("x", "n"), names("ie")))
	els := graphAttr("else_branch", text(2, "else"), output("e", f32, 2),
		node("Neg", names("w"), names("n")), node("If", names("c"), names("e"), inner, innerElse))
	return model(17, text(2, "g"), constant("w", []float32{1, 2}, 2),
		input("x", f32, 2), value(11, "c", 9), output("y", f32, 2),
		node("Relu", names("x"), names("h")), node("If", names("c"), names("y"), then, els))
}

func inputNames(vs []*ir.Value) []string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Name)
	}
	return out
}

func TestBodiesCapture(t *testing.T) {
	first := decode(t, branches())
	written := encode(t, first, 0)
	second := decode(t, written)
	for _, g := range []*ir.Graph{first, second} {
		n := g.Nodes[1]
		if got := inputNames(n.In); !slices.Equal(got, []string{"c", "h", "c", "x"}) {
			t.Errorf("the node reads %v", got)
		}
		if len(n.Bodies) != 2 {
			t.Fatalf("%d bodies", len(n.Bodies))
		}
		for _, b := range n.Bodies {
			if got := inputNames(b.Inputs); !slices.Equal(got, []string{"h", "c", "x"}) {
				t.Errorf("body %s has the inputs %v", b.Name, got)
			}
			if err := ir.Verify(b); err != nil {
				t.Errorf("body %s: %v", b.Name, err)
			}
		}
		if n.In[1] != g.Nodes[0].Out[0] {
			t.Error("the captured value is not the one that Relu computes")
		}
		deep := n.Bodies[1].Nodes[1]
		if got := inputNames(deep.In); !slices.Equal(got, []string{"c", "n", "h", "x"}) {
			t.Errorf("the inner node reads %v", got)
		}
	}
	if a, b := ir.Format(first), ir.Format(second); a != b {
		t.Errorf("the graph changed:\n%s\nbecame\n%s", a, b)
	}
	// In the file the node reads the condition alone, bodies have no inputs,
	// and the shared constant is stored once.
	var ins, bodyInputs, weights int
	walk(t, written, func(path string, f proto.Field) {
		switch path {
		case "7.1.1":
			ins++
		case "7.1.5.6.11", "7.1.5.6.1.5.6.11":
			bodyInputs++
		case "7.5", "7.1.5.6.5", "7.1.5.6.1.5.6.5":
			weights++
		}
	})
	if ins != 2 || bodyInputs != 0 || weights != 2 {
		t.Errorf("%d node inputs, %d body inputs, %d initializers; want 2, 0, 2", ins, bodyInputs, weights)
	}
}

// TestBodiesFollowPasses: a captured value that a pass replaced is meant by its
// new name, also where a value in the body has that name.
func TestBodiesFollowPasses(t *testing.T) {
	for _, name := range []string{"fresh", "s"} {
		g := decode(t, branches())
		before := ir.Format(g)
		old, n := g.Nodes[0].Out[0], g.Nodes[1]
		g.Replace(old, ir.NewConst(name, tensor.FromSlice([]float32{7, 8}, 2)))
		g.Nodes = g.Nodes[1:]
		written := encode(t, g, 0)
		if n.Bodies[0].Inputs[0].Name != "h" {
			t.Error("writing changed the graph")
		}
		again := decode(t, written)
		must(t, ir.Verify(again))
		// A constant is no input of a body any more: each holds it.
		n = again.Nodes[0]
		if got := inputNames(n.In); !slices.Equal(got, []string{"c", "c", "x"}) {
			t.Errorf("the node reads %v", got)
		}
		add, deep := n.Bodies[0].Nodes[0], n.Bodies[1].Nodes[1].Bodies[0].Nodes[0]
		for _, v := range []*ir.Value{add.In[0], deep.In[1]} {
			if v.Name != name || v.Const == nil || !slices.Equal(tensor.Data[float32](v.Const), []float32{7, 8}) {
				t.Errorf("a body reads %q %v, want the constant %q\n%s", v.Name, v.Const, name, before)
			}
		}
	}
}

// walk visits the fields of graphs, nodes and attributes with their paths.
func walk(t *testing.T, b []byte, visit func(path string, f proto.Field)) {
	nested := map[string]bool{
		"7": true, "7.1": true, "7.1.5": true, "7.1.5.6": true, "7.1.5.6.1": true,
		"7.1.5.6.1.5": true, "7.1.5.6.1.5.6": true,
	}
	var into func(prefix string, b []byte)
	into = func(prefix string, b []byte) {
		for f, err := range proto.Fields(b) {
			if err != nil {
				t.Fatal(err)
			}
			path := prefix + strconv.Itoa(int(f.Num))
			visit(path, f)
			if nested[path] {
				into(path+".", f.Bytes)
			}
		}
	}
	into("", b)
}

// TestBodiesThatAreLeftOut: FlexAttention needs neither of its bodies, and none
// is written that was not read.
func TestBodiesThatAreLeftOut(t *testing.T) {
	half := graphAttr("prob_mod", text(2, "half"), input("p", f32, 1, 1, 1, 1), output("q", f32, 1, 1, 1, 1),
		node("Mul", names("p", "h"), names("q")), constant("h", []float32{0.5}))
	for _, c := range []struct {
		bodies []field
		want   float32
	}{{nil, 3}, {[]field{half}, 1.5}} {
		fields := append([]field{text(7, "ai.onnx.preview")}, c.bodies...)
		g := decode(t, file(varint(1, 8), opset("", 21), opset("ai.onnx.preview", 1), sub(7, input("x", f32, 1, 1, 1, 1), bare("y"),
			node("FlexAttention", names("x", "x", "x"), names("y"), fields...))))
		written := encode(t, g, 0)
		bodies := 0
		walk(t, written, func(path string, _ proto.Field) {
			if path == "7.1.5.6" {
				bodies++
			}
		})
		if bodies != len(c.bodies) {
			t.Errorf("%d bodies are written, want %d", bodies, len(c.bodies))
		}
		for _, g := range []*ir.Graph{g, decode(t, written)} {
			if y := evaluate(t, g, tensor.FromSlice([]float32{3}, 1, 1, 1, 1))[0]; tensor.Data[float32](y)[0] != c.want {
				t.Errorf("got %v, want %v", tensor.Data[float32](y), c.want)
			}
		}
	}
}

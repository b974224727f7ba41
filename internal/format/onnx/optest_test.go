package onnx_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestCasesSurviveTheFile writes every operator case at several opsets, reads
// it back, and evaluates it.
func TestCasesSurviveTheFile(t *testing.T) {
	refused := 0
	for _, opset := range []int{13, 17, 25} {
		for _, c := range optest.All() {
			if strings.HasPrefix(c.Op.Name(), "Quantized") || c.Op.Name() == "DynamicQuantize" || c.Op.Name() == "ConvIntegerToFloat" || len(c.Want) == 0 {
				continue // the project's own, which no file has
			}
			t.Run(c.Name, func(t *testing.T) {
				g := caseGraph(c)
				if err := ir.Infer(g); err != nil {
					t.Fatal(err)
				}
				e, err := onnx.Encode(g, format.EncodeOptions{Opset: opset, Producer: "test"})
				if err != nil {
					// The version lacks the operator or a form of it, or ONNX cannot
					// say it at all (layouts).
					if !strings.Contains(err.Error(), "opset") && !strings.Contains(err.Error(), "ONNX cannot say") {
						t.Errorf("opset %d: %v", opset, err)
					}
					refused++
					return
				}
				var b bytes.Buffer
				if _, err := e.Main.WriteTo(&b); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					var again bytes.Buffer
					if e, err := onnx.Encode(g, format.EncodeOptions{Opset: opset, Producer: "test"}); err != nil {
						t.Fatal(err)
					} else if _, err := e.Main.WriteTo(&again); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
						t.Fatalf("opset %d: written again, the bytes differ: %v", opset, err)
					}
				}
				m, err := onnx.Decode(format.FromBytes("case.onnx", b.Bytes()))
				if err != nil {
					t.Fatalf("opset %d: %v", opset, err)
				}
				out, err := ir.Eval(m.Graph, nil)
				if err != nil {
					t.Fatalf("opset %d: %v", opset, err)
				}
				got := make([]*tensor.Tensor, len(c.Want))
				k := 0
				for i := range c.Want {
					if c.Want[i] != nil || i == 0 {
						got[i] = out[k].Tensor
						k++
					}
				}
				if len(m.Graph.Nodes) > 1 {
					c.Tol = max(c.Tol, expandedTol) // written as several operators
				}
				optest.Check(t, c, got)
			})
		}
	}
	t.Logf("%d of the forms need another opset", refused)
}

// expandedTol is the relative error allowed where an older opset writes one
// operator as several, each rounding.
const expandedTol = 1e-5

// caseGraph is the graph of a case with constant operands.
func caseGraph(c optest.Case) *ir.Graph {
	n := &ir.Node{Name: "node", Op: c.Op}
	g := &ir.Graph{Name: "case", Nodes: []*ir.Node{n}}
	for i, x := range c.In {
		if x == nil {
			n.In = append(n.In, nil)
			continue
		}
		n.In = append(n.In, ir.NewConst("x"+string(rune('a'+i)), x))
	}
	for i, w := range c.Want {
		if w == nil && i > 0 {
			n.Out = append(n.Out, nil)
			continue
		}
		v := &ir.Value{Name: "y" + string(rune('a'+i)), Fact: op.Fact{}}
		n.Out = append(n.Out, v)
		g.Outputs = append(g.Outputs, v)
	}
	return g
}

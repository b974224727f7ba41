package octavo

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// caseFile returns an operator case as an ONNX file, with inputs as constants,
// which preparing folds, or all of them as inputs; nil where ONNX cannot hold it.
func caseFile(c optest.Case, constant bool) []byte {
	n := &ir.Node{Name: "node", Op: c.Op}
	g := &ir.Graph{Name: "case", Nodes: []*ir.Node{n}}
	for i, x := range c.In {
		if x == nil {
			n.In = append(n.In, nil)
			continue
		}
		v := ir.NewConst(fmt.Sprint("x", i), x)
		if !constant {
			v = &ir.Value{Name: v.Name, Fact: op.TensorFact(x.Type(), op.Known(x.Shape()...))}
			g.Inputs = append(g.Inputs, v)
		}
		n.In = append(n.In, v)
	}
	for i := range c.Want {
		v := &ir.Value{Name: fmt.Sprint("y", i)}
		n.Out = append(n.Out, v)
		g.Outputs = append(g.Outputs, v)
	}
	if err := ir.Infer(g); err != nil {
		return nil
	}
	e, err := onnx.Encode(g, format.EncodeOptions{Name: "case"})
	if err != nil || len(e.Companions) > 0 {
		return nil
	}
	var b bytes.Buffer
	if _, err := e.Main.WriteTo(&b); err != nil {
		return nil
	}
	return b.Bytes()
}

// FuzzModel: whatever a file says, loading, preparing, compiling and running it
// end in a result or an error, never in a panic.
func FuzzModel(f *testing.F) {
	for _, c := range optest.All() {
		for _, constant := range []bool{true, false} {
			if b := caseFile(c, constant); b != nil {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<14 {
			t.Skip("too large")
		}
		m, err := LoadBytes("fuzzed", b)
		if err != nil {
			return
		}
		defer m.Close()
		if _, err := m.Inspect(); err != nil {
			return
		}
		p, err := m.Compile(Threads(1))
		if err != nil {
			return
		}
		in := Inputs{}
		for _, v := range m.prepared.Inputs {
			shape, ok := v.Shape.Ints()
			n, small := tensor.Count(shape)
			if !ok || !small || n > 1<<10 || v.Type.Bits() == 0 {
				return
			}
			in[v.Name] = tensor.New(v.Type, shape...)
		}
		p.Run(context.Background(), in) //nolint:errcheck // an error is fine, a panic is not
	})
}

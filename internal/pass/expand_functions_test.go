package pass

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestFunctionsExpandToTheSameBits: every case of an operator that is defined in
// terms of others computes the same after the pass, with sizes that are known
// and with some that are not.
func TestFunctionsExpandToTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	expanded := map[string]int{}
	for _, c := range optest.All() {
		o, ok := c.Op.(op.Expander)
		if !ok {
			continue
		}
		for round := range 6 {
			n := &ir.Node{Name: "n", Op: o}
			g := &ir.Graph{Name: "g", Nodes: []*ir.Node{n}}
			var in []op.Datum
			for i, x := range c.In {
				if x == nil {
					n.In = append(n.In, nil)
					continue
				}
				v := &ir.Value{Name: fmt.Sprint("x", i), Fact: op.TensorFact(x.Type(), op.Known(x.Shape()...))}
				for k := range v.Shape {
					if round > 0 && r.IntN(3) == 0 {
						v.Shape[k] = op.Sym(fmt.Sprint("d", i, k))
					}
				}
				n.In, g.Inputs, in = append(n.In, v), append(g.Inputs, v), append(in, op.Datum{Tensor: x})
			}
			for i := range max(len(c.Want), 1) {
				v := &ir.Value{Name: fmt.Sprint("y", i)}
				if i > 0 && c.Want[i] == nil {
					v = nil
				} else {
					g.Outputs = append(g.Outputs, v)
				}
				n.Out = append(n.Out, v)
			}
			if err := ir.Infer(g); err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			want, err := ir.Eval(g, in)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			changed, err := ExpandFunctions(g)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			if !changed {
				if round == 0 {
					t.Errorf("%s: it does not expand though all sizes are known", c.Name)
				}
				continue
			}
			expanded[o.Name()]++
			if err := ir.Verify(g); err != nil {
				t.Fatalf("%s: %v\n%s", c.Name, err, ir.Format(g))
			}
			if slices.Contains(g.Nodes, n) {
				t.Errorf("%s: the node stays", c.Name)
			}
			got, err := ir.Eval(g, in)
			if err != nil {
				t.Fatalf("%s: %v\n%s", c.Name, err, ir.Format(g))
			}
			for i := range want {
				if !tensor.Equal(got[i].Tensor, want[i].Tensor) {
					t.Errorf("%s: output %d is %v, want %v", c.Name, i, got[i].Tensor, want[i].Tensor)
				}
			}
		}
	}
	if len(expanded) < 4 || expanded["Attention"] < 60 {
		t.Errorf("expanded %v", expanded)
	}
}

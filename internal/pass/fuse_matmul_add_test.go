package pass

import (
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/op"
)

// TestFuseRowBiases: products of rows take in what is added to each row, two of
// the same data share its rows, and other sums stay.
func TestFuseRowBiases(t *testing.T) {
	g := inferred(t, `graph g
input x float32[2,3,2]
const w float32[2,3] = [1 -2 3 0.5 2 -1]
const v float32[2,1] = [4 5]
const b float32[3] = [1 2 3]
const c float32[1] = [7]
const d float32[3,1] = [1 2 3]
p float32[...] = MatMul(x, w)
a float32[...] = Add(p, b)
q float32[...] = MatMul(x, v)
e float32[...] = Add(c, q)
s float32[...] = MatMul(x, v)
f float32[...] = Add(s, d)
output a
output e
output f
`)
	before, _ := g.Clone()
	changed, err := FuseRowBiases(g)
	if err != nil || !changed {
		t.Fatalf("changed is %v, %v", changed, err)
	}
	sameResults(t, before, g)
	var names []string
	for _, n := range g.Nodes {
		names = append(names, n.Op.Name())
	}
	if want := []string{"Reshape", "Gemm", "Reshape", "Gemm", "Reshape", "MatMul", "Add"}; !slices.Equal(names, want) {
		t.Errorf("nodes %v, want %v", names, want)
	}
	if g.Nodes[1].In[0] != g.Nodes[3].In[0] {
		t.Error("two products of the same data have rows of their own")
	}
	if _, ok := g.Nodes[1].Op.(*op.Gemm); !ok || g.Nodes[1].Name != before.Nodes[0].Name {
		t.Errorf("the product is called %q, want %q", g.Nodes[1].Name, before.Nodes[0].Name)
	}
	if again, err := FuseRowBiases(g); again || err != nil {
		t.Errorf("a second time: changed is %v, %v", again, err)
	}
}

package pass

import (
	"fmt"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
)

// TestReplaceMeans: a mean of integers over all that is spatial is one that
// runtimes have an integer kernel for; others stay.
func TestReplaceMeans(t *testing.T) {
	for _, c := range []struct{ axes, keep, want string }{
		{"[2] = [2 3]", "1", "GlobalAveragePool"},
		{"[2] = [-1 -2]", "1", "GlobalAveragePool"},
		{"[2] = [2 3]", "0", "ReduceMean"},
		{"[2] = [1 2]", "1", "ReduceMean"},
		{"[1] = [3]", "1", "ReduceMean"},
	} {
		g := inferred(t, fmt.Sprintf(`graph g
input x float32[2,3,4,5]
const s float32[] = [0.1]
const z int8[] = [3]
const axes int64%s
q int8[...] = QuantizeLinear(x, s, z)
d float32[...] = DequantizeLinear(q, s, z)
m float32[...] = ReduceMean(d, axes) {keepdims=%s}
y int8[...] = QuantizeLinear(m, s, z)
output y
`, c.axes, c.keep))
		before, _ := g.Clone()
		replaceMeans(g)
		if err := ir.Verify(g); err != nil {
			t.Fatal(err)
		}
		if got := g.Nodes[2].Op.Name(); got != c.want {
			t.Errorf("axes %s, keepdims %s: %s, want %s", c.axes, c.keep, got, c.want)
		}
		sameResults(t, before, g)
	}
}

package pass

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// TestFusePadIntoChannelsLast: the places lie elsewhere, and padded channels
// stay.
func TestFusePadIntoChannelsLast(t *testing.T) {
	for pads, fused := range map[string]bool{"[0 1 0 0 0 2 3 0]": true, "[0 0 1 0 0 0 2 0]": true, "[0 0 1 1 0 0 0 0]": false} {
		channels := "3"
		if !fused {
			channels = "2" // one is added
		}
		g := inferred(t, `graph g
input x float32[2,4,5,`+channels+`]
const pads int64[8] = `+pads+`
const w float32[1,3,2,1] = [1 -2 3 0.5 2 -1]
p float32[...] = Pad(x, pads)
y float32[...] = Conv(p, w) {.layout=1}
output y
`)
		before, _ := g.Clone()
		changed, err := FusePadIntoConv(g)
		if err != nil || changed != fused {
			t.Errorf("pads %s: changed is %v, %v; want %v", pads, changed, err, fused)
		}
		if err := ir.Infer(g); err != nil {
			t.Fatal(err)
		}
		sameResults(t, before, g)
		if _, err := EliminateDead(g); err != nil {
			t.Fatal(err)
		}
		if _, still := g.Nodes[0].Op.(*op.Pad); still == fused {
			t.Errorf("pads %s: the Pad is there: %v", pads, still)
		}
	}
}

// TestFusePadOfIntegers: padding is the zero point either way, unless the
// parameters change or somebody else wants the padded integers.
func TestFusePadOfIntegers(t *testing.T) {
	never := func(*ir.Node) bool { return false }
	for _, c := range []struct {
		name, scale, output string
		watched             func(*ir.Node) bool
		fused               bool
	}{
		{"alone", "s", "", never, true},
		{"of another scale", "other", "", never, false},
		{"read by somebody else", "s", "output q\n", never, false},
		{"watched", "s", "", func(n *ir.Node) bool { return n.Out[0].Name == "q" }, false},
	} {
		g := inferred(t, `graph g
input x float32[2,4,5,1]
const s float32[] = [0.5]
const other float32[] = [0.25]
const z int8[] = [3]
const pads int64[8] = [0 1 0 0 0 2 3 0]
const w float32[1,1,3,2] = [1 -2 3 0.5 2 -1]
i int8[...] = QuantizeLinear(x, s, z)
f float32[...] = DequantizeLinear(i, s, z)
p float32[...] = Pad(f, pads)
q int8[...] = QuantizeLinear(p, `+c.scale+`, z)
d float32[...] = DequantizeLinear(q, `+c.scale+`, z)
y float32[...] = Conv(d, w) {.layout=1}
output y
`+c.output)
		before, _ := g.Clone()
		changed, err := FusePadOfIntegers(g, c.watched)
		if err != nil || changed != c.fused {
			t.Errorf("%s: changed is %v, %v; want %v", c.name, changed, err, c.fused)
		}
		if err := ir.Infer(g); err != nil {
			t.Fatal(err)
		}
		sameResults(t, before, g)
		if len(g.Nodes) == 3 != c.fused {
			t.Errorf("%s: %d nodes are left", c.name, len(g.Nodes))
		}
	}
}

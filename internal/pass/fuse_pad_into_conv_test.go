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

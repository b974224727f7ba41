package octavo

import (
	"fmt"
	"github.com/octavo-ml/octavo/internal/ir"
	"maps"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// extent is the range of the values that an input was given.
type extent struct {
	lo, hi float64
	whole  bool // they are whole numbers
}

// see takes in the float inputs of a sample.
func see(seen map[string]extent, in Inputs) {
	for name, t := range in {
		if t.Type() != dtype.Float32 {
			continue
		}
		e, ok := seen[name]
		if !ok {
			e = extent{math.Inf(1), math.Inf(-1), true}
		}
		for _, v := range tensor.Data[float32](t) {
			x := float64(v)
			e.lo, e.hi = min(e.lo, x), max(e.hi, x)
			e.whole = e.whole && x == math.Trunc(x)
		}
		seen[name] = e
	}
}

// grids returns the real numbers that each quantized input can hold.
func (m *Model) grids() map[string]extent {
	out := map[string]extent{}
	for _, n := range m.graph.Nodes {
		if _, ok := n.Op.(*op.QuantizeLinear); !ok || !slices.Contains(m.graph.Inputs, n.In[0]) {
			continue
		}
		p, ok, err := ir.ParamsOf(n)
		if err != nil || !ok || !p.IsPerTensor() || p.Type == dtype.Invalid {
			continue
		}
		lo, hi := p.Type.Range()
		scale := float64(p.Scale[0])
		out[n.In[0].Name] = extent{lo: float64(lo-p.Zero(0)) * scale, hi: float64(hi-p.Zero(0)) * scale}
	}
	return out
}

// beyond is by how many times data may exceed the range of calibration before
// it is taken for other data: real data exceeds it a little.
const beyond = 2

// calibratedFor warns of inputs that lie far outside what a candidate was
// calibrated for: all that is beyond is cut off.
func calibratedFor(m *Model, name string, seen map[string]extent) []Warning {
	var out []Warning
	grids := m.grids()
	for _, input := range slices.Sorted(maps.Keys(grids)) {
		g := grids[input]
		s, ok := seen[input]
		if !ok || s.hi <= beyond*max(g.hi, 0) && s.lo >= beyond*min(g.lo, 0) {
			continue
		}
		w := Warning{ID: "OCT019", Msg: fmt.Sprintf("input %q holds values from %.4g to %.4g, and %s was calibrated for %.4g to %.4g: preprocessing looks wrong", input, s.lo, s.hi, name, g.lo, g.hi)}
		if s.whole && s.lo >= 0 && s.hi > 2 && s.hi <= 255 {
			w.Notes = []string{"they are whole numbers within 0..255, as pixels before scaling: divide them by 255"}
		}
		out = append(out, w)
	}
	return out
}

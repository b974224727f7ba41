package pass

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// matcher answers the questions that patterns ask.
type matcher struct {
	g    *ir.Graph
	prod map[*ir.Value]*ir.Node
	uses map[*ir.Value][]ir.Use
}

func newMatcher(g *ir.Graph) *matcher {
	return &matcher{g, g.Producers(), g.Uses()}
}

// from returns the node that computes v if its operator is a T.
func from[T op.Op](m *matcher, v *ir.Value) (*ir.Node, T, bool) {
	var zero T
	n := m.prod[v]
	if n == nil {
		return nil, zero, false
	}
	o, ok := n.Op.(T)
	return n, o, ok
}

// only reports whether exactly one node reads v and it is no graph output.
func (m *matcher) only(v *ir.Value) bool { return len(m.uses[v]) == 1 && !m.g.IsOutput(v) }

// inner reports whether v is read by the given nodes alone.
func (m *matcher) inner(v *ir.Value, by ...*ir.Node) bool {
	if m.g.IsOutput(v) {
		return false
	}
	for _, u := range m.uses[v] {
		if !slices.Contains(by, u.Node) {
			return false
		}
	}
	return true
}

// scalar returns the value of a constant of one floating-point element.
func scalar(v *ir.Value) (float64, bool) {
	if v == nil || v.Const == nil || v.Const.Len() != 1 {
		return 0, false
	}
	f, err := op.Convert(v.Const, dtype.Float64)
	if err != nil || !v.Type.IsFloat() {
		return 0, false
	}
	return tensor.Data[float64](f)[0], true
}

// near reports whether v is a constant scalar equal to want up to what an
// exporter's rounding leaves.
func near(v *ir.Value, want float64) bool {
	got, ok := scalar(v)
	return ok && math.Abs(got-want) <= 1e-4*math.Abs(want)
}

// operands returns the other operand of a commutative node for which ok holds.
func operands(n *ir.Node, ok func(*ir.Value) bool) (match, other *ir.Value, found bool) {
	if len(n.In) != 2 {
		return nil, nil, false
	}
	for i := range 2 {
		if ok(n.In[i]) {
			return n.In[i], n.In[1-i], true
		}
	}
	return nil, nil, false
}

// swap puts node n in the place of last: n computes last's first output. The
// nodes it stands for die in eliminate_dead.
func (m *matcher) swap(last, n *ir.Node) {
	n.Out = []*ir.Value{last.Out[0]}
	n.Name, n.Origin, n.Keep = last.Name, last.Origin, nil
	i := slices.Index(m.g.Nodes, last)
	m.g.Nodes[i] = n
	m.prod[n.Out[0]] = n
}

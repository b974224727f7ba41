package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
)

// FollowExisting returns r with what it leaves open of activations filled in
// from the pairs of g: the type that most of them have, where the target takes
// it, and symmetric zero points where all have them.
func FollowExisting(g *ir.Graph, r Recipe) (Recipe, error) {
	s, err := r.resolve()
	if err != nil {
		return r, err
	}
	if s.parity {
		return r, diag.Usagef("existing keep and parity: %s quantizes float models only", r.Parity).Note("existing strip takes the model back to floats")
	}
	count := map[dtype.Type]int{}
	symmetric := true
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*op.QuantizeLinear); !ok {
			continue
		}
		if p, ok, err := ir.ParamsOf(n); ok && err == nil && p.IsPerTensor() {
			count[p.Type]++
			lo, hi := p.Type.Range()
			symmetric = symmetric && p.Zero(0) == lo+(hi-lo+1)/2
		}
	}
	if len(count) == 0 {
		return r, nil
	}
	best := dtype.Invalid
	for _, name := range s.target.Activations.Types {
		if t, err := dtype.Parse(name); err == nil && count[t] > count[best] {
			best = t
		}
	}
	if best != dtype.Invalid && r.Activations.DType == "" {
		r.Activations.DType = best.String()
	}
	if symmetric && r.Activations.Symmetric == nil {
		r.Activations.Symmetric = &symmetric
	}
	return r, nil
}

// Parameters counts the values of g that have quantization parameters:
// activations by what quantizes them, constants by what dequantizes them.
func Parameters(g *ir.Graph) int {
	n := 0
	for _, node := range g.Nodes {
		switch node.Op.(type) {
		case *op.QuantizeLinear:
			n++
		case *op.DequantizeLinear:
			if node.In[0].Const != nil {
				n++
			}
		}
	}
	return n
}

// standing is what a graph has of quantization before anything is placed.
type standing struct {
	// dequantized are the outputs of DequantizeLinear nodes.
	dequantized map[*ir.Value]affine.Params
	// constants are those of them that stand for a stored constant.
	constants map[*ir.Value]bool
	// pairs are the float values that a QuantizeLinear with one scale reads.
	pairs map[*ir.Value]*affine.Params
}

// readStanding notes the pairs of the graph: what they compute is integer, and
// gets no other parameters.
func (p *placer) readStanding() {
	p.standing = standing{map[*ir.Value]affine.Params{}, map[*ir.Value]bool{}, map[*ir.Value]*affine.Params{}}
	for _, n := range p.g.Nodes {
		if !isQDQ(n) {
			continue
		}
		q, ok, err := ir.ParamsOf(n)
		if err != nil || !ok {
			continue // computed at run time: as good as float
		}
		if _, dq := n.Op.(*op.DequantizeLinear); !dq {
			if q.IsPerTensor() && q.BlockSize == 0 && p.pairs[n.In[0]] == nil && n.In[0].Const == nil {
				p.pairs[n.In[0]] = &q
				p.integer[n.In[0]] = true
			}
			continue
		}
		v := n.Out[0]
		p.dequantized[v], p.constants[v] = q, n.In[0].Const != nil
		p.integer[v] = q.IsPerTensor() && q.BlockSize == 0
		p.out.Kept = append(p.out.Kept, Kept{v.Name, q})
	}
}

func isQDQ(n *ir.Node) bool {
	switch n.Op.(type) {
	case *op.QuantizeLinear, *op.DequantizeLinear:
		return true
	}
	return false
}

// isConstant reports whether v is a constant, or the integers of one.
func (p *placer) isConstant(v *ir.Value) bool { return v != nil && (v.Const != nil || p.constants[v]) }

// known returns the parameters that v has already, nil where it has none.
func (p *placer) known(v *ir.Value) *affine.Params {
	if q, ok := p.dequantized[v]; ok && q.IsPerTensor() && q.BlockSize == 0 {
		return &q
	}
	return p.pairs[v]
}

// ahead looks for parameters that the graph gives v further on. With paired a
// QuantizeLinear reads v, at once or limited by a Clip that it can absorb, and
// v needs none of its own. Without, they are those that v must share with what
// a moving operator hands on; nil where there are none.
func (p *placer) ahead(v *ir.Value, depth int) (q *affine.Params, paired bool) {
	if q := p.pairs[v]; q != nil {
		return q, true
	}
	if p.g.IsOutput(v) || len(p.uses[v]) != 1 || depth > 16 {
		return nil, false
	}
	u := p.uses[v][0]
	rule, _ := p.candidate(u.Node)
	if rule == nil || u.Index != 0 {
		return nil, false
	}
	switch rule.Kind {
	case target.Share:
		q, _ = p.ahead(u.Node.Out[0], depth+1)
	case target.Clamp:
		// What the clamp gives has a point of its own unless it is paired.
		if q, paired = p.ahead(u.Node.Out[0], depth+1); !paired {
			q = nil
		}
	}
	return q, paired
}

// allStanding reports whether all those inputs of n are integers that the graph
// had from the beginning.
func (p *placer) allStanding(n *ir.Node, ins []int) bool {
	return !slices.ContainsFunc(ins, func(i int) bool { return p.known(n.In[i]) == nil })
}

// useful reports whether integers of v reach a pair, or an operator that
// multiplies them, by operators that compute on integers.
func (p *placer) useful(v *ir.Value, seen map[*ir.Value]bool) bool {
	if p.pairs[v] != nil {
		return true
	}
	if seen[v] {
		return false
	}
	seen[v] = true
	for _, u := range p.uses[v] {
		if rule, _ := p.candidate(u.Node); rule == nil {
			continue
		}
		if f, _ := facts(u.Node); weighted(u.Node, f) || p.useful(u.Node.Out[0], seen) {
			return true
		}
	}
	return false
}

// outputPoint adds the point of what n computes, unless the graph has one for it
// already; then it returns nil.
func (p *placer) outputPoint(v *ir.Value, n *ir.Node) *Point {
	q, paired := p.ahead(v, 0)
	if paired {
		p.integer[v] = true
		return nil
	}
	pt := p.point(v, nil, n)
	if q != nil {
		pt.fix(q)
	}
	return pt
}

// fix gives a point the parameters q.
func (pt *Point) fix(q *affine.Params) { pt.Fixed, pt.Type = q, q.Type }

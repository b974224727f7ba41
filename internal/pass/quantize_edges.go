package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// QuantizeEdges makes integers of float inputs and outputs, on the scales that
// the graph has for them already. What is rounded stays the same; only who
// rounds it changes.
//
// Before: x float; q = Q(x, s, z)               y = DQ(q, s, z) float
// After:  x integer; all that read q read x     y = q
//
// Conditions: some Q reads the input, or a DQ computes the output, with one
// constant scale. Nodes that read the float x read DQ(x, s, z) then. Where the
// wanted type is another one than the Q's, x gets the same grid in that type
// (int8 and uint8 differ by 128 in the zero point alone), or, for another
// number of bits, the same range; the Q then stays behind DQ(x).
func QuantizeEdges(g *ir.Graph, list []Edge) (bool, error) {
	changed := false
	names := ir.NewNamer(g)
	for i := range list {
		e := &list[i]
		if e.Params.Type == dtype.Invalid {
			continue
		}
		v, input, err := edgeOf(g, *e)
		if err != nil {
			return changed, err
		}
		if v.Type != dtype.Float32 {
			return changed, fmt.Errorf("value %q is %v, not float32", v.Name, v.Type)
		}
		m := newMatcher(g)
		if input {
			err = m.quantizeInput(v, e, names)
		} else {
			err = m.quantizeOutput(v, e, names)
		}
		if err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// oneScale returns the parameters of a Q or DQ that has one constant scale.
func oneScale(n *ir.Node) (affine.Params, bool) {
	p, ok, err := ir.ParamsOf(n)
	return p, ok && err == nil && p.IsPerTensor() && p.BlockSize == 0
}

func (m *matcher) quantizeInput(x *ir.Value, e *Edge, names *ir.Namer) error {
	t := e.Params.Type
	var given *ir.Node // the Q whose grid x gets
	for _, u := range m.uses[x] {
		if _, ok := u.Node.Op.(*op.QuantizeLinear); !ok || u.Index != 0 {
			continue
		}
		if p, ok := oneScale(u.Node); ok && (given == nil || p.Type == t && e.Params.Type != t) {
			given, e.Params = u.Node, p
		}
	}
	if given == nil {
		return fmt.Errorf("input %q has no scale: nothing that reads it is quantized", x.Name)
	}
	grid := e.Params
	e.Params = regrid(grid, t)
	params := given.In[1:]
	if !e.Params.Equal(grid) {
		params = edgeParams(names, x.Name, e.Params)
	}
	f := &ir.Value{Name: names.Name(x.Name + "_DequantizeLinear_Output"), Fact: floatFact(x)}
	x.Fact = op.TensorFact(t, x.Shape)
	gone := map[*ir.Node]bool{}
	read := false
	for _, u := range m.uses[x] {
		if q, ok := u.Node.Op.(*op.QuantizeLinear); ok && q != nil && u.Index == 0 && !m.g.IsOutput(u.Node.Out[0]) {
			if p, ok := oneScale(u.Node); ok && p.Equal(e.Params) {
				m.g.Replace(u.Node.Out[0], x)
				gone[u.Node] = true
				continue
			}
		}
		u.Node.In[u.Index] = f
		read = true
	}
	m.g.Nodes = slices.DeleteFunc(m.g.Nodes, func(n *ir.Node) bool { return gone[n] })
	if read {
		m.g.Nodes = slices.Insert(m.g.Nodes, 0, dequantizeNode(names, x, f, params))
	}
	return nil
}

func (m *matcher) quantizeOutput(y *ir.Value, e *Edge, names *ir.Namer) error {
	t := e.Params.Type
	n, _, ok := from[*op.DequantizeLinear](m, y)
	p, one := affine.Params{}, false
	if ok {
		p, one = oneScale(n)
	}
	if !one {
		return fmt.Errorf("output %q has no scale: what computes it is not quantized", y.Name)
	}
	e.Params = regrid(p, t)
	q := n.In[0]
	f := &ir.Value{Name: names.Name(y.Name + "_DequantizeLinear_Output"), Fact: floatFact(y)}
	y.Fact = op.TensorFact(t, y.Shape)
	produce(n, y, f)
	for _, u := range m.uses[y] {
		u.Node.In[u.Index] = f
	}
	if source := m.prod[q]; source != nil && p.Type == t && !m.g.IsOutput(q) {
		produce(source, q, y)
		m.g.Replace(q, y)
		if len(m.uses[y]) == 0 {
			m.g.Nodes = slices.DeleteFunc(m.g.Nodes, func(k *ir.Node) bool { return k == n })
		}
		return nil
	}
	params := n.In[1:]
	if p.Type != t {
		params = edgeParams(names, y.Name, e.Params)
	}
	m.g.Nodes = append(m.g.Nodes, quantizeNode(names, f, y, params))
	return nil
}

// regrid returns the parameters for type t of what p stands for: the same
// numbers where t has as many, else the same range.
func regrid(p affine.Params, t dtype.Type) affine.Params {
	if p.Type == t {
		return p
	}
	lo, hi := p.Type.Range()
	least, most := t.Range()
	if hi-lo == most-least {
		return affine.PerTensor(t, p.Scale[0], p.Zero(0)-lo+least)
	}
	s := float64(p.Scale[0])
	scale, zero := affine.ChooseParams(float64(lo-p.Zero(0))*s, float64(hi-p.Zero(0))*s, affine.Scheme{Type: t})
	return affine.PerTensor(t, scale, zero)
}

package quant

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Apply writes a plan into a copy of g: QuantizeLinear and DequantizeLinear
// around activations, quantized constants with a DequantizeLinear for weights
// and biases. Nodes that the plan absorbs are removed. g is left alone.
func Apply(g *ir.Graph, plan *Plan) (*ir.Graph, error) {
	out, _, err := apply(g, plan)
	return out, err
}

// apply is Apply, and tells which node of g, by its first output, each node of
// the copy stands for.
func apply(g *ir.Graph, plan *Plan) (*ir.Graph, map[*ir.Node]string, error) {
	out, _ := g.Clone()
	a := &applier{g: out, names: ir.NewNamer(out), plan: plan, values: map[string]*ir.Value{}, params: map[string]paramValues{}, keys: map[*ir.Node]string{}}
	for _, n := range out.Nodes {
		a.keys[n] = firstOutput(n)
	}
	a.absorb()
	for _, v := range out.Values() {
		a.values[v.Name] = v
	}
	a.readers = out.Uses()
	a.prod = out.Producers()
	for i, pt := range plan.Points {
		v := a.values[pt.Value]
		if v == nil || !plan.Params[i].Present() {
			continue // absorbed, or left float
		}
		var err error
		if pt.Role == Live {
			a.live(v, pt)
		} else if v.Const != nil {
			err = a.constant(v, pt, plan.Params[i])
		} else {
			err = a.activation(v, pt, plan.Params[i])
		}
		if err != nil {
			return nil, nil, fmt.Errorf("value %q: %w", pt.Value, err)
		}
	}
	out.Nodes = append(out.Nodes, a.added...)
	if err := out.Sort(); err != nil {
		return nil, nil, err
	}
	if err := a.cells(); err != nil {
		return nil, nil, err
	}
	if err := a.halve(); err != nil {
		return nil, nil, err
	}
	return out, a.keys, ir.Infer(out)
}

type applier struct {
	g       *ir.Graph
	names   *ir.Namer
	plan    *Plan
	values  map[string]*ir.Value
	readers map[*ir.Value][]ir.Use
	prod    map[*ir.Value]*ir.Node
	keys    map[*ir.Node]string    // how the plan calls nodes
	params  map[string]paramValues // shared by a group
	added   []*ir.Node
}

type paramValues struct{ scale, zero *ir.Value }

// absorb removes the clamping nodes that live on in ranges: the node before
// computes what they did.
func (a *applier) absorb() {
	gone := map[string]bool{}
	for _, name := range a.plan.Absorbed {
		gone[name] = true
	}
	prod := a.g.Producers()
	kept := a.g.Nodes[:0]
	for _, n := range a.g.Nodes {
		if !gone[firstOutput(n)] {
			kept = append(kept, n)
			continue
		}
		p := prod[n.In[0]]
		for i, v := range p.Out {
			if v == n.In[0] {
				p.Out[i] = n.Out[0]
				prod[n.Out[0]] = p
			}
		}
	}
	a.g.Nodes = kept
}

// reads lists the operands of v that see the quantized value.
func (a *applier) reads(v *ir.Value, pt Point) []ir.Use {
	var out []ir.Use
	if pt.Uses == nil {
		for _, u := range a.readers[v] {
			if _, pair := u.Node.Op.(*op.QuantizeLinear); !pair {
				out = append(out, u)
			}
		}
		return out
	}
	for _, u := range a.readers[v] {
		for _, want := range pt.Uses {
			if a.keys[u.Node] == want.Node && u.Index == want.Index {
				out = append(out, u)
			}
		}
	}
	return out
}

// shared returns the parameter constants of an activation; values of one group
// read the same ones.
func (a *applier) shared(v *ir.Value, p affine.Params, group string) paramValues {
	if group == "" {
		group = v.Name
	}
	c, ok := a.params[group]
	if !ok {
		c = a.constants(group, p)
		a.params[group] = c
	}
	return c
}

// standing returns the value that a pair with these parameters makes of v
// already, nil where there is none.
func (a *applier) standing(v *ir.Value, p affine.Params) *ir.Value {
	for _, u := range a.readers[v] {
		if u.Index != 0 || !isQDQ(u.Node) {
			continue
		}
		if q, ok, err := ir.ParamsOf(u.Node); !ok || err != nil || !q.Equal(p) {
			continue
		}
		for _, r := range a.readers[u.Node.Out[0]] {
			if !isQDQ(r.Node) {
				continue
			}
			if q, ok, err := ir.ParamsOf(r.Node); ok && err == nil && q.Equal(p) {
				return r.Node.Out[0]
			}
		}
	}
	return nil
}

// constants returns new scale and zero-point constants, for a tensor of a
// shape where there are groups.
func (a *applier) constants(base string, p affine.Params, of ...int) paramValues {
	shape := []int{}
	if len(of) > 0 {
		shape = p.ScaleShape(of)
	} else if !p.IsPerTensor() {
		shape = []int{len(p.Scale)}
	}
	zeros := make([]int64, len(p.Scale))
	copy(zeros, p.ZeroPoint)
	return paramValues{
		scale: ir.NewConst(a.names.Name(base+"_scale"), tensor.FromSlice(p.Scale, shape...)),
		zero:  ir.NewConst(a.names.Name(base+"_zero_point"), tensor.FromInts(p.Type, zeros, shape...)),
	}
}

func (a *applier) activation(v *ir.Value, pt Point, p affine.Params) error {
	if !p.IsPerTensor() {
		return fmt.Errorf("activations have one scale")
	}
	reads := a.reads(v, pt)
	isOut := a.g.IsOutput(v) && pt.Uses == nil
	if len(reads) == 0 && !isOut {
		return nil
	}
	if d := a.standing(v, p); d != nil && !isOut {
		for _, u := range reads {
			u.Node.In[u.Index] = d
		}
		return nil
	}
	c := a.shared(v, p, pt.Group)
	raw := v
	if pt.Again {
		raw = reads[0].Node.In[reads[0].Index] // what the pair before it gives
	}
	if isOut && a.prod[v] != nil {
		// The output keeps its name; the node computes a value before it.
		raw = &ir.Value{Name: a.names.Name(v.Name + "_QuantizeLinear_Input"), Fact: v.Fact}
		n := a.prod[v]
		for i, o := range n.Out {
			if o == v {
				n.Out[i] = raw
			}
		}
		// Readers that stay float read the value itself.
		for _, u := range a.readers[v] {
			u.Node.In[u.Index] = raw
		}
	}
	q := &ir.Value{Name: a.names.Name(v.Name + "_QuantizeLinear_Output"), Fact: op.TensorFact(p.Type, v.Shape.Clone())}
	a.added = append(a.added, &ir.Node{Name: a.names.Name(v.Name + "_QuantizeLinear"), Op: op.New[op.QuantizeLinear](), In: []*ir.Value{raw, c.scale, c.zero}, Out: []*ir.Value{q}})
	dq := v
	if !isOut || a.prod[v] == nil {
		dq = &ir.Value{Name: a.names.Name(v.Name + "_DequantizeLinear_Output"), Fact: op.TensorFact(dtype.Float32, v.Shape.Clone())}
	}
	a.added = append(a.added, &ir.Node{Name: a.names.Name(v.Name + "_DequantizeLinear"), Op: op.New[op.DequantizeLinear](), In: []*ir.Value{q, c.scale, c.zero}, Out: []*ir.Value{dq}})
	for _, u := range reads {
		u.Node.In[u.Index] = dq
	}
	return nil
}

// live quantizes what some nodes read with the range that it has when the model
// runs.
func (a *applier) live(v *ir.Value, pt Point) {
	reads := a.reads(v, pt)
	if len(reads) == 0 {
		return
	}
	q := op.New[op.DynamicQuantize]()
	q.Type = pt.Type
	d, params := op.New[op.DequantizeLinear](), op.Known()
	if pt.Rows > 0 {
		q.Axis, d.Axis, d.BlockSize = op.Some(-1), -1, pt.Rows
		params = v.Shape.Clone()
		params[len(params)-1] = op.Size(1)
	}
	val := func(suffix string, t dtype.Type, s op.Shape) *ir.Value {
		return &ir.Value{Name: a.names.Name(v.Name + suffix), Fact: op.TensorFact(t, s)}
	}
	outs := []*ir.Value{val("_quantized", pt.Type, v.Shape.Clone()), val("_scale", dtype.Float32, params), val("_zero_point", pt.Type, params.Clone())}
	dq := val("_dequantized", dtype.Float32, v.Shape.Clone())
	a.added = append(a.added,
		&ir.Node{Name: a.names.Name(v.Name + "_DynamicQuantize"), Op: q, In: []*ir.Value{v}, Out: outs},
		&ir.Node{Name: a.names.Name(v.Name + "_DequantizeLinear"), Op: d, In: outs, Out: []*ir.Value{dq}})
	for _, u := range reads {
		u.Node.In[u.Index] = dq
	}
}

// constant replaces a weight or bias by its quantized form.
func (a *applier) constant(v *ir.Value, pt Point, p affine.Params) error {
	reads := a.reads(v, pt)
	if len(reads) == 0 {
		return nil
	}
	dq := op.New[op.DequantizeLinear]()
	if !p.IsPerTensor() || p.BlockSize > 0 {
		dq.Axis, dq.BlockSize = p.Axis, p.BlockSize
	}
	base := v.Name
	var qv *ir.Value
	var c paramValues
	if g := a.plan.weights.groups[keyOf(pt)]; g != nil && p.IsPerTensor() {
		codes, scale, zero, err := g.tensors()
		if err != nil {
			return err
		}
		qv = ir.NewConst(a.names.Name(base+"_quantized"), codes)
		c = paramValues{ir.NewConst(a.names.Name(base+"_scale"), scale), ir.NewConst(a.names.Name(base+"_zero_point"), zero)}
	} else {
		q, err := a.plan.weights.quantize(pt, p, v.Const)
		if err != nil {
			return err
		}
		qv = ir.NewConst(a.names.Name(base+"_quantized"), q)
		if pt.Role == Bias {
			base = qv.Name
		}
		c = a.constants(base, p, v.Const.Shape()...)
	}
	out := &ir.Value{Name: a.names.Name(base + "_DequantizeLinear_Output"), Fact: op.TensorFact(v.Type, v.Shape.Clone())}
	a.added = append(a.added, &ir.Node{Name: a.names.Name(base + "_DequantizeLinear"), Op: dq, In: []*ir.Value{qv, c.scale, c.zero}, Out: []*ir.Value{out}})
	for _, u := range reads {
		u.Node.In[u.Index] = out
	}
	return nil
}

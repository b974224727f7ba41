package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ExpandContrib rewrites ONNX Runtime's own float operators as the standard ones
// that they stand for, in the order of their definitions, so that the result in
// float32 is the same to the bit; with exact only nodes in float32 are
// rewritten, as narrower types are rounded between the steps. What has no
// standard form here stays: caches, masks of unknown shape.
//
// Before: y = SkipLayerNormalization(x, skip, gamma, beta)
// After:  y = LayerNormalization(Add(x, skip), gamma, beta)
//
// Types and shapes must have been inferred; those of new values are not.
func ExpandContrib(g *ir.Graph, exact bool) (bool, error) {
	e := &expander{names: ir.NewNamer(g)}
	changed := false
	for _, n := range g.Nodes {
		e.n = n
		f := contribExpansions[n.Op.Name()]
		if f == nil || len(n.In) == 0 || len(n.Out) == 0 || n.Out[0] == nil || exact && n.In[0].Type != dtype.Float32 {
			e.out = append(e.out, n)
			continue
		}
		before := len(e.out)
		ok, err := f(e)
		if err != nil {
			return false, fmt.Errorf("%s: %w", n.Label(), err)
		}
		if !ok {
			e.out = append(e.out[:before], n)
		}
		changed = changed || ok
	}
	g.Nodes = e.out
	return changed, nil
}

// contribExpansions adds the nodes that one stands for, or reports that there
// are none.
var contribExpansions = map[string]func(*expander) (bool, error){
	"BiasGelu":                         expandGelu(""),
	"BiasSplitGelu":                    expandSplitGelu,
	"FastGelu":                         expandGelu("tanh"),
	"FusedConv":                        expandFusedConv,
	"FusedGemm":                        expandFusedGemm,
	"FusedMatMul":                      expandFusedMatMul,
	"MicrosoftAttention":               expandAttention,
	"MultiHeadAttention":               expandMultiHead,
	"QuickGelu":                        expandQuickGelu,
	"SimplifiedLayerNormalization":     expandRMS,
	"SkipLayerNormalization":           expandSkip,
	"SkipSimplifiedLayerNormalization": expandSkipRMS,
}

// put adds a node and returns its output, which is y where that is not nil.
func (e *expander) put(y *ir.Value, o op.Op, in ...*ir.Value) *ir.Value {
	if y == nil {
		y = &ir.Value{Name: e.names.Name(e.n.Out[0].Name + "_" + o.Name())}
	}
	name := e.n.Name
	if y != e.n.Out[0] {
		name = e.names.Name(y.Name)
	}
	e.out = append(e.out, &ir.Node{Name: name, Op: o, In: in, Out: []*ir.Value{y}, Origin: e.n.Origin})
	return y
}

// result returns output i of the node, nil if it is not used.
func (e *expander) result(i int) *ir.Value {
	if i < len(e.n.Out) {
		return e.n.Out[i]
	}
	return nil
}

// constant returns a constant with the given elements.
func constant[T tensor.Element](e *expander, v []T, shape ...int) *ir.Value {
	return ir.NewConst(e.names.Name(e.n.Out[0].Name+"_constant"), tensor.FromSlice(v, shape...))
}

// number returns a constant of the type of the node's data.
func (e *expander) number(v float32) (*ir.Value, error) {
	t, err := op.Convert(tensor.Scalar(v), e.n.In[0].Type)
	if err != nil {
		return nil, err
	}
	return ir.NewConst(e.names.Name(e.n.Out[0].Name+"_constant"), t), nil
}

// summed adds operands from left to right, nil ones left out; the last sum is
// y if that is not nil and there is a sum.
func (e *expander) summed(y *ir.Value, x *ir.Value, more ...*ir.Value) *ir.Value {
	var add []*ir.Value
	for _, v := range more {
		if v != nil {
			add = append(add, v)
		}
	}
	for i, v := range add {
		var to *ir.Value
		if i == len(add)-1 {
			to = y
		}
		x = e.put(to, op.New[op.Add](), x, v)
	}
	return x
}

func expandGelu(approximate string) func(*expander) (bool, error) {
	return func(e *expander) (bool, error) {
		g := op.New[op.Gelu]()
		if approximate != "" {
			g.Approximate = approximate
		}
		e.put(e.n.Out[0], g, e.summed(nil, e.in(0), e.in(1)))
		return true, nil
	}
}

func expandQuickGelu(e *expander) (bool, error) {
	s := op.New[op.Swish]()
	s.Alpha = e.n.Op.(*op.QuickGelu).Alpha
	e.put(e.n.Out[0], s, e.in(0))
	return true, nil
}

func expandSplitGelu(e *expander) (bool, error) {
	s := op.New[op.Split]()
	s.Axis, s.NumOutputs = -1, 2
	x := e.summed(nil, e.in(0), e.in(1))
	left := e.put(nil, s, x)
	right := &ir.Value{Name: e.names.Name(left.Name)}
	cut := e.out[len(e.out)-1]
	cut.Out = append(cut.Out, right)
	e.put(e.n.Out[0], op.New[op.Mul](), left, e.put(nil, op.New[op.Gelu](), right))
	return true, nil
}

func expandRMS(e *expander) (bool, error) {
	if e.result(1) != nil {
		return false, nil
	}
	o, r := e.n.Op.(*op.SimplifiedLayerNormalization), op.New[op.RMSNormalization]()
	r.Axis, r.Epsilon, r.StashType = o.Axis, o.Epsilon, o.StashType
	e.put(e.n.Out[0], r, e.in(0), e.in(1))
	return true, nil
}

func expandSkip(e *expander) (bool, error) {
	l := op.New[op.LayerNormalization]()
	l.Epsilon = e.n.Op.(*op.SkipLayerNormalization).Epsilon
	in := []*ir.Value{e.summed(e.result(3), e.in(0), e.in(1), e.in(4)), e.in(2)}
	if b := e.in(3); b != nil {
		in = append(in, b)
	}
	e.put(e.n.Out[0], l, in...)
	last := e.out[len(e.out)-1]
	if e.result(1) != nil || e.result(2) != nil {
		last.Out = append(last.Out, e.result(1), e.result(2))
	}
	return true, nil
}

func expandSkipRMS(e *expander) (bool, error) {
	if e.result(1) != nil || e.result(2) != nil {
		return false, nil
	}
	r := op.New[op.RMSNormalization]()
	r.Epsilon = e.n.Op.(*op.SkipSimplifiedLayerNormalization).Epsilon
	e.put(e.n.Out[0], r, e.summed(e.result(3), e.in(0), e.in(1), e.in(3)), e.in(2))
	return true, nil
}

func expandFusedMatMul(e *expander) (bool, error) {
	o := e.n.Op.(*op.FusedMatMul)
	a, b := e.in(0), e.in(1)
	if a.Shape == nil || b.Shape == nil {
		return false, nil
	}
	pa, pb := o.Orders(len(a.Shape), len(b.Shape))
	a, b = e.turned(a, pa), e.turned(b, pb)
	if o.Alpha == 1 {
		e.put(e.n.Out[0], op.New[op.MatMul](), a, b)
		return true, nil
	}
	alpha, err := e.number(o.Alpha)
	if err != nil {
		return false, err
	}
	e.put(e.n.Out[0], op.New[op.Mul](), e.put(nil, op.New[op.MatMul](), a, b), alpha)
	return true, nil
}

// turned permutes the axes of x; a nil perm leaves it.
func (e *expander) turned(x *ir.Value, perm []int) *ir.Value {
	if perm == nil {
		return x
	}
	t := op.New[op.Transpose]()
	t.Perm = perm
	return e.put(nil, t, x)
}

func expandFusedGemm(e *expander) (bool, error) {
	o := e.n.Op.(*op.FusedGemm)
	g := op.New[op.Gemm]()
	g.Alpha, g.Beta, g.TransA, g.TransB = o.Alpha, o.Beta, o.TransA, o.TransB
	var params []float32
	for _, p := range []op.Opt[float32]{o.ActivationAlpha, o.ActivationBeta} {
		if p.Set {
			params = append(params, p.Value)
		}
	}
	return e.activated(g, nil, o.Activation, params)
}

func expandFusedConv(e *expander) (bool, error) {
	o := e.n.Op.(*op.FusedConv)
	c := op.New[op.Conv]()
	c.AutoPad, c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
	return e.activated(c, e.in(3), o.Activation, o.ActivationParams)
}

// activated adds the operator on the first three operands, a sum and an
// activation.
func (e *expander) activated(o op.Op, plus *ir.Value, name string, params []float32) (bool, error) {
	y := e.n.Out[0]
	in := e.n.In[:min(len(e.n.In), 3)]
	if name == "" && plus == nil {
		e.put(y, o, in...)
		return true, nil
	}
	x := e.put(nil, o, in...)
	if name == "" {
		e.summed(y, x, plus)
		return true, nil
	}
	x = e.summed(nil, x, plus)
	set := func(i int, to *float32) {
		if i < len(params) {
			*to = params[i]
		}
	}
	switch name {
	case "Relu":
		e.put(y, op.New[op.Relu](), x)
	case "Sigmoid":
		e.put(y, op.New[op.Sigmoid](), x)
	case "Tanh":
		e.put(y, op.New[op.Tanh](), x)
	case "LeakyRelu":
		a := op.New[op.LeakyRelu]()
		set(0, &a.Alpha)
		e.put(y, a, x)
	case "HardSigmoid":
		a := op.New[op.HardSigmoid]()
		set(0, &a.Alpha)
		set(1, &a.Beta)
		e.put(y, a, x)
	case "Clip":
		lo, err := e.number(params[0])
		if err != nil {
			return false, err
		}
		hi, err := e.number(params[1])
		if err != nil {
			return false, err
		}
		e.put(y, op.New[op.Clip](), x, lo, hi)
	default:
		return false, nil
	}
	return true, nil
}

package quant

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
)

// Place finds where g may be quantized for the recipe's target. It looks at
// operators' facts, the target's rules and the recipe's patterns, and at no
// statistics.
//
// What is quantized, by default: operators with constant weights, and MatMul;
// what moves or limits their integer outputs; and elementwise operators all of
// whose inputs are integers already, so that no value is rounded only to be
// used as float. Logarithms stay float, with what is computed for them. With
// parity the peer's rule stands instead: every operator it knows, all its values.
func Place(g *ir.Graph, r *Recipe) (*Placement, error) {
	s, err := r.resolve()
	if err != nil {
		return nil, err
	}
	pl := &placer{settings: s, g: g, prod: g.Producers(), uses: g.Uses(), integer: map[*ir.Value]bool{}, chosen: map[*ir.Node]bool{},
		points: map[*ir.Value]int{}, absorbed: map[*ir.Node]bool{}, other: map[*ir.Node]precision{}, dynamic: map[reading]int{}, masks: map[*ir.Value]bool{}, relative: map[*ir.Node]bool{}, beside: map[*ir.Node]bool{}}
	if err := pl.patterns(); err != nil {
		return nil, err
	}
	if err := pl.precisions(); err != nil {
		return nil, err
	}
	pl.readStanding()
	if s.parity && s.mode == Static {
		pl.placeParity()
	} else {
		pl.findRelative()
		pl.findBeside()
		pl.place()
	}
	if pl.broken != nil {
		return nil, pl.broken
	}
	if err := pl.placeEdges(); err != nil {
		return nil, err
	}
	pl.finish()
	return &pl.out, nil
}

type placer struct {
	*settings
	g    *ir.Graph
	prod map[*ir.Value]*ir.Node
	uses map[*ir.Value][]ir.Use

	precision map[*ir.Node]precision
	other     map[*ir.Node]precision // those of nodes that are not to be static

	kept     map[*ir.Node]string // nodes the recipe keeps float, and why
	chosen   map[*ir.Node]bool   // nodes that run on integers
	integer  map[*ir.Value]bool  // values that exist as integers
	points   map[*ir.Value]int   // index into out.Points of a value's main point
	absorbed map[*ir.Node]bool
	dynamic  map[reading]int    // index into out.Points of a value's live point
	masks    map[*ir.Value]bool // that hold numbers which stand for infinity
	relative map[*ir.Node]bool  // logarithms, and what is computed for them alone
	beside   map[*ir.Node]bool  // nodes that stay float beside others
	broken   error              // of the first weight that no type can hold
	standing
	out Placement
}

// facts returns what the operator says of itself.
func facts(n *ir.Node) (op.Facts, bool) {
	q, ok := n.Op.(op.Quantizable)
	if !ok {
		return op.NoFacts(), false
	}
	return q.Quantization(), true
}

// data returns the node's activation operands: floating-point, not constant
// (unless constants says otherwise), neither weight nor bias.
func data(n *ir.Node, f op.Facts, constants bool) []int {
	var out []int
	for i, v := range n.In {
		if v == nil || v.Type != dtype.Float32 || v.Const != nil && !constants {
			continue
		}
		if v.Const != nil && (i == f.Weight || i == f.Bias) {
			continue
		}
		if f.Data != nil && !slices.Contains(f.Data, i) && i != f.Weight {
			continue
		}
		out = append(out, i)
	}
	return out
}

// candidate returns the target's rule for a node that may be quantized, or the
// reason why not.
func (p *placer) candidate(n *ir.Node) (*target.Rule, string) {
	r := p.target.Rule(n.Op.Name())
	if why, ok := p.kept[n]; ok {
		return nil, why
	}
	if q, ok := p.other[n]; ok {
		return nil, fmt.Sprintf("it is %v", q)
	}
	activation := p.precision[n].activation
	switch {
	case r == nil:
		return nil, fmt.Sprintf("%s has no integer form of %s", p.target.Name, n.Op.Name())
	case r.Asked != "" && !p.precision[n].asked:
		return nil, r.Asked
	case r.Computed != "" && !p.precision[n].asked && activation.Bits() <= 8 && p.multiplies(n):
		return nil, r.Computed
	case p.relative[n] && !p.precision[n].asked && activation.Bits() <= 8:
		return nil, forLogarithm
	case p.beside[n] && !p.precision[n].asked:
		return nil, forFloats
	case !p.target.Accepts(r.Op, activation):
		return nil, fmt.Sprintf("%s has no %v form of %s", p.target.Name, activation, n.Op.Name())
	case p.refuses(r, n) != "":
		return nil, p.refuses(r, n)
	}
	y := result(n)
	switch {
	case len(n.Bodies) > 0 || y == nil:
		return nil, "it has no output to quantize"
	case y.Type != dtype.Float32:
		return nil, fmt.Sprintf("its output is %v, not float32", y.Type)
	}
	return r, ""
}

// result returns the first output of n: of a recurrent operator, whichever of
// its states is read first; of others, output 0. nil where it has none.
func result(n *ir.Node) *ir.Value {
	if f, _ := facts(n); f.State != op.None {
		if i := slices.IndexFunc(n.Out, func(v *ir.Value) bool { return v != nil }); i >= 0 {
			return n.Out[i]
		}
	}
	if len(n.Out) == 0 {
		return nil
	}
	return n.Out[0]
}

// weighted reports whether the node multiplies by a matrix: by a constant
// weight, or (MatMul) by another activation.
func weighted(n *ir.Node, f op.Facts) bool { return f.Weight != op.None && f.Weight < len(n.In) }

func (p *placer) skip(n *ir.Node, reason string, wanted bool) {
	p.out.Skipped = append(p.out.Skipped, Skip{NodeName(n), n.Op.Name(), reason, wanted})
}

// place is the default placement.
func (p *placer) place() {
	for _, n := range p.g.Nodes {
		if isQDQ(n) {
			continue
		}
		f, _ := facts(n)
		if q, ok := p.other[n]; ok {
			p.placeOther(n, f, q)
			continue
		}
		rule, why := p.candidate(n)
		if p.boundless(n, f) && rule != nil {
			rule, why = nil, "it reads numbers that stand for infinity, as attention masks hold them"
		}
		if rule == nil {
			_, kept := p.kept[n]
			if kept || p.floatWork(n) {
				p.skip(n, why, !kept)
			}
			p.skipBodies(n, NodeName(n), why, kept)
			continue
		}
		switch {
		case weighted(n, f):
			p.placeWeighted(n, f, rule)
		case rule.Kind == target.Share:
			p.placeShare(n)
		case rule.Kind == target.Clamp:
			p.placeClamp(n)
		case rule.Kind == target.Join:
			p.placeJoin(n, f)
		default:
			p.placeElementwise(n, f, rule)
		}
	}
}

// skipBodies lists the nodes in the bodies of n, which stay float with whatever
// they compute: because the user keeps n float, or because only the graph around
// bodies is quantized.
func (p *placer) skipBodies(n *ir.Node, name, why string, kept bool) {
	if !kept {
		why = fmt.Sprintf("it stands in a body of %s, and what bodies compute stays float", n.Op.Name())
	}
	eachInner(n, name, func(path string, m *ir.Node) {
		if p.floatWork(m) {
			p.out.Skipped = append(p.out.Skipped, Skip{path, m.Op.Name(), why, !kept})
		}
	})
}

// floatWork reports whether leaving the node float is worth a line: it
// computes on floats, and does not only move them or handle shapes.
func (p *placer) floatWork(n *ir.Node) bool {
	f, ok := facts(n)
	if ok && f.Moves {
		return false
	}
	for _, v := range n.Out {
		if v != nil && v.Type.IsFloat() {
			return true
		}
	}
	return false
}

func (p *placer) choose(n *ir.Node) {
	p.chosen[n] = true
	if q, ok := p.other[n]; ok {
		p.out.Modes = append(p.out.Modes, NodeMode{NodeName(n), n.Op.Name(), q.mode, q.String()})
	}
	p.out.Nodes = append(p.out.Nodes, firstOutput(n))
}

func (p *placer) placeWeighted(n *ir.Node, f op.Facts, rule *target.Rule) {
	w := n.In[f.Weight]
	ins := slices.DeleteFunc(data(n, f, false), func(i int) bool { return (i == f.Weight || i == f.Bias) && p.isConstant(n.In[i]) })
	if len(ins) == 0 {
		p.skip(n, "none of its inputs is computed", true)
		return
	}
	for _, i := range ins {
		if n.In[i].Type != dtype.Float32 {
			p.skip(n, fmt.Sprintf("its input %q is %v", n.In[i].Name, n.In[i].Type), true)
			return
		}
	}
	if _, product := n.Op.(*op.MatMul); w == nil || !p.isConstant(w) && !product {
		p.skip(n, "its weight is computed, not constant", true)
		return
	}
	if f.State != op.None && !p.isConstant(n.In[f.State]) {
		p.skip(n, "the weight of its state is computed, not constant", true)
		return
	}
	if q, ok := p.dequantized[w]; ok && p.constants[w] && (q.BlockSize != 0 || !slices.Contains(p.target.Weights.Types, q.Type.String())) {
		p.skip(n, fmt.Sprintf("its weight is %v already, in a form that %s multiplies as floats", q.Type, p.target.Name), false)
		return
	}
	p.choose(n)
	for _, i := range ins {
		p.activationInput(n, i)
	}
	for i, v := range n.In {
		if v == nil || v.Const == nil || v.Type != dtype.Float32 || i == f.Bias {
			continue
		}
		if f.Data != nil && i != f.Weight && i != f.State && !slices.Contains(f.Data, i) {
			continue
		}
		axis := PerTensor
		if (i == f.Weight || i == f.State) && p.perChannel && !rule.OneScale(p.precision[n].activation) {
			if a, err := op.Axis(f.WeightAxis, len(v.Shape)); err == nil {
				axis = a
			}
		}
		p.addWeight(n, i, p.precision[n], axis, 0)
	}
	if f.Bias != op.None && f.Bias < len(n.In) && n.In[f.Bias] != nil && len(ins) > 0 {
		p.bias(n, f, ins[0])
	}
	if f.State != op.None {
		return // its results are its states, too
	}
	if q, _ := p.ahead(n.Out[0], 0); q != nil || p.wantsInteger(n) {
		p.output(n, f, rule)
	}
}

// wantsInteger reports whether the node's output is written as integers. For
// operators that the target can end in float, it is so only where a quantized
// operator reads it next.
func (p *placer) wantsInteger(n *ir.Node) bool {
	return !p.target.Rule(n.Op.Name()).FloatOutput || p.wanted(n.Out[0], 0)
}

func (p *placer) wanted(v *ir.Value, depth int) bool {
	if p.g.IsOutput(v) || depth > 16 {
		return false
	}
	for _, u := range p.uses[v] {
		rule, _ := p.candidate(u.Node)
		if rule == nil {
			continue
		}
		f, _ := facts(u.Node)
		switch {
		case weighted(u.Node, f):
			if f.Data == nil || u.Index == f.Weight || slices.Contains(f.Data, u.Index) {
				return true
			}
		case rule.Kind != target.Compute && u.Index == 0 && p.wanted(u.Node.Out[0], depth+1):
			return true
		}
	}
	return false
}

// placeClamp absorbs a Relu or Clip into the integers it reads.
func (p *placer) placeClamp(n *ir.Node) {
	x := n.In[0]
	if !p.integer[x] && !p.inWhole(x) {
		if p.target.Whole {
			p.skip(n, "what it limits stays float", !p.floatByChoice(x))
		}
		return
	}
	p.choose(n)
	if p.pairs[x] != nil || !p.integer[x] {
		p.activationInput(n, 0)
	}
	symmetric := p.symmetricIn(p.precision[n].activation)
	if p.prod[x] != nil && len(p.uses[x]) == 1 && !p.g.IsOutput(x) && (!symmetric || p.fuses(x)) && p.takeOver(x, n.Out[0]) {
		// With the zero point in the middle the range does not say the limit, and
		// the node stays, between its producer and the integers.
		if p.absorbed[n] = !symmetric; !symmetric {
			p.out.Absorbed = append(p.out.Absorbed, firstOutput(n))
		}
		return
	}
	p.outputPoint(n.Out[0], n)
}

// takeOver moves the point of x to y, which computes the same limited.
func (p *placer) takeOver(x, y *ir.Value) bool {
	i, ok := p.points[x]
	if !ok || p.out.Points[i].Group != "" || p.out.Points[i].Fixed != nil || p.grouped(x) {
		return false
	}
	p.out.Points[i].Value = y.Name
	p.out.Points[i].Limit = p.limitOf(y)
	if q, _ := p.ahead(y, 0); q != nil {
		p.out.Points[i].fix(q)
	}
	delete(p.points, x)
	p.points[y] = i
	delete(p.integer, x)
	p.integer[y] = true
	return true
}

func (p *placer) grouped(x *ir.Value) bool {
	for _, pt := range p.out.Points {
		if pt.Group == x.Name {
			return true
		}
	}
	return false
}

func (p *placer) placeElementwise(n *ir.Node, f op.Facts, rule *target.Rule) {
	ins := data(n, f, false)
	if len(ins) == 0 {
		return
	}
	for _, i := range ins {
		if !p.integer[n.In[i]] && !p.target.Whole {
			p.skip(n, "it reads float values, and rounding them would gain nothing here", !p.floatByChoice(n.In[i]))
			return
		}
	}
	if !p.target.Whole && p.allStanding(n, ins) && !p.useful(n.Out[0], map[*ir.Value]bool{}) {
		p.skip(n, "it reads integers, but its result is used as float, and rounding it would gain nothing here", false)
		return
	}
	p.choose(n)
	for _, i := range data(n, f, true) {
		p.activationInput(n, i)
	}
	p.output(n, f, rule)
}

// floatByChoice reports whether v is float because the recipe keeps nodes
// float: one computes it, or nodes do that only hand it on or read floats
// themselves for that reason.
func (p *placer) floatByChoice(v *ir.Value) bool {
	n := p.prod[v]
	if n == nil || p.chosen[n] {
		return false
	}
	if _, kept := p.kept[n]; kept {
		return true
	}
	if i := slices.IndexFunc(p.out.Skipped, func(s Skip) bool { return s.Node == NodeName(n) }); i >= 0 {
		return !p.out.Skipped[i].Wanted
	}
	return len(n.In) > 0 && n.In[0] != nil && p.floatByChoice(n.In[0])
}

// output makes the node's output an integer value.
func (p *placer) output(n *ir.Node, _ op.Facts, rule *target.Rule) {
	pt := p.outputPoint(n.Out[0], n)
	if pt == nil || pt.Fixed != nil {
		return
	}
	if scale, zero, ok := rule.Fixed.Of(pt.Type); ok {
		p := affine.PerTensor(pt.Type, float32(scale), zero)
		pt.Fixed = &p
	}
}

// share makes the output an integer value with its input's parameters.
func (p *placer) share(n *ir.Node) {
	if p.pairs[n.In[0]] != nil {
		p.activationInput(n, 0)
	}
	for _, v := range n.Out {
		if v == nil || v.Type != dtype.Float32 {
			continue
		}
		pt := p.outputPoint(v, n)
		if pt == nil {
			continue
		}
		if q := p.known(n.In[0]); q != nil {
			pt.fix(q)
		} else {
			pt.Fixed, pt.Group = nil, p.root(n.In[0])
		}
	}
}

// root returns the value whose parameters v has.
func (p *placer) root(v *ir.Value) string {
	if i, ok := p.points[v]; ok && p.out.Points[i].Group != "" {
		return p.out.Points[i].Group
	}
	return v.Name
}

// activation adds the point of a value that becomes integer for all its
// readers (uses nil) or for some.
func (p *placer) point(v *ir.Value, uses []Use, producer *ir.Node) *Point {
	if i, ok := p.points[v]; ok {
		if uses == nil {
			p.out.Points[i].Uses = nil
		} else if p.out.Points[i].Uses != nil {
			p.out.Points[i].Uses = append(p.out.Points[i].Uses, uses...)
		}
		if producer != nil {
			p.integer[v] = true
		}
		return &p.out.Points[i]
	}
	typ := p.activation
	if producer != nil && p.precision[producer].activation != dtype.Invalid {
		typ = p.precision[producer].activation
	}
	pt := Point{Value: v.Name, Role: Activation, Uses: uses, Type: typ, Symmetric: p.symmetricIn(typ), Axis: PerTensor, Limit: p.limitOf(v)}
	pt.Observer = p.observerOf(v)
	if q := p.pairs[v]; q != nil {
		pt.fix(q)
	}
	p.points[v] = len(p.out.Points)
	p.out.Points = append(p.out.Points, pt)
	if producer != nil {
		p.integer[v] = true
	}
	return &p.out.Points[len(p.out.Points)-1]
}

// activationInput makes operand i of a chosen node an integer value.
func (p *placer) activationInput(n *ir.Node, i int) {
	v := n.In[i]
	if _, ok := p.dequantized[v]; ok {
		return
	}
	use := Use{firstOutput(n), i}
	typ := p.precision[n].activation
	if v.Const != nil {
		p.out.Points = append(p.out.Points, Point{Value: v.Name, Role: Weight, Uses: []Use{use}, Type: typ, Symmetric: p.symmetricIn(typ), Axis: PerTensor})
		return
	}
	if i, ok := p.points[v]; ok && p.out.Points[i].Type != typ && p.out.Points[i].Fixed == nil && p.pairs[v] == nil {
		p.narrowed(v, use, typ)
		return
	}
	if pt := p.point(v, []Use{use}, nil); pt.Fixed == nil {
		pt.Type, pt.Symmetric = typ, p.symmetricIn(typ)
	}
}

// bias adds the point of a constant bias, int32 where the target wants that.
func (p *placer) bias(n *ir.Node, f op.Facts, input int) {
	b := n.In[f.Bias]
	w := n.In[f.Weight]
	if p.target.Bias == "" || b.Const == nil || b.Type != dtype.Float32 || !p.isConstant(w) || !p.symmetric(p.precision[n].weight) {
		return
	}
	if q, ok := p.dequantized[w]; ok && !q.Symmetric() {
		return
	}
	if q, ok := p.dequantized[n.In[input]]; ok && !q.IsPerTensor() {
		return
	}
	p.out.Points = append(p.out.Points, Point{Value: b.Name, Role: Bias, Uses: []Use{{firstOutput(n), f.Bias}}, Type: dtype.Int32, Symmetric: true,
		Axis: PerTensor, Input: n.In[input].Name, Scale: w.Name, Factor: f.BiasFactor})
}

// narrowed adds the point of a value for one node that reads it in another type
// than its main point has: both are made of the real value, but on targets that
// are quantized whole, where an integer operator gives one kind of integers.
func (p *placer) narrowed(v *ir.Value, use Use, typ dtype.Type) {
	for k := range p.out.Points {
		if pt := &p.out.Points[k]; pt.Role == Activation && pt.Value == v.Name && pt.Type == typ && pt.Uses != nil {
			pt.Uses = append(pt.Uses, use)
			return
		}
	}
	p.out.Points = append(p.out.Points, Point{Value: v.Name, Role: Activation, Uses: []Use{use}, Again: p.target.Whole, Type: typ, Symmetric: p.symmetricIn(typ), Axis: PerTensor,
		Limit: p.limitOf(v), Observer: p.observerOf(v)})
}

// limitOf returns the range that the mathematics of v's producer allows. The
// peer knows that of Softmax alone, where it quantizes that.
func (p *placer) limitOf(v *ir.Value) *Limit {
	n := p.prod[v]
	if n == nil {
		return nil
	}
	if _, kept := p.kept[n]; p.parity && (kept || n.Op.Name() != "Softmax") {
		return nil
	}
	f, _ := facts(n)
	if f.Range == nil {
		return nil
	}
	return &Limit{f.Range.Lo, f.Range.Hi}
}

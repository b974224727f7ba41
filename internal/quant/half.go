package quant

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/target"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The bounds of float16: what rounds to an infinity, and its smallest normal
// number.
const (
	halfOverflow = 65520
	halfNormal   = 0x1p-14
	halfZero     = 0x1p-25 // and below becomes 0
)

// halfOperators compute on numbers of one type, 16 bits among them (ONNX
// operator changelog; types that came later raise the opset). All their
// operands of that type change along, but those of halfOperands.
var halfOperators = []string{
	"Abs", "Add", "AveragePool", "BatchNormalization", "Ceil", "Clip", "Concat", "Conv", "ConvTranspose", "DepthToSpace", "Div", "Einsum", "Elu",
	"Erf", "Exp", "Expand", "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool",
	"GlobalMaxPool", "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LSTM", "LayerNormalization",
	"LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "MatMul", "Max", "MaxPool", "Mean", "Min", "Mul", "Neg", "PRelu", "Pad", "Pow", "RMSNormalization",
	"RNN", "Reciprocal", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Relu", "Reshape", "Resize", "Round",
	"Selu", "Sigmoid", "Sign", "Sin", "Cos", "Slice", "Softmax", "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Swish", "Tanh",
	"Tile", "Transpose", "Unsqueeze", "Where",
}

// halfOperands are the only operands of some of them that change.
var halfOperands = map[string][]int{"Resize": {0}, "Expand": {0}, "Tile": {0}}

// half returns the type of a mode of 16 bits.
func (m Mode) half() dtype.Type {
	if m == BFloat16 {
		return dtype.BFloat16
	}
	return dtype.Float16
}

// halved returns the operands of n that change to 16 bits.
func halved(n *ir.Node) []int {
	only := halfOperands[n.Op.Name()]
	var out []int
	for i, v := range n.In {
		if v != nil && v.Type == dtype.Float32 && (only == nil || slices.Contains(only, i)) {
			out = append(out, i)
		}
	}
	return out
}

// placeHalf makes a node compute in 16 bits, or store its constants so, unless
// a constant would be lost.
func (p *placer) placeHalf(n *ir.Node, q precision, rule *target.ModeRule) {
	ins := halved(n)
	computes := slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return v != nil && v.Type == dtype.Float32 })
	if len(ins) == 0 || !computes || len(n.Bodies) > 0 {
		return
	}
	if !slices.Contains(halfOperators, n.Op.Name()) {
		if p.floatWork(n) {
			p.skip(n, fmt.Sprintf("%s has no form of %v", n.Op.Name(), q.mode.half()), q.asked)
		}
		return
	}
	f, _ := facts(n)
	weights, stored := weightsOf(n, f), false
	for _, i := range ins {
		c := n.In[i].Const
		if c == nil {
			continue
		}
		stored = true
		weight := slices.Contains(weights, i)
		if q.mode != Float16 && !weight {
			continue
		}
		lo, hi, finite, err := affine.Extremes(c)
		if err == nil && !finite && weight {
			if err = notFinite(c); p.broken == nil {
				p.broken = fmt.Errorf("weight %q: %w", n.In[i].Name, err)
			}
			return
		}
		if q.mode == Float16 && err == nil {
			if why := lost(c, max(-lo, hi), finite); why != "" {
				p.skip(n, fmt.Sprintf("%s in its constant %q", why, n.In[i].Name), false)
				return
			}
		}
	}
	if rule.Storage && !stored {
		return
	}
	p.choose(n)
	p.out.Nodes = p.out.Nodes[:len(p.out.Nodes)-1] // no integers
	h := Half{Node: firstOutput(n), Type: q.mode.half(), Storage: rule.Storage, Name: NodeName(n), Op: n.Op.Name()}
	for _, v := range slices.Concat(n.In, n.Out) {
		if v == nil || v.Const != nil || v.Type != dtype.Float32 || rule.Storage || q.mode == BFloat16 {
			continue // its range is that of float32
		}
		h.Values = append(h.Values, v.Name)
		if !slices.Contains(p.out.Measured, v.Name) {
			p.out.Measured = append(p.out.Measured, v.Name)
		}
	}
	p.out.Halves = append(p.out.Halves, h)
}

// lost says what float16 does not hold of a constant whose greatest magnitude is
// given; "" if it does. Single small numbers of many may become 0; a scalar, or
// all of them, may not.
func lost(c *tensor.Tensor, top float32, finite bool) string {
	if !finite {
		// Both 16-bit floats have infinities, which masks are made of: only the
		// numbers count.
		x, err := op.Convert(c, dtype.Float32)
		if err != nil {
			return ""
		}
		top = 0
		for _, v := range tensor.Data[float32](x) {
			if a := max(v, -v); a <= math.MaxFloat32 {
				top = max(top, a)
			}
		}
	}
	return bounded(float64(top), c.Len() == 1 && top > 0 && top <= halfZero)
}

// bounded says why magnitudes up to top do not fit float16; "" if they do.
func bounded(top float64, zero bool) string {
	switch {
	case top >= halfOverflow:
		return fmt.Sprintf("float16 ends at 65504, and there is %.4g", top)
	case zero:
		return fmt.Sprintf("float16 has no number near %.4g but 0", top)
	case top > 0 && top < halfNormal:
		return fmt.Sprintf("float16 loses bits of numbers no larger than %.4g", top)
	}
	return ""
}

// KeepMeasured leaves nodes float whose operands or results, as observed, 16
// bits do not hold.
func (p *Placement) KeepMeasured(st Statistics) {
	if len(st) == 0 || len(p.Measured) == 0 {
		return
	}
	method, err := observe.ParseMethod("minmax")
	if err != nil {
		panic(err) // it is one of the table's
	}
	unheld := map[string]string{}
	for _, name := range p.Measured {
		s := st[name]
		if s == nil {
			continue
		}
		lo, hi, err := s.Range(method, observe.Want{Type: dtype.Int16, Symmetric: true})
		if err != nil {
			continue
		}
		top := max(math.Abs(lo), math.Abs(hi))
		if why := bounded(top, false); why != "" && top <= math.MaxFloat32 {
			unheld[name] = why
		}
	}
	p.Halves = slices.DeleteFunc(p.Halves, func(h Half) bool {
		i := slices.IndexFunc(h.Values, func(v string) bool { return unheld[v] != "" })
		if i < 0 {
			return false
		}
		p.Modes = slices.DeleteFunc(p.Modes, func(m NodeMode) bool { return m.Node == h.Name })
		p.Skipped = append(p.Skipped, Skip{h.Name, h.Op, fmt.Sprintf("%s in %q on the samples", unheld[h.Values[i]], h.Values[i]), false})
		return true
	})
}

// halve changes the types of the nodes that compute in 16 bits. Values between
// them are of that type; at the borders one Cast serves all readers.
func (a *applier) halve() error {
	if len(a.plan.Halves) == 0 {
		return nil
	}
	h := &halver{g: a.g, names: ir.NewNamer(a.g), of: map[*ir.Node]Half{}, half: map[*ir.Value]*ir.Value{}, made: map[madeHalf]*ir.Value{}}
	want := map[string]Half{}
	for _, x := range a.plan.Halves {
		want[x.Node] = x
	}
	for _, n := range a.g.Nodes {
		name := a.keys[n]
		if x, ok := want[name]; ok && name != "" {
			h.of[n] = x
		}
	}
	h.run()
	a.g.Nodes = append(a.g.Nodes, h.added...)
	return a.g.Sort()
}

type halver struct {
	g     *ir.Graph
	names *ir.Namer
	of    map[*ir.Node]Half
	half  map[*ir.Value]*ir.Value // what halved nodes compute, by what they computed
	made  map[madeHalf]*ir.Value
	added []*ir.Node
}

// madeHalf is a value in a type; stored is its way back to float32.
type madeHalf struct {
	v      *ir.Value
	t      dtype.Type
	stored bool
}

func (h *halver) run() {
	for _, n := range h.g.Nodes {
		x, ok := h.of[n]
		if !ok || x.Storage {
			continue
		}
		for i, v := range n.Out {
			if v != nil && v.Type == dtype.Float32 {
				h.half[v] = h.value(v, x.Type)
				n.Out[i] = h.half[v]
			}
		}
	}
	for _, n := range h.g.Nodes {
		x, ok := h.of[n]
		if !ok {
			continue
		}
		for _, i := range halved(n) {
			v := n.In[i]
			switch hv := h.half[v]; {
			case x.Storage:
				if v.Const != nil {
					n.In[i] = h.stored(v, x.Type)
				}
			case hv != nil && hv.Type == x.Type:
				n.In[i] = hv
			default:
				n.In[i] = h.cast(v, x.Type)
			}
		}
	}
	// Others read float32, under the name it had.
	uses := h.g.Uses()
	for _, n := range h.added {
		for _, v := range n.In {
			uses[v] = append(uses[v], ir.Use{Node: n})
		}
	}
	was := map[*ir.Value]*ir.Value{}
	for v, hv := range h.half {
		was[hv] = v
	}
	for _, n := range h.g.Nodes {
		for _, hv := range n.Out {
			if v := was[hv]; v != nil && (len(uses[v]) > 0 || h.g.IsOutput(v)) {
				h.convert(hv, v, dtype.Float32)
			}
		}
	}
}

func (h *halver) value(v *ir.Value, t dtype.Type) *ir.Value {
	return &ir.Value{Name: h.names.Name(v.Name + "_" + t.String()), Fact: op.TensorFact(t, v.Shape.Clone())}
}

func (h *halver) convert(from, to *ir.Value, t dtype.Type) {
	c := op.New[op.Cast]()
	c.To = t
	h.added = append(h.added, &ir.Node{Name: h.names.Name(to.Name + "_Cast"), Op: c, In: []*ir.Value{from}, Out: []*ir.Value{to}})
}

// cast returns v in a type of 16 bits: a constant, or the result of a Cast.
func (h *halver) cast(v *ir.Value, t dtype.Type) *ir.Value {
	key := madeHalf{v, t, false}
	if out := h.made[key]; out != nil {
		return out
	}
	var out *ir.Value
	if v.Const != nil {
		out = ir.NewConst(h.names.Name(v.Name+"_"+t.String()), halfConst(v.Const, t))
	} else {
		out = h.value(v, t)
		h.convert(v, out, t)
	}
	h.made[key] = out
	return out
}

// stored returns a constant that is held in a type of 16 bits and used as
// float32.
func (h *halver) stored(v *ir.Value, t dtype.Type) *ir.Value {
	key := madeHalf{v, t, true}
	if out := h.made[key]; out != nil {
		return out
	}
	out := h.value(v, dtype.Float32)
	h.convert(h.cast(v, t), out, dtype.Float32)
	h.made[key] = out
	return out
}

// halfConst returns a constant in a type of 16 bits, made when it is read
// where it is large.
func halfConst(c *tensor.Tensor, t dtype.Type) *tensor.Tensor {
	if src, perm, ok := tensor.Unpermuted(c); ok {
		return tensor.Permuted(halfConst(src, t), perm)
	}
	c = c.ByParts()
	make16 := func(off int64, dst []byte) error {
		lo := int(off) / 2
		var r affine.Reader
		x, err := r.Read(c, lo, lo+len(dst)/2)
		if err != nil {
			return err
		}
		out, err := tensor.FromBytes(t, []int{len(x)}, dst)
		if err != nil {
			return err
		}
		if t == dtype.Float16 {
			convert.EncodeF16(tensor.Data[uint16](out), x)
		} else {
			convert.EncodeBF16(tensor.Data[uint16](out), x)
		}
		c.ReleasePart(lo, lo+len(x))
		return nil
	}
	y := tensor.Computed(t, c.Shape(), make16)
	if y.Storage().Len() <= held {
		return y.Clone()
	}
	return y
}

package runtime

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// splitFixed cuts the products of TensorFlow Lite's arithmetic into sums, which
// the kernels of bytes make, and their rescaling. Activations of 16 bits are
// multiplied as two bytes. Transposed convolutions, for which there are no
// kernels of bytes, are those of floats: their weights are two of 4 bits where
// the sums could leave what float32 holds.
//
// One product whose result has 8 bits is rescaled as it is computed.
//
// Before: y = Quantized{F}(x, w, b)
// After:  y = Rescale(Quantized{F; scales 1, int32}(x, w))
//
//	or y = Rescaled{Quantized{F; scales 1, int32}}(x, w)
func splitFixed(g *ir.Graph, keep map[string]bool) {
	sp := &splitter{names: ir.NewNamer(g), parts: map[*ir.Value][2]*ir.Value{}}
	for _, n := range g.Nodes {
		q, ok := n.Op.(*op.Quantized)
		if ok && q.Fixed && !watched(n, keep) {
			if sp.product(n, q) {
				continue
			}
		}
		sp.nodes = append(sp.nodes, n)
	}
	g.Nodes = sp.nodes
}

// exactFloat and exactInt are the largest magnitudes up to which float32 and
// int32 hold every integer.
const exactFloat, exactInt = 1 << 24, 1<<31 - 1

type splitter struct {
	names *ir.Namer
	nodes []*ir.Node
	parts map[*ir.Value][2]*ir.Value // upper and lower bytes of int16
}

// unit is the grid of integers themselves.
var unit = affine.PerTensor(dtype.Int8, 1, 0)

// term is a product of bytes whose sums count times.
type term struct {
	x, w   *ir.Value
	px, pw affine.Params
	times  int64
	most   int64 // the greatest magnitude of a sum
}

// product returns the operator that computes the sums.
func (t term) product(inner op.Op) *op.Quantized {
	return &op.Quantized{Inner: inner, In: []affine.Params{t.px, t.pw}, Out: []affine.Params{affine.PerTensor(dtype.Int32, 1, 0)}}
}

// product appends the nodes of one product, and reports false where it has to
// stay as it is.
func (sp *splitter) product(n *ir.Node, q *op.Quantized) bool {
	if len(n.In) < 2 {
		return false
	}
	x, w := n.In[0], n.In[1]
	if _, ok := q.Inner.(*op.MatMul); ok {
		return sp.pair(n, q)
	}
	filters, most := 0, int64(exactInt)
	switch o := q.Inner.(type) {
	case *op.Conv:
		if o.Layout != op.ChannelsLast {
			return false
		}
	case *op.ConvTranspose:
		if o.Layout != op.ChannelsLast {
			return false
		}
		filters, most = 1, exactFloat
	case *op.Gemm:
		if !o.TransB {
			filters = 1
		}
	default:
		return false
	}
	if w.Const == nil || w.Const.Type() != dtype.Int8 || x.Shape == nil || n.Out[0].Shape == nil {
		return false
	}
	bias, ok := addedTo(n)
	if !ok {
		return false
	}
	terms, ok := sp.terms(n, x, w, q.In[0], filters, most)
	if !ok {
		return false
	}
	sp.rescale(n, q, bias, terms)
	return true
}

// pair is product for two operands of 8 bits that are both computed.
func (sp *splitter) pair(n *ir.Node, q *op.Quantized) bool {
	x, w := n.In[0], n.In[1]
	if x.Const != nil || w.Const != nil || len(x.Shape) == 0 || w.Shape == nil || n.Out[0].Shape == nil || byteless(x.Type) || byteless(w.Type) || !q.In[1].IsPerTensor() {
		return false
	}
	const product = 255 * 255
	k, ok := x.Shape[len(x.Shape)-1].Int()
	if !ok || k > exactInt/product {
		return false
	}
	sp.rescale(n, q, nil, []term{{x, w, affine.PerTensor(x.Type, 1, q.In[0].Zero(0)), affine.PerTensor(w.Type, 1, q.In[1].Zero(0)), 1, int64(k) * product}})
	return true
}

// rescale appends the products of terms and what takes their sums to n's result.
func (sp *splitter) rescale(n *ir.Node, q *op.Quantized, bias []int64, terms []term) {
	end := &rescaled{end: q.Rescaler(), bias: bias, typ: q.Out[0].Type}
	last := &ir.Node{Name: n.Name, Op: end, Origin: n.Origin, Out: n.Out}
	if _, turned := q.Inner.(*op.ConvTranspose); !turned && len(terms) == 1 && !byteless(end.typ) {
		t := terms[0]
		end.times, end.most = []int64{1}, t.most
		last.Op, last.In = &rescaledProduct{t.product(q.Inner), end}, []*ir.Value{t.x, t.w}
		sp.nodes = append(sp.nodes, last)
		return
	}
	for i, t := range terms {
		end.times = append(end.times, t.times)
		last.In = append(last.In, sp.sums(n, q.Inner, t, i))
	}
	sp.nodes = append(sp.nodes, last)
}

// addedTo returns the bias of a product, and false where it is computed.
func addedTo(n *ir.Node) ([]int64, bool) {
	if len(n.In) < 3 || n.In[2] == nil {
		return nil, true
	}
	if n.In[2].Const == nil {
		return nil, false
	}
	return tensor.Ints(n.In[2].Const)
}

// terms returns the products of bytes whose sums are at most most.
func (sp *splitter) terms(n *ir.Node, x, w *ir.Value, p affine.Params, filters int, most int64) ([]term, bool) {
	if x.Type != dtype.Int16 {
		whole := term{x, w, affine.PerTensor(p.Type, 1, p.Zero(0)), unit, 1, 0}
		if whole.most = greatest(w.Const, filters, whole.px); whole.most <= most {
			return []term{whole}, true
		}
		upper, lower := nibbles(w.Const)
		if greatest(upper, filters, whole.px) > most || greatest(lower, filters, whole.px) > most {
			return nil, false
		}
		a, b := whole, whole
		a.w, a.times = ir.NewConst(sp.names.Name(w.Name+"/upper"), upper), 16
		b.w = ir.NewConst(sp.names.Name(w.Name+"/lower"), lower)
		return []term{a, b}, true
	}
	upper, lower := affine.PerTensor(dtype.Int8, 1, 0), affine.PerTensor(dtype.Uint8, 1, 0)
	if p.Zero(0) != 0 || greatest(w.Const, filters, upper) > most || greatest(w.Const, filters, lower) > most {
		return nil, false
	}
	parts, ok := sp.parts[x]
	if !ok {
		for i, typ := range []dtype.Type{dtype.Int8, dtype.Uint8} {
			parts[i] = &ir.Value{Name: sp.names.Name(fmt.Sprintf("%s/byte%d", x.Name, 1-i)), Fact: op.TensorFact(typ, x.Shape.Clone())}
		}
		sp.nodes = append(sp.nodes, &ir.Node{Name: parts[0].Name, Op: &split16{}, Origin: n.Origin, In: []*ir.Value{x}, Out: parts[:]})
		sp.parts[x] = parts
	}
	return []term{{parts[0], w, upper, unit, 256, 0}, {parts[1], w, lower, unit, 1, 0}}, true
}

// greatest returns a magnitude that no sum of a filter, which lie along the given
// axis of w, with activations of p exceeds.
func greatest(w *tensor.Tensor, filters int, p affine.Params) int64 {
	lo, hi := p.Type.Range()
	most := max(hi-p.Zero(0), p.Zero(0)-lo)
	v, shape := tensor.Data[int8](w), w.Shape()
	count := shape[filters]
	inner := 1
	for _, d := range shape[filters+1:] {
		inner *= d
	}
	sums := make([]int64, count)
	for i, q := range v {
		sums[i/inner%count] += max(int64(q), -int64(q))
	}
	if count == 0 {
		return 0
	}
	return slices.Max(sums) * most
}

// nibbles returns weights as 16 times the first and the second, which lies in
// [-8, 7].
func nibbles(w *tensor.Tensor) (upper, lower *tensor.Tensor) {
	v := tensor.Data[int8](w)
	hi, lo := make([]int8, len(v)), make([]int8, len(v))
	for i, q := range v {
		lo[i] = (q << 4) >> 4
		hi[i] = int8((int(q) - int(lo[i])) / 16)
	}
	return tensor.FromSlice(hi, w.Shape()...), tensor.FromSlice(lo, w.Shape()...)
}

// sums appends the product of a term and returns its result, of int32.
func (sp *splitter) sums(n *ir.Node, inner op.Op, t term, i int) *ir.Value {
	name := sp.names.Name(fmt.Sprintf("%s/sums%d", n.Out[0].Name, i))
	out := &ir.Value{Name: name, Fact: op.TensorFact(dtype.Int32, n.Out[0].Shape.Clone())}
	node := &ir.Node{Name: name, Origin: n.Origin, In: []*ir.Value{t.x, t.w}, Out: []*ir.Value{out}}
	if _, turned := inner.(*op.ConvTranspose); turned {
		x := &ir.Value{Name: sp.names.Name(name + "/data"), Fact: op.TensorFact(dtype.Float32, t.x.Shape.Clone())}
		one := ir.NewConst(sp.names.Name(name+"/scale"), tensor.Scalar(float32(1)))
		zero := ir.NewConst(sp.names.Name(name+"/zero_point"), tensor.FromInts(t.px.Type, t.px.ZeroPoint))
		sp.nodes = append(sp.nodes, &ir.Node{Name: x.Name, Op: op.New[op.DequantizeLinear](), Origin: n.Origin, In: []*ir.Value{t.x, one, zero}, Out: []*ir.Value{x}})
		w, err := op.Convert(t.w.Const, dtype.Float32)
		if err != nil {
			panic(err) // int8 has floats
		}
		y := &ir.Value{Name: sp.names.Name(name + "/float32"), Fact: op.TensorFact(dtype.Float32, n.Out[0].Shape.Clone())}
		sp.nodes = append(sp.nodes, &ir.Node{Name: y.Name, Op: inner, Origin: n.Origin, In: []*ir.Value{x, ir.NewConst(sp.names.Name(t.w.Name+"/float32"), w)}, Out: []*ir.Value{y}})
		cast := op.New[op.Cast]()
		cast.To = dtype.Int32
		node.Op, node.In = cast, []*ir.Value{y}
	} else {
		node.Op = t.product(inner)
	}
	sp.nodes = append(sp.nodes, node)
	return out
}

// split16 takes int16 apart into the upper byte, which has the sign, and the
// lower one.
type split16 struct{}

// Name returns "Split16".
func (*split16) Name() string { return "Split16" }

// Infer returns the operand's shape as int8 and as uint8.
func (*split16) Infer(in []op.Fact, _ int) ([]op.Fact, error) {
	return []op.Fact{op.TensorFact(dtype.Int8, in[0].Shape), op.TensorFact(dtype.Uint8, in[0].Shape)}, nil
}

// Eval takes every element apart.
func (*split16) Eval(in []op.Datum) ([]op.Datum, error) {
	x := in[0].Tensor
	upper, lower := tensor.New(dtype.Int8, x.Shape()...), tensor.New(dtype.Uint8, x.Shape()...)
	takeApart(tensor.Data[int8](upper), lower.Bytes(), tensor.Data[int16](x))
	return op.Of(upper, lower), nil
}

func takeApart(upper []int8, lower []byte, x []int16) {
	for i, q := range x {
		upper[i], lower[i] = int8(q>>8), byte(q)
	}
}

func (pl *plan) dispatchSplit16(s *step) {
	n, ok := tensor.Count(pl.values[s.in[0]].shape)
	if pl.values[s.in[0]].shape == nil || !ok || !pl.place(s, 0) || !pl.place(s, 1) {
		return
	}
	s.share(n, n, func(f *frame, s *step, _, lo, hi int) {
		upper, lower := tensor.Data[int8](f.vals[s.out[0]]), f.vals[s.out[1]].Bytes()
		takeApart(upper[lo:hi], lower[lo:hi], tensor.Data[int16](f.vals[s.in[0]])[lo:hi])
	})
}

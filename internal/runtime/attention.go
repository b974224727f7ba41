package runtime

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// attention is softmax(scores)·V as one step, where scores is Q·Kᵀ, scaled,
// masked and rounded to integers as the model says. For some queries at a time
// all scores are computed, so that every row goes through the operators'
// arithmetic in turn; the tensor of all scores is never stored.
type attention struct {
	m, n, d, dv int // queries, keys, length of a query, and of a value
	heads       []head
	q, k, v, y  matrixAt
	scores      product
	stages      []scoreStage
	softmax     *fused.Softmax       // all stages in one, if not nil
	short       *fused.Probabilities // the last stages, whose results are bfloat16, if not nil
	mask        *scoreStage          // what it adds
	values      product
	block       int // queries at a time
	size        sizes
}

// head is one of the products: where its matrices begin, in elements.
type head struct{ q, k, v, y int }

// matrixAt says how far apart the rows and the columns of a matrix lie.
type matrixAt struct{ row, column int }

// product is one of the two products of an attention, of floats or, with live,
// of bytes.
type product struct {
	node  *ir.Node
	live  *gemm.Live
	end   *gemm.FloatEnd // of floats
	bf16  bool           // floats are multiplied as bfloat16
	short *shortRows     // of these
	out   lattice        // of bytes that it writes
	grid  *fused.Grid
}

// sizes are the lengths of the parts of a slot's scratch memory in bytes.
type sizes struct{ keys, values, scores, bytes, powers, work, all int }

// scoreStage is one operator between the products. It works on floats, or takes
// them to bytes or back.
type scoreStage struct {
	kind    stageKind
	lattice lattice
	// A sum, difference, product or quotient with another value, which begins
	// at at[head] there.
	loop        func(dst, a, b []float32)
	with        *ir.Value
	index       int     // of with among the step's inputs
	factor      float32 // it is a product with this one number, if not 0
	sum         bool    // it is a sum
	at          []int
	row, column int
	// A function of each element, or a number for the rows that the other value
	// says.
	each func(dst, x []float32)
	fill float32
}

type stageKind uint8

const (
	stageBinary stageKind = iota
	stageEach
	stageFill
	stageSoftmax
	stageQuantize
	stageDequantize
)

// attention matches the group around a Softmax.
func (u *fuser) attention(n *ir.Node) *group {
	var nodes []*ir.Node
	var stages []scoreStage
	switch o := n.Op.(type) {
	case *op.Softmax:
		if !u.lastAxis(n, o.Axis) || n.In[0].Type != dtype.Float32 {
			return nil
		}
		stages = []scoreStage{{kind: stageSoftmax}}
	case *op.Quantized:
		inner, ok := o.Inner.(*op.Softmax)
		if !ok || !u.lastAxis(n, inner.Axis) || o.Clamp != nil || o.Fixed {
			return nil
		}
		from, ok := latticeOf(o.In[0])
		to, fits := latticeOf(o.Out[0])
		if !ok || !fits {
			return nil
		}
		stages = []scoreStage{{kind: stageDequantize, lattice: from}, {kind: stageSoftmax}, {kind: stageQuantize, lattice: to}}
	default:
		return nil
	}
	nodes = append(nodes, n)
	// Back to the scores, and on to the other product.
	x := n.In[0]
	scores := u.before(x)
	for ; scores != nil && !multiplies(scores); scores = u.before(x) {
		st, from, ok := u.scoreStage(scores, x)
		if !ok {
			return nil
		}
		stages = append([]scoreStage{st}, stages...)
		nodes, x = append(nodes, scores), from
	}
	y := n.Out[0]
	values, i := u.next(y)
	for ; values != nil && !multiplies(values); values, i = u.next(y) {
		st, from, ok := u.scoreStage(values, values.Out[0])
		if !ok || from != y {
			return nil
		}
		stages = append(stages, st)
		nodes, y = append(nodes, values), values.Out[0]
	}
	if scores == nil || values == nil || i != 0 || values.In[1] == y {
		return nil
	}
	a := &attention{stages: stages, scores: product{node: scores}, values: product{node: values}}
	in, out, more, ok := u.place(a, y)
	if !ok {
		return nil
	}
	nodes = append(append(nodes, scores, values), more...)
	for i := range a.stages {
		if w := a.stages[i].with; w != nil {
			a.stages[i].index = len(in)
			in = append(in, w)
		}
	}
	return &group{nodes: nodes, in: in, out: []*ir.Value{out}, set: func(s *step) error { return u.pl.setAttention(s, a) }}
}

// multiplies reports whether a node is a product of two activations.
func multiplies(n *ir.Node) bool {
	o := n.Op
	if q, ok := o.(*op.Quantized); ok && !q.Fixed {
		o = q.Inner
	}
	_, ok := o.(*op.MatMul)
	return ok && n.In[0].Const == nil && n.In[1].Const == nil
}

func (u *fuser) lastAxis(n *ir.Node, axis int) bool {
	d := u.dims(n.In[0])
	return len(d) > 0 && (axis == -1 || axis == len(d)-1)
}

// scoreStage returns the stage that a node is, which computes x, and the value
// that it takes on.
func (u *fuser) scoreStage(n *ir.Node, x *ir.Value) (st scoreStage, from *ir.Value, ok bool) {
	if len(n.Out) != 1 || n.Out[0] != x || len(n.In) < 1 || n.In[0] == nil {
		return st, nil, false
	}
	from = n.In[0]
	switch n.Op.(type) {
	case *op.QuantizeLinear:
		st.kind = stageQuantize
		st.lattice, ok = quantizes(n)
		return st, from, ok
	case *op.DequantizeLinear:
		st.kind = stageDequantize
		st.lattice, ok = dequantizes(n)
		return st, from, ok
	case *op.Add:
		st.loop = eltwise.Add[float32]
	case *op.Sub:
		st.loop = eltwise.Sub[float32]
	case *op.Mul:
		st.loop = eltwise.Mul[float32]
	case *op.Div:
		st.loop = eltwise.Div[float32]
	case *op.Tanh:
		st.kind = stageEach
		st.each, ok = op.UnaryLoop(n.Op)
		return st, from, ok && x.Type == dtype.Float32 && from.Const == nil
	case *op.Where:
		return u.fillStage(n, x)
	default:
		return st, nil, false
	}
	st.with = n.In[1]
	shape := u.dims(x)
	if _, swaps := n.Op.(*op.Add); swaps || isMul(n.Op) {
		// The scores are what has the result's shape and is no constant.
		if from.Const != nil || !slices.Equal(u.dims(from), shape) {
			from, st.with = st.with, from
		}
	}
	if x.Type != dtype.Float32 || from.Const != nil || shape == nil || !slices.Equal(u.dims(from), shape) || st.with == from {
		return st, nil, false
	}
	if st.with == nil || u.dims(st.with) == nil && st.with.Const == nil {
		return st, nil, false
	}
	if c := st.with.Const; c != nil && c.Len() == 1 {
		st.factor = factorOf(n.Op, tensor.Data[float32](c)[0])
	}
	_, st.sum = n.Op.(*op.Add)
	return st, from, st.lay(u.dims(st.with), shape)
}

// fillStage returns the stage that a Where is which puts one number in some rows
// of another value.
func (u *fuser) fillStage(n *ir.Node, x *ir.Value) (st scoreStage, from *ir.Value, ok bool) {
	which, number, from := n.In[0], n.In[1], n.In[2]
	shape := u.dims(x)
	if number.Const == nil || number.Const.Len() != 1 || x.Type != dtype.Float32 || from.Const != nil || shape == nil ||
		!slices.Equal(u.dims(from), shape) || which == from || u.dims(which) == nil && which.Const == nil {
		return st, nil, false
	}
	st.kind, st.with, st.fill = stageFill, which, tensor.Data[float32](number.Const)[0]
	ok = st.lay(u.dims(which), shape)
	return st, from, ok && st.column == 0
}

// lay notes how a value of the given shape broadcasts to scores.
func (st *scoreStage) lay(with, scores []int) bool {
	strides, ok := eltwise.BroadcastStrides(with, scores)
	last := len(scores) - 1
	if !ok || last < 1 || strides[last] > 1 {
		return false
	}
	st.row, st.column = strides[last-1], strides[last]
	st.at = offsets(scores[:last-1], strides)
	return true
}

// factorOf returns the number whose product with anything is what a product or
// a quotient with c is, 0 if there is none.
func factorOf(o op.Op, c float32) float32 {
	switch o.(type) {
	case *op.Mul:
		return c
	case *op.Div:
		// Powers of two divide without rounding.
		if frac, exp := math.Frexp(float64(c)); frac == 0.5 && exp > -100 && exp < 100 {
			return 1 / c
		}
	}
	return 0
}

func isMul(o op.Op) bool {
	_, ok := o.(*op.Mul)
	return ok
}

// offsets returns where each of the matrices along leading axes begins.
func offsets(lead, strides []int) []int {
	count, _ := tensor.Count(lead)
	at := make([]int, count)
	for i := range at {
		for d, r := len(lead)-1, i; d >= 0; d-- {
			at[i] += r % lead[d] * strides[d]
			r /= lead[d]
		}
	}
	return at
}

// place finds where the matrices of an attention lie; p is what is multiplied
// with the values.
func (u *fuser) place(a *attention, p *ir.Value) (in []*ir.Value, out *ir.Value, nodes []*ir.Node, ok bool) {
	qk, pv := a.scores.node, a.values.node
	shape, result := u.dims(qk.Out[0]), u.dims(pv.Out[0])
	if len(shape) < 2 || len(result) != len(shape) || !slices.Equal(shape, u.dims(p)) {
		return nil, nil, nil, false
	}
	rank := len(shape)
	lead := shape[:rank-2]
	if !slices.Equal(lead, result[:rank-2]) {
		return nil, nil, nil, false
	}
	q, sq, ok1 := u.operand(qk.In[0], lead)
	k, sk, ok2 := u.operand(qk.In[1], lead)
	v, sv, ok3 := u.operand(pv.In[1], lead)
	if !ok1 || !ok2 || !ok3 {
		return nil, nil, nil, false
	}
	y := u.spotAfter(pv.Out[0])
	dq, dv := u.dims(qk.In[0]), u.dims(pv.In[1])
	a.m, a.n, a.d, a.dv = shape[rank-2], shape[rank-1], dq[len(dq)-1], dv[len(dv)-1]
	a.q, a.k = matrixAt{sq[rank-2], sq[rank-1]}, matrixAt{sk[rank-2], sk[rank-1]}
	a.v, a.y = matrixAt{sv[rank-2], sv[rank-1]}, matrixAt{y.strides[rank-2], y.strides[rank-1]}
	if a.m == 0 || a.n == 0 || a.d == 0 || a.dv == 0 || !dense(a.d, a.q.column) || !dense(a.dv, a.y.column) {
		return nil, nil, nil, false
	}
	oq, off, ov, oy := offsets(lead, sq), offsets(lead, sk), offsets(lead, sv), offsets(lead, y.strides)
	for i := range oq {
		a.heads = append(a.heads, head{oq[i], off[i], ov[i], oy[i]})
	}
	if len(a.heads) == 0 {
		return nil, nil, nil, false
	}
	for _, sp := range []spot{q, k, v, y} {
		nodes = append(nodes, sp.nodes...)
	}
	return []*ir.Value{q.v, k.v, v.v}, y.v, nodes, u.kinds(a)
}

// kinds prepares the products, whose operands must be of the types that stages
// leave.
func (u *fuser) kinds(a *attention) bool {
	if !u.productOf(&a.scores, a.d, a.n) || !u.productOf(&a.values, a.n, a.dv) {
		return false
	}
	// What the stages are at.
	bytes := a.scores.live != nil && !a.scores.live.Float()
	at := a.scores.out
	for _, st := range a.stages {
		switch st.kind {
		case stageQuantize:
			if bytes {
				return false
			}
			bytes, at = true, st.lattice
		case stageDequantize:
			if !bytes || st.lattice.typ != at.typ {
				return false
			}
			bytes = false
		default:
			if bytes {
				return false
			}
		}
	}
	// The parameters of the product's operand say what the bytes mean.
	q, ok := quantizedOf(a.values.node)
	return ok == bytes && (!ok || q.In[0].Type == at.typ)
}

// quantizedOf returns the region that a node is.
func quantizedOf(n *ir.Node) (*op.Quantized, bool) {
	q, ok := n.Op.(*op.Quantized)
	return q, ok
}

// dequantizes returns the grid of a DequantizeLinear from bytes to floats.
func dequantizes(n *ir.Node) (lattice, bool) {
	p, ok, err := ir.ParamsOf(n)
	if !ok || err != nil || n.Out[0].Type != dtype.Float32 {
		return lattice{}, false
	}
	return latticeOf(p)
}

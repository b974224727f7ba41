package op

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Attention is scaled dot-product attention: softmax(Q·Kᵀ·scale + bias)·V for
// each head. Inputs are Q [batch, heads, queries, size], K and V [batch, KV
// heads, keys, size], or all three with the heads side by side, [batch,
// positions, heads·size], as many as QNumHeads and KVNumHeads say; then a mask
// that broadcasts to the scores, true where a key counts or a number that is
// added, which is taken as false or -∞ for the keys that it does not reach to;
// past keys and values, which stand before K and V; and how many keys of each
// batch are no padding. Outputs are Y, laid out like Q, the keys and values
// with the past ones before them, and the scores: raw, after the soft cap,
// with bias, or as probabilities, by QKMatmulOutputMode from 0 on.
//
// Each of fewer KV heads serves a run of heads. Query i stands at position i +
// offset, which is the number of past keys, or that of keys without padding
// less that of queries. IsCausal leaves it the keys up to its own position,
// LeftWindowSize and RightWindowSize (-1: any) those so near to it. A query
// without any key gives zeros. (ONNX operators: Attention-25; the order of the
// operations is that of its function body.)
type Attention struct {
	IsCausal           bool         `attr:"is_causal,default=0"`
	KVNumHeads         int          `attr:"kv_num_heads"`
	LeftWindowSize     int          `attr:"left_window_size,default=-1"`
	QNumHeads          int          `attr:"q_num_heads"`
	QKMatmulOutputMode int          `attr:"qk_matmul_output_mode,default=0"`
	RightWindowSize    int          `attr:"right_window_size,default=-1"`
	Scale              Opt[float32] `attr:"scale"` // unset: 1/√size
	Softcap            float32      `attr:"softcap,default=0"`
	SoftmaxPrecision   dtype.Type   `attr:"softmax_precision"` // Invalid: that of Q
}

// Name returns "Attention".
func (*Attention) Name() string { return "Attention" }

// Positions of the inputs.
const (
	atQ = iota
	atK
	atV
	atMask
	atPastKey
	atPastValue
	atNonpad
	attentionInputs
)

// attentionSizes are the dimensions of an attention; rank is that of Q, K and
// V, 0 where it is not known.
type attentionSizes struct {
	rank                                        int
	batch, heads, kvHeads, queries, size, vSize Dim
	past, keys, total/* past and present keys */ Dim
}

// Infer returns the outputs' shapes.
func (o *Attention) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, attentionInputs); err != nil {
		return nil, err
	}
	if err := o.checkAttributes(); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[atQ], in[atK], input(in, atPastKey))
	if err != nil {
		return nil, err
	}
	vTyp, err := wantFloats(in[atV], input(in, atPastValue))
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	s, err := o.sizes(in)
	if err != nil {
		return nil, err
	}
	if err := o.checkMask(input(in, atMask), s); err != nil {
		return nil, fmt.Errorf("mask: %w", err)
	}
	if n := input(in, atNonpad); n.Present() {
		if n.Type != dtype.Invalid && n.Type != dtype.Int64 {
			return nil, fmt.Errorf("nonpad_kv_seqlen of type %v, want int64", n.Type)
		}
		if err := wantLength(n, "nonpad_kv_seqlen", s.batch); err != nil {
			return nil, err
		}
	}
	var y Shape
	switch s.rank {
	case 3:
		y = Shape{s.batch, s.queries, s.heads.Mul(s.vSize)}
	case 4:
		y = Shape{s.batch, s.heads, s.queries, s.vSize}
	}
	return []Fact{
		TensorFact(typ, y),
		TensorFact(typ, Shape{s.batch, s.kvHeads, s.total, s.size}),
		TensorFact(vTyp, Shape{s.batch, s.kvHeads, s.total, s.vSize}),
		TensorFact(typ, Shape{s.batch, s.heads, s.queries, s.total}),
	}, nil
}

func (o *Attention) checkAttributes() error {
	switch {
	case o.QKMatmulOutputMode < 0 || o.QKMatmulOutputMode > 3:
		return fmt.Errorf("qk_matmul_output_mode %d, want 0 to 3", o.QKMatmulOutputMode)
	case o.LeftWindowSize < -1:
		return fmt.Errorf("left_window_size %d, want -1 or more", o.LeftWindowSize)
	case o.RightWindowSize < -1:
		return fmt.Errorf("right_window_size %d, want -1 or more", o.RightWindowSize)
	case o.QNumHeads < 0 || o.KVNumHeads < 0:
		return fmt.Errorf("%d and %d heads, want positive numbers", o.QNumHeads, o.KVNumHeads)
	case !(o.Scale.Value >= 0):
		return fmt.Errorf("scale %g, want no negative number: its root is taken", o.Scale.Value)
	case !(o.Softcap >= 0):
		return fmt.Errorf("softcap %g, want a positive number, or 0 for none", o.Softcap)
	case o.SoftmaxPrecision != dtype.Invalid && !plainFloat(o.SoftmaxPrecision):
		return fmt.Errorf("softmax_precision %v, want a floating-point type", o.SoftmaxPrecision)
	}
	return nil
}

// checkMask checks a mask's type and rank, and its dimensions but the last.
func (o *Attention) checkMask(f Fact, s attentionSizes) error {
	if !f.Present() {
		return nil
	}
	if err := accept(func(t dtype.Type) bool { return isBool(t) || isNumber(t) }, f); err != nil {
		return err
	}
	if f.Shape == nil {
		return nil
	}
	if len(f.Shape) == 0 {
		return fmt.Errorf("a scalar, want an axis of keys")
	}
	last := len(f.Shape) - 1
	n, ok := f.Shape[last].Int()
	if most, known := s.total.Int(); ok && known && n > most {
		return fmt.Errorf("shape %v for %d keys", f.Shape, most)
	}
	to := Shape{s.batch, s.heads, s.queries, Unknown}
	return fits(append(f.Shape[:last].Clone(), Unknown), to)
}

// sizes reads the dimensions, which must agree.
func (o *Attention) sizes(in []Fact) (s attentionSizes, err error) {
	pastKey, pastValue, nonpad := input(in, atPastKey), input(in, atPastValue), input(in, atNonpad)
	if pastKey.Present() != pastValue.Present() {
		return s, fmt.Errorf("past_key and past_value go together: one of them is missing")
	}
	if pastKey.Present() && nonpad.Present() {
		return s, fmt.Errorf("nonpad_kv_seqlen is for keys that are all in K, without past_key")
	}
	for i := range atMask {
		shape := in[i].Shape
		switch {
		case shape == nil:
		case len(shape) != 3 && len(shape) != 4:
			return s, fmt.Errorf("input %d of shape %v, want 3 or 4 axes", i, shape)
		case s.rank != 0 && s.rank != len(shape):
			return s, fmt.Errorf("inputs of %d and %d axes, want as many for Q, K and V", s.rank, len(shape))
		default:
			s.rank = len(shape)
		}
	}
	if s.rank == 3 && (o.QNumHeads == 0 || o.KVNumHeads == 0) {
		return s, fmt.Errorf("q_num_heads and kv_num_heads are missing, which inputs of 3 axes need")
	}
	q, err := s.split(in[atQ].Shape, o.QNumHeads)
	if err != nil {
		return s, fmt.Errorf("queries: %w", err)
	}
	k, err := s.split(in[atK].Shape, o.KVNumHeads)
	if err != nil {
		return s, fmt.Errorf("keys: %w", err)
	}
	v, err := s.split(in[atV].Shape, o.KVNumHeads)
	if err != nil {
		return s, fmt.Errorf("values: %w", err)
	}
	pk, err := Merge(pastKey.Shape, OfRank(4))
	if err != nil {
		return s, fmt.Errorf("past_key of shape %v, want 4 axes", pastKey.Shape)
	}
	pv, err := Merge(pastValue.Shape, OfRank(4))
	if err != nil {
		return s, fmt.Errorf("past_value of shape %v, want 4 axes", pastValue.Shape)
	}
	for _, a := range []struct {
		to   *Dim
		what string
		of   []Dim
	}{
		{&s.batch, "batches", []Dim{q[0], k[0], v[0], pk[0], pv[0]}},
		{&s.heads, "heads of queries", []Dim{q[1]}},
		{&s.kvHeads, "heads of keys and values", []Dim{k[1], v[1], pk[1], pv[1]}},
		{&s.queries, "queries", []Dim{q[2]}},
		{&s.keys, "keys and values", []Dim{k[2], v[2]}},
		{&s.past, "past keys and values", []Dim{pk[2], pv[2]}},
		{&s.size, "numbers of a query and of a key", []Dim{q[3], k[3], pk[3]}},
		{&s.vSize, "numbers of a value", []Dim{v[3], pv[3]}},
	} {
		if *a.to, err = agree(a.of...); err != nil {
			return s, fmt.Errorf("%s: %w", a.what, err)
		}
	}
	s.total = s.keys
	if pastKey.Present() {
		s.total = s.keys.Add(s.past)
	}
	h, ok := s.heads.Int()
	kv, known := s.kvHeads.Int()
	if ok && known && (kv == 0 && h != 0 || kv != 0 && h%kv != 0) {
		return s, fmt.Errorf("%d heads of queries for %d of keys, want a multiple", h, kv)
	}
	return s, nil
}

// split returns the shape [batch, heads, positions, size] of an operand.
func (s attentionSizes) split(x Shape, heads int) (Shape, error) {
	switch {
	case x == nil && s.rank == 3:
		return Shape{Unknown, Size(heads), Unknown, Unknown}, nil
	case x == nil:
		return OfRank(4), nil
	case len(x) == 4:
		if heads != 0 && contradict(x[1], Size(heads)) {
			return nil, fmt.Errorf("shape %v, and the attribute says %d heads", x, heads)
		}
		return x, nil
	}
	size, err := perHead(x[2], heads)
	return Shape{x[0], Size(heads), x[1], size}, err
}

// perHead divides the size of an axis among heads.
func perHead(d Dim, heads int) (Dim, error) {
	if n, ok := d.Int(); ok && n%heads != 0 {
		return Unknown, fmt.Errorf("%d numbers for %d heads, want a multiple", n, heads)
	}
	return d.Div(Size(heads)), nil
}

// agree returns what dimensions that must be equal tell together.
func agree(dims ...Dim) (Dim, error) {
	out := Shape{Unknown}
	for _, d := range dims {
		var err error
		if out, err = Merge(out, Shape{d}); err != nil {
			return Unknown, err
		}
	}
	return out[0], nil
}

// Eval computes what the operators do that it is made of.
func (o *Attention) Eval(in []Datum) ([]Datum, error) { return evalFunction(o, in, 4) }

// Expand returns two MatMuls with Softmax between them. The sizes of queries
// and of values and the numbers of heads must be known.
func (o *Attention) Expand(in []Fact) (*Function, error) {
	s, err := o.sizes(in)
	if err != nil {
		return nil, err
	}
	factor, err := o.factor(s)
	if err != nil {
		return nil, err
	}
	typ := in[atQ].Type
	if typ == dtype.Invalid || in[atV].Type == dtype.Invalid || s.rank == 0 {
		return nil, fmt.Errorf("the types and the number of axes of Q, K and V must be known")
	}
	b := newBuilder(in)
	scale := b.number(typ, float64(factor))
	mul := func(x int) int { return b.call(New[Mul](), x, scale) }

	q := s.apart(b, mul(atQ), s.heads, s.size)
	presentKey, presentValue := s.apart(b, atK, s.kvHeads, s.size), s.apart(b, atV, s.kvHeads, s.vSize)
	k, v := s.apart(b, mul(atK), s.kvHeads, s.size), presentValue
	if input(in, atPastKey).Present() {
		presentKey, presentValue = b.concat(2, atPastKey, presentKey), b.concat(2, atPastValue, presentValue)
		k, v = mul(presentKey), presentValue
	}
	repeat, err := s.repeats(b)
	if err != nil {
		return nil, err
	}
	kt := b.transpose(repeat(k), 0, 1, 3, 2)
	raw := b.call(New[MatMul](), q, kt)
	capped := raw
	if o.Softcap != 0 {
		c := b.number(typ, float64(o.Softcap))
		capped = b.call(New[Mul](), b.call(New[Tanh](), b.call(New[Div](), raw, c)), c)
	}
	biased := capped
	bias, bare := o.bias(b, in, s, presentKey)
	if bias != Absent {
		biased = b.call(New[Add](), capped, bias)
	}
	precise := typ
	if o.SoftmaxPrecision != dtype.Invalid {
		precise = o.SoftmaxPrecision
	}
	p := b.cast(b.call(New[Softmax](), b.cast(biased, precise)), typ)
	if bare != Absent {
		p = b.call(New[Where](), bare, b.number(typ, 0), p)
	}
	y := b.call(New[MatMul](), p, b.cast(repeat(v), typ))
	if s.rank == 3 {
		y = b.reshape(b.transpose(y, 0, 2, 1, 3), 0, 0, sizeOrRest(s.heads.Mul(s.vSize)))
	}
	return b.done(y, presentKey, presentValue, []int{raw, capped, biased, p}[o.QKMatmulOutputMode])
}

// factor returns what queries and keys are multiplied with.
func (o *Attention) factor(s attentionSizes) (float32, error) {
	if o.Scale.Set {
		return root(o.Scale.Value), nil
	}
	n, ok := s.size.Int()
	if !ok {
		return 0, fmt.Errorf("the scale depends on the size of a query, which must be known")
	}
	return root(1 / root(float32(n))), nil
}

// sizeOrRest returns a dimension as Reshape takes it.
func sizeOrRest(d Dim) int {
	if n, ok := d.Int(); ok {
		return n
	}
	return -1
}

// apart puts heads that lie side by side on an axis of their own.
func (s attentionSizes) apart(b *builder, x int, heads, size Dim) int {
	if s.rank == 4 {
		return x
	}
	return b.transpose(b.reshape(x, 0, 0, sizeOrRest(heads), sizeOrRest(size)), 0, 2, 1, 3)
}

// repeats returns what gives each head of queries its head of keys or values.
func (s attentionSizes) repeats(b *builder) (func(int) int, error) {
	if s.heads.Same(s.kvHeads) {
		return func(x int) int { return x }, nil
	}
	h, ok := s.heads.Int()
	kv, known := s.kvHeads.Int()
	if !ok || !known || kv == 0 {
		return nil, fmt.Errorf("the numbers of heads must be known")
	}
	if h > maxFolded {
		return nil, fmt.Errorf("%d heads, up to %d are supported", h, maxFolded)
	}
	of := make([]int, h)
	for i := range of {
		of[i] = i / (h / kv)
	}
	idx := b.ints(of...)
	return func(x int) int {
		o := New[Gather]()
		o.Axis = 1
		return b.call(o, x, idx)
	}, nil
}

// bias returns what is added to the scores, and where a query has no key at
// all; either may be Absent.
func (o *Attention) bias(b *builder, in []Fact, s attentionSizes, keys int) (bias, bare int) {
	typ := in[atQ].Type
	allowed, empty := o.allowed(b, in, keys)
	bias = Absent
	if f := input(in, atMask); f.Present() {
		empty = true
		mask := padded(b, s, keys)
		if f.Type == dtype.Bool {
			allowed = both(b, allowed, mask)
		} else {
			bias = b.cast(mask, typ)
		}
	}
	if allowed != Absent {
		add := b.call(New[Where](), allowed, b.number(typ, 0), b.number(typ, math.Inf(-1)))
		if bias != Absent {
			add = b.call(New[Add](), bias, add)
		}
		bias = add
	}
	if bias == Absent || !empty {
		return bias, Absent
	}
	bare = b.call(New[Equal](), b.call(New[ReduceMax](), bias, b.ints(-1)), b.number(typ, math.Inf(-1)))
	if t := b.f.Consts[bare]; t != nil && !slices.Contains(tensor.Data[bool](t), true) {
		return bias, Absent
	}
	return bias, bare
}

// both returns where a and b hold; either may be Absent.
func both(b *builder, x, y int) int {
	if x == Absent {
		return y
	}
	return b.call(New[And](), x, y)
}

// allowed returns which keys the attributes and the padding leave to queries,
// of shape [queries, keys] or [batch, 1, queries, keys], or Absent, and whether
// that may be none.
func (o *Attention) allowed(b *builder, in []Fact, keys int) (allowed int, empty bool) {
	nonpad, windows := input(in, atNonpad).Present(), o.LeftWindowSize >= 0 || o.RightWindowSize >= 0
	if !o.IsCausal && !windows && !nonpad {
		return Absent, false
	}
	column := b.count(b.length(keys, 2))
	allowed = Absent
	var full int
	if nonpad {
		full = b.reshape(atNonpad, -1, 1, 1, 1)
		allowed = b.call(New[Less](), column, full)
	}
	if !o.IsCausal && !windows {
		return allowed, true
	}
	queries := b.length(atQ, -2)
	at := b.unsqueeze(b.count(queries), 1)
	switch {
	case nonpad:
		at = b.call(New[Add](), at, b.call(New[Sub](), full, queries))
	case input(in, atPastKey).Present():
		at = b.call(New[Add](), at, b.length(atPastKey, 2))
	}
	if o.IsCausal {
		allowed = both(b, allowed, b.call(New[LessOrEqual](), column, at))
	}
	if o.LeftWindowSize >= 0 {
		from := b.call(New[Sub](), at, b.ints(o.LeftWindowSize))
		allowed = both(b, allowed, b.call(New[GreaterOrEqual](), column, from))
	}
	if o.RightWindowSize >= 0 {
		to := b.call(New[Add](), at, b.ints(o.RightWindowSize))
		allowed = both(b, allowed, b.call(New[LessOrEqual](), column, to))
	}
	return allowed, nonpad || windows
}

// padded returns the mask for all keys.
func padded(b *builder, s attentionSizes, keys int) int {
	f := b.facts[atMask]
	if n := len(f.Shape); n > 0 && f.Shape[n-1].Same(s.total) {
		return atMask
	}
	fill := b.constant(tensor.Scalar(false))
	if f.Type != dtype.Bool {
		typ := f.Type
		if !plainFloat(typ) {
			typ = b.facts[atQ].Type
		}
		fill = b.number(typ, math.Inf(-1))
		return padLast(b, b.cast(atMask, typ), keys, fill)
	}
	return padLast(b, atMask, keys, fill)
}

// padLast pads the last axis of x to the number of keys.
func padLast(b *builder, x, keys, fill int) int {
	more := b.call(New[Sub](), b.length(keys, 2), b.length(x, -1))
	amounts := b.concat(0, b.ints(0), b.unsqueeze(more, 0))
	return b.call(New[Pad](), x, amounts, fill, b.ints(-1))
}

// Quantization says that queries, keys and values are activations.
func (*Attention) Quantization() Facts {
	f := NoFacts()
	f.Data = []int{atQ, atK, atV, atPastKey, atPastValue}
	return f
}

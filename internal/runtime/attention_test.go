package runtime

import (
	"context"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// shaped are the sizes of an attention.
type shaped struct {
	batch, heads, kvHeads, queries, past, keys, d, dv int
	flat                                              bool // heads side by side
}

// operands returns inputs for queries, keys and values.
func (b *net) operands(s shaped) (q, k, v *ir.Value) {
	if s.flat {
		return b.input(s.batch, s.queries, s.heads*s.d), b.input(s.batch, s.keys, s.kvHeads*s.d), b.input(s.batch, s.keys, s.kvHeads*s.dv)
	}
	return b.input(s.batch, s.heads, s.queries, s.d), b.input(s.batch, s.kvHeads, s.keys, s.d), b.input(s.batch, s.kvHeads, s.keys, s.dv)
}

// typed is an input of another type.
func (b *net) typed(t dtype.Type, shape ...int) *ir.Value {
	v := b.input(shape...)
	v.Type = t
	return v
}

// TestAttentionEqualsItsMeaning: the operator runs as few steps, by kernels, and
// gives what its operators give in turn, to the bit.
func TestAttentionEqualsItsMeaning(t *testing.T) {
	plain := shaped{batch: 2, heads: 3, kvHeads: 3, queries: 13, keys: 13, d: 8, dv: 8}
	grouped := shaped{batch: 2, heads: 6, kvHeads: 2, queries: 7, keys: 20, d: 12, dv: 5}
	flat := shaped{batch: 2, heads: 4, kvHeads: 4, queries: 50, keys: 50, d: 16, dv: 16, flat: true}
	cached := shaped{batch: 1, heads: 4, kvHeads: 2, queries: 3, past: 9, keys: 3, d: 8, dv: 8}
	long := shaped{batch: 1, heads: 2, kvHeads: 2, queries: 300, keys: 300, d: 8, dv: 8, flat: true}
	for _, c := range []struct {
		name  string
		size  shaped
		set   func(*op.Attention)
		mask  dtype.Type
		shape []int
		pad   bool // nonpad_kv_seqlen
		steps int  // 0: not looked at
	}{
		// Queries and keys are scaled, then the attention.
		{name: "plain", size: plain, steps: 3},
		{name: "side by side", size: flat, steps: 3},
		{name: "causal", size: flat, set: func(o *op.Attention) { o.IsCausal = true }, steps: 3},
		{name: "causal, too long to fold", size: long, set: func(o *op.Attention) { o.IsCausal = true }},
		{name: "soft cap", size: flat, set: func(o *op.Attention) { o.Softcap = 0.5 }, steps: 3},
		{name: "numbers as mask", size: flat, mask: dtype.Float32, shape: []int{2, 1, 1, 50}, steps: 5},
		{name: "mask of each query", size: plain, mask: dtype.Bool, shape: []int{13, 13}, steps: 6},
		{name: "mask of each head", size: plain, mask: dtype.Bool, shape: []int{2, 3, 13, 13}, steps: 6},
		{name: "causal and mask", size: flat, mask: dtype.Bool, shape: []int{2, 1, 50, 50}, set: func(o *op.Attention) { o.IsCausal = true }},
		{name: "grouped heads", size: grouped, steps: 5},
		{name: "short mask", size: grouped, mask: dtype.Bool, shape: []int{7, 4}},
		{name: "past keys", size: cached, set: func(o *op.Attention) { o.IsCausal = true }},
		{name: "padded keys", size: grouped, pad: true, set: func(o *op.Attention) { o.IsCausal = true }},
		{name: "windows", size: plain, set: func(o *op.Attention) { o.LeftWindowSize, o.RightWindowSize = 2, 0 }, steps: 3},
		{name: "softmax in double precision", size: plain, set: func(o *op.Attention) { o.SoftmaxPrecision = dtype.Float64 }},
		{name: "probabilities", size: plain, set: func(o *op.Attention) { o.QKMatmulOutputMode = 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newNet()
			q, k, v := b.operands(c.size)
			in := []*ir.Value{q, k, v, nil, nil, nil, nil}
			if c.shape != nil {
				in[3] = b.typed(c.mask, c.shape...)
			}
			if c.size.past > 0 {
				in[4] = b.input(c.size.batch, c.size.kvHeads, c.size.past, c.size.d)
				in[5] = b.input(c.size.batch, c.size.kvHeads, c.size.past, c.size.dv)
			}
			if c.pad {
				in[6] = b.typed(dtype.Int64, c.size.batch)
			}
			o := op.New[op.Attention]()
			if c.size.flat {
				o.QNumHeads, o.KVNumHeads = c.size.heads, c.size.kvHeads
			}
			if c.set != nil {
				c.set(o)
			}
			n := &ir.Node{Name: "a", Op: o, In: in, Out: []*ir.Value{{Name: "y"}, nil, nil, nil}}
			if c.size.past > 0 {
				n.Out[1], n.Out[2] = &ir.Value{Name: "k"}, &ir.Value{Name: "v"}
			}
			if o.QKMatmulOutputMode > 0 {
				n.Out[3] = &ir.Value{Name: "s"}
			}
			b.g.Nodes = append(b.g.Nodes, n)
			for _, v := range n.Out {
				if v != nil {
					b.g.Outputs = append(b.g.Outputs, v)
				}
			}
			feed := b.feed()
			b.compare(t, feed, c.steps)
			// A model says neither how many there are of each.
			axis := 2
			if c.size.flat {
				axis = 1
			}
			for i, what := range []string{"queries", "keys", "keys", "", "past", "past"} {
				if in[i] == nil || what == "" {
					continue
				}
				if what == "past" {
					axis = 2
				}
				in[i].Shape[0], in[i].Shape[axis] = op.Sym("batch"), op.Sym(what)
			}
			steps := c.steps
			if steps > 0 && c.shape != nil {
				steps++ // the mask may be short
			}
			b.compare(t, feed, steps)
		})
	}
}

// feed returns random inputs of the shapes that they have.
func (b *net) feed() Tensors {
	out := Tensors{}
	for _, v := range b.g.Inputs {
		s, _ := v.Shape.Ints()
		x := b.floats(1, s...)
		switch v.Type {
		case dtype.Bool:
			x = tensor.New(dtype.Bool, s...)
			for i := range tensor.Data[bool](x) {
				// Some rows of the last axis have nothing.
				tensor.Data[bool](x)[i] = b.r.IntN(2) == 0 && i/s[len(s)-1]%4 != 1
			}
		case dtype.Int64:
			x = tensor.New(dtype.Int64, s...)
			for i := range tensor.Data[int64](x) {
				tensor.Data[int64](x)[i] = int64(3 + 5*i)
			}
		}
		out[v.Name] = x
	}
	return out
}

// compare runs a graph and compares with the meaning of its operators; steps is
// how many it takes where they run together, 0 if that is not looked at.
func (b *net) compare(t *testing.T, feed Tensors, steps int) {
	t.Helper()
	var in []op.Datum
	for _, v := range b.g.Inputs {
		in = append(in, op.Datum{Tensor: feed[v.Name]})
	}
	want, err := ir.Eval(b.g, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{NoFusion: true}, {Threads: 1}, {Threads: 3}} {
		p, err := Compile(b.g, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Run(context.Background(), feed)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range b.g.Outputs {
			if !tensor.Equal(got[v.Name], want[i].Tensor) {
				t.Errorf("%+v: %q is %v, want %v", o, v.Name, got[v.Name], want[i].Tensor)
			}
		}
		pl, err := p.planFor(feed)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(pl.steps); !o.NoFusion && steps != 0 && n != steps {
			for i := range pl.steps {
				t.Logf("step %s", pl.steps[i].node.Op.Name())
			}
			t.Errorf("%d steps, want %d", n, steps)
		}
	}
}

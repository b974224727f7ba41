package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// normed is a layer normalization along the last axis and the quantization of
// what it computes, row by row.
type normed struct {
	rows, n int
	epsilon float32
	shifted bool
	both    bool // others read the floats
	out     lattice
}

// norm matches it.
func (u *fuser) norm(n *ir.Node) *group {
	o, ok := n.Op.(*op.LayerNormalization)
	if !ok {
		return nil
	}
	x := u.dims(n.In[0])
	if o.StashType != dtype.Float32 || n.In[0].Type != dtype.Float32 || len(x) == 0 || o.Axis != -1 && o.Axis != len(x)-1 {
		return nil
	}
	for _, v := range n.Out[1:] {
		if v != nil {
			return nil
		}
	}
	t := &normed{epsilon: o.Epsilon, n: x[len(x)-1], shifted: len(n.In) > 2 && n.In[2] != nil}
	t.rows, _ = tensor.Count(x[:len(x)-1])
	if t.rows == 0 || t.n == 0 {
		return nil
	}
	for _, v := range n.In[1:] {
		if d := u.dims(v); v != nil && (v.Type != dtype.Float32 || len(d) != 1 || d[0] != t.n) {
			return nil
		}
	}
	y := n.Out[0]
	var q *ir.Node
	for _, use := range u.uses[y] {
		if l, ok := quantizes(use.Node); ok && use.Index == 0 && q == nil && u.of[use.Node] == nil {
			q, t.out = use.Node, l
		}
	}
	if q == nil {
		return nil
	}
	gr := &group{nodes: []*ir.Node{n, q}, in: n.In, out: []*ir.Value{q.Out[0]}}
	if only, _ := u.next(y); only == nil {
		t.both, gr.out = true, append(gr.out, y)
	}
	gr.set = func(s *step) error {
		u.pl.setNormed(s, t)
		return nil
	}
	return gr
}

func (pl *plan) setNormed(s *step, t *normed) {
	for i := range s.out {
		pl.place(s, i)
	}
	n := t.n
	pl.scratch = max(pl.scratch, 4*n*pl.p.threads)
	s.share(t.rows, t.rows*n*costNorm, func(f *frame, s *step, slot, lo, hi int) {
		x, scale, to := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.vals[s.in[1]]), f.out(s).Bytes()
		var shift, all []float32
		if t.shifted {
			shift = tensor.Data[float32](f.vals[s.in[2]])
		}
		row := f.floats(slot, n)
		if t.both {
			all = tensor.Data[float32](f.vals[s.out[1]])
		}
		for i := lo; i < hi; i++ {
			if t.both {
				row = all[i*n : (i+1)*n]
			}
			reduce.LayerNorm(row, x[i*n:(i+1)*n], scale, shift, t.epsilon)
			t.out.store(to[i*n:(i+1)*n], row)
		}
	})
}

package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// gate matches x·f(x) of floats, f being a function of one element: a sigmoid
// makes it SiLU. They run some elements at a time, so that f(x) never leaves the
// nearest cache.
func (u *fuser) gate(n *ir.Node) *group {
	loop, ok := op.UnaryLoop(n.Op)
	if !ok || len(n.In) != 1 || n.In[0] == nil || n.In[0].Type != dtype.Float32 || n.In[0].Const != nil || u.dims(n.In[0]) == nil {
		return nil
	}
	x := n.In[0]
	m, i := u.next(n.Out[0])
	if m == nil || !isMul(m.Op) || m.In[1-i] != x {
		return nil
	}
	return &group{nodes: []*ir.Node{n, m}, in: []*ir.Value{x}, out: m.Out, set: func(s *step) error {
		u.pl.setGate(s, loop)
		return nil
	}}
}

func (pl *plan) setGate(s *step, loop func(dst, x []float32)) {
	const each, some = 20, 2048 // what an element costs, in multiply-adds; elements at a time
	pl.place(s, 0)
	pl.overwrite(s, 0)
	pl.scratch = max(pl.scratch, 4*some*pl.p.threads)
	n, _ := tensor.Count(pl.values[s.in[0]].shape)
	s.share((n+some-1)/some, each*n, func(f *frame, s *step, slot, lo, hi int) {
		x, y, fx := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.out(s)), f.floats(slot, some)
		for at := lo * some; at < min(n, hi*some); at += some {
			part := x[at:min(n, at+some)]
			loop(fx[:len(part)], part)
			eltwise.Mul(y[at:at+len(part)], part, fx[:len(part)])
		}
	})
}

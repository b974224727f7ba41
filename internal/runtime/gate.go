package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// gateBlock is how many elements of a gate are computed at once: the nearest
// cache holds them until they are multiplied.
const gateBlock = 1 << 11

// gate matches the product of a value with a function of it that nobody else
// reads, as x·sigmoid(x) is: the function need not be stored.
func (u *fuser) gate(n *ir.Node) *group {
	if _, ok := n.Op.(*op.Mul); !ok || n.In[0] == nil || n.In[1] == nil {
		return nil
	}
	for i, v := range n.In {
		x, f := n.In[1-i], u.before(v)
		if f == nil || f.In[0] != x || x.Type != dtype.Float32 || x.Const != nil || u.of[f] != nil || u.dims(x) == nil {
			continue
		}
		loop, ok := elementwise(f)
		if !ok {
			continue
		}
		count, _ := tensor.Count(u.dims(x))
		gr := &group{nodes: []*ir.Node{f, n}, in: []*ir.Value{x}, out: n.Out}
		gr.set = func(s *step) error {
			u.pl.setGate(s, loop, count)
			return nil
		}
		return gr
	}
	return nil
}

// setGate prepares the step of n elements.
func (pl *plan) setGate(s *step, loop func(dst, x []float32), n int) {
	const each = 20 // what an element costs, in multiply-adds
	pl.place(s, 0)
	pl.overwrite(s, 0)
	size := min(gateBlock, n)
	pl.scratch = max(pl.scratch, 4*size*pl.p.threads)
	s.share(n, each*n, func(f *frame, s *step, slot, lo, hi int) {
		x, y, gate := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.out(s)), f.floats(slot, size)
		for ; lo < hi; lo += size {
			end := min(lo+size, hi)
			loop(gate[:end-lo], x[lo:end])
			eltwise.Mul(y[lo:end], x[lo:end], gate[:end-lo])
		}
	})
}

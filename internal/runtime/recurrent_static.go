package runtime

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/op"
)

// zeroBytes returns the bytes of the zero point of parameters with one scale,
// counted from the least where the type has 16 bits.
func zeroBytes(p affine.Params) (high, low byte) {
	zero := int64(0)
	if len(p.ZeroPoint) > 0 {
		zero = p.ZeroPoint[0]
	}
	if p.Present() && p.Type.Bits() == 16 {
		least, _ := p.Type.Range()
		zero -= least
	}
	return byte(zero >> 8), byte(zero)
}

// dispatchIntegerCell runs an LSTM or GRU, as most are, on data that are integers
// with fixed parameters.
func (pl *plan) dispatchIntegerCell(s *step, key *ir.Node, o *op.Quantized) {
	q := &liveRecurrence{given: o.In[0], wide: o.In[0].Type.Bits() == 16}
	direction, odd := "", false
	switch inner := o.Inner.(type) {
	case *op.LSTM:
		q.gates, direction = 4, inner.Direction
		q.cellClip = inner.CellClip.Value
		odd = !usual(inner.Activations, lstmFunctions) || inner.Clip.Set || inner.InputForget || inner.CellClip.Set && !(q.cellClip > 0)
	case *op.GRU:
		q.gates, q.linearBeforeReset, direction = 3, inner.LinearBeforeReset, inner.Direction
		odd = !usual(inner.Activations, gruFunctions) || inner.Clip.Set
	default:
		return
	}
	x, w, r := &pl.values[s.in[0]], pl.constant(s, 1), pl.constant(s, 2)
	if odd || !o.IntegerCell() || w == nil || r == nil || len(x.shape) != 3 || s.given(4) || s.given(7) || s.given(3) && pl.constant(s, 3) == nil {
		return
	}
	q.backward = directionsOf[direction]
	features := x.shape[2]
	q.time, q.batch, q.cells = x.shape[0], x.shape[1], r.Shape()[2]
	if q.time*q.batch*features*q.cells == 0 || w.Shape()[0] != len(q.backward) {
		return
	}
	for i := range s.out {
		if !pl.place(s, i) {
			return
		}
	}
	n, rows := q.cells, q.gates*q.cells
	kind := conv.Uint8
	if o.In[0].Type == dtype.Int8 {
		kind = conv.Int8
	}
	seen := rows // gates that see the state as it is
	if q.gates == 3 {
		seen = 2 * n
		q.hidden = conv.NewPlan(matrixGeometry(q.batch, n, n, true), conv.Uint8)
	}
	q.data = conv.NewPlan(matrixGeometry(q.time*q.batch, features, rows, true), kind)
	q.state = conv.NewPlan(matrixGeometry(q.batch, n, seen, true), conv.Uint8)
	scales := func(i, lo, hi int) []float32 {
		if u := o.In[i].Scale; len(u) > 1 {
			return u[lo:hi]
		}
		return o.In[i].Scale
	}
	for d := range q.backward {
		c := liveCell{
			data:  pl.liveMatrix(key, q.data, fmt.Sprint("data", d), w, d*rows*features, rows*features, scales(1, 0, rows)),
			state: pl.liveMatrix(key, q.state, fmt.Sprint("state", d), r, d*rows*n, seen*n, scales(2, 0, seen)),
		}
		if q.wide {
			c.low = liveMatrix{product: q.data, packed: c.data.packed, end: c.data.end, at: len(pl.ends)}
			pl.ends = append(pl.ends, c.low.end)
		}
		if q.hidden != nil {
			c.hidden = pl.liveMatrix(key, q.hidden, fmt.Sprint("hidden", d), r, (d*rows+seen)*n, n*n, scales(2, seen, rows))
		}
		q.live = append(q.live, c)
	}
	q.plan(pl, s, features)
}

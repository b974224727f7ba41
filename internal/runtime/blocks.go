package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// longest is the greatest k of products with codes: a panel of so many rows of
// numbers is scratch memory, and a kernel does so many steps without a pause.
// leastColumns is the least n: panels are wide, and the rest of one is memory
// for nothing.
const (
	longest      = 1 << 16
	leastColumns = 16
)

// dispatchNBits runs a product with constant codes without a group index.
func (pl *plan) dispatchNBits(s *step, key *ir.Node, o *op.MatMulNBits) error {
	x, w, scales := &pl.values[s.in[0]], pl.constant(s, 1), pl.constant(s, 2)
	given := func(i int) bool { return i < len(s.in) && s.in[i] >= 0 }
	zero, bias := pl.constant(s, 3), pl.constant(s, 5)
	if x.typ != dtype.Float32 || w == nil || scales == nil || given(4) || given(3) && zero == nil || given(5) && bias == nil {
		return nil
	}
	rows, k, ok := rowsOf(x.shape, -1)
	if !ok || k != o.K || k > longest || o.N < leastColumns || !pl.place(s, 0) {
		return nil
	}
	packed, err := pl.packs(key).getBlocks(key, func() (*gemm.Blocks, error) {
		c, err := o.Codes(w, scales, zero)
		if err != nil {
			return nil, err
		}
		defer w.Release()
		return gemm.PackBlocks(c), nil
	})
	if err != nil {
		return err
	}
	pl.multiplyBlocks(s, packed, rows, k, o.N, bias)
	return nil
}

// multiplyBlocks sets up the product of m rows with packed codes, whose panels
// are shared.
func (pl *plan) multiplyBlocks(s *step, w *gemm.Blocks, m, k, n int, bias *tensor.Tensor) {
	var b []float32
	if bias != nil {
		b = tensor.Data[float32](bias)
	}
	rows, end, size := gemm.RowsOf(m, k), w.End(b), w.ScratchLen(m)
	pl.scratch = max(pl.scratch, 4*size*pl.p.threads)
	s.share(w.Panels(), m*k*n, func(f *frame, s *step, slot, lo, hi int) {
		x, y := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.out(s))
		for p := lo; p < hi; p++ {
			w.Multiply(y, n, x, rows, m, p, end, f.floats(slot, size))
		}
	})
}

// coded matches a product with a constant that is dequantized before it: the
// weight stays as small as it is stored.
func (u *fuser) coded(n *ir.Node) *group {
	if len(n.In) < 2 || n.In[0] == nil || n.In[0].Type != dtype.Float32 {
		return nil
	}
	transposed := false
	var bias *ir.Value
	switch o := n.Op.(type) {
	case *op.MatMul:
	case *op.Gemm:
		transposed = o.TransB
		if len(n.In) > 2 && n.In[2] != nil {
			bias = n.In[2]
		}
		if o.Alpha != 1 || o.TransA || bias != nil && (o.Beta != 1 || bias.Const == nil || bias.Const.Rank() != 1) {
			return nil
		}
	default:
		return nil
	}
	d := u.before(n.In[1])
	if d == nil || d == u.prod[n.In[0]] || u.of[d] != nil || n.In[1].Type != dtype.Float32 {
		return nil
	}
	if _, ok := d.Op.(*op.DequantizeLinear); !ok || d.In[0].Const == nil {
		return nil
	}
	m, k, ok := rowsOf(u.dims(n.In[0]), -1)
	w := d.In[0].Const
	p, known, err := ir.ParamsOf(d)
	if !ok || !known || err != nil || len(u.dims(n.In[0])) < 2 || u.dims(n.Out[0]) == nil || p.Validate(w.Shape()) != nil {
		return nil
	}
	c, ok := codesOf(w, p, transposed)
	if !ok || c.K != k || bias != nil && bias.Const.Len() != c.N {
		return nil
	}
	gr := &group{nodes: []*ir.Node{d, n}, in: []*ir.Value{n.In[0], d.In[0]}, out: n.Out}
	gr.set = func(s *step) error {
		u.pl.place(s, 0)
		packed, err := u.pl.packs(u.keys[n]).getBlocks(u.keys[n], func() (*gemm.Blocks, error) {
			defer w.Release()
			c.Data = w.Bytes()
			return gemm.PackBlocks(c), nil
		})
		if err != nil {
			return err
		}
		var b *tensor.Tensor
		if bias != nil {
			b = bias.Const
		}
		u.pl.multiplyBlocks(s, packed, m, c.K, c.N, b)
		return nil
	}
	return gr
}

// codesOf returns what a quantized k×n matrix, or n×k where it is transposed,
// holds; false where kernels do not take it.
func codesOf(w *tensor.Tensor, p affine.Params, transposed bool) (gemm.Codes, bool) {
	signed := slices.Contains([]dtype.Type{dtype.Int2, dtype.Int4, dtype.Int8}, p.Type)
	if !signed && !slices.Contains([]dtype.Type{dtype.Uint2, dtype.Uint4, dtype.Uint8}, p.Type) || w.Rank() != 2 || w.Len() == 0 {
		return gemm.Codes{}, false
	}
	along := 0 // the axis of k
	if transposed {
		along = 1
	}
	c := gemm.Codes{
		K: w.Shape()[along], N: w.Shape()[1-along], Bits: p.Type.Bits(), Row: w.Shape()[1], Column: 1,
		Scale: p.Scale, Zero: []float32{0},
	}
	c.Block = c.K
	switch {
	case p.BlockSize > 0:
		if p.Axis != along {
			return c, false
		}
		c.Block, c.ScaleRow, c.ScaleColumn = p.BlockSize, c.N, 1
		if transposed {
			c.ScaleRow, c.ScaleColumn = 1, (c.K+c.Block-1)/c.Block
		}
	case p.IsPerTensor():
	case p.Axis == along:
		c.Block, c.ScaleRow = 1, 1
	default:
		c.ScaleColumn = 1
	}
	if transposed {
		c.Row, c.Column = 1, c.Row
	}
	if p.ZeroPoint != nil {
		c.Zero = make([]float32, len(p.ZeroPoint))
		for i, z := range p.ZeroPoint {
			c.Zero[i] = float32(z)
		}
	}
	if signed {
		c.Flip = 1 << (c.Bits - 1)
		for i := range c.Zero {
			c.Zero[i] += float32(c.Flip)
		}
	}
	return c, c.K <= longest && c.N >= leastColumns && gemm.Blockable(c.K, c.Bits, c.Block)
}

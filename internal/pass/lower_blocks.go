package pass

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The block sizes for which ONNX Runtime has kernels of MatMulNBits.
const leastBlock, mostBlock = 16, 256

// LowerBlocks makes a MatMulNBits of each product with constant codes of the
// given widths in groups along k, or with one scale a column where a column is
// one group.
//
// Before: y = Gemm(x, DQ(w, s, z), b)    After: y = MatMulNBits(x, w′, s′, z′, b)
//
// Conditions: w is a matrix; groups are a power of two from 16 to 256; x has at
// least two axes; the Gemm's factors are 1 and its bias is one row; codes of 8
// bits by column have no x that is dequantized beside them: those are products of
// integers. Codes are stored without sign, column by column, the last group filled up.
func LowerBlocks(g *ir.Graph, bits []int) error {
	if bits == nil {
		return nil
	}
	m := newMatcher(g)
	names := ir.NewNamer(g)
	changed := false
	for _, n := range g.Nodes {
		c, in, ok, err := m.codes(n, bits)
		if err != nil {
			return fmt.Errorf("lower_blocks: %s: %w", n.Label(), err)
		}
		if !ok {
			continue
		}
		if err := c.rewrite(n, in, names); err != nil {
			return fmt.Errorf("lower_blocks: %s: %w", n.Label(), err)
		}
		changed = true
	}
	if !changed {
		return nil
	}
	if _, err := EliminateDead(g); err != nil {
		return err
	}
	return ir.Infer(g)
}

// codes is a weight [K, N], or [N, K] where it is transposed, of codes. Nothing
// of it is read before the file is written, but zero points until one differs.
type codes struct {
	name       string
	w          *tensor.Tensor
	scale      *tensor.Tensor // one, one a column, or one a block
	zero       *tensor.Tensor // likewise; nil: 0
	k, n       int
	block      int
	grouped    bool
	transposed bool
	bias       *ir.Value
}

func (m *matcher) codes(n *ir.Node, bits []int) (c codes, x *ir.Value, ok bool, err error) {
	if len(n.In) < 2 || n.In[0] == nil || n.In[0].Type != dtype.Float32 || len(n.In[0].Shape) < 2 {
		return c, nil, false, nil
	}
	switch o := n.Op.(type) {
	case *op.MatMul:
	case *op.Gemm:
		if len(n.In) > 2 {
			c.bias = n.In[2]
		}
		if o.Alpha != 1 || o.TransA || c.bias != nil && (o.Beta != 1 || c.bias.Const == nil || len(c.bias.Shape) != 1) {
			return c, nil, false, nil
		}
		c.transposed = o.TransB
	default:
		return c, nil, false, nil
	}
	dq, o, isDQ := from[*op.DequantizeLinear](m, n.In[1])
	if !isDQ || dq.In[0].Const == nil || dq.In[0].Const.Rank() != 2 || !c.params(dq) {
		return c, nil, false, nil
	}
	typ := c.w.Type()
	if !typ.IsInteger() || !slices.Contains(bits, typ.Bits()) {
		return c, nil, false, nil
	}
	if _, _, integers := from[*op.DequantizeLinear](m, n.In[0]); integers && typ.Bits() == 8 && o.BlockSize == 0 {
		return c, nil, false, nil // a product of integers on both sides
	}
	c.name = dq.In[0].Name
	along := 0
	if c.k, c.n = c.w.Shape()[0], c.w.Shape()[1]; c.transposed {
		c.k, c.n, along = c.n, c.k, 1
	}
	axis, err := op.Axis(o.Axis, 2)
	if err != nil && c.scale.Len() > 1 {
		return c, nil, false, err
	}
	switch {
	case o.BlockSize > 0:
		c.grouped, c.block, ok = true, o.BlockSize, axis == along
	case c.scale.Len() == 1 || axis == 1-along:
		for c.block = leastBlock; c.block < c.k; c.block *= 2 {
		}
		ok = typ.Bits() < 8 || c.scale.Len() > 1
	}
	ok = ok && c.block >= leastBlock && c.block <= mostBlock && c.block&(c.block-1) == 0 && (c.bias == nil || c.bias.Shape[0].Is(c.n))
	return c, n.In[0], ok, nil
}

// params takes the constants of dq; false where they are none, or of other
// sizes.
func (c *codes) params(dq *ir.Node) bool {
	if len(dq.In) < 2 || dq.In[1] == nil || dq.In[1].Const == nil || dq.In[1].Type != dtype.Float32 {
		return false
	}
	c.w, c.scale = dq.In[0].Const, dq.In[1].Const
	if len(dq.In) > 2 && dq.In[2] != nil {
		c.zero = dq.In[2].Const
		return c.zero != nil && c.zero.Type() == c.w.Type() && c.zero.Len() == c.scale.Len()
	}
	return true
}

// rewrite makes n the product.
func (c *codes) rewrite(n *ir.Node, x *ir.Value, names *ir.Namer) error {
	c.unturn()
	blocks := (c.k + c.block - 1) / c.block
	if want := [...]int{c.n, c.n * blocks}; c.scale.Len() != 1 && c.scale.Len() != want[0] && c.scale.Len() != want[1] {
		return fmt.Errorf("%d scales for %d columns in %d blocks", c.scale.Len(), c.n, blocks)
	}
	o := op.New[op.MatMulNBits]()
	o.K, o.N, o.Bits, o.BlockSize = c.k, c.n, c.w.Type().Bits(), c.block
	scales, err := c.byColumn(c.scale, blocks)
	if err != nil {
		return err
	}
	in := []*ir.Value{x,
		ir.NewConst(names.Name(fmt.Sprintf("%s_Q%d", c.name, o.Bits)), c.packed(blocks)),
		ir.NewConst(names.Name(c.name+"_scales"), scales),
	}
	if middle, err := c.middleZeros(); err != nil {
		return err
	} else if !middle {
		zeros, err := c.byColumn(c.zero, blocks)
		if err != nil {
			return err
		}
		row := (blocks*o.Bits + 7) / 8
		in = append(in, ir.NewConst(names.Name(c.name+"_zero_points"), tensor.Recomputed(dtype.Uint8, []int{c.n * row}, func(dst []byte) error {
			all, _ := tensor.Ints(zeros)
			for i, v := range all {
				put(dst[i/blocks*row:], i%blocks, byte(v)^c.flip(), o.Bits)
			}
			return nil
		})))
	}
	if c.bias != nil {
		for len(in) < 5 {
			in = append(in, nil)
		}
		in = append(in, c.bias)
	}
	n.Op, n.In, n.Keep = o, in, nil
	return nil
}

// unturn takes a weight as it lay before its axes were exchanged, if all that
// belongs to it was turned with it.
func (c *codes) unturn() {
	w, _, ok := tensor.Unpermuted(c.w)
	if !ok {
		return
	}
	turned := []*tensor.Tensor{c.scale, c.zero}
	for i, t := range turned {
		if t == nil || t.Rank() < 2 {
			continue
		}
		src, _, ok := tensor.Unpermuted(t)
		if !ok {
			return
		}
		turned[i] = src
	}
	c.w, c.scale, c.zero, c.transposed = w, turned[0], turned[1], !c.transposed
}

// flip is what the bits of a code are exchanged with to have no sign: half of
// the range is added, or nothing.
func (c *codes) flip() byte {
	if c.w.Type().IsSigned() {
		return 1 << (c.w.Type().Bits() - 1)
	}
	return 0
}

// byColumn returns scales or zero points for each block of each column, column
// by column.
func (c *codes) byColumn(t *tensor.Tensor, blocks int) (*tensor.Tensor, error) {
	switch n := c.n * blocks; {
	case c.grouped && !c.transposed && t.Rank() == 2:
		return tensor.Permuted(t, []int{1, 0}).Reshape(n)
	case c.grouped || blocks == 1 && t.Len() == n:
		return t.Reshape(n)
	case t.Type() == dtype.Float32:
		one := tensor.Data[float32](t)
		out := make([]float32, n)
		for i := range out {
			out[i] = one[i/blocks%len(one)]
		}
		return tensor.FromSlice(out, n), nil
	default:
		one, _ := tensor.Ints(t)
		out := make([]int64, n)
		for i := range out {
			out[i] = one[i/blocks%len(one)]
		}
		return tensor.FromInts(t.Type(), out, n), nil
	}
}

// middleZeros reports whether all zero points are in the middle of the codes,
// where the operator has them by itself. It reads no more than it must.
func (c *codes) middleZeros() (bool, error) {
	bits := c.w.Type().Bits()
	middle := byte(0)
	for at := 0; at < 8; at += bits {
		middle |= (1<<(bits-1) ^ c.flip()) << at
	}
	if c.zero == nil {
		if middle == 0 {
			return true, nil
		}
		c.zero = tensor.New(c.w.Type(), c.scale.Shape()...)
		return false, nil
	}
	left, same := c.zero.Len(), true
	err := c.zero.Storage().Chunks(func(b []byte) error {
		for _, v := range b {
			// Bits behind the last are 0.
			if mask := byte(1<<min(8, left*bits) - 1); v != middle&mask {
				same = false
				return errDiffers
			}
			left -= 8 / bits
		}
		return nil
	})
	if errors.Is(err, errDiffers) {
		err = nil
	}
	return same, err
}

var errDiffers = errors.New("a zero point is not in the middle")

// put stores element i of the given width, the first in the lowest bits.
func put(dst []byte, i int, v byte, bits int) {
	per := 8 / bits
	dst[i/per] |= v & (1<<bits - 1) << (i % per * bits)
}

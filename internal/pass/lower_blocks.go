package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
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
// least two axes; the Gemm's factors are 1 and its bias is one row. Codes are
// stored without sign, column by column, the last group filled up.
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
		c.rewrite(n, in, names)
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

// codes is a weight [K, N], or [N, K] where it is transposed, of codes.
type codes struct {
	name       string
	w          *tensor.Tensor
	p          affine.Params
	k, n       int
	block      int
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
	dq, _, isDQ := from[*op.DequantizeLinear](m, n.In[1])
	if !isDQ || dq.In[0].Const == nil || dq.In[0].Const.Rank() != 2 {
		return c, nil, false, nil
	}
	p, known, err := ir.ParamsOf(dq)
	if err != nil || !known || !p.Type.IsInteger() || !slices.Contains(bits, p.Type.Bits()) {
		return c, nil, false, err
	}
	c.w, c.p, c.name = dq.In[0].Const, p, dq.In[0].Name
	along := 0
	if c.k, c.n = c.w.Shape()[0], c.w.Shape()[1]; c.transposed {
		c.k, c.n, along = c.n, c.k, 1
	}
	switch {
	case p.BlockSize > 0:
		c.block, ok = p.BlockSize, p.Axis == along
	case p.IsPerTensor() || p.Axis == 1-along:
		for c.block = leastBlock; c.block < c.k; c.block *= 2 {
		}
		ok = p.Type.Bits() < 8 || !p.IsPerTensor()
	}
	ok = ok && c.block >= leastBlock && c.block <= mostBlock && c.block&(c.block-1) == 0 && (c.bias == nil || c.bias.Shape[0].Is(c.n))
	return c, n.In[0], ok, nil
}

// rewrite makes n the product.
func (c *codes) rewrite(n *ir.Node, x *ir.Value, names *ir.Namer) {
	o := op.New[op.MatMulNBits]()
	o.K, o.N, o.Bits, o.BlockSize = c.k, c.n, c.p.Type.Bits(), c.block
	blocks := (c.k + c.block - 1) / c.block
	base := c.name
	packed := []int{c.n, blocks, c.block * o.Bits / 8}
	in := []*ir.Value{x,
		ir.NewConst(names.Name(fmt.Sprintf("%s_Q%d", base, o.Bits)), tensor.Recomputed(dtype.Uint8, packed, func(dst []byte) error { return c.pack(dst, blocks) })),
		ir.NewConst(names.Name(base+"_scales"), tensor.FromSlice(c.scales(blocks), c.n*blocks)),
	}
	middle := int64(1) << (o.Bits - 1)
	if zeros, all := c.zeros(blocks); !all || zeros[0] != middle {
		row := (blocks*o.Bits + 7) / 8
		z := make([]byte, c.n*row)
		for i, v := range zeros {
			put(z[i/blocks*row:], i%blocks, byte(v), o.Bits)
		}
		in = append(in, ir.NewConst(names.Name(base+"_zero_points"), tensor.FromSlice(z, len(z))))
	}
	if c.bias != nil {
		for len(in) < 5 {
			in = append(in, nil)
		}
		in = append(in, c.bias)
	}
	n.Op, n.In, n.Keep = o, in, nil
}

// index returns which scale of p block b of column j has.
func (c *codes) index(j, b, blocks int) int {
	switch {
	case c.p.BlockSize == 0 && c.p.IsPerTensor():
		return 0
	case c.p.BlockSize == 0:
		return j
	case c.transposed:
		return j*blocks + b
	}
	return b*c.n + j
}

func (c *codes) scales(blocks int) []float32 {
	out := make([]float32, c.n*blocks)
	for i := range out {
		out[i] = c.p.Scale[c.index(i/blocks, i%blocks, blocks)]
	}
	return out
}

// zeros returns the zero points of codes without sign, and whether all are the
// same.
func (c *codes) zeros(blocks int) ([]int64, bool) {
	lo, _ := c.p.Type.Range()
	out, all := make([]int64, c.n*blocks), true
	for i := range out {
		out[i] = c.p.Zero(c.index(i/blocks, i%blocks, blocks)) - lo
		all = all && out[i] == out[0]
	}
	return out, all
}

// pack fills dst with the codes, column by column. What is beyond k stands for
// 0.
func (c *codes) pack(dst []byte, blocks int) error {
	lo, _ := c.p.Type.Range()
	bits := c.p.Type.Bits()
	zeros, _ := c.zeros(blocks)
	var code func(i int) int64
	if bits < 8 {
		all := tensor.Unpack(c.w)
		code = func(i int) int64 { return int64(all[i]) }
	} else if c.p.Type == dtype.Uint8 {
		all := tensor.Data[uint8](c.w)
		code = func(i int) int64 { return int64(all[i]) }
	} else {
		all := tensor.Data[int8](c.w)
		code = func(i int) int64 { return int64(all[i]) }
	}
	clear(dst)
	width := blocks * c.block
	for j := range c.n {
		column := dst[j*width*bits/8:]
		for k := range width {
			q := zeros[j*blocks+k/c.block]
			if k < c.k {
				at := k*c.n + j
				if c.transposed {
					at = j*c.k + k
				}
				q = code(at) - lo
			}
			put(column, k, byte(q), bits)
		}
	}
	c.w.Release()
	return nil
}

// put stores element i of the given width, the first in the lowest bits.
func put(dst []byte, i int, v byte, bits int) {
	per := 8 / bits
	dst[i/per] |= v << (i % per * bits)
}

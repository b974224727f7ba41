package runtime

import (
	"slices"
	"sync"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// packCache holds packed weights by node, for all plans of a program.
type packCache struct {
	mu     sync.Mutex
	floats map[packKey][]float32
	bytes  map[packKey][]int8
	blocks map[*ir.Node]*gemm.Blocks
	reals  map[*ir.Node]*tensor.Tensor // constants that were dequantized
}

// packKey names a packing: plans for inputs of other sizes may need the same
// weight in another form, or another size of it.
type packKey struct {
	node *ir.Node
	form string
	n    int
}

func newPackCache() *packCache {
	return &packCache{floats: map[packKey][]float32{}, bytes: map[packKey][]int8{}, blocks: map[*ir.Node]*gemm.Blocks{}, reals: map[*ir.Node]*tensor.Tensor{}}
}

// get returns the packed form, made by pack the first time.
func (c *packCache) get(node *ir.Node, form string, n int, pack func(dst []float32)) []float32 {
	return packed(c, c.floats, packKey{node, form, n}, n, pack)
}

// getBytes is get for weights packed as bytes.
func (c *packCache) getBytes(node *ir.Node, form string, n int, pack func(dst []int8)) []int8 {
	return packed(c, c.bytes, packKey{node, form, n}, n, pack)
}

// getBlocks is get for codes, whose packing may fail.
func (c *packCache) getBlocks(node *ir.Node, pack func() (*gemm.Blocks, error)) (*gemm.Blocks, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blocks[node] == nil {
		b, err := pack()
		if err != nil {
			return nil, err
		}
		c.blocks[node] = b
	}
	return c.blocks[node], nil
}

// dequantized makes a constant of what a DequantizeLinear of constants gives,
// and reports whether it is one: no run repeats it. Products that take codes
// as they are stored have been found before.
func (pl *plan) dequantized(n, key *ir.Node) (bool, error) {
	dq, ok := n.Op.(*op.DequantizeLinear)
	if !ok || pl.p.plain || pl.p.keep[n.Out[0].Name] {
		return false, nil
	}
	in := make([]op.Datum, len(n.In))
	for i, v := range n.In {
		if v != nil && v.Const == nil {
			return false, nil
		}
		if v != nil {
			in[i] = op.Datum{Tensor: v.Const}
		}
	}
	// What follows from the shapes of inputs is another one in each plan.
	shared := !slices.ContainsFunc(key.In, func(v *ir.Value) bool { return v != nil && v.Const == nil })
	c := pl.packs(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.reals[key]
	if t == nil || !shared {
		out, err := dq.Eval(in)
		if err != nil {
			return false, err
		}
		t = out[0].Tensor
		n.In[0].Const.Release()
	}
	if shared {
		c.reals[key] = t
	}
	n.Out[0].Const = t
	v := &pl.values[pl.index[n.Out[0]]]
	v.fixed, v.shape = t, nil
	return true, nil
}

func packed[T float32 | int8](c *packCache, m map[packKey][]T, k packKey, n int, pack func(dst []T)) []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := m[k]
	if !ok {
		w = make([]T, n)
		pack(w)
		m[k] = w
	}
	return w
}

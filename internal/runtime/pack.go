package runtime

import (
	"sync"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// packCache holds packed weights by node, for all plans of a program.
type packCache struct {
	mu     sync.Mutex
	floats map[packKey][]float32
	bytes  map[packKey][]int8
	blocks map[*ir.Node]*gemm.Blocks
}

// packKey names a packing: plans for inputs of other sizes may need the same
// weight in another form, or another size of it.
type packKey struct {
	node *ir.Node
	form string
	n    int
}

func newPackCache() *packCache {
	return &packCache{floats: map[packKey][]float32{}, bytes: map[packKey][]int8{}, blocks: map[*ir.Node]*gemm.Blocks{}}
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

package runtime

import (
	"sync"

	"github.com/octavo-ml/octavo/internal/ir"
)

// packCache holds packed weights by node, for all plans of a program.
type packCache struct {
	mu sync.Mutex
	m  map[packKey][]float32
}

// packKey names a packing: the same weight may be needed in two forms.
type packKey struct {
	node *ir.Node
	form string
}

func newPackCache() *packCache { return &packCache{m: map[packKey][]float32{}} }

// get returns the packed form, made by pack the first time.
func (c *packCache) get(node *ir.Node, form string, n int, pack func(dst []float32)) []float32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := packKey{node, form}
	w, ok := c.m[k]
	if !ok {
		w = make([]float32, n)
		pack(w)
		c.m[k] = w
	}
	return w
}

package runtime

import (
	"sync"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// packCache holds packed weights by node, for all plans of a program.
type packCache struct {
	mu     sync.Mutex
	held   map[packKey][]byte
	blocks map[*ir.Node]*gemm.Blocks
	reals  map[*ir.Node]*tensor.Tensor // constants that were dequantized
	store  *packStore                  // nil: they are not kept
	slabs  slabs
}

// packKey names a packing: plans for inputs of other sizes may need the same
// weight in another form, or another size of it.
type packKey struct {
	node  *ir.Node
	form  string
	bytes int
}

func newPackCache() *packCache {
	return &packCache{held: map[packKey][]byte{}, blocks: map[*ir.Node]*gemm.Blocks{}, reals: map[*ir.Node]*tensor.Tensor{}}
}

// get returns the packed form, made by pack the first time.
func (c *packCache) get(node *ir.Node, form string, n int, pack func(dst []float32)) []float32 {
	return packed(c, node, form, n, pack)
}

// getBytes is get for weights packed as bytes.
func (c *packCache) getBytes(node *ir.Node, form string, n int, pack func(dst []int8)) []int8 {
	return packed(c, node, form, n, pack)
}

// getBF16 is get for weights packed as bfloat16.
func (c *packCache) getBF16(node *ir.Node, form string, n int, pack func(dst []uint16)) []uint16 {
	return packed(c, node, form, n, pack)
}

// getSums is get for what packed weights add up to.
func (c *packCache) getSums(node *ir.Node, form string, n int, sum func(dst []int32)) []int32 {
	return packed(c, node, form+" sums", n, sum)
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

func packed[T float32 | int8 | uint16 | int32](c *packCache, node *ir.Node, form string, n int, pack func(dst []T)) []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	var element T
	k := packKey{node, form, n * int(unsafe.Sizeof(element))}
	b, ok := c.held[k]
	if !ok {
		if b, ok = c.store.find(k); !ok {
			b = c.slabs.take(k.bytes)
			pack(viewOf[T](b, n))
		}
		c.held[k] = b
	}
	return viewOf[T](b, n)
}

// packCost is about how many multiply-adds take as long as packing one element.
const packCost = 16

// inParts packs parts lo to hi of n on as many goroutines as are worth it for so
// many elements.
func (pl *plan) inParts(n, elements int, pack func(lo, hi int)) {
	if elements < wakeStep/packCost {
		pack(0, n)
		return
	}
	c := newCrew(pl.p.threads)
	c.begin(packCost * elements)
	defer c.end()
	c.share(nil, nil, n, packCost*elements, func(_ *frame, _ *step, _, lo, hi int) { pack(lo, hi) })
}

// viewOf returns bytes as n numbers.
func viewOf[T float32 | int8 | uint16 | int32](b []byte, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// keep writes what was packed since the last time to the store, and goes on
// with the file's pages in the place of the heap's. It reports whether plans
// that were made before are better made anew.
func (c *packCache) keep() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.store.missed() {
		return false
	}
	c.store.write(c.held)
	for k, b := range c.held {
		if s, ok := c.store.sections[c.store.name(k)]; ok && len(s) == len(b) {
			c.held[k] = s
		}
	}
	c.slabs = slabs{}
	return c.store.err == nil
}

// err returns why packed weights could not be kept.
func (c *packCache) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.store == nil {
		return nil
	}
	return c.store.err
}

package quant

import (
	"sync"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// groups are the codes of a large weight whose groups have a scale each, with
// the scales and zero points: all three are made of the floats when they are
// read, so that a plan does not grow with the weights.
type groups struct {
	c      *tensor.Tensor
	scheme affine.Scheme
	pt     Point
	// perm is how what is made of c is turned to be what is made of the weight;
	// nil: it is that.
	perm   []int
	latest *latest
}

// manyGroups is from how many groups on a weight is such a one.
const manyGroups = 1 << 12

func newGroups(c *tensor.Tensor, scheme affine.Scheme, pt Point, l *latest) *groups {
	g := &groups{c: c, scheme: scheme, pt: pt, latest: l}
	if src, perm, ok := tensor.Unpermuted(c); ok {
		// Turning integers is cheaper than turning floats, and often they are
		// wanted as they lie.
		g.c, g.perm, g.pt.Axis = src, perm, perm[pt.Axis]
	}
	g.c = g.c.ByParts()
	return g
}

// params returns the parameters of all groups.
func (g *groups) params() (affine.Params, error) {
	return g.latest.of(g, func() (affine.Params, error) { return chooseGroups(g.c, g.scheme, g.pt) })
}

// first returns the parameters of the first group alone, for reports.
func (g *groups) first() (affine.Params, error) {
	c, pt := g.c, g.pt
	dims := make([]int, c.Rank())
	size := 1
	for a := range dims {
		dims[a] = 1
		if a == pt.Axis {
			dims[a] = min(pt.Block, c.Shape()[a])
			size = dims[a]
		}
	}
	stride := tensor.Strides(c.Shape())[pt.Axis]
	x := tensor.New(c.Type(), dims...)
	for i := range size {
		flat, err := c.Reshape(c.Len())
		if err != nil {
			return affine.Params{}, err
		}
		copy(x.Bytes()[c.Type().Size(i):], flat.Slice(i*stride, i*stride+1).Bytes())
	}
	return chooseGroups(x, g.scheme, pt)
}

// tensors returns the codes, the scales and the zero points.
func (g *groups) tensors() (codes, scale, zero *tensor.Tensor, err error) {
	p := affine.Params{Type: g.scheme.Type, Axis: g.pt.Axis, BlockSize: g.pt.Block}
	codes, err = affine.QuantizedBy(g.c, p.Type, g.params)
	if err != nil {
		return nil, nil, nil, err
	}
	shape := p.ScaleShape(g.c.Shape())
	scale = tensor.Computed(dtype.Float32, shape, func(off int64, dst []byte) error {
		p, err := g.params()
		if err != nil {
			return err
		}
		t := tensor.FromSlice(p.Scale, len(p.Scale))
		return t.ReadAt(dst, off)
	})
	bits := p.Type.Bits()
	zero = tensor.Computed(p.Type, shape, func(off int64, dst []byte) error {
		p, err := g.params()
		if err != nil {
			return err
		}
		lo := int(off) * 8 / bits
		hi := min(lo+len(dst)*8/bits, len(p.Scale))
		if p.ZeroPoint == nil {
			clear(dst)
			return nil
		}
		copy(dst, tensor.FromInts(p.Type, p.ZeroPoint[lo:hi], hi-lo).Bytes())
		return nil
	})
	if g.perm != nil {
		codes, scale, zero = tensor.Permuted(codes, g.perm), tensor.Permuted(scale, g.perm), tensor.Permuted(zero, g.perm)
	}
	return codes, scale, zero, nil
}

// latest holds the parameters that were made last: those of a weight are
// written one behind the other, with its codes.
type latest struct {
	mu  sync.Mutex
	key *groups
	p   affine.Params
	err error
}

// of returns the parameters of g, which make makes where they are not those of
// the last call.
func (l *latest) of(g *groups, make func() (affine.Params, error)) (affine.Params, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.key != g {
		l.key = nil
		l.p, l.err = affine.Params{}, nil
		if l.p, l.err = make(); l.err != nil {
			return l.p, l.err
		}
		l.key = g
	}
	return l.p, nil
}

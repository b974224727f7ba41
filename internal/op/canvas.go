package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// maxBytes bounds a single output of the reference meaning. What fits is the
// caller's matter; this only keeps absurd sizes away from the allocator.
const maxBytes = 1 << 46

// canvas is an output under construction, filled by copies of elements of any
// type.
type canvas struct {
	typ   dtype.Type
	shape []int
	// t is the output itself, unless its type is narrower than a byte: then
	// packed holds the elements, one byte each.
	t      *tensor.Tensor
	packed []int8
}

// newCanvas allocates the output that f describes. Its type and all its
// dimensions must be known.
func newCanvas(f Fact) (*canvas, error) {
	shape, ok := f.Shape.Ints()
	if !ok {
		return nil, fmt.Errorf("output shape %v is not known", f.Shape)
	}
	return canvasOf(f.Type, shape...)
}

func canvasOf(typ dtype.Type, shape ...int) (*canvas, error) {
	n, ok := tensor.Count(shape)
	size := typ.Size(n)
	if typ == dtype.String {
		size = n
	}
	if !ok || size < 0 || int64(size) > maxBytes {
		return nil, fmt.Errorf("output %v%v is too large", typ, shape)
	}
	c := &canvas{typ: typ, shape: shape}
	if bits := typ.Bits(); bits > 0 && bits < 8 {
		c.packed = make([]int8, n)
	} else {
		c.t = tensor.New(typ, shape...)
	}
	return c, nil
}

// done returns the finished tensor.
func (c *canvas) done() *tensor.Tensor {
	if c.t == nil {
		return tensor.Pack(c.typ, c.packed, c.shape...)
	}
	return c.t
}

// len returns the number of elements.
func (c *canvas) len() int { n, _ := tensor.Count(c.shape); return n }

// fill sets every element to the only element of v.
func (c *canvas) fill(v *tensor.Tensor) {
	c.draw(v, 0, 0, lane{n: c.len(), to: 1})
}

// lane is one axis of a copy: n steps, of which step i writes at i·to and
// reads at i·from, counted in elements. A table, where there is one, stands
// for the products.
type lane struct {
	n            int
	to, from     int
	toAt, fromAt []int
}

func (l lane) dst(i int) int {
	if l.toAt != nil {
		return l.toAt[i]
	}
	return i * l.to
}

func (l lane) src(i int) int {
	if l.fromAt != nil {
		return l.fromAt[i]
	}
	return i * l.from
}

func (l lane) even() bool { return l.toAt == nil && l.fromAt == nil }

// draw copies elements of src, which has the canvas's type: for each choice of
// one step in every lane, the element at from plus the lanes' reading offsets
// goes to to plus the writing offsets. All of them must lie inside.
func (c *canvas) draw(src *tensor.Tensor, to, from int, lanes ...lane) {
	if elem, ok := src.IsSplat(); ok {
		src, from = tensor.Splat(src.Type(), nil, elem), 0
		lanes = slices.Clone(lanes)
		for i := range lanes {
			lanes[i].from, lanes[i].fromAt = 0, nil
		}
	}
	lanes, to, from, some := simplify(lanes, to, from)
	if !some {
		return
	}
	switch {
	case c.t == nil:
		copyLanes(c.packed, tensor.Unpack(src), lanes, to, from)
	case src.Type() == dtype.String:
		copyLanes(c.t.Strings(), src.Strings(), lanes, to, from)
	default:
		switch src.Type().Bits() {
		case 8:
			copyLanes(tensor.Data[uint8](c.t), tensor.Data[uint8](src), lanes, to, from)
		case 16:
			copyLanes(tensor.Data[uint16](c.t), tensor.Data[uint16](src), lanes, to, from)
		case 32:
			copyLanes(tensor.Data[uint32](c.t), tensor.Data[uint32](src), lanes, to, from)
		case 64:
			copyLanes(tensor.Data[uint64](c.t), tensor.Data[uint64](src), lanes, to, from)
		case 128:
			copyLanes(tensor.Data[complex128](c.t), tensor.Data[complex128](src), lanes, to, from)
		}
	}
}

// simplify drops lanes of one step, joins neighbours that run on into each
// other, and puts the lane that reads consecutive elements next to the last.
// some is false where nothing is to be copied.
func simplify(lanes []lane, to, from int) (out []lane, _, _ int, some bool) {
	for _, l := range lanes {
		if l.n == 0 {
			return nil, 0, 0, false
		}
		if l.n == 1 {
			to, from = to+l.dst(0), from+l.src(0)
			continue
		}
		if k := len(out) - 1; k >= 0 && l.even() && out[k].even() &&
			out[k].to == l.n*l.to && out[k].from == l.n*l.from {
			l.n *= out[k].n
			out[k] = l
			continue
		}
		out = append(out, l)
	}
	if last := len(out) - 1; last > 1 && out[last].even() && out[last].from != 1 && out[last].from != 0 {
		if j := slices.IndexFunc(out[:last], func(l lane) bool { return l.even() && l.from == 1 }); j >= 0 {
			l := out[j]
			out = slices.Insert(slices.Delete(out, j, j+1), last-1, l)
		}
	}
	return out, to, from, true
}

func copyLanes[T any](dst, src []T, lanes []lane, to, from int) {
	switch len(lanes) {
	case 0:
		dst[to] = src[from]
		return
	case 1:
		copyRow(dst, src, lanes[0], to, from)
		return
	case 2:
		if a, b := lanes[0], lanes[1]; a.even() && b.even() && a.from == 1 && b.from > 1 {
			copyTile(dst, src, a, b, to, from)
			return
		}
	}
	l := lanes[0]
	for i := range l.n {
		copyLanes(dst, src, lanes[1:], to+l.dst(i), from+l.src(i))
	}
}

func copyRow[T any](dst, src []T, l lane, to, from int) {
	switch {
	case l.toAt != nil:
		for i, at := range l.toAt {
			dst[to+at] = src[from+l.src(i)]
		}
	case l.to != 1:
		for i := range l.n {
			dst[to+i*l.to] = src[from+l.src(i)]
		}
	case l.fromAt != nil:
		d := dst[to : to+l.n]
		for i, at := range l.fromAt {
			d[i] = src[from+at]
		}
	case l.from == 1:
		copy(dst[to:to+l.n], src[from:from+l.n])
	case l.from == 0:
		d, v := dst[to:to+l.n], src[from]
		for i := range d {
			d[i] = v
		}
	default:
		d := dst[to : to+l.n]
		for i := range d {
			d[i] = src[from]
			from += l.from
		}
	}
}

// tile copies a matrix whose columns are consecutive in src, block by block,
// so that both sides stay in the cache.
func copyTile[T any](dst, src []T, a, b lane, to, from int) {
	const side = 32
	for i0 := 0; i0 < a.n; i0 += side {
		for j0 := 0; j0 < b.n; j0 += side {
			for i := i0; i < min(i0+side, a.n); i++ {
				d, s := to+i*a.to, from+i
				for j := j0; j < min(j0+side, b.n); j++ {
					dst[d+j*b.to] = src[s+j*b.from]
				}
			}
		}
	}
}

// lanesOf returns the lanes that fill a whole output of the given shape in
// order, reading by the given strides.
func lanesOf(shape, from []int) []lane {
	to := tensor.Strides(shape)
	out := make([]lane, len(shape))
	for i, n := range shape {
		out[i] = lane{n: n, to: to[i], from: from[i]}
	}
	return out
}

// scaled returns the offsets idx[i]·step.
func scaled(idx []int, step int) []int {
	out := make([]int, len(idx))
	for i, v := range idx {
		out[i] = v * step
	}
	return out
}

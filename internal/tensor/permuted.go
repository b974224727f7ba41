package tensor

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// permutedWindow is how much of a permuted tensor is computed at once: each
// window may read all pages of its source, so few large ones are faster.
const permutedWindow = 16 << 20

// Permuted is Permute without a copy: the elements are put in order when they
// are read. Text and elements narrower than a byte are copied all the same. A
// source that is computed itself is evaluated as a whole for each reading.
func Permuted(t *Tensor, perm []int) *Tensor {
	switch t.typ.Bits() {
	case 8:
		return permuted[uint8](t, perm)
	case 16:
		return permuted[uint16](t, perm)
	case 32:
		return permuted[uint32](t, perm)
	case 64:
		return permuted[uint64](t, perm)
	}
	return Permute(t, perm)
}

func permuted[T uint8 | uint16 | uint32 | uint64](t *Tensor, perm []int) *Tensor {
	shape, strides := make([]int, len(perm)), make([]int, len(perm))
	src := Strides(t.shape)
	for i, p := range perm {
		shape[i], strides[i] = t.shape[p], src[p]
	}
	size := t.typ.Size(1)
	fill := func(from *Tensor, off int64, dst []byte) error {
		out, err := FromBytes(t.typ, []int{len(dst) / size}, dst)
		if err != nil {
			return err
		}
		d := Data[T](out)
		gatherRange(d, Data[T](from), shape, strides, int(off)/size, int(off)/size+len(d))
		return nil
	}
	s := &permutedStorage{src: t, n: int64(t.typ.Size(t.Len())), fill: fill}
	return &Tensor{typ: t.typ, shape: shape, store: s}
}

// permutedStorage is a source whose elements are read in another order.
type permutedStorage struct {
	src  *Tensor
	n    int64
	fill func(from *Tensor, off int64, dst []byte) error
}

func (s *permutedStorage) Len() int64 { return s.n }

func (s *permutedStorage) Bytes() []byte {
	b := Aligned(int(s.n))
	if err := s.read(0, b); err != nil {
		panic(fmt.Sprintf("tensor: permuted storage: %v", err))
	}
	return b
}

// read fills dst with the bytes from off on, and releases the source.
func (s *permutedStorage) read(off int64, dst []byte) error {
	defer s.src.Release()
	return s.fill(s.src, off, dst)
}

func (s *permutedStorage) Chunks(yield func([]byte) error) error {
	from := s.src
	switch from.store.(type) {
	case heap, *mapped:
	default:
		from = from.Clone() // once for all windows
	}
	buf := Aligned(int(min(permutedWindow, s.n)))
	for off := int64(0); off < s.n; off += permutedWindow {
		b := buf[:min(permutedWindow, s.n-off)]
		err := s.fill(from, off, b)
		from.Release()
		if err != nil {
			return err
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

// gatherRange fills dst with elements lo to hi, in row-major order of shape, of
// what src holds by strides.
func gatherRange[T any](dst, src []T, shape, strides []int, lo, hi int) {
	if lo == hi {
		return
	}
	if len(shape) == 0 {
		dst[0] = src[0]
		return
	}
	inner := 1
	for _, d := range shape[1:] {
		inner *= d
	}
	part := func(row, lo, hi int) {
		gatherRange(dst[:hi-lo], src[row*strides[0]:], shape[1:], strides[1:], lo, hi)
		dst = dst[hi-lo:]
	}
	if row := lo / inner; lo%inner != 0 {
		end := min(hi, (row+1)*inner)
		part(row, lo-row*inner, end-row*inner)
		lo = end
	}
	first, last := lo/inner, hi/inner
	if last > first {
		rows := append([]int{last - first}, shape[1:]...)
		n := (last - first) * inner
		gatherTiled(dst[:n], src[first*strides[0]:], rows, strides)
		dst = dst[n:]
		lo = last * inner
	}
	if lo < hi {
		part(last, 0, hi-lo)
	}
}

// gatherTiled is gather that goes through the axis that is consecutive in src,
// and the last one, in tiles: both sides stay in the cache.
func gatherTiled[T any](dst, src []T, shape, strides []int) {
	last := len(shape) - 1
	run := -1
	for i, s := range strides[:last] {
		if s == 1 && shape[i] > 1 {
			run = i
		}
	}
	if run < 0 || strides[last] == 1 {
		gather(dst, src, shape, strides)
		return
	}
	to := Strides(shape)
	const side = 32
	tiles := func(d, s int) {
		for i0 := 0; i0 < shape[run]; i0 += side {
			for j0 := 0; j0 < shape[last]; j0 += side {
				n := min(side, shape[last]-j0)
				for i := i0; i < min(i0+side, shape[run]); i++ {
					row, at := dst[d+i*to[run]+j0:][:n], s+i+j0*strides[last]
					for j := range row {
						row[j] = src[at]
						at += strides[last]
					}
				}
			}
		}
	}
	var walk func(axis, d, s int)
	walk = func(axis, d, s int) {
		switch axis {
		case last:
			tiles(d, s)
		case run:
			walk(axis+1, d, s)
		default:
			for i := range shape[axis] {
				walk(axis+1, d+i*to[axis], s+i*strides[axis])
			}
		}
	}
	walk(0, 0, 0)
}

// Joined returns the parts one behind the other along an axis, read from where
// they lie. They must have one type, of whole bytes, and equal shapes but for
// that axis; it panics otherwise.
func Joined(axis int, parts ...*Tensor) *Tensor {
	first := parts[0]
	shape := append([]int(nil), first.shape...)
	shape[axis] = 0
	outer := 1
	for _, d := range shape[:axis] {
		outer *= d
	}
	rows := make([]int64, len(parts)) // bytes of each part in a row of the result
	var row int64
	for i, p := range parts {
		if p.typ != first.typ || len(p.shape) != len(shape) || p.typ.Bits()%8 != 0 || p.typ == dtype.String {
			panic(fmt.Sprintf("tensor: %v and %v joined", first, p))
		}
		shape[axis] += p.shape[axis]
		if outer > 0 {
			rows[i] = p.store.Len() / int64(outer)
		}
		row += rows[i]
	}
	return Computed(first.typ, shape, func(off int64, dst []byte) error {
		if len(dst) == 0 {
			return nil
		}
		r, at := off/row, off%row
		for i := 0; len(dst) > 0; i++ {
			if i == len(parts) {
				i, at = 0, 0
				r++
			}
			if at >= rows[i] {
				at -= rows[i]
				continue
			}
			n := min(int64(len(dst)), rows[i]-at)
			if err := parts[i].ReadAt(dst[:n], r*rows[i]+at); err != nil {
				return err
			}
			dst, at = dst[n:], 0
		}
		return nil
	})
}

// ReadAt copies the bytes from off on into dst, and releases them where they
// lie in a mapped file. The range must lie inside and hold whole elements.
func (t *Tensor) ReadAt(dst []byte, off int64) error {
	switch s := t.store.(type) {
	case computed:
		return fillFrom(s.fill, off, dst)
	case *permutedStorage:
		return s.read(off, dst)
	case splat:
		size := int64(len(s.elem))
		buf := make([]byte, off%size+int64(len(dst)))
		s.fill(buf)
		copy(dst, buf[off%size:])
		return nil
	case *mapped:
		b := s.Bytes()[off : off+int64(len(dst))]
		copy(dst, b)
		release(b)
		return nil
	}
	copy(dst, t.store.Bytes()[off:])
	return nil
}

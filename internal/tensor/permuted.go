package tensor

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// permutedWindow is how much of a permuted tensor is computed at once: each
// window may read all pages of its source, so few large ones are faster.
const permutedWindow = 16 << 20

// Permuted is Permute without a copy: the elements are put in order when they
// are read. Text is copied all the same. A source that is computed itself, and
// elements narrower than a byte, are evaluated as a whole for each reading.
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
	if t.typ == dtype.String || t.typ.Bits() > 64 {
		return Permute(t, perm)
	}
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = t.shape[p]
	}
	n := int64(t.typ.Size(t.Len()))
	fill := func(from *Tensor, off int64, dst []byte) error {
		copy(dst, Permute(from, perm).Bytes()[off:])
		return nil
	}
	s := &permutedStorage{src: t, perm: slices.Clone(perm), n: n, window: max(n, 1), fill: fill}
	return &Tensor{typ: t.typ, shape: shape, store: s}
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
	s := &permutedStorage{src: t, perm: slices.Clone(perm), n: int64(t.typ.Size(t.Len())), window: permutedWindow, fill: fill}
	return &Tensor{typ: t.typ, shape: shape, store: s}
}

// permutedStorage is a source whose elements are read in another order.
type permutedStorage struct {
	src  *Tensor
	perm []int
	n    int64
	// window is how much is made at once.
	window int64
	fill   func(from *Tensor, off int64, dst []byte) error
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
	return inOrder(s.n, s.window, func(off int64, dst []byte) error {
		defer from.Release()
		return s.fill(from, off, dst)
	}, yield)
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
	tiles := func(d, s int) {
		transpose(dst[d:], src[s:], shape[run], shape[last], to[run], strides[last])
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

// transpose puts element j·from+i of src at i·to+j of dst, for i < m and j < n.
func transpose[T any](dst, src []T, m, n, to, from int) {
	const side = 32 // of a tile; blocks of 4×4 within it spare most checks of bounds
	for i0 := 0; i0 < m; i0 += side {
		iEnd := min(i0+side, m)
		for j0 := 0; j0 < n; j0 += side {
			jEnd := min(j0+side, n)
			i := i0
			for ; i+4 <= iEnd; i += 4 {
				j := j0
				for ; j+4 <= jEnd; j += 4 {
					at, o := j*from+i, i*to+j
					r0, r1, r2, r3 := src[at:at+4], src[at+from:at+from+4], src[at+2*from:at+2*from+4], src[at+3*from:at+3*from+4]
					d0, d1, d2, d3 := dst[o:o+4], dst[o+to:o+to+4], dst[o+2*to:o+2*to+4], dst[o+3*to:o+3*to+4]
					d0[0], d0[1], d0[2], d0[3] = r0[0], r1[0], r2[0], r3[0]
					d1[0], d1[1], d1[2], d1[3] = r0[1], r1[1], r2[1], r3[1]
					d2[0], d2[1], d2[2], d2[3] = r0[2], r1[2], r2[2], r3[2]
					d3[0], d3[1], d3[2], d3[3] = r0[3], r1[3], r2[3], r3[3]
				}
				for ; j < jEnd; j++ {
					for k := i; k < i+4; k++ {
						dst[k*to+j] = src[j*from+k]
					}
				}
			}
			for ; i < iEnd; i++ {
				for j := j0; j < jEnd; j++ {
					dst[i*to+j] = src[j*from+i]
				}
			}
		}
	}
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

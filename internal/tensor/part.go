package tensor

import (
	"fmt"
	"unsafe"
)

// Part returns elements lo to hi of t, in row-major order, as a slice of T,
// which must be as wide as the element type: from where they lie if that is in
// memory and aligned for T, else read into buf, which then must have room for
// them. They must not be written to.
func Part[T Element](t *Tensor, lo, hi int, buf []T) ([]T, error) {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if t.typ.Bits() != size*8 {
		panic(fmt.Sprintf("tensor: %v read as elements of %d bytes", t, size))
	}
	if lo == hi {
		return nil, nil
	}
	switch t.store.(type) {
	case heap, *mapped:
		b := t.store.Bytes()[lo*size : hi*size]
		if p := unsafe.Pointer(unsafe.SliceData(b)); uintptr(p)%unsafe.Alignof(zero) == 0 {
			return unsafe.Slice((*T)(p), hi-lo), nil
		}
		buf = buf[:hi-lo]
		copy(bytesOf(buf), b)
		return buf, nil
	}
	buf = buf[:hi-lo]
	return buf, t.ReadAt(bytesOf(buf), int64(lo*size))
}

// ReleasePart is Release for elements lo to hi.
func (t *Tensor) ReleasePart(lo, hi int) {
	if s, ok := t.store.(*mapped); ok {
		release(s.Bytes()[t.typ.Size(lo):t.typ.Size(hi)])
	}
}

// ByParts returns t where parts of it can be read for what they cost alone, and
// a copy on the heap where each reading makes the whole.
func (t *Tensor) ByParts() *Tensor {
	if t.HasParts() {
		return t
	}
	return t.Clone()
}

// HasParts reports whether parts of t can be read for what they cost alone.
func (t *Tensor) HasParts() bool {
	switch t.store.(type) {
	case recomputed, *permutedStorage:
		return false
	}
	return true
}

// Unpermuted returns the tensor whose axes Permuted exchanged, and how; false
// for others.
func Unpermuted(t *Tensor) (src *Tensor, perm []int, ok bool) {
	s, ok := t.store.(*permutedStorage)
	if !ok || s.perm == nil || len(s.perm) != len(t.shape) {
		return nil, nil, false
	}
	for i, p := range s.perm {
		if s.src.shape[p] != t.shape[i] {
			return nil, nil, false // it was reshaped since
		}
	}
	return s.src, s.perm, true
}

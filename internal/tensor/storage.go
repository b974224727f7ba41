package tensor

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// window is how many bytes Chunks hands out at once, and so how much of a
// mapped or computed tensor is resident while it is streamed.
const window = 1 << 20

// Storage holds the bytes of a tensor.
type Storage interface {
	// Len returns the number of bytes.
	Len() int64
	// Bytes returns all bytes; the slice must not be written to.
	Bytes() []byte
	// Chunks calls yield with consecutive pieces that together are all bytes.
	// A piece is valid only during the call. It stops at the first error.
	Chunks(yield func([]byte) error) error
}

type heap []byte

func (h heap) Len() int64                            { return int64(len(h)) }
func (h heap) Bytes() []byte                         { return h }
func (h heap) Chunks(yield func([]byte) error) error { return yield(h) }

// computed is storage evaluated on demand.
type computed struct {
	n      int64
	window int64
	fill   func(off int64, dst []byte) error
}

// Computed returns a tensor whose bytes are produced by fill(off, dst), which
// writes the len(dst) bytes that start at byte off. fill must always give the
// same bytes, may be called with any range that starts at a multiple of 64
// bytes, by several goroutines at once, and is called anew for each reading.
func Computed(typ dtype.Type, shape []int, fill func(off int64, dst []byte) error) *Tensor {
	return ComputedBy(typ, shape, window, fill)
}

// ComputedBy is Computed for bytes that are cheaper to make by windows of
// another size, a multiple of 64 bytes: those that Chunks hands out.
func ComputedBy(typ dtype.Type, shape []int, window int64, fill func(off int64, dst []byte) error) *Tensor {
	return &Tensor{typ: typ, shape: append([]int(nil), shape...), store: computed{int64(mustSize(typ, shape)), window, fill}}
}

func (c computed) Len() int64 { return c.n }

func (c computed) Bytes() []byte {
	b := Aligned(int(c.n))
	if err := c.fill(0, b); err != nil {
		panic(fmt.Sprintf("tensor: computed storage: %v", err))
	}
	return b
}

func (c computed) Chunks(yield func([]byte) error) error {
	return inOrder(c.n, c.window, c.fill, yield)
}

// recomputed is storage evaluated as a whole.
type recomputed struct {
	n    int64
	fill func(dst []byte) error
}

// Recomputed is Computed for bytes that can only be made all at once: fill
// writes them to zeros, anew for each reading, and must always give the same.
// They are held only while they are read.
func Recomputed(typ dtype.Type, shape []int, fill func(dst []byte) error) *Tensor {
	return &Tensor{typ: typ, shape: append([]int(nil), shape...), store: recomputed{int64(mustSize(typ, shape)), fill}}
}

func (r recomputed) Len() int64 { return r.n }

func (r recomputed) Bytes() []byte {
	b := Aligned(int(r.n))
	if err := r.fill(b); err != nil {
		panic(fmt.Sprintf("tensor: computed storage: %v", err))
	}
	return b
}

func (r recomputed) Chunks(yield func([]byte) error) error {
	b := Aligned(int(r.n))
	if err := r.fill(b); err != nil {
		return err
	}
	return yield(b)
}

// splat is one element repeated.
type splat struct {
	elem []byte
	n    int64
}

// Splat returns a tensor whose elements all equal the one in elem, its
// little-endian bytes. Sub-byte and String types are not possible.
func Splat(typ dtype.Type, shape []int, elem []byte) *Tensor {
	if typ.Bits() != len(elem)*8 {
		panic(fmt.Sprintf("tensor: splat of %v from %d bytes", typ, len(elem)))
	}
	return &Tensor{typ: typ, shape: append([]int(nil), shape...), store: splat{bytes.Clone(elem), int64(mustSize(typ, shape))}}
}

// IsSplat returns the element's bytes where the storage says by itself that
// all elements are equal.
func (t *Tensor) IsSplat() ([]byte, bool) {
	s, ok := t.store.(splat)
	return s.elem, ok
}

func (s splat) Len() int64 { return s.n }

func (s splat) Bytes() []byte {
	b := Aligned(int(s.n))
	s.fill(b)
	return b
}

func (s splat) fill(b []byte) {
	n := copy(b, s.elem)
	for n > 0 && n < len(b) {
		n += copy(b[n:], b[:n])
	}
}

func (s splat) Chunks(yield func([]byte) error) error {
	// The window is a multiple of every element size.
	buf := make([]byte, min(window, s.n))
	s.fill(buf)
	for off := int64(0); off < s.n; off += window {
		if err := yield(buf[:min(window, s.n-off)]); err != nil {
			return err
		}
	}
	return nil
}

// Identity returns a key that two tensors share where their bytes are the same
// ones of the heap or of a mapped file; false where that cannot be told.
func (t *Tensor) Identity() (key any, ok bool) {
	switch s := t.store.(type) {
	case heap:
		if len(s) == 0 {
			return nil, false
		}
		return place{unsafe.SliceData(s), int64(len(s))}, true
	case *mapped:
		return *s, true
	}
	return nil, false
}

// place is bytes of the heap.
type place struct {
	first *byte
	n     int64
}

// section returns bytes off to off+n of s.
func section(s Storage, off, n int64) Storage {
	switch s := s.(type) {
	case heap:
		return s[off : off+n : off+n]
	case *mapped:
		return &mapped{s.m, s.off + off, n}
	case splat:
		return splat{s.elem, n}
	case computed:
		return computed{n, s.window, func(o int64, dst []byte) error { return fillFrom(s.fill, off+o, dst) }}
	case *permutedStorage:
		return computed{n, window, func(o int64, dst []byte) error { return s.read(off+o, dst) }}
	}
	return heap(s.Bytes()[off : off+n])
}

// fillFrom calls fill for a range that starts anywhere.
func fillFrom(fill func(int64, []byte) error, off int64, dst []byte) error {
	skip := int(off & 63)
	if skip == 0 {
		return fill(off, dst)
	}
	buf := Aligned(skip + len(dst))
	if err := fill(off-int64(skip), buf); err != nil {
		return err
	}
	copy(dst, buf[skip:])
	return nil
}

// Package tensor holds values: an element type, a shape and the bytes of the
// elements in row-major order, little-endian, sub-byte elements packed with
// the first in the lowest bits.
//
// The bytes lie in a [Storage]: on the heap, in a mapped file, as one repeated
// element, or computed when they are asked for, so that a constant of many
// gigabytes can be folded, sliced and written without ever being on the heap.
// Tensors are always contiguous: a permuted tensor is a copy or a computed
// one. The package knows no operator, no arithmetic and no file format. Start
// at [Tensor] and [Data].
package tensor

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// Tensor is an immutable description (type, shape) of bytes in a Storage.
// Constants are shared freely and must not be written to; only the code that
// made a heap tensor may fill it.
type Tensor struct {
	typ   dtype.Type
	shape []int
	store Storage
	text  []string // elements of a String tensor
}

// Count returns the number of elements of a shape and false if a dimension is
// negative or the product overflows, be it only without the dimensions of 0.
func Count(shape []int) (int, bool) {
	n, zero := 1, false
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			zero = true
			continue
		}
		if n > int(^uint(0)>>1)/d {
			return 0, false
		}
		n *= d
	}
	if zero {
		return 0, true
	}
	return n, true
}

func mustSize(typ dtype.Type, shape []int) int {
	n, ok := Count(shape)
	size := typ.Size(n)
	if !ok || size < 0 {
		panic(fmt.Sprintf("tensor: no storage for %v%v", typ, shape))
	}
	return size
}

// New returns a zeroed heap tensor whose data is 64-byte aligned.
func New(typ dtype.Type, shape ...int) *Tensor {
	if typ == dtype.String {
		n, _ := Count(shape)
		return &Tensor{typ: typ, shape: slices.Clone(shape), text: make([]string, n)}
	}
	return &Tensor{typ: typ, shape: slices.Clone(shape), store: heap(Aligned(mustSize(typ, shape)))}
}

// Aligned returns n zeroed bytes whose first lies on a 64-byte boundary.
func Aligned(n int) []byte {
	buf := make([]byte, n+63)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(buf))) & 63)
	return buf[off : off+n : off+n]
}

// FromStorage returns a tensor over s, which must hold exactly the bytes that
// the type and the shape need.
func FromStorage(typ dtype.Type, shape []int, s Storage) (*Tensor, error) {
	n, ok := Count(shape)
	size := typ.Size(n)
	if !ok || size < 0 {
		return nil, fmt.Errorf("tensor: %v%v has no byte form", typ, shape)
	}
	if s.Len() != int64(size) {
		return nil, fmt.Errorf("tensor: %v%v needs %d bytes, got %d", typ, shape, size, s.Len())
	}
	return &Tensor{typ: typ, shape: slices.Clone(shape), store: s}, nil
}

// FromBytes returns a tensor that aliases b.
func FromBytes(typ dtype.Type, shape []int, b []byte) (*Tensor, error) {
	return FromStorage(typ, shape, heap(b))
}

// FromStrings returns a String tensor that aliases text.
func FromStrings(text []string, shape ...int) (*Tensor, error) {
	if n, ok := Count(shape); !ok || n != len(text) {
		return nil, fmt.Errorf("tensor: string%v needs another number of elements than %d", shape, len(text))
	}
	return &Tensor{typ: dtype.String, shape: slices.Clone(shape), text: text}, nil
}

// FromSlice returns a tensor of T's element type that aliases data. It panics
// if the number of elements and the shape differ. A scalar has no dimensions.
func FromSlice[T Element](data []T, shape ...int) *Tensor {
	if n, ok := Count(shape); !ok || n != len(data) {
		panic(fmt.Sprintf("tensor: shape %v does not hold %d elements", shape, len(data)))
	}
	return &Tensor{typ: typeOf[T](), shape: slices.Clone(shape), store: heap(bytesOf(data))}
}

// Scalar returns a rank-0 tensor.
func Scalar[T Element](v T) *Tensor { return FromSlice([]T{v}) }

// Type returns the element type.
func (t *Tensor) Type() dtype.Type { return t.typ }

// Shape returns the dimensions; the caller must not change them.
func (t *Tensor) Shape() []int { return t.shape }

// Rank returns the number of dimensions.
func (t *Tensor) Rank() int { return len(t.shape) }

// Len returns the number of elements.
func (t *Tensor) Len() int { n, _ := Count(t.shape); return n }

// Storage returns where the bytes lie; nil for a String tensor.
func (t *Tensor) Storage() Storage { return t.store }

// Strings returns the elements of a String tensor.
func (t *Tensor) Strings() []string { return t.text }

// Bytes returns all bytes. Heap and mapped storage return their own memory,
// which must not be written to; other storage is evaluated into a new slice.
func (t *Tensor) Bytes() []byte {
	if t.store == nil {
		return nil
	}
	return t.store.Bytes()
}

// Reshape returns the same elements under another shape.
func (t *Tensor) Reshape(shape ...int) (*Tensor, error) {
	if n, ok := Count(shape); !ok || n != t.Len() {
		return nil, fmt.Errorf("tensor: cannot reshape %v to %v", t.shape, shape)
	}
	return &Tensor{typ: t.typ, shape: slices.Clone(shape), store: t.store, text: t.text}, nil
}

// Slice returns elements lo to hi of axis 0 without copying. It panics when
// the range is outside, and copies where a sub-byte element would be cut.
func (t *Tensor) Slice(lo, hi int) *Tensor {
	if len(t.shape) == 0 || lo < 0 || hi < lo || hi > t.shape[0] {
		panic(fmt.Sprintf("tensor: slice [%d:%d] of shape %v", lo, hi, t.shape))
	}
	shape := slices.Clone(t.shape)
	shape[0] = hi - lo
	row := 1
	for _, d := range shape[1:] {
		row *= d
	}
	if t.typ == dtype.String {
		return &Tensor{typ: t.typ, shape: shape, text: t.text[lo*row : hi*row]}
	}
	if bits := t.typ.Bits(); lo*row*bits%8 != 0 || hi < t.shape[0] && hi*row*bits%8 != 0 {
		out := New(t.typ, shape...)
		pack(out.Bytes(), unpack(t)[lo*row:hi*row], bits)
		return out
	}
	off, n := t.typ.Size(lo*row), t.typ.Size((hi-lo)*row)
	return &Tensor{typ: t.typ, shape: shape, store: section(t.store, int64(off), int64(n))}
}

// Clone returns a heap copy.
func (t *Tensor) Clone() *Tensor {
	out := New(t.typ, t.shape...)
	if t.typ == dtype.String {
		copy(out.text, t.text)
		return out
	}
	dst := out.Bytes()
	// Chunks of heap and mapped storage cannot fail, and a computed storage
	// that fails has panicked already in Bytes.
	off := 0
	if err := t.store.Chunks(func(b []byte) error { off += copy(dst[off:], b); return nil }); err != nil {
		panic("tensor: " + err.Error())
	}
	return out
}

// Equal reports whether a and b have the same type, shape and bytes.
func Equal(a, b *Tensor) bool {
	if a.typ != b.typ || !slices.Equal(a.shape, b.shape) {
		return false
	}
	if a.typ == dtype.String {
		return slices.Equal(a.text, b.text)
	}
	return string(a.Bytes()) == string(b.Bytes())
}

// String describes type and shape, such as "float32[2,3]".
func (t *Tensor) String() string {
	s := t.typ.String() + "["
	for i, d := range t.shape {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprint(d)
	}
	return s + "]"
}

// View returns a tensor without bytes, which Show gives it.
func View(typ dtype.Type, shape []int) (*Tensor, error) {
	if n, ok := Count(shape); !ok || typ == dtype.String || typ.Size(n) < 0 {
		return nil, fmt.Errorf("tensor: %v%v has no byte form", typ, shape)
	}
	return &Tensor{typ: typ, shape: slices.Clone(shape)}, nil
}

// Show makes t, which View returned, a tensor over the bytes of src, without
// allocating; a nil src takes them away. It panics if src has another size.
func (t *Tensor) Show(src *Tensor) {
	if src == nil {
		t.store = nil
		return
	}
	if src.typ != t.typ || src.Len() != t.Len() {
		panic(fmt.Sprintf("tensor: %v cannot show %v", t, src))
	}
	t.store = src.store
}

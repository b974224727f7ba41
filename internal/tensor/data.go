package tensor

import (
	"fmt"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// Element lists the Go types that tensors store directly. Float16, BFloat16
// and the 8-bit floats are read as their bits through uint16 and uint8;
// sub-byte types are unpacked by Unpack.
type Element interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | bool | complex64 | complex128
}

func typeOf[T Element]() dtype.Type {
	switch any(*new(T)).(type) {
	case float32:
		return dtype.Float32
	case float64:
		return dtype.Float64
	case int8:
		return dtype.Int8
	case int16:
		return dtype.Int16
	case int32:
		return dtype.Int32
	case int64:
		return dtype.Int64
	case uint8:
		return dtype.Uint8
	case uint16:
		return dtype.Uint16
	case uint32:
		return dtype.Uint32
	case uint64:
		return dtype.Uint64
	case bool:
		return dtype.Bool
	case complex64:
		return dtype.Complex64
	}
	return dtype.Complex128
}

func bytesOf[T Element](data []T) []byte {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(data[0])))
}

// Data returns the elements as a slice of T, aliasing the tensor's memory
// where it is aligned for T (always for heap tensors), else a copy. T must be
// as wide as the element type; it panics otherwise.
func Data[T Element](t *Tensor) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if t.typ.Bits() != size*8 {
		panic(fmt.Sprintf("tensor: %v read as elements of %d bytes", t, size))
	}
	b := t.Bytes()
	if len(b) == 0 {
		return nil
	}
	if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%unsafe.Alignof(zero) != 0 {
		b = append(Aligned(len(b))[:0], b...)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/size)
}

// Ints returns the elements of an integer or Bool tensor, sub-byte types
// included, as int64; false for any other type.
func Ints(t *Tensor) ([]int64, bool) {
	switch t.typ {
	case dtype.Int64:
		return Data[int64](t), true
	case dtype.Uint64:
		return widen[uint64](t), true
	case dtype.Int32:
		return widen[int32](t), true
	case dtype.Uint32:
		return widen[uint32](t), true
	case dtype.Int16:
		return widen[int16](t), true
	case dtype.Uint16:
		return widen[uint16](t), true
	case dtype.Int8:
		return widen[int8](t), true
	case dtype.Uint8, dtype.Bool:
		return widen[uint8](t), true
	case dtype.Int4, dtype.Uint4, dtype.Int2, dtype.Uint2:
		u := unpack(t)
		out := make([]int64, len(u))
		for i, v := range u {
			out[i] = int64(v)
		}
		return out, true
	}
	return nil, false
}

func widen[T int8 | int16 | int32 | uint8 | uint16 | uint32 | uint64](t *Tensor) []int64 {
	d := Data[T](t)
	out := make([]int64, len(d))
	for i, v := range d {
		out[i] = int64(v)
	}
	return out
}

// Unpack returns the elements of an Int4, Uint4, Int2 or Uint2 tensor, one
// byte each, sign-extended.
func Unpack(t *Tensor) []int8 { return unpack(t) }

func unpack(t *Tensor) []int8 {
	bits := t.typ.Bits()
	if bits == 0 || bits >= 8 {
		panic(fmt.Sprintf("tensor: %v is not packed", t))
	}
	b, per, mask := t.Bytes(), 8/bits, byte(1<<bits-1)
	out := make([]int8, t.Len())
	shift := uint(8 - bits)
	signed := t.typ.IsSigned()
	for i := range out {
		v := b[i/per] >> (uint(i%per) * uint(bits)) & mask
		if signed {
			out[i] = int8(v<<shift) >> shift
		} else {
			out[i] = int8(v)
		}
	}
	return out
}

// Pack returns a heap tensor of a sub-byte type from one value a byte; bits
// above the type's width are dropped.
func Pack(typ dtype.Type, vals []int8, shape ...int) *Tensor {
	t := New(typ, shape...)
	if t.Len() != len(vals) {
		panic(fmt.Sprintf("tensor: %v does not hold %d elements", t, len(vals)))
	}
	pack(t.Bytes(), vals, typ.Bits())
	return t
}

// PackTo stores values of so many bits, less than 8, in dst, the first in the
// lowest bits. Bits above the width are dropped; those that are left over in
// the last byte are 0.
func PackTo(dst []byte, vals []int8, bits int) {
	clear(dst)
	if bits == 4 {
		for len(vals) > 1 {
			dst[0] = byte(vals[0])&15 | byte(vals[1])<<4
			dst, vals = dst[1:], vals[2:]
		}
	}
	pack(dst, vals, bits)
}

func pack(dst []byte, vals []int8, bits int) {
	per, mask := 8/bits, byte(1<<bits-1)
	for i, v := range vals {
		dst[i/per] |= (byte(v) & mask) << (uint(i%per) * uint(bits))
	}
}

// Strides returns the row-major element strides of a shape.
func Strides(shape []int) []int {
	out := make([]int, len(shape))
	s := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = s
		s *= shape[i]
	}
	return out
}

// Permute returns a heap tensor whose axis i is axis perm[i] of t. perm must
// be a permutation of t's axes.
func Permute(t *Tensor, perm []int) *Tensor {
	shape, strides := make([]int, len(perm)), make([]int, len(perm))
	src := Strides(t.shape)
	for i, p := range perm {
		shape[i], strides[i] = t.shape[p], src[p]
	}
	out := New(t.typ, shape...)
	if t.typ == dtype.String {
		gather(out.text, t.text, shape, strides)
		return out
	}
	switch t.typ.Bits() {
	case 8:
		gather(Data[uint8](out), Data[uint8](t), shape, strides)
	case 16:
		gather(Data[uint16](out), Data[uint16](t), shape, strides)
	case 32:
		gather(Data[uint32](out), Data[uint32](t), shape, strides)
	case 64:
		gather(Data[uint64](out), Data[uint64](t), shape, strides)
	case 128:
		gather(Data[complex128](out), Data[complex128](t), shape, strides)
	default:
		vals := make([]int8, t.Len())
		gather(vals, unpack(t), shape, strides)
		pack(out.Bytes(), vals, t.typ.Bits())
	}
	return out
}

// gather fills dst in row-major order of shape from src by strides.
func gather[T any](dst, src []T, shape, strides []int) {
	if len(dst) == 0 {
		return
	}
	if len(shape) == 0 {
		dst[0] = src[0]
		return
	}
	idx := make([]int, len(shape))
	last := len(shape) - 1
	n, step := shape[last], strides[last]
	off := 0
	for o := 0; o < len(dst); o += n {
		row := dst[o : o+n]
		if step == 1 {
			copy(row, src[off:off+n])
		} else {
			for i := range row {
				row[i] = src[off+i*step]
			}
		}
		for ax := last - 1; ax >= 0; ax-- {
			idx[ax]++
			off += strides[ax]
			if idx[ax] < shape[ax] {
				break
			}
			off -= strides[ax] * shape[ax]
			idx[ax] = 0
		}
	}
}

// FromInts returns a heap tensor of an integer or Bool type, sub-byte types
// included; bits above the type's width are dropped.
func FromInts(typ dtype.Type, vals []int64, shape ...int) *Tensor {
	t := New(typ, shape...)
	if t.Len() != len(vals) {
		panic(fmt.Sprintf("tensor: %v does not hold %d elements", t, len(vals)))
	}
	switch bits := typ.Bits(); {
	case !typ.IsInteger() && typ != dtype.Bool:
		panic(fmt.Sprintf("tensor: %v from integers", typ))
	case bits == 64:
		copy(Data[int64](t), vals)
	case bits == 32:
		narrow(Data[uint32](t), vals)
	case bits == 16:
		narrow(Data[uint16](t), vals)
	case bits == 8:
		narrow(Data[uint8](t), vals)
	default:
		small := make([]int8, len(vals))
		for i, v := range vals {
			small[i] = int8(v)
		}
		pack(t.Bytes(), small, bits)
	}
	return t
}

func narrow[T uint8 | uint16 | uint32](dst []T, src []int64) {
	for i, v := range src {
		dst[i] = T(v)
	}
}

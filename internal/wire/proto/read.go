// Package proto is what hand-written codecs of protobuf messages stand on:
// fields read in place from a buffer, and messages written with large payloads
// that never lie on the heap.
//
// It knows the wire format and no message, no file and no model: which field
// means what is the business of the door that uses it. Start at [Fields] for
// reading and at [Message] for writing.
package proto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field is one field of a message. Its slices alias the buffer that was read,
// and their capacity ends where they end, so that append copies.
type Field struct {
	Num  protowire.Number
	Type protowire.Type
	// Val is the value of a varint, fixed32 or fixed64 field, and 0 otherwise.
	// A signed integer is int64(Val); sint fields are zigzag-coded in it.
	Val uint64
	// Bytes is the value of a length-delimited field, or what lies between the
	// tags of a group, and nil otherwise. Strings are not checked to be UTF-8.
	Bytes []byte
	// Raw is the whole field, tag included: appended to a message it is the
	// field again.
	Raw []byte
}

// Fields yields the fields of the message b in order, without copying. A
// broken message ends with one error, which says at which offset of b.
func Fields(b []byte) iter.Seq2[Field, error] {
	return func(yield func(Field, error) bool) {
		for off := 0; off < len(b); {
			f, n, err := next(b[off:])
			if err != nil {
				yield(Field{}, fmt.Errorf("offset %d: %w", off, err))
				return
			}
			if !yield(f, nil) {
				return
			}
			off += n
		}
	}
}

// next reads the field that b begins with and returns its length.
func next(b []byte) (Field, int, error) {
	num, typ, tag := protowire.ConsumeTag(b)
	if tag < 0 {
		return Field{}, 0, fmt.Errorf("tag: %w", parseError(tag))
	}
	f := Field{Num: num, Type: typ}
	rest := b[tag:]
	var n int
	switch typ {
	case protowire.VarintType:
		f.Val, n = protowire.ConsumeVarint(rest)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(rest)
		f.Val = uint64(v)
	case protowire.Fixed64Type:
		f.Val, n = protowire.ConsumeFixed64(rest)
	case protowire.BytesType:
		f.Bytes, n = protowire.ConsumeBytes(rest)
	case protowire.StartGroupType:
		f.Bytes, n = protowire.ConsumeGroup(num, rest)
	default:
		return Field{}, 0, fmt.Errorf("field %d: wire type %d has no meaning here", num, typ)
	}
	if n < 0 {
		return Field{}, 0, fmt.Errorf("field %d: %w", num, parseError(n))
	}
	f.Bytes = slices.Clip(f.Bytes)
	f.Raw = b[: tag+n : tag+n]
	return f, tag + n, nil
}

// errTruncated says that a message ends inside a field.
var errTruncated = errors.New("the message ends inside the field")

func parseError(code int) error {
	if err := protowire.ParseError(code); !errors.Is(err, protowire.ParseError(-1)) {
		return err
	}
	return errTruncated
}

// AppendInt64s appends the values of f, one occurrence of a repeated varint
// field, packed or not. Memory is at most eight bytes for each byte of f.
func AppendInt64s(dst []int64, f Field) ([]int64, error) { return appendVarints(dst, f) }

// AppendUint64s is AppendInt64s for unsigned fields.
func AppendUint64s(dst []uint64, f Field) ([]uint64, error) { return appendVarints(dst, f) }

func appendVarints[T int64 | uint64](dst []T, f Field) ([]T, error) {
	switch f.Type {
	case protowire.VarintType:
		return append(dst, T(f.Val)), nil
	case protowire.BytesType:
		ends := 0 // only the last byte of a varint has its top bit clear
		for _, c := range f.Bytes {
			if c < 0x80 {
				ends++
			}
		}
		dst = slices.Grow(dst, ends)
		for off := 0; off < len(f.Bytes); {
			v, n := protowire.ConsumeVarint(f.Bytes[off:])
			if n < 0 {
				return dst, fmt.Errorf("field %d: offset %d of the packed values: %w", f.Num, off, parseError(n))
			}
			dst = append(dst, T(v))
			off += n
		}
		return dst, nil
	}
	return dst, wrongType(f, "varint")
}

// AppendFloat32s appends the values of f, one occurrence of a repeated float
// field, packed or not.
func AppendFloat32s(dst []float32, f Field) ([]float32, error) {
	switch f.Type {
	case protowire.Fixed32Type:
		return append(dst, math.Float32frombits(uint32(f.Val))), nil
	case protowire.BytesType:
		if len(f.Bytes)%4 != 0 {
			return dst, ragged(f, 4)
		}
		dst = slices.Grow(dst, len(f.Bytes)/4)
		for b := f.Bytes; len(b) > 0; b = b[4:] {
			dst = append(dst, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
		return dst, nil
	}
	return dst, wrongType(f, "fixed32")
}

// AppendFloat64s appends the values of f, one occurrence of a repeated double
// field, packed or not.
func AppendFloat64s(dst []float64, f Field) ([]float64, error) {
	switch f.Type {
	case protowire.Fixed64Type:
		return append(dst, math.Float64frombits(f.Val)), nil
	case protowire.BytesType:
		if len(f.Bytes)%8 != 0 {
			return dst, ragged(f, 8)
		}
		dst = slices.Grow(dst, len(f.Bytes)/8)
		for b := f.Bytes; len(b) > 0; b = b[8:] {
			dst = append(dst, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
		return dst, nil
	}
	return dst, wrongType(f, "fixed64")
}

func wrongType(f Field, want string) error {
	return fmt.Errorf("field %d: wire type %d, want %s or packed", f.Num, f.Type, want)
}

func ragged(f Field, size int) error {
	return fmt.Errorf("field %d: %d packed bytes are no multiple of %d", f.Num, len(f.Bytes), size)
}

// Depth is how many levels of messages may still be entered; a decoder of
// nested messages starts with its limit and goes Down for each level.
type Depth int

// Down returns the depth inside the next level, or an error where the limit is
// reached.
func (d Depth) Down() (Depth, error) {
	if d <= 0 {
		return 0, errors.New("messages are nested too deeply")
	}
	return d - 1, nil
}

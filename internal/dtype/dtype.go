// Package dtype is the table of element types: how many bits an element has,
// whether it is signed, which values it holds and how it is packed.
//
// It knows no tensor, no file format and no arithmetic. Start at [Type] and
// the table below it.
package dtype

import "fmt"

// Type names an element type. The zero value is Invalid.
type Type uint8

// The element types, in the order of the table.
const (
	Invalid Type = iota
	Float64
	Float32
	Float16
	BFloat16
	Complex64
	Complex128
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Bool
	String
	Int4
	Uint4
	Int2
	Uint2
	Float8E4M3FN
	Float8E4M3FNUZ
	Float8E5M2
	Float8E5M2FNUZ
	Float8E8M0
	Float4E2M1
)

// Class groups types by what arithmetic they take part in.
type Class uint8

// The classes of element types.
const (
	Other Class = iota
	Float
	Complex
	Signed
	Unsigned
	Boolean
	Text
)

// Elements narrower than a byte are packed with the first element in the
// lowest bits (ONNX IR specification, TensorProto.raw_data).
var table = [...]struct {
	name  string
	bits  int
	class Class
}{
	Invalid:        {"invalid", 0, Other},
	Float64:        {"float64", 64, Float},
	Float32:        {"float32", 32, Float},
	Float16:        {"float16", 16, Float},
	BFloat16:       {"bfloat16", 16, Float},
	Complex64:      {"complex64", 64, Complex},
	Complex128:     {"complex128", 128, Complex},
	Int8:           {"int8", 8, Signed},
	Int16:          {"int16", 16, Signed},
	Int32:          {"int32", 32, Signed},
	Int64:          {"int64", 64, Signed},
	Uint8:          {"uint8", 8, Unsigned},
	Uint16:         {"uint16", 16, Unsigned},
	Uint32:         {"uint32", 32, Unsigned},
	Uint64:         {"uint64", 64, Unsigned},
	Bool:           {"bool", 8, Boolean},
	String:         {"string", 0, Text},
	Int4:           {"int4", 4, Signed},
	Uint4:          {"uint4", 4, Unsigned},
	Int2:           {"int2", 2, Signed},
	Uint2:          {"uint2", 2, Unsigned},
	Float8E4M3FN:   {"float8e4m3fn", 8, Float},
	Float8E4M3FNUZ: {"float8e4m3fnuz", 8, Float},
	Float8E5M2:     {"float8e5m2", 8, Float},
	Float8E5M2FNUZ: {"float8e5m2fnuz", 8, Float},
	Float8E8M0:     {"float8e8m0", 8, Float},
	Float4E2M1:     {"float4e2m1", 4, Float},
}

// All returns every valid type in table order.
func All() []Type {
	out := make([]Type, 0, len(table)-1)
	for t := range table[1:] {
		out = append(out, Type(t+1))
	}
	return out
}

// Parse returns the type with the given name, as String prints it.
func Parse(name string) (Type, error) {
	for t, row := range table {
		if t != int(Invalid) && row.name == name {
			return Type(t), nil
		}
	}
	return Invalid, fmt.Errorf("dtype: unknown element type %q", name)
}

func (t Type) row() int {
	if int(t) < len(table) {
		return int(t)
	}
	return int(Invalid)
}

// String returns the name, such as "float32" or "int4".
func (t Type) String() string { return table[t.row()].name }

// Bits returns the width of one element; 0 for String and Invalid.
func (t Type) Bits() int { return table[t.row()].bits }

// Class returns the arithmetic class.
func (t Type) Class() Class { return table[t.row()].class }

// IsFloat reports whether t is a real floating-point type.
func (t Type) IsFloat() bool { return t.Class() == Float }

// IsInteger reports whether t is a signed or unsigned integer type.
func (t Type) IsInteger() bool { return t.Class() == Signed || t.Class() == Unsigned }

// IsSigned reports whether t is a signed integer type.
func (t Type) IsSigned() bool { return t.Class() == Signed }

// Size returns the bytes that n packed elements take: sub-byte elements share
// bytes, and the last byte is padded. It returns -1 for String, for a negative
// n, and where the size overflows.
func (t Type) Size(n int) int {
	bits := t.Bits()
	if n < 0 || bits == 0 {
		return -1
	}
	if bits < 8 {
		per := 8 / bits
		return n/per + (n%per+per-1)/per
	}
	if size := n * (bits / 8); n == 0 || size/n == bits/8 {
		return size
	}
	return -1
}

// Range returns the least and greatest value of an integer type of at most 64
// bits; Uint64's maximum does not fit and is given as the greatest int64.
func (t Type) Range() (min, max int64) {
	bits := uint(t.Bits())
	switch t.Class() {
	case Signed:
		return -1 << (bits - 1), 1<<(bits-1) - 1
	case Unsigned:
		if bits == 64 {
			return 0, 1<<63 - 1
		}
		return 0, 1<<bits - 1
	}
	return 0, 0
}

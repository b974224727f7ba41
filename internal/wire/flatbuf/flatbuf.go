// Package flatbuf reads FlatBuffers where they lie: tables, vectors, strings
// and unions by slot number, over the bytes of a mapped file. It writes them
// from parts, in one pass, so that large vectors stream.
//
// It knows no schema and no model. Every offset is checked before it is
// followed; the first fault is kept, and what is read after it is empty, so
// that a caller asks once, at the end. Offsets of values only lead forward, so
// that nothing can contain itself; but many of them may lead to one place, and
// what a caller makes of them is bounded by [Buffer.Spend]. Start at [Open] and
// at [Plan].
//
// Source: "FlatBuffers Internals" (flatbuffers.dev/internals), the sections on
// encoding tables, vectors and strings.
package flatbuf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Buffer is a file that is being read.
type Buffer struct {
	b      []byte
	err    error
	budget int
}

// perByte is how many bytes of results each byte of a file may lead to.
const perByte = 16

// Open returns a reader over b, whose file identifier must be id.
func Open(b []byte, id string) (*Buffer, error) {
	if len(b) < 8 {
		return nil, fmt.Errorf("flatbuffer: %d bytes, want at least 8", len(b))
	}
	if got := string(b[4:8]); got != id {
		return nil, fmt.Errorf("flatbuffer: the file identifier is %q, want %q", got, id)
	}
	return &Buffer{b: b, budget: 1<<16 + min(len(b), math.MaxInt/(2*perByte))*perByte}, nil
}

// Err returns the first fault that was met.
func (b *Buffer) Err() error { return b.err }

func (b *Buffer) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("flatbuffer: "+format, args...)
	}
}

// Spend counts n bytes that the caller is about to allocate for what it has
// read, and reports whether they are within what a file of this size can need.
func (b *Buffer) Spend(n int) bool {
	if b.err != nil {
		return false
	}
	if n < 0 || n > b.budget {
		b.fail("the parts refer to each other so often that they need more memory than a file of %d bytes can", len(b.b))
		return false
	}
	b.budget -= n
	return true
}

// has reports whether bytes at to at+n exist.
func (b *Buffer) has(at, n int, what string) bool {
	if b.err != nil {
		return false
	}
	if at < 0 || n < 0 || at > len(b.b) || n > len(b.b)-at {
		b.fail("%s at offset %d needs %d bytes, and the file has %d", what, at, n, len(b.b))
		return false
	}
	return true
}

func (b *Buffer) u32(at int) int { return int(binary.LittleEndian.Uint32(b.b[at:])) }

// follow returns where the offset at at leads to, -1 after a fault.
func (b *Buffer) follow(at int, what string) int {
	if !b.has(at, 4, what) {
		return -1
	}
	off := b.u32(at)
	if int32(off) <= 0 {
		b.fail("%s: offset %d at %d leads back and not forward, as if something contains itself", what, int32(off), at)
		return -1
	}
	if off > len(b.b)-at {
		b.fail("%s: offset %d at %d leads out of the file of %d bytes", what, off, at, len(b.b))
		return -1
	}
	return at + off
}

// Root returns the table that a file begins with.
func (b *Buffer) Root() Table {
	if at := b.follow(0, "the root"); at >= 0 {
		return b.table(at)
	}
	return Table{buf: b}
}

// Table is a table, or none: every field of that is absent.
type Table struct {
	buf    *Buffer
	pos    int
	end    int // of the inline fields
	vtable int
	slots  int
}

func (b *Buffer) table(at int) Table {
	none := Table{buf: b}
	if !b.has(at, 4, "a table") {
		return none
	}
	v := at - int(int32(b.u32(at)))
	if !b.has(v, 4, "the field list of a table") {
		return none
	}
	size := int(binary.LittleEndian.Uint16(b.b[v:]))
	inline := int(binary.LittleEndian.Uint16(b.b[v+2:]))
	if size < 4 || size%2 != 0 || inline < 4 {
		b.fail("the field list at offset %d declares sizes %d and %d", v, size, inline)
		return none
	}
	if !b.has(v, size, "the field list of a table") || !b.has(at, inline, "a table") {
		return none
	}
	return Table{b, at, at + inline, v, (size - 4) / 2}
}

// Present reports whether the table exists.
func (t Table) Present() bool { return t.pos > 0 }

// Has reports whether a field is there.
func (t Table) Has(slot int) bool { return t.field(slot, 1) >= 0 }

// field returns where a field of n bytes lies, -1 where it is absent.
func (t Table) field(slot, n int) int {
	if t.pos == 0 || t.buf.err != nil || slot >= t.slots {
		return -1
	}
	off := int(binary.LittleEndian.Uint16(t.buf.b[t.vtable+4+2*slot:]))
	if off == 0 {
		return -1
	}
	if off < 4 || off > t.end-t.pos-n {
		t.buf.fail("field %d of the table at offset %d lies outside it", slot, t.pos)
		return -1
	}
	return t.pos + off
}

// Byte returns an unsigned field of 8 bits, def where it is absent.
func (t Table) Byte(slot int, def byte) byte {
	if at := t.field(slot, 1); at >= 0 {
		return t.buf.b[at]
	}
	return def
}

// Bool returns a boolean field.
func (t Table) Bool(slot int, def bool) bool {
	if at := t.field(slot, 1); at >= 0 {
		return t.buf.b[at] != 0
	}
	return def
}

// Int32 returns a field of 32 bits.
func (t Table) Int32(slot int, def int32) int32 {
	if at := t.field(slot, 4); at >= 0 {
		return int32(t.buf.u32(at))
	}
	return def
}

// Uint64 returns a field of 64 bits.
func (t Table) Uint64(slot int, def uint64) uint64 {
	if at := t.field(slot, 8); at >= 0 {
		return binary.LittleEndian.Uint64(t.buf.b[at:])
	}
	return def
}

// Float32 returns a floating-point field.
func (t Table) Float32(slot int, def float32) float32 {
	if at := t.field(slot, 4); at >= 0 {
		return math.Float32frombits(uint32(t.buf.u32(at)))
	}
	return def
}

// Table returns a field that is a table, or the table of a union, whose type is
// the field before it.
func (t Table) Table(slot int) Table {
	if at := t.field(slot, 4); at >= 0 {
		if to := t.buf.follow(at, "a table"); to >= 0 {
			return t.buf.table(to)
		}
	}
	return Table{buf: t.buf}
}

// String returns a copy of a string, "" where it is absent.
func (t Table) String(slot int) string {
	v := t.Vector(slot, 1)
	if !t.buf.Spend(v.Len()) {
		return ""
	}
	return string(v.Bytes())
}

// Vector returns a field that is a vector of elements of the given size.
func (t Table) Vector(slot, size int) Vector {
	at := t.field(slot, 4)
	if at < 0 {
		return Vector{}
	}
	at = t.buf.follow(at, "a vector")
	if at < 0 || !t.buf.has(at, 4, "a vector") {
		return Vector{}
	}
	n := t.buf.u32(at)
	if n > (len(t.buf.b)-at-4)/size {
		t.buf.fail("the vector at offset %d declares %d elements of %d bytes, and the file has %d bytes", at, n, size, len(t.buf.b))
		return Vector{}
	}
	return Vector{t.buf, at + 4, n, size, true}
}

// Vector is a vector of scalars or of offsets. Absent ones have no elements.
// Elements are read by the method of the size that the vector was asked for
// with, at indices less than Len.
type Vector struct {
	buf     *Buffer
	pos, n  int
	size    int
	present bool
}

// Len returns the number of elements.
func (v Vector) Len() int { return v.n }

// Present reports whether the vector exists; it may be empty.
func (v Vector) Present() bool { return v.present }

// Bytes returns the elements where they lie.
func (v Vector) Bytes() []byte {
	if v.n == 0 {
		return nil
	}
	end := v.pos + v.n*v.size
	return v.buf.b[v.pos:end:end]
}

// Table returns element i of a vector of tables.
func (v Vector) Table(i int) Table {
	if to := v.buf.follow(v.pos+4*i, "an element of a vector"); to >= 0 {
		return v.buf.table(to)
	}
	return Table{buf: v.buf}
}

// Int32 returns element i of a vector of 32-bit integers.
func (v Vector) Int32(i int) int32 { return int32(v.buf.u32(v.pos + 4*i)) }

// Int64 returns element i of a vector of 64-bit integers.
func (v Vector) Int64(i int) int64 {
	return int64(binary.LittleEndian.Uint64(v.buf.b[v.pos+8*i:]))
}

// Float32 returns element i of a vector of floats.
func (v Vector) Float32(i int) float32 {
	return math.Float32frombits(uint32(v.buf.u32(v.pos + 4*i)))
}

// Ints returns the elements of a vector of 32-bit integers.
func (v Vector) Ints() []int {
	if v.n == 0 || !v.buf.Spend(8*v.n) {
		return nil
	}
	out := make([]int, v.n)
	for i := range out {
		out[i] = int(v.Int32(i))
	}
	return out
}

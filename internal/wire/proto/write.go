package proto

import (
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Payload is the value of a bytes field that is written from where it lies.
// WriteTo writes exactly Len bytes, the same each time.
type Payload interface {
	Len() int64
	io.WriterTo
}

// Message is a message under construction. Fields are written in the order of
// the calls, so the bytes depend on nothing else. The zero value is an empty
// message.
//
// Everything but payloads is kept encoded in memory; a payload is asked for
// its length when it is added and for its bytes in WriteTo.
type Message struct {
	buf      []byte
	payloads []placed
	external int64 // total length of the payloads
}

// placed is a payload that belongs before buf[at].
type placed struct {
	at   int
	size int64
	Payload
}

// Varint adds an integer, boolean or enum field; a negative int32 or int64 is
// uint64(int64(v)).
func (m *Message) Varint(num protowire.Number, v uint64) {
	m.buf = protowire.AppendTag(m.buf, num, protowire.VarintType)
	m.buf = protowire.AppendVarint(m.buf, v)
}

// Fixed32 adds a fixed32 or float field (as its bits).
func (m *Message) Fixed32(num protowire.Number, v uint32) {
	m.buf = protowire.AppendTag(m.buf, num, protowire.Fixed32Type)
	m.buf = protowire.AppendFixed32(m.buf, v)
}

// Fixed64 adds a fixed64 or double field (as its bits).
func (m *Message) Fixed64(num protowire.Number, v uint64) {
	m.buf = protowire.AppendTag(m.buf, num, protowire.Fixed64Type)
	m.buf = protowire.AppendFixed64(m.buf, v)
}

// String adds a string field.
func (m *Message) String(num protowire.Number, s string) {
	m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
	m.buf = protowire.AppendString(m.buf, s)
}

// Bytes adds a bytes field, or a message that is encoded already. b is copied;
// large bytes are better a Payload.
func (m *Message) Bytes(num protowire.Number, b []byte) {
	m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
	m.buf = protowire.AppendBytes(m.buf, b)
}

// PackedVarints adds a packed repeated field; nothing if vs is empty.
func (m *Message) PackedVarints(num protowire.Number, vs []uint64) {
	if len(vs) == 0 {
		return
	}
	size := 0
	for _, v := range vs {
		size += protowire.SizeVarint(v)
	}
	m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
	m.buf = protowire.AppendVarint(m.buf, uint64(size))
	for _, v := range vs {
		m.buf = protowire.AppendVarint(m.buf, v)
	}
}

// Message adds sub as it is now: what is added to sub later is not in m.
func (m *Message) Message(num protowire.Number, sub *Message) {
	m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
	m.buf = protowire.AppendVarint(m.buf, uint64(sub.Size()))
	base := len(m.buf)
	m.buf = append(m.buf, sub.buf...)
	for _, p := range sub.payloads {
		p.at += base
		m.payloads = append(m.payloads, p)
	}
	m.grow(sub.external)
}

// Payload adds a bytes field whose bytes are streamed by WriteTo.
func (m *Message) Payload(num protowire.Number, p Payload) {
	size := p.Len()
	if size < 0 {
		panic(fmt.Sprintf("proto: field %d: payload of length %d", num, size))
	}
	m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
	m.buf = protowire.AppendVarint(m.buf, uint64(size))
	m.payloads = append(m.payloads, placed{len(m.buf), size, p})
	m.grow(size)
}

func (m *Message) grow(n int64) {
	if n > math.MaxInt64/2-m.external {
		panic("proto: payloads of more than 4 EiB")
	}
	m.external += n
}

// Raw adds fields that are encoded already, tags included, such as the Raw of
// fields that were read and not understood.
func (m *Message) Raw(fields []byte) { m.buf = append(m.buf, fields...) }

// Size returns the length of the encoded message.
func (m *Message) Size() int64 { return int64(len(m.buf)) + m.external }

// WriteTo writes the encoded message in one sequential pass. It may be called
// again. A payload that writes more or less than its length is an error, and
// what was written is then no message.
func (m *Message) WriteTo(w io.Writer) (n int64, err error) {
	done := 0
	for _, p := range m.payloads {
		k, err := w.Write(m.buf[done:p.at])
		n += int64(k)
		if err != nil {
			return n, err
		}
		done = p.at
		c := counter{w: w}
		_, err = p.WriteTo(&c)
		n += c.n
		if err != nil {
			return n, err
		}
		if c.n != p.size {
			return n, fmt.Errorf("proto: a payload of %d bytes wrote %d", p.size, c.n)
		}
	}
	k, err := w.Write(m.buf[done:])
	return n + int64(k), err
}

// counter counts what reaches w, whatever a payload claims to have written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

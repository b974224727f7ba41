package main

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"

	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// ONNX numbers (onnx.proto).
const (
	float32Type, int64Type = 1, 7
	irVersion, opset       = 8, 17
)

// builder collects a graph in ONNX's messages; weights are streamed when it is
// written.
type builder struct {
	name       string
	graph      proto.Message
	parameters int
	count      map[string]int
	data       *externalData // nil: weights lie in the model
	size       largeSize     // of the large transformer
}

func newBuilder(name string) *builder {
	return &builder{name: name, count: map[string]int{}, size: largeDefault}
}

// fresh returns a name that is used once.
func (b *builder) fresh(kind string) string {
	b.count[kind]++
	return fmt.Sprintf("%s_%d", kind, b.count[kind])
}

// attr is an attribute: an int, []int, float32 or string.
type attr struct {
	name  string
	value any
}

// node appends an operator with one output and returns the output's name.
func (b *builder) node(op string, in []string, attrs ...attr) string {
	out := b.fresh(op)
	b.nodeTo(op, in, out, attrs...)
	return out
}

func (b *builder) nodeTo(op string, in []string, out string, attrs ...attr) {
	var n proto.Message
	for _, s := range in {
		n.String(1, s)
	}
	n.String(2, out)
	n.String(3, "/"+out)
	n.String(4, op)
	for _, a := range attrs {
		var m proto.Message
		m.String(1, a.name)
		switch v := a.value.(type) {
		case int:
			m.Varint(3, uint64(v))
			m.Varint(20, 2)
		case float32:
			m.Fixed32(2, math.Float32bits(v))
			m.Varint(20, 1)
		case []int:
			for _, i := range v {
				m.Varint(8, uint64(i))
			}
			m.Varint(20, 7)
		case string:
			m.String(4, v)
			m.Varint(20, 3)
		}
		n.Message(5, &m)
	}
	b.graph.Message(1, &n)
}

// value writes a graph input or output; a negative dimension is "batch".
func (b *builder) value(field int, name string, elem uint64, dims ...int) {
	all := make([]any, len(dims))
	for i, d := range dims {
		if all[i] = d; d < 0 {
			all[i] = "batch"
		}
	}
	b.symbolic(field, name, elem, all...)
}

// symbolic is value for dimensions that are an int or the string that names an
// open one.
func (b *builder) symbolic(field int, name string, elem uint64, dims ...any) {
	var shape proto.Message
	for _, d := range dims {
		var m proto.Message
		switch d := d.(type) {
		case string:
			m.String(2, d)
		case int:
			m.Varint(1, uint64(d))
		}
		shape.Message(1, &m)
	}
	var tensor, typ, v proto.Message
	tensor.Varint(1, elem)
	tensor.Message(2, &shape)
	typ.Message(1, &tensor)
	v.String(1, name)
	v.Message(2, &typ)
	if field == 11 {
		b.graph.Message(11, &v)
	} else {
		b.graph.Message(12, &v)
	}
}

// random is a tensor whose elements are mean + spread·noise, noise being normal
// or uniform in [-1, 1], drawn from a generator seeded by its name.
type random struct {
	name         string
	n            int
	mean, spread float64
	uniform      bool
}

func (r random) Len() int64 { return int64(4 * r.n) }

func (r random) WriteTo(w io.Writer) (int64, error) {
	h := fnv.New64a()
	io.WriteString(h, r.name)
	g := rand.New(rand.NewPCG(h.Sum64(), 20261123))
	buf := make([]byte, 0, 1<<16)
	var total int64
	flush := func() error {
		k, err := w.Write(buf)
		total += int64(k)
		buf = buf[:0]
		return err
	}
	for range r.n {
		noise := g.NormFloat64()
		if r.uniform {
			noise = 2*g.Float64() - 1
		}
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(float32(r.mean+float64(r.spread*noise))))
		if len(buf) == cap(buf) {
			if err := flush(); err != nil {
				return total, err
			}
		}
	}
	return total, flush()
}

// weight adds a float32 initializer and returns its name.
func (b *builder) weight(kind string, mean, spread float64, uniform bool, dims ...int) string {
	name := b.fresh(kind)
	n := 1
	shape := make([]uint64, len(dims))
	for i, d := range dims {
		n *= d
		shape[i] = uint64(d)
	}
	b.parameters += n
	var t proto.Message
	t.PackedVarints(1, shape)
	t.Varint(2, float32Type)
	t.String(8, name)
	r := random{b.name + name, n, mean, spread, uniform}
	if b.data != nil && r.Len() >= externalFrom {
		b.data.add(&t, r)
	} else {
		t.Payload(9, r)
	}
	b.graph.Message(5, &t)
	return name
}

// ints adds an int64 initializer, which is no parameter.
func (b *builder) ints(vals ...int) string {
	name := b.fresh("const")
	var t proto.Message
	t.PackedVarints(1, []uint64{uint64(len(vals))})
	t.Varint(2, int64Type)
	raw := make([]byte, 0, 8*len(vals))
	for _, v := range vals {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	t.String(8, name)
	t.Bytes(9, raw)
	b.graph.Message(5, &t)
	return name
}

// scalarInt adds an int64 constant without dimensions.
func (b *builder) scalarInt(v int) string {
	name := b.fresh("const")
	var t proto.Message
	t.Varint(2, int64Type)
	t.String(8, name)
	t.Bytes(9, binary.LittleEndian.AppendUint64(nil, uint64(v)))
	b.graph.Message(5, &t)
	return name
}

// scalar adds a float32 constant, which is no parameter.
func (b *builder) scalar(v float32) string {
	name := b.fresh("const")
	var t proto.Message
	t.Varint(2, float32Type)
	t.String(8, name)
	t.Bytes(9, binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	b.graph.Message(5, &t)
	return name
}

func (b *builder) write(path string) error {
	b.graph.String(2, b.name)
	var m, id proto.Message
	m.Varint(1, irVersion)
	m.String(2, "octavo bench/models")
	m.Message(7, &b.graph)
	id.String(1, "")
	id.Varint(2, opset)
	m.Message(8, &id)
	if err := b.writeData(path); err != nil {
		return err
	}
	return writeFile(path, &m)
}

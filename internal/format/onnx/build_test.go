package onnx_test

import (
	"bytes"
	"io"
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of TensorProto.DataType that tests use.
const (
	f32 = 1
	i64 = 7
)

// field adds to a message.
type field func(m *proto.Message)

func message(fields ...field) *proto.Message {
	m := &proto.Message{}
	for _, f := range fields {
		f(m)
	}
	return m
}

func text(num protowire.Number, s string) field {
	return func(m *proto.Message) { m.String(num, s) }
}

func varint(num protowire.Number, v int64) field {
	return func(m *proto.Message) { m.Varint(num, uint64(v)) }
}

func sub(num protowire.Number, fields ...field) field {
	return func(m *proto.Message) { m.Message(num, message(fields...)) }
}

// A graph's parts.

func node(typ string, in, out []string, attrs ...field) field {
	return func(m *proto.Message) {
		n := &proto.Message{}
		for _, s := range in {
			n.String(1, s)
		}
		for _, s := range out {
			n.String(2, s)
		}
		n.String(3, "the_"+typ)
		n.String(4, typ)
		for _, a := range attrs {
			a(n)
		}
		m.Message(1, n)
	}
}

func names(s ...string) []string { return s }

func attr(name string, typ int64, value ...field) field {
	return sub(5, append([]field{text(1, name), varint(20, typ)}, value...)...)
}

func intAttr(name string, v int64) field { return attr(name, 2, varint(3, v)) }

func floatAttr(name string, v float32) field {
	return attr(name, 1, func(m *proto.Message) { m.Fixed32(2, math.Float32bits(v)) })
}

func textAttr(name, v string) field { return attr(name, 3, text(4, v)) }

func intsAttr(name string, vs ...int64) field {
	return attr(name, 7, func(m *proto.Message) {
		for _, v := range vs {
			m.Varint(8, uint64(v))
		}
	})
}

func floatsAttr(name string, vs ...float32) field {
	return attr(name, 6, func(m *proto.Message) {
		for _, v := range vs {
			m.Fixed32(7, math.Float32bits(v))
		}
	})
}

func graphAttr(name string, parts ...field) field { return attr(name, 5, sub(6, parts...)) }

// constant is an initializer of float32.
func constant(name string, vals []float32, dims ...int64) field {
	return sub(5, tensorFields(name, vals, dims)...)
}

func tensorFields(name string, vals []float32, dims []int64) []field {
	fs := []field{varint(2, f32), text(8, name)}
	for _, d := range dims {
		fs = append(fs, varint(1, d))
	}
	return append(fs, func(m *proto.Message) { m.Bytes(9, tensor.FromSlice(vals, len(vals)).Bytes()) })
}

func value(num protowire.Number, name string, typ int64, dims ...int64) field {
	var shape []field
	for _, d := range dims {
		shape = append(shape, sub(1, varint(1, d)))
	}
	return sub(num, text(1, name), sub(2, sub(1, varint(1, typ), sub(2, shape...))))
}

func input(name string, typ int64, dims ...int64) field  { return value(11, name, typ, dims...) }
func output(name string, typ int64, dims ...int64) field { return value(12, name, typ, dims...) }

// bare is an output of unknown type.
func bare(name string) field { return sub(12, text(1, name)) }

// opset is an opset_import.
func opset(domain string, v int64) field { return sub(8, text(1, domain), varint(2, v)) }

// model is a whole file of an ai.onnx version.
func model(version int64, parts ...field) []byte {
	return file(varint(1, 8), opset("", version), sub(7, parts...))
}

func file(fields ...field) []byte { return bytesOf(message(fields...)) }

func bytesOf(w io.WriterTo) []byte {
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, b []byte) *ir.Graph {
	t.Helper()
	m, err := onnx.Decode(format.FromBytes("model", b))
	if err != nil {
		t.Fatal(err)
	}
	return m.Graph
}

func encode(t testing.TB, g *ir.Graph, version int) []byte {
	t.Helper()
	enc, err := onnx.Encode(g, format.EncodeOptions{Opset: version, Name: "model.onnx", Producer: "octavo"})
	if err != nil {
		t.Fatal(err)
	}
	b := bytesOf(enc.Main)
	if int64(len(b)) != enc.Main.Size {
		t.Errorf("the file has %d bytes, and %d were announced", len(b), enc.Main.Size)
	}
	return b
}

// evaluate infers and runs a graph.
func evaluate(t testing.TB, g *ir.Graph, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	out, err := ir.Eval(g, op.Of(in...))
	if err != nil {
		t.Fatal(err)
	}
	ts := make([]*tensor.Tensor, len(out))
	for i, d := range out {
		ts[i] = d.Tensor
	}
	return ts
}

// operators lists the names of a graph's operators, in order.
func operators(g *ir.Graph) []string {
	var out []string
	for _, n := range g.Nodes {
		out = append(out, n.Op.Name())
	}
	return out
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// onnx OUT TEXT writes the ONNX model that a text file describes, one thing a
// line:
//
//	input|output NAME TYPE DIM...      a DIM that is no number is free
//	const NAME TYPE DIM... FILL        FILL as in npy
//	external NAME TYPE DIM... FILE     a constant in a file beside the model
//	node NAME [DOMAIN:]OP IN... -> OUT... ATTRIBUTE=INT[,INT]... ATTRIBUTE=@GRAPH
//	graph NAME ... end                 a body, before the nodes that have it
//	function DOMAIN:NAME IN... -> OUT... ... end
//	opset VERSION                      17 if not said
//	import DOMAIN VERSION
//
// Types are those of npy, and b1. Nothing is checked: most such models are
// broken.
func makeModel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: onnx OUT TEXT")
	}
	b, err := buildModel(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// modelText is a text as it is read.
type modelText struct {
	lines  [][]string
	bodies map[string]*proto.Message
	model  proto.Message
	opset  uint64
}

func buildModel(text string) ([]byte, error) {
	m := modelText{bodies: map[string]*proto.Message{}, opset: 17}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			m.lines = append(m.lines, words)
		}
	}
	g, err := m.graph("graph")
	if err != nil {
		return nil, err
	}
	m.model.Varint(1, 8)
	m.model.Message(7, g)
	m.imports("", m.opset)
	var b bytes.Buffer
	_, err = m.model.WriteTo(&b)
	return b.Bytes(), err
}

func (m *modelText) imports(domain string, version uint64) {
	var o proto.Message
	o.String(1, domain)
	o.Varint(2, version)
	m.model.Message(8, &o)
}

// graph reads lines up to the end of a graph.
func (m *modelText) graph(name string) (*proto.Message, error) {
	var g proto.Message
	for len(m.lines) > 0 {
		words := m.lines[0]
		m.lines = m.lines[1:]
		var err error
		var part *proto.Message
		switch words[0] {
		case "end":
			g.String(2, name)
			return &g, nil
		case "input":
			g.Message(11, valueInfo(words[1:]))
		case "output":
			g.Message(12, valueInfo(words[1:]))
		case "const", "external":
			if part, err = constant(words[1:], words[0] == "external"); err == nil {
				g.Message(5, part)
			}
		case "node":
			if part, err = m.node(words[1:]); err == nil {
				g.Message(1, part)
			}
		case "graph":
			m.bodies[words[1]], err = m.graph(words[1])
		case "function":
			err = m.function(words[1:])
		case "opset":
			m.opset, err = strconv.ParseUint(words[1], 10, 63)
		case "import":
			var version uint64
			version, err = strconv.ParseUint(words[2], 10, 63)
			m.imports(words[1], version)
		default:
			err = fmt.Errorf("unknown word %q", words[0])
		}
		if err != nil {
			return nil, err
		}
	}
	g.String(2, name)
	return &g, nil
}

// function reads the nodes of a function of the model.
func (m *modelText) function(words []string) error {
	var f, o proto.Message
	domain, name, _ := strings.Cut(words[0], ":")
	f.String(1, name)
	outputs := false
	for _, w := range words[1:] {
		switch {
		case w == "->":
			outputs = true
		case outputs:
			f.String(5, w)
		default:
			f.String(4, w)
		}
	}
	for len(m.lines) > 0 {
		words := m.lines[0]
		m.lines = m.lines[1:]
		if words[0] == "end" {
			break
		}
		n, err := m.node(words[1:])
		if err != nil {
			return err
		}
		f.Message(7, n)
	}
	o.String(1, "")
	o.Varint(2, m.opset)
	f.Message(9, &o)
	f.String(10, domain)
	m.model.Message(25, &f)
	return nil
}

// elemTypes are TensorProto.DataType of the types of npy.
var elemTypes = map[string]uint64{"c8": 14, "f2": 10, "f4": 1, "f8": 11, "i8": 7, "u1": 2, "b1": 9}

func valueInfo(words []string) *proto.Message {
	var v, typ, tensor, shape proto.Message
	for _, w := range words[2:] {
		var dim proto.Message
		if n, err := strconv.ParseUint(w, 10, 63); err == nil {
			dim.Varint(1, n)
		} else {
			dim.String(2, w)
		}
		shape.Message(1, &dim)
	}
	tensor.Varint(1, elemTypes[words[1]])
	tensor.Message(2, &shape)
	typ.Message(1, &tensor)
	v.String(1, words[0])
	v.Message(2, &typ)
	return &v
}

func constant(words []string, external bool) (*proto.Message, error) {
	var t proto.Message
	n := 1
	last := len(words) - 1
	for _, w := range words[2:last] {
		d, err := strconv.Atoi(w)
		if err != nil {
			return nil, err
		}
		t.Varint(1, uint64(d))
		n *= d
	}
	t.Varint(2, elemTypes[words[1]])
	t.String(8, words[0])
	if external {
		var location proto.Message
		location.String(1, "location")
		location.String(2, words[last])
		t.Message(13, &location)
		t.Varint(14, 1)
		return &t, nil
	}
	values, err := fill(words[last], n)
	if err != nil {
		return nil, err
	}
	typ := words[1]
	if typ == "b1" {
		typ = "u1"
	}
	data, err := encode(typ, values)
	t.Bytes(9, data)
	return &t, err
}

func (m *modelText) node(words []string) (*proto.Message, error) {
	var n proto.Message
	n.String(3, words[0])
	domain, op, ok := strings.Cut(words[1], ":")
	if !ok {
		domain, op = "", domain
	}
	n.String(4, op)
	n.String(7, domain)
	field := 1
	for _, w := range words[2:] {
		name, values, isAttr := strings.Cut(w, "=")
		switch {
		case w == "->":
			field = 2
		case !isAttr && field == 1:
			n.String(1, w)
		case !isAttr:
			n.String(2, w)
		default:
			a, err := m.attribute(name, values)
			if err != nil {
				return nil, err
			}
			n.Message(5, a)
		}
	}
	return &n, nil
}

// attribute is an INT, INTS where values holds a comma, or a graph behind @.
func (m *modelText) attribute(name, values string) (*proto.Message, error) {
	var a proto.Message
	a.String(1, name)
	if body, ok := strings.CutPrefix(values, "@"); ok {
		g := m.bodies[body]
		if g == nil {
			return nil, fmt.Errorf("no graph %q above", body)
		}
		a.Message(6, g)
		a.Varint(20, 5)
		return &a, nil
	}
	list := strings.Split(values, ",")
	for _, s := range list {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, err
		}
		if len(list) == 1 {
			a.Varint(3, uint64(v))
			a.Varint(20, 2)
			return &a, nil
		}
		a.Varint(8, uint64(v))
	}
	a.Varint(20, 7)
	return &a, nil
}

package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/octavo-ml/octavo/internal/wire/npy"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// npy OUT f4|f8|i8|i1|u1 SHAPE FILL writes an array. SHAPE is 8,4 or - for none;
// FILL is a number, ramp (0, 1/16 ... 1 repeated), grow (0 ... 1 once) or mod:K
// (0 ... K-1 repeated), and then maybe ,INDEX=NUMBER for one element.
func makeArray(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: npy OUT TYPE SHAPE FILL")
	}
	var shape []int
	n := 1
	if args[2] != "-" {
		for s := range strings.SplitSeq(args[2], ",") {
			d, err := strconv.Atoi(s)
			ts.Check(err)
			shape = append(shape, d)
			n *= d
		}
	}
	values, err := fill(args[3], n)
	ts.Check(err)
	data, err := encode(args[1], values)
	ts.Check(err)
	order := "<"
	if args[1] == "u1" || args[1] == "i1" {
		order = "|"
	}
	var b bytes.Buffer
	ts.Check(npy.Write(&b, order+args[1], shape, data))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

func fill(rule string, n int) ([]float64, error) {
	rule, poke, poked := strings.Cut(rule, ",")
	values := make([]float64, n)
	k, err := strconv.Atoi(strings.TrimPrefix(rule, "mod:"))
	mod := err == nil && strings.HasPrefix(rule, "mod:")
	for i := range values {
		switch {
		case rule == "ramp":
			values[i] = float64(i%17) / 16
		case rule == "grow":
			values[i] = float64(i) / float64(n)
		case mod:
			values[i] = float64(i % k)
		default:
			if values[i], err = strconv.ParseFloat(rule, 64); err != nil {
				return nil, err
			}
		}
	}
	if poked {
		at, value, _ := strings.Cut(poke, "=")
		i, err := strconv.Atoi(at)
		if err != nil {
			return nil, err
		}
		if values[i], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func encode(typ string, values []float64) ([]byte, error) {
	var b []byte
	for _, v := range values {
		switch typ {
		case "f4":
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		case "f8":
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		case "i8":
			b = binary.LittleEndian.AppendUint64(b, uint64(int64(v)))
		case "i1":
			b = append(b, uint8(int8(v)))
		case "u1":
			b = append(b, uint8(v))
		default:
			return nil, fmt.Errorf("type %q is not f4, f8, i8, i1 or u1", typ)
		}
	}
	return b, nil
}

// npz OUT NAME=FILE.npy... packs arrays into an archive.
func makeArchive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: npz OUT NAME=FILE.npy...")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	z := zip.NewWriter(f)
	for _, a := range args[1:] {
		name, file, _ := strings.Cut(a, "=")
		b, err := os.ReadFile(ts.MkAbs(file))
		ts.Check(err)
		w, err := z.Create(name + ".npy")
		ts.Check(err)
		_, err = w.Write(b)
		ts.Check(err)
	}
	ts.Check(z.Close())
}

// onnx OUT TEXT writes the ONNX model that a text file describes, one thing a
// line:
//
//	input|output NAME TYPE DIM...      a DIM that is no number is free
//	const NAME TYPE DIM... FILL        FILL as in npy
//	node NAME [DOMAIN:]OP IN... -> OUT... ATTRIBUTE=INT[,INT]...
//
// Types are those of npy. Nothing is checked: most such models are broken.
func makeModel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: onnx OUT TEXT")
	}
	b, err := buildModel(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

func buildModel(text string) ([]byte, error) {
	var g, m, opset proto.Message
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var err error
		switch words[0] {
		case "input":
			g.Message(11, valueInfo(words[1:]))
		case "output":
			g.Message(12, valueInfo(words[1:]))
		case "const":
			var t *proto.Message
			if t, err = constant(words[1:]); err == nil {
				g.Message(5, t)
			}
		case "node":
			var n *proto.Message
			if n, err = node(words[1:]); err == nil {
				g.Message(1, n)
			}
		default:
			err = fmt.Errorf("unknown word %q", words[0])
		}
		if err != nil {
			return nil, err
		}
	}
	g.String(2, "graph")
	opset.Varint(2, 17)
	m.Varint(1, 8)
	m.Message(7, &g)
	m.Message(8, &opset)
	var b bytes.Buffer
	_, err := m.WriteTo(&b)
	return b.Bytes(), err
}

// elemTypes are TensorProto.DataType of the types of npy.
var elemTypes = map[string]uint64{"c8": 14, "f2": 10, "f4": 1, "f8": 11, "i8": 7, "u1": 2}

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

func constant(words []string) (*proto.Message, error) {
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
	values, err := fill(words[last], n)
	if err != nil {
		return nil, err
	}
	data, err := encode(words[1], values)
	t.Varint(2, elemTypes[words[1]])
	t.String(8, words[0])
	t.Bytes(9, data)
	return &t, err
}

func node(words []string) (*proto.Message, error) {
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
			a, err := attribute(name, values)
			if err != nil {
				return nil, err
			}
			n.Message(5, a)
		}
	}
	return &n, nil
}

// attribute is an INT, or INTS where values holds a comma.
func attribute(name, values string) (*proto.Message, error) {
	var a proto.Message
	a.String(1, name)
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

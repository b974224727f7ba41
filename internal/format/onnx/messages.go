package onnx

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// The messages of onnx.proto as far as the door reads them. Byte fields alias
// the mapped file. Fields that are not read are kept raw, in order.

// maxDepth bounds the nesting of types and attributes, maxNested that of graphs,
// and maxBodies the graphs of one node: each gets what any of them reads of the
// graph around it.
const (
	maxDepth  = 64
	maxNested = 16
	maxBodies = 8
)

var errTooDeep = fmt.Errorf("graphs are nested too deep, more than %d", maxNested)

type modelProto struct {
	irVersion int64
	opsets    map[string]int64
	meta      [][2]string
	graph     []byte
	functions [][]byte // FunctionProto bodies
	training  bool
	keep      []byte // domain, model_version, doc_string and what is unknown
}

type graphProto struct {
	name                      string
	nodes                     []nodeProto
	inits                     []tensorProto
	inputs, outputs, declared []valueProto
	sparse                    int
	keep                      []byte
}

type nodeProto struct {
	name, op, domain, overload string
	in, out                    []string
	attrs                      []attrProto
	keep                       []byte
	opset                      int64 // that it is written in, 0: the model's
}

type attrProto struct {
	name    string
	typ     int64
	f       float32
	i       int64
	s       []byte
	t       []byte
	g       []byte
	floats  []float32
	ints    []int64
	strings []string
	ref     string
	raw     []byte      // the whole field, tag included
	graph   *graphProto // g, where it is parsed already
	renamed bool        // raw has another name
}

type tensorProto struct {
	name     string
	dims     []int64
	typ      int64
	raw      []byte
	hasRaw   bool
	floats   []float32
	int32s   []int64
	int64s   []int64
	doubles  []float64
	uint64s  []uint64
	text     []string
	external map[string]string
	location int64
}

type valueProto struct {
	name string
	typ  []byte
	keep []byte
}

// Attribute type numbers (AttributeProto.AttributeType).
const (
	attrFloat, attrInt, attrString, attrTensor, attrGraph = 1, 2, 3, 4, 5
	attrFloats, attrInts, attrStrings                     = 6, 7, 8
)

func parseModel(b []byte) (*modelProto, error) {
	m := &modelProto{opsets: map[string]int64{}}
	for f, err := range proto.Fields(b) {
		if err != nil {
			return nil, err
		}
		switch f.Num {
		case 1:
			m.irVersion = int64(f.Val)
		case 2, 3: // producer: replaced when written
		case 7:
			m.graph = f.Bytes
		case 8:
			domain, version, err := parseOpset(f.Bytes)
			if err != nil {
				return nil, fmt.Errorf("opset_import: %w", err)
			}
			m.opsets[domain] = version
		case 14:
			k, v, err := parsePair(f.Bytes)
			if err != nil {
				return nil, fmt.Errorf("metadata_props: %w", err)
			}
			m.meta = append(m.meta, [2]string{k, v})
		case 20:
			m.training = true
		case 25:
			m.functions = append(m.functions, f.Bytes)
		default:
			m.keep = append(m.keep, f.Raw...)
		}
	}
	return m, nil
}

// parseOpset reads an OperatorSetIdProto.
func parseOpset(b []byte) (domain string, version int64, err error) {
	for f, err := range proto.Fields(b) {
		if err != nil {
			return "", 0, err
		}
		switch f.Num {
		case 1:
			domain = string(f.Bytes)
		case 2:
			version = int64(f.Val)
		}
	}
	return canonicalDomain(domain), version, nil
}

func canonicalDomain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}

// parsePair reads a StringStringEntryProto.
func parsePair(b []byte) (key, value string, err error) {
	for f, err := range proto.Fields(b) {
		if err != nil {
			return "", "", err
		}
		switch f.Num {
		case 1:
			key = string(f.Bytes)
		case 2:
			value = string(f.Bytes)
		}
	}
	return key, value, nil
}

func parseGraph(b []byte) (*graphProto, error) {
	g := &graphProto{}
	for f, err := range proto.Fields(b) {
		if err != nil {
			return nil, err
		}
		switch f.Num {
		case 1:
			n, err := parseNode(f.Bytes)
			if err != nil {
				return nil, fmt.Errorf("node %d: %w", len(g.nodes), err)
			}
			g.nodes = append(g.nodes, n)
		case 2:
			g.name = string(f.Bytes)
		case 5:
			t, err := parseTensor(f.Bytes)
			if err != nil {
				return nil, fmt.Errorf("initializer %d: %w", len(g.inits), err)
			}
			g.inits = append(g.inits, t)
		case 11, 12, 13:
			v, err := parseValue(f.Bytes)
			if err != nil {
				return nil, fmt.Errorf("value: %w", err)
			}
			switch f.Num {
			case 11:
				g.inputs = append(g.inputs, v)
			case 12:
				g.outputs = append(g.outputs, v)
			default:
				g.declared = append(g.declared, v)
			}
		case 14: // quantization_annotation: of another tool's parameters
		case 15:
			g.sparse++
		default:
			g.keep = append(g.keep, f.Raw...)
		}
	}
	return g, nil
}

func parseNode(b []byte) (n nodeProto, err error) {
	for f, err := range proto.Fields(b) {
		if err != nil {
			return n, err
		}
		switch f.Num {
		case 1:
			n.in = append(n.in, string(f.Bytes))
		case 2:
			n.out = append(n.out, string(f.Bytes))
		case 3:
			n.name = string(f.Bytes)
		case 4:
			n.op = string(f.Bytes)
		case 5:
			a, err := parseAttr(f.Bytes)
			if err != nil {
				return n, fmt.Errorf("attribute %q: %w", a.name, err)
			}
			a.raw = f.Raw
			n.attrs = append(n.attrs, a)
		case 7:
			n.domain = canonicalDomain(string(f.Bytes))
		case 8:
			n.overload = string(f.Bytes)
		default:
			n.keep = append(n.keep, f.Raw...)
		}
	}
	return n, nil
}

func parseAttr(b []byte) (a attrProto, err error) {
	for f, err := range proto.Fields(b) {
		if err != nil {
			return a, err
		}
		switch f.Num {
		case 1:
			a.name = string(f.Bytes)
		case 2:
			a.f = math.Float32frombits(uint32(f.Val))
			a.guess(attrFloat)
		case 3:
			a.i = int64(f.Val)
			a.guess(attrInt)
		case 4:
			a.s = f.Bytes
			a.guess(attrString)
		case 5:
			a.t = f.Bytes
			a.guess(attrTensor)
		case 6:
			a.g = f.Bytes
			a.guess(attrGraph)
		case 7:
			if a.floats, err = proto.AppendFloat32s(a.floats, f); err != nil {
				return a, err
			}
			a.guess(attrFloats)
		case 8:
			if a.ints, err = proto.AppendInt64s(a.ints, f); err != nil {
				return a, err
			}
			a.guess(attrInts)
		case 9:
			a.strings = append(a.strings, string(f.Bytes))
			a.guess(attrStrings)
		case 20:
			a.typ = int64(f.Val)
		case 21:
			a.ref = string(f.Bytes)
		}
	}
	return a, nil
}

// guess sets the type of an attribute from the field that holds it, for files
// of IR version 1, which do not state it.
func (a *attrProto) guess(typ int64) {
	if a.typ == 0 {
		a.typ = typ
	}
}

// body returns the graph of a graph attribute.
func (a *attrProto) body() (*graphProto, error) {
	if a.graph != nil {
		return a.graph, nil
	}
	return parseGraph(a.g)
}

func parseTensor(b []byte) (t tensorProto, err error) {
	for f, err := range proto.Fields(b) {
		if err != nil {
			return t, err
		}
		switch f.Num {
		case 1:
			t.dims, err = proto.AppendInt64s(t.dims, f)
		case 2:
			t.typ = int64(f.Val)
		case 3:
			err = fmt.Errorf("tensor %q is stored in segments", t.name)
		case 4:
			t.floats, err = proto.AppendFloat32s(t.floats, f)
		case 5:
			t.int32s, err = proto.AppendInt64s(t.int32s, f)
		case 6:
			t.text = append(t.text, string(f.Bytes))
		case 7:
			t.int64s, err = proto.AppendInt64s(t.int64s, f)
		case 8:
			t.name = string(f.Bytes)
		case 9:
			t.raw, t.hasRaw = f.Bytes, true
		case 10:
			t.doubles, err = proto.AppendFloat64s(t.doubles, f)
		case 11:
			t.uint64s, err = proto.AppendUint64s(t.uint64s, f)
		case 13:
			var k, v string
			if k, v, err = parsePair(f.Bytes); err == nil {
				if t.external == nil {
					t.external = map[string]string{}
				}
				t.external[k] = v
			}
		case 14:
			t.location = int64(f.Val)
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

func parseValue(b []byte) (v valueProto, err error) {
	for f, err := range proto.Fields(b) {
		if err != nil {
			return v, err
		}
		switch f.Num {
		case 1:
			v.name = string(f.Bytes)
		case 2:
			v.typ = f.Bytes
		default:
			v.keep = append(v.keep, f.Raw...)
		}
	}
	return v, nil
}

package tflite

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// What the parts of a file take in memory, at least.
const (
	tensorCost   = 200
	operatorCost = 200
)

// maxRank bounds the dimensions of a tensor; kernels take at most 8.
const maxRank = 32

// file is a model as it is written, without its data.
type file struct {
	buf     *flatbuf.Buffer
	codes   []opCode
	graphs  []*subgraph
	buffers flatbuf.Vector
	root    flatbuf.Table
}

type opCode struct {
	code    int
	custom  string
	version int
}

type subgraph struct {
	name            string
	tensors         []tensorInfo
	inputs, outputs []int
	operators       []operator
}

type tensorInfo struct {
	name      string
	typ       byte
	shape     []int
	signature []int // as long as shape, or nil
	buffer    int
	variable  bool
	table     flatbuf.Table
}

type operator struct {
	opCode
	index         int
	in, out       []int
	intermediates []int
	optionsType   byte
	options       flatbuf.Table
	table         flatbuf.Table
}

// parse reads everything but data, quantization and options.
func parse(b []byte) (*file, error) {
	buf, err := flatbuf.Open(b, identifier)
	if err != nil {
		return nil, err
	}
	f := &file{buf: buf, root: buf.Root()}
	if v := f.root.Int32(modelVersion, 0); buf.Err() == nil && v != 3 {
		return nil, fmt.Errorf("schema version %d, want 3", v)
	}
	codes := f.root.Vector(modelCodes, 4)
	for i := range codes.Len() {
		if !buf.Spend(operatorCost) {
			break
		}
		t := codes.Table(i)
		old, now := int(int8(t.Byte(codeDeprecated, 0))), int(t.Int32(codeBuiltin, 0))
		f.codes = append(f.codes, opCode{max(old, now), t.String(codeCustomName), int(t.Int32(codeVersion, 1))})
	}
	f.buffers = f.root.Vector(modelBuffers, 4)
	graphs := f.root.Vector(modelGraphs, 4)
	for i := range graphs.Len() {
		if !buf.Spend(operatorCost) {
			break
		}
		g, err := f.subgraph(graphs.Table(i))
		if err != nil {
			return nil, fmt.Errorf("subgraph %d: %w", i, err)
		}
		f.graphs = append(f.graphs, g)
	}
	if err := buf.Err(); err != nil {
		return nil, err
	}
	if len(f.graphs) == 0 {
		return nil, fmt.Errorf("it has no subgraph")
	}
	return f, nil
}

func (f *file) subgraph(t flatbuf.Table) (*subgraph, error) {
	g := &subgraph{name: t.String(graphName)}
	tensors := t.Vector(graphTensors, 4)
	for i := range tensors.Len() {
		if !f.buf.Spend(tensorCost) {
			break
		}
		x, err := readTensor(tensors.Table(i))
		if err != nil {
			return nil, fmt.Errorf("tensor %d: %w", i, err)
		}
		g.tensors = append(g.tensors, x)
	}
	g.inputs, g.outputs = t.Vector(graphInputs, 4).Ints(), t.Vector(graphOutputs, 4).Ints()
	operators := t.Vector(graphOperators, 4)
	for i := range operators.Len() {
		if !f.buf.Spend(operatorCost) {
			break
		}
		o := operators.Table(i)
		k := int(uint32(o.Int32(operatorCode, 0)))
		if f.buf.Err() == nil && k >= len(f.codes) {
			return nil, fmt.Errorf("operator %d is of code %d, and the file lists %d codes", i, k, len(f.codes))
		}
		if f.buf.Err() != nil {
			break
		}
		g.operators = append(g.operators, operator{
			opCode: f.codes[k], index: i,
			in: o.Vector(operatorInputs, 4).Ints(), out: o.Vector(operatorOutputs, 4).Ints(),
			intermediates: o.Vector(operatorIntermediates, 4).Ints(),
			optionsType:   o.Byte(operatorOptionsType, 0), options: o.Table(operatorOptions), table: o,
		})
	}
	if err := f.buf.Err(); err != nil {
		return nil, err
	}
	check := func(where string, list []int, least int) error {
		for _, i := range list {
			if i < least || i >= len(g.tensors) {
				return fmt.Errorf("%s names tensor %d of %d", where, i, len(g.tensors))
			}
		}
		return nil
	}
	if err := check("the list of inputs", g.inputs, 0); err != nil {
		return nil, err
	}
	if err := check("the list of outputs", g.outputs, 0); err != nil {
		return nil, err
	}
	for i, o := range g.operators {
		name, _ := codeName(o.code)
		for _, list := range [][]int{o.in, o.out, o.intermediates} {
			if err := check(fmt.Sprintf("operator %d (%s)", i, name), list, -1); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

func readTensor(t flatbuf.Table) (tensorInfo, error) {
	x := tensorInfo{
		name: t.String(tensorName), typ: t.Byte(tensorType, 0), buffer: int(uint32(t.Int32(tensorBuffer, 0))),
		variable: t.Bool(tensorVariable, false), table: t,
	}
	shape, signature := t.Vector(tensorShape, 4), t.Vector(tensorSignature, 4)
	if n := max(shape.Len(), signature.Len()); n > maxRank {
		return x, fmt.Errorf("%q has %d dimensions, and at most %d are read", x.name, n, maxRank)
	}
	x.shape, x.signature = shape.Ints(), signature.Ints()
	if len(x.signature) != len(x.shape) {
		x.signature = nil
	}
	for i, d := range x.shape {
		if d < 0 && (x.signature == nil || x.signature[i] >= 0) {
			return x, fmt.Errorf("%q has the shape %v", x.name, x.shape)
		}
	}
	return x, nil
}

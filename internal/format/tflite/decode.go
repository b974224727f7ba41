package tflite

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// decoder is one run of Decode.
type decoder struct {
	src    *format.Source
	f      *file
	g      *ir.Graph
	table  map[string]conversion
	names  namer
	called map[int]bool // the subgraphs that were converted
	custom map[string]int
	warn   []diag.Warning
	// integer says that some operator computes with quantized activations.
	integer bool
	// within are the subgraphs around the one that is being converted.
	within []int
	// left bounds the operators that are converted, as a subgraph may be called
	// from many places.
	left      int
	variables map[string]*variable
	states    []*variable
	starting  bool // inside of a subgraph that sets variables once
}

// keepModel is what the graph keeps of a file that the IR has no words for.
type keepModel struct {
	description string
	key         string // of the signature
	metadata    []metadata
}

type metadata struct {
	name string
	data []byte // in the mapped file
}

// keepNode says which operator of the file a custom one was.
type keepNode struct {
	opCode
	options []byte
}

// maxNested bounds how deep subgraphs call each other.
const maxNested = 16

// Decode reads a model of schema version 3. The first subgraph is the model;
// those that its operators call become bodies, or are written where they are
// called. Constants stay in the mapped file. Operators without a conversion are
// carried as op.Custom and reported by a warning.
func Decode(src *format.Source) (*format.Model, error) {
	m, err := decode(src)
	if err == nil {
		return m, nil
	}
	var fe *diag.FormatError
	var ue *diag.UnsupportedError
	if errors.As(err, &fe) || errors.As(err, &ue) {
		return nil, err
	}
	return nil, &diag.FormatError{Where: src.Path, Msg: err.Error()}
}

func decode(src *format.Source) (*format.Model, error) {
	f, err := parse(src.Main.Bytes())
	if err != nil {
		return nil, fmt.Errorf("not a TensorFlow Lite model, or a broken one: %w", err)
	}
	d := &decoder{src: src, f: f, g: &ir.Graph{}, table: conversions, names: namer{}, called: map[int]bool{}, custom: map[string]int{}, variables: map[string]*variable{}}
	for _, g := range f.graphs {
		d.left += len(g.operators)
	}
	d.left = 1<<12 + 8*d.left
	keep, names, err := d.about()
	if err != nil {
		return nil, err
	}
	if err := d.main(names); err != nil {
		return nil, err
	}
	if d.g.Keep = keep; d.integer {
		d.g.Arithmetic = ir.TFLite
	}
	if err := f.buf.Err(); err != nil {
		return nil, err
	}
	if err := ir.Verify(d.g); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(d.custom)) {
		d.warn = append(d.warn, diag.Warning{ID: "OCT001", Msg: fmt.Sprintf("operator %s (%d nodes) is unknown: it is carried through unchanged and cannot be run or quantized", name, d.custom[name])})
	}
	if n := len(f.graphs) - len(d.called); n > 0 {
		d.warn = append(d.warn, diag.Warning{ID: "OCT013", Msg: fmt.Sprintf("%d subgraphs that the first one does not call are left out", n)})
	}
	return &format.Model{Graph: d.g, Warnings: d.warn}, nil
}

// main converts the first subgraph. names are what a signature calls tensors.
func (d *decoder) main(names signature) error {
	sub := d.f.graphs[0]
	d.g.Name = sub.name
	// The names of inputs and outputs come first: they are what users type.
	given := map[int]string{}
	for _, list := range []struct {
		tensors []int
		names   map[int]string
	}{{sub.outputs, names.outputs}, {sub.inputs, names.inputs}} {
		for _, i := range list.tensors {
			if name := list.names[i]; name != "" && !d.names.taken(name) {
				given[i] = d.names.name(name)
			}
		}
	}
	s := d.scope(0, d.g, given)
	d.within = append(d.within, 0)
	for _, i := range sub.inputs {
		if s.stored[i] != nil {
			return fmt.Errorf("input %q is given twice", sub.tensors[i].name)
		}
		f, err := d.fact(&sub.tensors[i], s.names[i])
		if err != nil {
			return err
		}
		s.stored[i] = &ir.Value{Name: s.names[i], Fact: f}
		d.g.Inputs = append(d.g.Inputs, s.stored[i])
	}
	if err := s.convert(); err != nil {
		return err
	}
	for _, i := range sub.outputs {
		v, err := s.result(i)
		if err != nil {
			return err
		}
		d.g.Outputs = append(d.g.Outputs, v)
	}
	return d.finishStates(s)
}

// fact returns what a file declares of a tensor. Dimensions that may change
// have names: the first one is the batch.
func (d *decoder) fact(x *tensorInfo, name string) (op.Fact, error) {
	typ, err := d.elementType(x)
	if err != nil {
		return op.Fact{}, err
	}
	shape := op.Known(x.shape...)
	for i, n := range x.signature {
		switch {
		case n >= 0:
		case i == 0:
			shape[i] = op.Sym("batch")
		default:
			shape[i] = op.Sym(fmt.Sprintf("%s_%d", symbol(name), i))
		}
	}
	return op.TensorFact(typ, shape), nil
}

// symbol makes a name of a dimension of one of a tensor.
func symbol(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			b[i] = '_'
		}
	}
	if len(b) == 0 || b[0] >= '0' && b[0] <= '9' {
		return "d" + string(b)
	}
	return string(b)
}

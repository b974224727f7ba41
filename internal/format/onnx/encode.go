package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// The range of ai.onnx versions that are written.
const (
	lowestWritten  = 13
	highestWritten = 25
)

// protobufLimit is the size above which readers refuse a message (protobuf:
// Encoding, "Message size"); constants move to a companion file before it.
const protobufLimit = math.MaxInt32

type encoder struct {
	opset    int
	domains  map[string]bool
	external *companion
	least    int64 // bytes of a constant that goes to external
	warn     []diag.Warning
}

// Encode writes g at the opset that o asks for, or the source's (at least 13),
// raised where a type or operator needs more. The IR version is the lowest
// that the opset allows. An operator that the opset lacks is expanded where
// that is possible, and an error that names it and the opset it needs
// otherwise.
func Encode(g *ir.Graph, o format.EncodeOptions) (*format.Encoded, error) {
	opset, err := chooseOpset(g, o.Opset)
	if err != nil {
		return nil, err
	}
	raised, from := "", opset
	for {
		enc, err := encodeAt(g, o, opset)
		var need *needError
		switch {
		case err == nil:
			enc.Raised = raised
			return enc, nil
		case !errors.As(err, &need) || need.opset > highestWritten:
			return nil, err
		case o.Opset != 0:
			return nil, &diag.Error{Kind: diag.Usage, Err: err, Notes: []string{fmt.Sprintf("opset %d would do, and keep raises it by itself", need.opset)}}
		}
		opset = need.opset
		raised = fmt.Sprintf("%d -> %d: %s needs it", from, opset, need.what)
	}
}

// chooseOpset returns the version to try first.
func chooseOpset(g *ir.Graph, asked int) (int, error) {
	if asked != 0 {
		if asked < lowestWritten || asked > highestWritten {
			return 0, fmt.Errorf("onnx: opset %d: versions %d to %d are written", asked, lowestWritten, highestWritten)
		}
		return asked, nil
	}
	if k, ok := g.Keep.(*keepModel); ok {
		return min(max(lowestWritten, int(k.opsets[""])), highestWritten), nil
	}
	return lowestWritten, nil
}

func encodeAt(g *ir.Graph, o format.EncodeOptions, opset int) (*format.Encoded, error) {
	limit := cmp.Or(o.Limit, protobufLimit)
	e := &encoder{opset: opset, domains: map[string]bool{"": true}}
	if !o.External {
		m, err := e.model(g, o)
		if err != nil {
			return nil, err
		}
		if size := m.Size(); size <= limit {
			return &format.Encoded{Main: format.Part{Size: size, WriterTo: m}, Warnings: e.warn}, nil
		}
	}
	e = &encoder{opset: opset, domains: map[string]bool{"": true},
		external: &companion{name: format.CompanionName(o.Name)}, least: cmp.Or(o.ExternalMin, format.DefaultExternalMin)}
	m, err := e.model(g, o)
	if err != nil {
		return nil, err
	}
	if size := m.Size(); size > limit {
		return nil, fmt.Errorf("onnx: without external data the model has %d bytes, and readers take %d at most; fold its Constant nodes, or lower the size from which constants are external", size, limit)
	}
	out := &format.Encoded{Main: format.Part{Size: m.Size(), WriterTo: m}, Warnings: e.warn}
	if len(e.external.parts) > 0 {
		out.Companions = []format.Part{{Name: e.external.name, Size: e.external.size, WriterTo: e.external}}
	}
	return out, nil
}

func (e *encoder) model(g *ir.Graph, o format.EncodeOptions) (*proto.Message, error) {
	gm, err := e.graph(g, 0, nil)
	if err != nil {
		return nil, err
	}
	var m proto.Message
	m.Varint(1, uint64(irVersion(e.opset)))
	m.String(2, o.Producer)
	m.String(3, o.Version)
	keep, _ := g.Keep.(*keepModel)
	if keep != nil {
		m.Raw(keep.model)
	}
	m.Message(7, gm)
	versions := map[string]int64{}
	if keep != nil {
		maps.Copy(versions, keep.opsets)
	}
	versions[""] = int64(e.opset)
	for d := range e.domains {
		if versions[d] == 0 {
			versions[d] = 1
		}
	}
	for _, d := range slices.Sorted(maps.Keys(versions)) {
		if !e.domains[d] {
			continue // an import that nothing uses
		}
		var id proto.Message
		id.String(1, d)
		id.Varint(2, uint64(versions[d]))
		m.Message(8, &id)
	}
	for _, k := range slices.Sorted(maps.Keys(g.Meta)) {
		m.Message(14, pairMessage(k, g.Meta[k]))
	}
	return &m, nil
}

// irVersion is the lowest that goes with an opset (formats: onnx releases).
func irVersion(opset int) int {
	switch {
	case opset <= 14:
		return 7
	case opset <= 18:
		return 8
	case opset <= 20:
		return 9
	case opset <= 22:
		return 10
	case opset == 23:
		return 11
	case opset == 24:
		return 12
	}
	return 13
}

func pairMessage(k, v string) *proto.Message {
	var m proto.Message
	m.String(1, k)
	m.String(2, v)
	return &m
}

func (e *encoder) graph(g *ir.Graph, captured int, outer *lowering) (*proto.Message, error) {
	lw := newLowering(e.opset, g, outer)
	if err := lw.checkTypes(g); err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	var m proto.Message
	for _, n := range g.Nodes {
		if limit := cellLimit(n.Op); limit.Set {
			e.warn = append(e.warn, diag.Warning{ID: "OCT013", Msg: fmt.Sprintf("the limit %g on the cell state of %s is dropped", limit.Value, n.Label())})
		}
		nodes, err := lw.node(n)
		if err != nil {
			return nil, fmt.Errorf("onnx: %s: %w", n.Label(), err)
		}
		for _, raw := range nodes {
			nm, err := e.node(raw, lw)
			if err != nil {
				return nil, fmt.Errorf("onnx: %s: %w", n.Label(), err)
			}
			m.Message(1, nm)
		}
	}
	m.String(2, g.Name)
	for _, c := range lw.constants() {
		t, err := e.initializer(c)
		if err != nil {
			return nil, err
		}
		m.Message(5, t)
	}
	keep, ok := g.Keep.(*keepModel)
	if !ok {
		keep = &keepModel{}
	}
	m.Raw(keep.graph)
	for _, v := range g.Inputs[:len(g.Inputs)-captured] {
		m.Message(11, valueMessage(v, keep))
	}
	for _, v := range g.Outputs {
		m.Message(12, valueMessage(v, keep))
	}
	for _, v := range g.Values() {
		if v.Const == nil && v.Type != dtype.Invalid && v.Shape != nil && !slices.Contains(g.Inputs, v) && !g.IsOutput(v) {
			m.Message(13, valueMessage(v, keep))
		}
	}
	return &m, nil
}

func valueMessage(v *ir.Value, keep *keepModel) *proto.Message {
	var m proto.Message
	m.String(1, v.Name)
	if v.Type != dtype.Invalid || v.Elem != nil {
		m.Message(2, typeMessage(v.Fact))
	}
	m.Raw(keep.values[v.Name])
	return &m
}

// initializer writes a constant, in place or in the companion file.
func (e *encoder) initializer(v *ir.Value) (*proto.Message, error) {
	t := v.Const
	if e.external == nil || t.Type() == dtype.String || t.Storage().Len() < e.least {
		return tensorMessage(v.Name, t), nil
	}
	off := e.external.add(t)
	var m proto.Message
	tensorHead(&m, v.Name, t)
	m.Message(13, pairMessage("location", e.external.name))
	m.Message(13, pairMessage("offset", fmt.Sprint(off)))
	m.Message(13, pairMessage("length", fmt.Sprint(t.Storage().Len())))
	m.Varint(14, 1)
	return &m, nil
}

func (e *encoder) node(n *node, lw *lowering) (*proto.Message, error) {
	var m proto.Message
	for _, name := range n.in {
		m.String(1, name)
	}
	for _, name := range n.out {
		m.String(2, name)
	}
	m.String(3, n.name)
	m.String(4, n.op)
	for _, a := range n.set {
		am, err := attrMessage(a)
		if err != nil {
			return nil, err
		}
		m.Message(5, am)
	}
	for _, b := range n.bodies {
		gm, err := e.graph(b.graph, b.captured, lw)
		if err != nil {
			return nil, err
		}
		var a proto.Message
		a.String(1, b.attr)
		a.Message(6, gm)
		a.Varint(20, attrGraph)
		m.Message(5, &a)
	}
	if n.domain != "" {
		m.String(7, n.domain)
		e.domains[n.domain] = true
	}
	if n.overload != "" {
		m.String(8, n.overload)
	}
	m.Raw(n.keep)
	return &m, nil
}

func attrMessage(a op.Attr) (*proto.Message, error) {
	var m proto.Message
	m.String(1, a.Name)
	typ := uint64(0)
	switch v := a.Value.(type) {
	case float32:
		m.Fixed32(2, math.Float32bits(v))
		typ = attrFloat
	case int64:
		m.Varint(3, uint64(v))
		typ = attrInt
	case string:
		m.String(4, v)
		typ = attrString
	case *tensor.Tensor:
		m.Message(5, tensorMessage("", v))
		typ = attrTensor
	case []float32:
		for _, f := range v {
			m.Fixed32(7, math.Float32bits(f))
		}
		typ = attrFloats
	case []int64:
		for _, i := range v {
			m.Varint(8, uint64(i))
		}
		typ = attrInts
	case []string:
		for _, s := range v {
			m.String(9, s)
		}
		typ = attrStrings
	default:
		return nil, fmt.Errorf("attribute %q: ONNX has no form for a %T", a.Name, a.Value)
	}
	m.Varint(20, typ)
	return &m, nil
}

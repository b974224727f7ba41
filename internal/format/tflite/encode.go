package tflite

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// Encode writes g, whose spatial operators are channels-last and whose
// quantized regions are op.Quantized, as Form asks. An operator that the format
// has no words for is an UnsupportedError that names it. Constants stream from
// where they lie; those of a model above o.Limit (default 2 GiB) go behind the
// flatbuffer.
func Encode(g *ir.Graph, o format.EncodeOptions) (*format.Encoded, error) {
	if o.External {
		return nil, &diag.UnsupportedError{Where: o.Name, What: "external data", Hint: "a TensorFlow Lite model is one file; leave --external-data out"}
	}
	e := newEncoder(g)
	if err := e.graph(); err != nil {
		return nil, err
	}
	limit := o.Limit
	if limit == 0 {
		limit = outsideFrom
	}
	m, err := e.file(o, limit)
	if err != nil {
		return nil, err
	}
	return &format.Encoded{Main: format.Part{Size: m.size, WriterTo: m}, Warnings: e.warn}, nil
}

// outsideFrom is the size from which data lies behind the flatbuffer: what
// leads to it has offsets of 31 bits.
const outsideFrom = 1<<31 - 1<<20

// model is a file that is ready to be written: a flatbuffer and, where that
// would be too large, the data behind it.
type model struct {
	fb      *flatbuf.File
	outside []outside
	size    int64
}

// outside is data behind the flatbuffer, beginning at at.
type outside struct {
	at   int64
	data *tensor.Tensor
}

// WriteTo writes the file.
func (m *model) WriteTo(w io.Writer) (int64, error) {
	at, err := m.fb.WriteTo(w)
	if err != nil {
		return at, err
	}
	fill := func(to int64) error {
		n, err := w.Write(make([]byte, to-at))
		at += int64(n)
		return err
	}
	for _, o := range m.outside {
		if err := fill(o.at); err != nil {
			return at, err
		}
		n, err := content{o.data}.WriteTo(w)
		if at += n; err != nil {
			return at, err
		}
	}
	return at, fill(m.size)
}

// alike returns the bytes of a small constant, "" for others: they need one
// buffer, however many tensors have them.
func alike(t *tensor.Tensor) string {
	if t.Storage().Len() > 4096 {
		return ""
	}
	var b strings.Builder
	if _, err := (content{t}).WriteTo(&b); err != nil {
		return "" // the error comes when it is written
	}
	return b.String()
}

// content writes a tensor's bytes.
type content struct{ *tensor.Tensor }

// WriteTo streams them.
func (c content) WriteTo(w io.Writer) (n int64, err error) {
	err = c.Storage().Chunks(func(b []byte) error {
		k, err := w.Write(b)
		n += int64(k)
		return err
	})
	return n, err
}

// file lays the file out.
func (e *encoder) file(o format.EncodeOptions, limit int64) (*model, error) {
	e.call()
	var data int64
	for _, x := range e.tensors {
		if x.data != nil {
			data += x.data.Storage().Len()
		}
	}
	m := &model{}
	var places []*uint64 // of data behind the flatbuffer
	buffers := flatbuf.Parts{&flatbuf.Fields{}}
	buffer := func(t *tensor.Tensor) int32 {
		b := &flatbuf.Fields{}
		switch n := t.Storage().Len(); {
		case data <= limit || n < 1024:
			b.Part(bufferData, flatbuf.Blob(n, 16, content{t}))
		default:
			at, size := new(uint64), uint64(n)
			*at = 1
			b.Later(bufferOffset, at)
			b.Later(bufferSize, &size)
			places = append(places, at)
			m.outside = append(m.outside, outside{data: t})
		}
		buffers = append(buffers, b)
		return int32(len(buffers) - 1)
	}
	var tensors flatbuf.Parts
	known := map[any]int32{}
	for _, x := range e.tensors {
		number := int32(0)
		if x.data != nil {
			key, ok := x.data.Identity()
			if same := alike(x.data); same != "" {
				key, ok = any(same), true
			}
			if number = known[key]; !ok || number == 0 {
				if number = buffer(x.data); ok {
					known[key] = number
				}
			}
		}
		tensors = append(tensors, x.part(number))
	}
	var sub flatbuf.Fields
	sub.Part(graphTensors, tensors.Vector())
	sub.Part(graphInputs, flatbuf.Numbers(e.inputs))
	sub.Part(graphOutputs, flatbuf.Numbers(e.outputs))
	sub.Part(graphOperators, e.operators.Vector())
	sub.Part(graphName, flatbuf.String(orDefault(e.g.Name, "main")))

	keep, _ := e.g.Keep.(*keepModel)
	if keep == nil {
		keep = &keepModel{}
	}
	texts := []metadata{{runtimeVersion, []byte(padded(e.runtime()))}}
	if len(m.outside) > 0 {
		texts = append(texts, metadata{"buffer_location", []byte("outside flatbuffers")})
	}
	for _, key := range slices.Sorted(maps.Keys(e.g.Meta)) {
		texts = append(texts, metadata{key, []byte(e.g.Meta[key])})
	}
	for _, d := range keep.metadata {
		if _, ours := e.g.Meta[d.name]; !ours && d.name != runtimeVersion && d.name != "buffer_location" {
			texts = append(texts, d)
		}
	}
	var about flatbuf.Parts
	for _, d := range texts {
		var f flatbuf.Fields
		f.Part(metadataName, flatbuf.String(d.name))
		f.Int32(metadataBuffer, int32(len(buffers)))
		b := &flatbuf.Fields{}
		b.Part(bufferData, flatbuf.Blob(int64(len(d.data)), 16, bytesOf(d.data)))
		buffers = append(buffers, b)
		about = append(about, &f)
	}
	var root flatbuf.Fields
	root.Int32(modelVersion, 3)
	root.Part(modelCodes, e.codes.Vector())
	root.Part(modelGraphs, flatbuf.Parts{&sub}.Vector())
	root.Part(modelDescription, flatbuf.String(orDefault(keep.description, o.Producer+" "+o.Version)))
	root.Part(modelBuffers, buffers.Vector())
	root.Part(modelMetadata, about.Vector())
	root.Part(modelSignatures, flatbuf.Parts{e.signature(orDefault(keep.key, "serving_default"))}.Vector())

	var err error
	if m.fb, err = flatbuf.Plan(identifier, &root); err != nil {
		return nil, err
	}
	m.size = m.fb.Size()
	for i := range m.outside {
		at := (m.size + 15) / 16 * 16
		*places[i], m.outside[i].at = uint64(at), at
		m.size = at + m.outside[i].data.Storage().Len()
	}
	if len(m.outside) > 0 {
		m.size += 16 // so that vector loads of the last one stay inside
	}
	return m, nil
}

// runtimeVersion names the metadata that says which runtime is needed.
const runtimeVersion = "min_runtime_version"

// padded brings a version to the 16 bytes that it has in files.
func padded(v string) string { return v + string(make([]byte, max(16-len(v), 0))) }

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

type bytesOf []byte

// WriteTo writes the bytes.
func (b bytesOf) WriteTo(w io.Writer) (int64, error) { return bytes.NewReader(b).WriteTo(w) }

// signature tells the names of inputs and outputs.
func (e *encoder) signature(key string) flatbuf.Part {
	list := func(vals []*ir.Value, tensors []int32) flatbuf.Part {
		var out flatbuf.Parts
		for i, v := range vals {
			var f flatbuf.Fields
			f.Part(mapName, flatbuf.String(v.Name))
			f.Int32(mapTensor, tensors[i])
			out = append(out, &f)
		}
		return out.Vector()
	}
	var f flatbuf.Fields
	f.Part(signatureInputs, list(e.g.Inputs, e.inputs))
	f.Part(signatureOutputs, list(e.g.Outputs, e.outputs))
	f.Part(signatureKey, flatbuf.String(key))
	return &f
}

// outTensor is a tensor to be written.
type outTensor struct {
	name  string
	typ   dtype.Type
	shape op.Shape
	quantization
	data     *tensor.Tensor
	variable bool // keeps its content from one run to the next
}

// part returns its table; buffer is the number of its data's buffer.
func (x *outTensor) part(buffer int32) flatbuf.Part {
	shape, signature, dynamic := make([]int32, len(x.shape)), make([]int32, len(x.shape)), false
	for i, d := range x.shape {
		n, ok := d.Int()
		shape[i], signature[i] = int32(n), int32(n)
		if !ok {
			shape[i], signature[i], dynamic = 1, -1, true
		}
	}
	var f flatbuf.Fields
	f.Part(tensorShape, flatbuf.Numbers(shape))
	f.Byte(tensorType, byte(slices.Index(elementTypes[:], x.typ)))
	f.Int32(tensorBuffer, buffer)
	f.Part(tensorName, flatbuf.String(x.name))
	if len(x.scale) > 0 {
		var q flatbuf.Fields
		q.Part(quantScale, flatbuf.Numbers(x.scale))
		q.Part(quantZeroPoint, flatbuf.Numbers(x.zero))
		if x.axis > 0 {
			q.Int32(quantDimension, int32(x.axis))
		}
		f.Part(tensorQuantization, &q)
	}
	if x.variable {
		f.Bool(tensorVariable, true)
	}
	if dynamic {
		f.Part(tensorSignature, flatbuf.Numbers(signature))
	}
	f.Bool(tensorHasRank, true)
	return &f
}

// code returns the number of an operator's code in the file's list.
func (e *encoder) code(c opCode) int32 {
	if i, ok := e.known[c]; ok {
		return i
	}
	var f flatbuf.Fields
	f.Byte(codeDeprecated, byte(min(c.code, codePlaceholder)))
	if c.custom != "" {
		f.Part(codeCustomName, flatbuf.String(c.custom))
	}
	f.Int32(codeVersion, int32(c.version))
	f.Int32(codeBuiltin, int32(c.code))
	e.codes = append(e.codes, &f)
	e.known[c] = int32(len(e.codes) - 1)
	return e.known[c]
}

// unsupported is the error for a node that the format has no words for.
func (e *encoder) unsupported(n *ir.Node, what, hint string) error {
	return &diag.UnsupportedError{Where: n.Label(), What: fmt.Sprintf("%s %s in a TensorFlow Lite model", unwrap(n.Op).Name(), what), Hint: hint}
}

package onnx

import (
	"fmt"
	"io"
	"strconv"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// tensor turns a TensorProto into a tensor. raw_data and external data stay in
// their mapped files; the typed fields are copied, as they are never large in
// files that matter.
func (d *decoder) tensor(t tensorProto) (*tensor.Tensor, error) {
	typ, ok := dataTypes[t.typ]
	if !ok {
		return nil, fmt.Errorf("tensor %q: unknown element type %d", t.name, t.typ)
	}
	shape := make([]int, len(t.dims))
	for i, n := range t.dims {
		shape[i] = int(n)
	}
	n, ok := tensor.Count(shape)
	if !ok {
		return nil, fmt.Errorf("tensor %q: shape %v is not possible", t.name, t.dims)
	}
	switch {
	case typ == dtype.String:
		out, err := tensor.FromStrings(t.text, shape...)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.name, err)
		}
		return out, nil
	case t.location == 1:
		return d.external(t, typ, shape)
	case t.hasRaw:
		s, err := d.src.Main.StorageOf(t.raw)
		if err != nil {
			return nil, err
		}
		out, err := tensor.FromStorage(typ, shape, s)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.name, err)
		}
		return out, nil
	}
	out, err := fromFields(t, typ, shape, n)
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.name, err)
	}
	return out, nil
}

func fromFields(t tensorProto, typ dtype.Type, shape []int, n int) (*tensor.Tensor, error) {
	have := func(got int) error {
		if got != n {
			return fmt.Errorf("shape %v needs %d elements, got %d", shape, n, got)
		}
		return nil
	}
	switch typ {
	case dtype.Float32:
		return checked(have(len(t.floats)), func() *tensor.Tensor { return tensor.FromSlice(t.floats, shape...) })
	case dtype.Float64:
		return checked(have(len(t.doubles)), func() *tensor.Tensor { return tensor.FromSlice(t.doubles, shape...) })
	case dtype.Int64:
		return checked(have(len(t.int64s)), func() *tensor.Tensor { return tensor.FromSlice(t.int64s, shape...) })
	case dtype.Uint64:
		return checked(have(len(t.uint64s)), func() *tensor.Tensor { return tensor.FromSlice(t.uint64s, shape...) })
	case dtype.Uint32:
		return checked(have(len(t.uint64s)), func() *tensor.Tensor {
			out := make([]int64, n)
			for i, v := range t.uint64s {
				out[i] = int64(v)
			}
			return tensor.FromInts(typ, out, shape...)
		})
	case dtype.Complex64:
		return checked(have(len(t.floats)/2), func() *tensor.Tensor {
			out := make([]complex64, n)
			for i := range out {
				out[i] = complex(t.floats[2*i], t.floats[2*i+1])
			}
			return tensor.FromSlice(out, shape...)
		})
	case dtype.Complex128:
		return checked(have(len(t.doubles)/2), func() *tensor.Tensor {
			out := make([]complex128, n)
			for i := range out {
				out[i] = complex(t.doubles[2*i], t.doubles[2*i+1])
			}
			return tensor.FromSlice(out, shape...)
		})
	}
	// int32_data: one element an entry; 16-bit and 8-bit floats as their bits;
	// narrower types as packed bytes.
	width := typ.Bits()
	if width < 8 {
		size := typ.Size(n)
		if len(t.int32s) != size {
			return nil, fmt.Errorf("shape %v needs %d packed bytes, got %d", shape, size, len(t.int32s))
		}
		b := make([]byte, size)
		for i, v := range t.int32s {
			b[i] = byte(v)
		}
		return tensor.FromBytes(typ, shape, b)
	}
	if err := have(len(t.int32s)); err != nil {
		return nil, err
	}
	carrier := typ
	if typ.IsFloat() {
		carrier = map[int]dtype.Type{16: dtype.Uint16, 8: dtype.Uint8}[width]
	}
	return tensor.FromBytes(typ, shape, tensor.FromInts(carrier, t.int32s, shape...).Bytes())
}

func checked(err error, f func() *tensor.Tensor) (*tensor.Tensor, error) {
	if err != nil {
		return nil, err
	}
	return f(), nil
}

// external returns a tensor whose bytes lie in a file beside the model.
func (d *decoder) external(t tensorProto, typ dtype.Type, shape []int) (*tensor.Tensor, error) {
	location := t.external["location"]
	if location == "" {
		return nil, fmt.Errorf("tensor %q: external data without a location; export the model again", t.name)
	}
	m, ok := d.files[location]
	if !ok {
		var err error
		if m, err = d.src.Neighbour(location); err != nil {
			return nil, fmt.Errorf("tensor %q: external data %q: %w", t.name, location, err)
		}
		d.files[location] = m
	}
	n, _ := tensor.Count(shape)
	want := int64(typ.Size(n))
	var offset int64
	for key, dst := range map[string]*int64{"offset": &offset, "length": nil} {
		text, ok := t.external[key]
		if !ok {
			continue
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v < 0 {
			return nil, fmt.Errorf("tensor %q: external data: %s %q is no number", t.name, key, text)
		}
		if dst != nil {
			*dst = v
		} else if v != want {
			return nil, fmt.Errorf("tensor %q: external data of %d bytes, shape %v needs %d", t.name, v, shape, want)
		}
	}
	s, err := m.Storage(offset, want)
	if err != nil {
		return nil, fmt.Errorf("tensor %q: external data %q: %w; copy the model and that file again, both of one export", t.name, location, err)
	}
	return tensor.FromStorage(typ, shape, s)
}

// payload streams a tensor's bytes.
type payload struct{ t *tensor.Tensor }

func (p payload) Len() int64 { return p.t.Storage().Len() }

func (p payload) WriteTo(w io.Writer) (n int64, err error) {
	err = p.t.Storage().Chunks(func(b []byte) error {
		k, err := w.Write(b)
		n += int64(k)
		return err
	})
	return n, err
}

// tensorMessage writes a TensorProto; name may be empty.
func tensorMessage(name string, t *tensor.Tensor) *proto.Message {
	var m proto.Message
	tensorHead(&m, name, t)
	if t.Type() == dtype.String {
		for _, s := range t.Strings() {
			m.String(6, s)
		}
		return &m
	}
	m.Payload(9, payload{t})
	return &m
}

func tensorHead(m *proto.Message, name string, t *tensor.Tensor) {
	if t.Rank() > 0 {
		dims := make([]uint64, t.Rank())
		for i, d := range t.Shape() {
			dims[i] = uint64(d)
		}
		m.PackedVarints(1, dims)
	}
	m.Varint(2, uint64(dataNumbers[t.Type()]))
	if name != "" {
		m.String(8, name)
	}
}

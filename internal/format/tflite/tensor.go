package tflite

import (
	"encoding/binary"
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// elementType returns a tensor's element type.
func (d *decoder) elementType(x *tensorInfo) (dtype.Type, error) {
	if int(x.typ) >= len(elementTypes) {
		return 0, fmt.Errorf("tensor %q: unknown element type %d", x.name, x.typ)
	}
	t := elementTypes[x.typ]
	if t == dtype.Invalid {
		return 0, &diag.UnsupportedError{Where: d.src.Path, What: fmt.Sprintf("tensor %q of type %s", x.name, typeNames[x.typ]), Hint: "freeze the model's variables and convert it again"}
	}
	return t, nil
}

// data returns the bytes of a tensor's buffer, in the flatbuffer or behind it;
// nil where it has none.
func (d *decoder) data(x *tensorInfo) ([]byte, error) {
	if x.buffer >= d.f.buffers.Len() {
		if x.buffer == 0 {
			return nil, nil
		}
		return nil, fmt.Errorf("tensor %q: buffer %d of %d", x.name, x.buffer, d.f.buffers.Len())
	}
	b := d.f.buffers.Table(x.buffer)
	data := b.Vector(bufferData, 1)
	off, size := b.Uint64(bufferOffset, 0), b.Uint64(bufferSize, 0)
	if err := d.f.buf.Err(); err != nil {
		return nil, err
	}
	if data.Len() > 0 || off <= 1 {
		return data.Bytes(), nil
	}
	all := d.src.Main.Bytes()
	if off > uint64(len(all)) || size > uint64(len(all))-off {
		return nil, fmt.Errorf("tensor %q: its data, %d bytes at %d, lies outside the file of %d bytes", x.name, size, off, len(all))
	}
	return all[off : off+size], nil
}

// constant returns the tensor of a buffer, over the mapped file; nil where the
// tensor is computed.
func (d *decoder) constant(x *tensorInfo) (*tensor.Tensor, error) {
	if x.table.Int32(tensorExternal, 0) != 0 {
		return nil, &diag.UnsupportedError{Where: d.src.Path, What: fmt.Sprintf("tensor %q, whose data lies in another file", x.name), Hint: "write the model as one file"}
	}
	b, err := d.data(x)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	if x.table.Has(tensorSparsity) {
		return nil, &diag.UnsupportedError{Where: d.src.Path, What: fmt.Sprintf("the sparse tensor %q", x.name), Hint: "convert the model without sparsity"}
	}
	typ, err := d.elementType(x)
	if err != nil {
		return nil, err
	}
	if typ == dtype.String {
		return d.text(x, b)
	}
	n, ok := tensor.Count(x.shape)
	size := typ.Size(n)
	if !ok || size < 0 {
		return nil, fmt.Errorf("tensor %q: shape %v is not possible", x.name, x.shape)
	}
	if len(b) != size {
		return nil, fmt.Errorf("tensor %q: %v%v needs %d bytes, and its buffer has %d", x.name, typ, x.shape, size, len(b))
	}
	s, err := d.src.Main.StorageOf(b)
	if err != nil {
		return nil, err
	}
	return tensor.FromStorage(typ, x.shape, s)
}

// text reads a buffer of strings: their number, where each begins and the last
// ends, and the characters (LiteRT's string_util.h).
func (d *decoder) text(x *tensorInfo, b []byte) (*tensor.Tensor, error) {
	bad := fmt.Errorf("tensor %q: its strings do not fit its buffer of %d bytes", x.name, len(b))
	if len(b) < 4 {
		return nil, bad
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < 0 || n > len(b)/4-2 || !d.f.buf.Spend(16*n+len(b)) {
		return nil, bad
	}
	at := func(i int) int { return int(binary.LittleEndian.Uint32(b[4+4*i:])) }
	out := make([]string, n)
	for i := range out {
		lo, hi := at(i), at(i+1)
		if lo < 8+4*n || lo > hi || hi > len(b) {
			return nil, bad
		}
		out[i] = string(b[lo:hi])
	}
	return tensor.FromStrings(out, x.shape...)
}

// quantization is what maps a tensor's integers to real numbers.
type quantization struct {
	scale []float32
	zero  []int64 // as long as scale
	axis  int
	// block is the number of elements of a group along the last axis, 0
	// otherwise; scales and zeros lie in tensors then.
	block         int
	scales, zeros int
}

// quantizationOf returns a tensor's parameters, and false where it has none.
func (d *decoder) quantizationOf(x *tensorInfo) (q quantization, ok bool, err error) {
	t := x.table.Table(tensorQuantization)
	scale, zero := t.Vector(quantScale, 4), t.Vector(quantZeroPoint, 8)
	kind := t.Byte(quantDetailsType, 0)
	if err := d.f.buf.Err(); err != nil {
		return q, false, err
	}
	switch kind {
	case 0:
	case detailsBlockwise:
		details := t.Table(quantDetails)
		q.scales, q.zeros = int(details.Int32(blockScales, 0)), int(details.Int32(blockZeroPoints, 0))
		if q.block = int(details.Int32(blockSize, 0)); q.block < 1 {
			return q, false, fmt.Errorf("tensor %q: blocks of %d elements", x.name, q.block)
		}
		return q, true, d.f.buf.Err()
	default:
		name := map[byte]string{detailsCustom: "custom", detailsMultiAxis: "multi-axis"}[kind]
		return q, false, &diag.UnsupportedError{Where: d.src.Path, What: fmt.Sprintf("%s quantization of tensor %q", name, x.name), Hint: "quantize per tensor, per axis or in blocks"}
	}
	if scale.Len() == 0 {
		return q, false, nil
	}
	if n := zero.Len(); n > 1 && n != scale.Len() {
		return q, false, fmt.Errorf("tensor %q: %d zero points for %d scales", x.name, n, scale.Len())
	}
	if !d.f.buf.Spend(12 * scale.Len()) {
		return q, false, d.f.buf.Err()
	}
	q.scale, q.zero = make([]float32, scale.Len()), make([]int64, scale.Len())
	for i := range q.scale {
		q.scale[i] = scale.Float32(i)
		if zero.Len() > 0 {
			q.zero[i] = zero.Int64(min(i, zero.Len()-1))
		}
	}
	q.axis = int(t.Int32(quantDimension, 0))
	return q, true, nil
}

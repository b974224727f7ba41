// Package npy reads and writes NumPy's array files: .npy, one array, and .npz,
// a zip archive of them.
//
// It knows bytes, shapes and NumPy's names of element types; it knows no
// tensor, no sample and no model. It evaluates nothing and unpickles nothing.
// Start at [ParseHeader] and [OpenArchive] for reading, at [Write] and
// [ArchiveWriter] for writing.
package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// Header is what stands before the data of an .npy file.
type Header struct {
	// Descr is the element type as the file writes it: "<f4".
	Descr string
	// Kind is 'f' float, 'i' and 'u' integer, 'b' bool or 'c' complex.
	Kind byte
	// ItemSize is the size of an element in bytes.
	ItemSize  int
	BigEndian bool
	// Fortran says that the first axis varies fastest in the data.
	Fortran bool
	Shape   []int
	// DataOffset is where the data begins, and DataSize its length in bytes.
	DataOffset int64
	DataSize   int64
}

// UnsupportedError says that a file is valid and not handled here; all other
// errors of this package mean a broken file, or come from reading it.
type UnsupportedError struct {
	What string // the thing
	Hint string // what would work
}

func (e *UnsupportedError) Error() string {
	return "npy: " + e.What + " not supported; " + e.Hint
}

// maxHeader bounds the header text. NumPy itself refuses more than 10000.
const maxHeader = 1 << 16

// maxRank is NumPy's own limit.
const maxRank = 64

const magic = "\x93NUMPY"

// itemSizes are the element types that are handled, by kind.
var itemSizes = map[byte][]int{'f': {2, 4, 8}, 'i': {1, 2, 4, 8}, 'u': {1, 2, 4, 8}, 'b': {1}, 'c': {8, 16}}

// ParseHeader reads the header of the .npy file of size bytes in r (format
// versions 1 to 3) and checks that the data is all there and nothing follows.
func ParseHeader(r io.ReaderAt, size int64) (*Header, error) {
	text, offset, version, err := headerText(r, size)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	h := &Header{DataOffset: offset}
	if err := h.parse(text, version); err != nil {
		var ue *UnsupportedError
		if errors.As(err, &ue) {
			return nil, err
		}
		return nil, fmt.Errorf("npy: header: %w", err)
	}
	count, err := elements(h.Shape)
	if err != nil {
		return nil, fmt.Errorf("npy: header: %w", err)
	}
	if count > math.MaxInt/int64(h.ItemSize) || count*int64(h.ItemSize) > size-offset {
		return nil, fmt.Errorf("npy: shape %v of %s needs more data than the %d bytes of the file", h.Shape, h.Descr, size-offset)
	}
	h.DataSize = count * int64(h.ItemSize)
	if rest := size - offset - h.DataSize; rest > 0 {
		return nil, fmt.Errorf("npy: %d bytes follow the array of shape %v of %s; an .npy file holds one array", rest, h.Shape, h.Descr)
	}
	return h, nil
}

// headerText returns the literal, where the data begins, and the version.
func headerText(r io.ReaderAt, size int64) (string, int64, byte, error) {
	pre := make([]byte, 12)
	n, err := r.ReadAt(pre, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", 0, 0, err
	}
	pre = pre[:min(int64(n), size)]
	if len(pre) < len(magic) || string(pre[:len(magic)]) != magic {
		return "", 0, 0, errors.New("the magic string of an .npy file is missing")
	}
	if len(pre) < 10 {
		return "", 0, 0, errors.New("the file ends inside the header")
	}
	version := pre[6]
	var length, start int64
	switch version {
	case 1:
		length, start = int64(binary.LittleEndian.Uint16(pre[8:])), 10
	case 2, 3:
		if len(pre) < 12 {
			return "", 0, 0, errors.New("the file ends inside the header")
		}
		length, start = int64(binary.LittleEndian.Uint32(pre[8:])), 12
	default:
		return "", 0, 0, fmt.Errorf("format version %d.%d is unknown", version, pre[7])
	}
	if pre[7] != 0 {
		return "", 0, 0, fmt.Errorf("format version %d.%d is unknown", version, pre[7])
	}
	if length > maxHeader {
		return "", 0, 0, fmt.Errorf("a header of %d bytes; the limit is %d", length, maxHeader)
	}
	if length > size-start {
		return "", 0, 0, errors.New("the file ends inside the header")
	}
	text := make([]byte, length)
	if n, err := r.ReadAt(text, start); n < len(text) {
		return "", 0, 0, fmt.Errorf("header: %w", err)
	}
	return string(text), start + length, version, nil
}

func (h *Header) parse(text string, version byte) error {
	d, err := parseDict(text, version < 3)
	if err != nil {
		return err
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if _, ok := d[key]; !ok {
			return fmt.Errorf("%q is missing", key)
		}
	}
	if len(d) != 3 {
		return fmt.Errorf("%d entries, want descr, fortran_order and shape", len(d))
	}
	var ok bool
	if h.Fortran, ok = d["fortran_order"].(bool); !ok {
		return errors.New("fortran_order: neither True nor False")
	}
	dims, ok := d["shape"].(tuple)
	if !ok {
		return errors.New("shape: not a tuple")
	}
	if len(dims) > maxRank {
		return fmt.Errorf("shape: %d axes, the limit is %d", len(dims), maxRank)
	}
	h.Shape = make([]int, len(dims))
	for i, v := range dims {
		n, ok := v.(int64)
		if !ok || n < 0 || n > math.MaxInt {
			return fmt.Errorf("shape: axis %d: %v is no size", i, v)
		}
		h.Shape[i] = int(n)
	}
	switch descr := d["descr"].(type) {
	case string:
		return h.setDescr(descr)
	case list:
		return &UnsupportedError{"a structured element type", "save each field as an array of its own"}
	}
	return errors.New("descr: not a string")
}

// setDescr takes an element type apart.
func (h *Header) setDescr(descr string) error {
	h.Descr = descr
	if len(descr) < 2 {
		return fmt.Errorf("descr: %q is no element type", descr)
	}
	order, kind := descr[0], descr[1]
	if order != '<' && order != '>' && order != '|' {
		return fmt.Errorf("descr: %q: no byte order", descr)
	}
	switch kind {
	case 'O':
		return &UnsupportedError{"an array of Python objects (it is pickled: reading it runs code)", "convert it to a numeric array before saving"}
	case 'V':
		if descr[2:] == "2" {
			return &UnsupportedError{fmt.Sprintf("element type %q (raw bytes: what NumPy makes of bfloat16)", descr), "save it as float32"}
		}
		return &UnsupportedError{fmt.Sprintf("element type %q (raw bytes, or a type that NumPy does not know)", descr), "save it as a numeric array"}
	case 'U', 'S', 'a', 'M', 'm':
		return &UnsupportedError{fmt.Sprintf("element type %q (text or times)", descr), "save it as a numeric array"}
	}
	size, err := strconv.Atoi(descr[2:])
	if err != nil || itemSizes[kind] == nil || strconv.Itoa(size) != descr[2:] {
		return fmt.Errorf("descr: %q is no element type", descr)
	}
	if !slices.Contains(itemSizes[kind], size) {
		return &UnsupportedError{fmt.Sprintf("element type %q", descr), "save it as float32, float64 or an integer type of 8 to 64 bits"}
	}
	if order == '|' && size > 1 {
		return fmt.Errorf("descr: %q: elements of %d bytes need a byte order", descr, size)
	}
	h.Kind, h.ItemSize, h.BigEndian = kind, size, order == '>' && size > 1
	return nil
}

// elements returns the number of elements of a shape. The product is taken
// without the zeros, so that every stride fits as well.
func elements(shape []int) (int64, error) {
	n, zero := int64(1), false
	for i, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape: axis %d: %d is no size", i, d)
		case d == 0:
			zero = true
		case n > math.MaxInt/int64(d):
			return 0, fmt.Errorf("shape %v is too large", shape)
		default:
			n *= int64(d)
		}
	}
	if zero {
		return 0, nil
	}
	return n, nil
}

// Normalize returns the array's data, of DataSize bytes, in row-major order
// and little-endian: data itself where it is so already, else a copy.
func (h *Header) Normalize(data []byte) []byte {
	if int64(len(data)) != h.DataSize {
		panic(fmt.Sprintf("npy: %d bytes of data, the header says %d", len(data), h.DataSize))
	}
	if h.Fortran && len(h.Shape) > 1 {
		data = h.rowMajor(data)
	} else if h.BigEndian {
		data = slices.Clone(data)
	}
	if h.BigEndian {
		part := h.ItemSize
		if h.Kind == 'c' {
			part /= 2
		}
		for i := 0; i < len(data); i += part {
			slices.Reverse(data[i : i+part])
		}
	}
	return data
}

// rowMajor copies column-major data into row-major order.
func (h *Header) rowMajor(data []byte) []byte {
	out := make([]byte, len(data))
	rank, size := len(h.Shape), h.ItemSize
	strides, stride := make([]int, rank), size
	for i, d := range h.Shape {
		strides[i] = stride
		stride *= d
	}
	index, src := make([]int, rank), 0
	for dst := 0; dst < len(out); dst += size {
		copy(out[dst:dst+size], data[src:])
		for i := rank - 1; i >= 0; i-- {
			index[i]++
			src += strides[i]
			if index[i] < h.Shape[i] {
				break
			}
			src -= strides[i] * index[i]
			index[i] = 0
		}
	}
	return out
}

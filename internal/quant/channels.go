package quant

import (
	"fmt"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// channels says where the elements of a weight lie that is taken as rows, one for
// each output channel: other axes keep their order.
type channels struct {
	outer, n, inner int // elements before the axis of the channels, these, elements behind
}

func channelsOf(shape []int, axis int) channels {
	c := channels{outer: 1, n: shape[axis], inner: 1}
	for i, d := range shape {
		switch {
		case i < axis:
			c.outer *= d
		case i > axis:
			c.inner *= d
		}
	}
	return c
}

// width is the length of a row.
func (c channels) width() int { return c.outer * c.inner }

// weightRows reads a weight as rows, some at a time: no copy of it is made, unless
// parts of it cannot be had.
type weightRows struct {
	channels
	t *tensor.Tensor
}

func newWeightRows(t *tensor.Tensor, axis int) *weightRows {
	if src, perm, ok := tensor.Unpermuted(t); ok && len(perm) == 2 {
		t, axis = src, perm[axis]
	}
	return &weightRows{channelsOf(t.Shape(), axis), t.ByParts()}
}

// Count is the number of rows.
func (w *weightRows) Count() int { return w.n }

// Read copies elements from to to of n rows from first on to dst, row by row.
func (w *weightRows) Read(dst []float32, first, n, from, to int) {
	k := to - from
	if w.outer == 1 {
		for r := range n {
			copy(dst[r*k:r*k+k], w.part((first+r)*w.inner+from, k, dst[r*k:r*k+k]))
		}
		return
	}
	buf := make([]float32, n*w.inner)
	for a := from / w.inner; a*w.inner < to; a++ {
		part := w.part((a*w.n+first)*w.inner, n*w.inner, buf)
		begin, end := max(from, a*w.inner), min(to, (a+1)*w.inner)
		if w.inner == 1 {
			for r, v := range part {
				dst[r*k+begin-from] = v
			}
			continue
		}
		for r := range n {
			copy(dst[r*k+begin-from:r*k+end-from], part[r*w.inner+begin-a*w.inner:])
		}
	}
}

func (w *weightRows) part(at, n int, buf []float32) []float32 {
	part, err := tensor.Part(w.t, at, at+n, buf)
	if err != nil {
		panic(fmt.Sprintf("quant: a weight cannot be read: %v", err))
	}
	return part
}

// roundedRows is a weight of which integers are chosen.
type roundedRows struct {
	*weightRows
	to    channels
	codes *tensor.Tensor
	typ   dtype.Type
}

// newRoundedRows is for the weight t; a type of less than 8 bits takes a byte for
// each element until it is packed.
func newRoundedRows(t *tensor.Tensor, axis int, typ dtype.Type) *roundedRows {
	wide := typ
	if typ.Bits() < 8 {
		wide = dtype.Int8
	}
	return &roundedRows{newWeightRows(t, axis), channelsOf(t.Shape(), axis), tensor.New(wide, t.Shape()...), typ}
}

// Store takes the integers of elements from to to of n rows from first on.
func (w *roundedRows) Store(q []int64, first, n, from, to int) {
	switch b := w.codes.Bytes(); w.codes.Type().Bits() {
	case 8:
		storeRows(b, w.to, q, first, n, from, to)
	case 16:
		storeRows(unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/2), w.to, q, first, n, from, to)
	default:
		storeRows(unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4), w.to, q, first, n, from, to)
	}
}

func storeRows[T uint8 | uint16 | uint32](dst []T, c channels, q []int64, first, n, from, to int) {
	k := to - from
	for j := range k {
		at := ((from+j)/c.inner*c.n+first)*c.inner + (from+j)%c.inner
		for r := range n {
			dst[at+r*c.inner] = T(q[r*k+j])
		}
	}
}

// tensor returns the integers in the weight's shape.
func (w *roundedRows) tensor() *tensor.Tensor {
	if w.typ.Bits() < 8 {
		return tensor.Pack(w.typ, tensor.Data[int8](w.codes), w.codes.Shape()...)
	}
	return w.codes
}

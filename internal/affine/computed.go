package affine

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/transpose"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Quantized is Quantize, rounding half to even, whose integers are computed
// when they are read, each part from the same part of t: neither is ever in
// memory as a whole. t must not change.
func Quantized(t *tensor.Tensor, p Params) (*tensor.Tensor, error) {
	if err := p.Validate(t.Shape()); err != nil {
		return nil, err
	}
	if float8(p.Type) != nil || p.Type == dtype.Int32 {
		return Quantize(t, p, RoundHalfEven)
	}
	if src, perm, ok := tensor.Unpermuted(t); ok && p.BlockSize == 0 && p.Type.Bits() >= 8 {
		// The integers are turned in the place of the floats.
		if !p.IsPerTensor() {
			p.Axis = perm[p.Axis]
		}
		q, err := Quantized(src, p)
		if err != nil {
			return nil, err
		}
		return tensor.Permuted(q, perm), nil
	}
	return QuantizedBy(t, p.Type, func() (Params, error) { return p, nil })
}

// QuantizedBy is Quantized to an integer type of at most 16 bits with parameters
// that are asked for with each reading, and must be the same each time.
func QuantizedBy(t *tensor.Tensor, typ dtype.Type, params func() (Params, error)) (*tensor.Tensor, error) {
	if !typ.IsInteger() || typ.Bits() > 16 {
		return nil, fmt.Errorf("affine: integers of %v are not computed by parts", typ)
	}
	t = t.ByParts()
	bits := typ.Bits()
	return tensor.Computed(typ, t.Shape(), func(off int64, dst []byte) error {
		p, err := params()
		if err != nil {
			return err
		}
		s := scratches.Get().(*scratch)
		defer scratches.Put(s)
		first := int(off) * 8 / bits
		end := min(first+len(dst)*8/bits, t.Len())
		for lo := first; lo < end; lo += partElements {
			hi := min(lo+partElements, end)
			x, err := s.Read(t, lo, hi)
			if err != nil {
				return err
			}
			part := dst[p.Type.Size(lo-first):p.Type.Size(hi-first)]
			switch p.Type {
			case dtype.Int8:
				quantizePart(as[int8](part), x, lo, t.Shape(), p, s)
			case dtype.Uint8:
				quantizePart(part, x, lo, t.Shape(), p, s)
			case dtype.Int16:
				quantizePart(as[int16](part), x, lo, t.Shape(), p, s)
			case dtype.Uint16:
				quantizePart(as[uint16](part), x, lo, t.Shape(), p, s)
			default:
				codes := s.small(hi - lo)
				quantizePart(codes, x, lo, t.Shape(), p, s)
				tensor.PackTo(part, codes, bits)
			}
			t.ReleasePart(lo, hi)
		}
		return nil
	}), nil
}

// scratch is what one goroutine works with.
type scratch struct {
	Reader
	tile  tile
	codes [tileRows * tileCols]uint8
	byte  []int8
	grids []convert.Grid
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) small(n int) []int8 {
	if cap(s.byte) < n {
		s.byte = make([]int8, n)
	}
	return s.byte[:n]
}

// as returns bytes as other integers; they begin at a multiple of 64 bytes.
func as[T int8 | int16 | uint16](b []byte) []T {
	var zero T
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// bits returns floats as their bits.
func bits(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// quantizePart quantizes the elements from lo on of a tensor of a shape.
func quantizePart[T convert.Quantized](dst []T, x []float32, lo int, shape []int, p Params, s *scratch) {
	p.eachIn(shape, lo, lo+len(x), func(from, to, k, n int) {
		d, x := dst[from-lo:to-lo], x[from-lo:to-lo]
		if n == 1 {
			convert.Quantize(d, x, p.Scale[k], p.grid(k))
			return
		}
		if b, ok := bytesOf(d); ok && len(x)/n >= leastTurned {
			s.quantizeColumns(b, x, n, p, k)
			return
		}
		s.grids = s.grids[:0]
		for i := range n {
			s.grids = append(s.grids, p.grid(k+i))
		}
		convert.QuantizeColumns(d, x, p.Scale[k:k+n], s.grids)
	})
}

// leastTurned is from how many rows on columns are turned into rows.
const leastTurned = 16

// bytesOf returns elements of one byte as such.
func bytesOf[T convert.Quantized](d []T) ([]uint8, bool) {
	switch d := any(d).(type) {
	case []uint8:
		return d, true
	case []int8:
		return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(d))), len(d)), true
	}
	return nil, false
}

// quantizeColumns quantizes a matrix of n columns, of which column j has scale
// k+j, by turning tiles, and their integers back.
func (s *scratch) quantizeColumns(dst []uint8, x []float32, n int, p Params, k int) {
	s.tile.each(x, n, func(at, c, height, width int) {
		for j := range width {
			g, column := p.grid(k+c+j), s.tile[j*height:(j+1)*height]
			codes := s.codes[j*height : (j+1)*height]
			if p.Type.IsSigned() {
				convert.Quantize(as[int8](codes), column, p.Scale[k+c+j], g)
			} else {
				convert.Quantize(codes, column, p.Scale[k+c+j], g)
			}
		}
		transpose.Matrix(dst[at:], s.codes[:width*height], width, height, n, height)
	})
}

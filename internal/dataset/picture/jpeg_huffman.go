package picture

import (
	"io"
)

// quickBits is how many bits of a code are looked up at once.
const quickBits = 9

// huffman is a table of codes, T.81 C.2 and F.2.2.3.
type huffman struct {
	quick  [1 << quickBits]uint16 // length of the code << 8 | value; 0: longer
	values []uint8
	// Codes of n bits are those below limit[n], which is left-aligned in 16
	// bits; code c has the value at c + offset[n].
	limit  [17]uint32
	offset [17]int32
}

// takeHuffman reads tables of codes, T.81 B.2.4.2.
func (d *jpegDecoder) takeHuffman(b []byte) error {
	for len(b) > 0 {
		class, id := b[0]>>4, b[0]&15
		if class > 1 || id > 3 || len(b) < 17 {
			return broken("table of codes %#x", b[0])
		}
		counts := b[1:17]
		n := 0
		for _, c := range counts {
			n += int(c)
		}
		if n > 256 || len(b) < 17+n {
			return broken("table of %d codes in %d bytes", n, len(b)-17)
		}
		h := newHuffman(counts, b[17:17+n])
		if h == nil {
			return broken("table of codes %#x: more codes than bits allow", b[0])
		}
		d.huff[class][id] = h
		b = b[17+n:]
	}
	return nil
}

func newHuffman(counts, values []byte) *huffman {
	h := &huffman{values: values}
	code, next := int32(0), int32(0)
	for n := 1; n <= 16; n++ {
		h.offset[n] = next - code
		for range counts[n-1] {
			if n <= quickBits && code < 1<<n {
				first := code << (quickBits - n)
				for i := range int32(1) << (quickBits - n) {
					h.quick[first+i] = uint16(n)<<8 | uint16(values[next])
				}
			}
			code++
			next++
		}
		if code > 1<<n {
			return nil
		}
		h.limit[n] = uint32(code) << (16 - n)
		code <<= 1
	}
	return h
}

// bitReader reads the bits of a scan up to the next marker.
type bitReader struct {
	b   []byte
	acc uint64 // left-aligned, zeros below
	n   int    // bits in acc
}

// fill leaves 57 bits in acc where there are as many before the marker.
func (r *bitReader) fill() {
	for r.n <= 56 && len(r.b) > 0 {
		v := r.b[0]
		if v == 0xff {
			if len(r.b) < 2 || r.b[1] != 0 {
				return
			}
			r.b = r.b[1:]
		}
		r.b = r.b[1:]
		r.acc |= uint64(v) << (56 - r.n)
		r.n += 8
	}
}

// take returns the next n bits, 1 to 16.
func (r *bitReader) take(n int) (int32, error) {
	if r.n < n {
		if r.fill(); r.n < n {
			return 0, io.ErrUnexpectedEOF
		}
	}
	v := int32(r.acc >> (64 - n))
	r.acc <<= n
	r.n -= n
	return v, nil
}

// symbol returns the next value coded with h.
func (r *bitReader) symbol(h *huffman) (uint8, error) {
	if r.n < 16 {
		r.fill()
	}
	n, value := 0, uint8(0)
	if q := h.quick[r.acc>>(64-quickBits)]; q != 0 {
		n, value = int(q>>8), uint8(q)
	} else {
		top := uint32(r.acc >> 48)
		for n = quickBits + 1; n <= 16 && top >= h.limit[n]; n++ {
		}
		if n > 16 {
			if r.n < 16 {
				return 0, io.ErrUnexpectedEOF
			}
			return 0, broken("bits that are no code")
		}
		i := int32(top>>(16-n)) + h.offset[n]
		if i < 0 || int(i) >= len(h.values) {
			return 0, broken("bits that are no code")
		}
		value = h.values[i]
	}
	if n > r.n {
		return 0, io.ErrUnexpectedEOF
	}
	r.acc <<= n
	r.n -= n
	return value, nil
}

// signed returns the next n bits, 0 to 15, as T.81's EXTEND has them: the lower
// half of the values stands for negative ones.
func (r *bitReader) signed(n int) (int32, error) {
	if n == 0 {
		return 0, nil
	}
	v, err := r.take(n)
	if v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v, err
}

// restart skips to the marker RST0 + i, T.81 E.2.4.
func (r *bitReader) restart(i int) error {
	r.acc, r.n = 0, 0
	for len(r.b) >= 2 {
		if m := r.b[1]; r.b[0] == 0xff && m != 0 && m != 0xff {
			if want := byte(markerRST0 + i&7); m != want {
				return broken("marker %#x in place of restart marker %#x", m, want)
			}
			r.b = r.b[2:]
			return nil
		}
		r.b = r.b[1:]
	}
	return io.ErrUnexpectedEOF
}

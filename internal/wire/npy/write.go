package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// align is the multiple at which NumPy lets data begin.
const align = 64

// AppendHeader appends the header of a little-endian, row-major array, the
// same bytes that NumPy 2 writes. descr is one of the types that ParseHeader
// reads: "<f4", "|i1".
func AppendHeader(dst []byte, descr string, shape []int) ([]byte, error) {
	_, text, err := header(descr, shape)
	if err != nil {
		return dst, err
	}
	length := len(text) + 1
	// As in NumPy, a header that ends at a multiple already gets one more.
	pad := align - (10+length)%align
	if length+pad > math.MaxUint16 {
		return dst, fmt.Errorf("npy: a header of %d bytes is too long", length)
	}
	dst = append(dst, magic+"\x01\x00"...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(length+pad))
	dst = append(dst, text...)
	dst = append(dst, strings.Repeat(" ", pad)...)
	return append(dst, '\n'), nil
}

// header checks an array's type and shape and returns its size in bytes and
// the text of its header, without padding.
func header(descr string, shape []int) (int64, string, error) {
	var h Header
	if err := h.setDescr(descr); err != nil {
		return 0, "", err
	}
	if h.BigEndian || len(shape) > maxRank {
		return 0, "", fmt.Errorf("npy: %q of shape %v cannot be written", descr, shape)
	}
	count, err := elements(shape)
	if err != nil {
		return 0, "", fmt.Errorf("npy: %w", err)
	}
	if count > math.MaxInt/int64(h.ItemSize) {
		return 0, "", fmt.Errorf("npy: shape %v is too large", shape)
	}
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s", descr, strings.Join(dims, ", "))
	if len(dims) == 1 {
		text += ","
	}
	text += "), }"
	if len(dims) > 0 {
		// Room for the first axis to grow in place to 21 digits.
		text += strings.Repeat(" ", max(0, 21-len(dims[0])))
	}
	return count * int64(h.ItemSize), text, nil
}

// Write writes an array as an .npy file. data is little-endian and row-major.
func Write(w io.Writer, descr string, shape []int, data []byte) error {
	head, err := checked(descr, shape, data)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// checked returns the header of data, which must have the size that it says.
func checked(descr string, shape []int, data []byte) ([]byte, error) {
	size, _, err := header(descr, shape)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != size {
		return nil, fmt.Errorf("npy: shape %v of %s takes %d bytes, got %d", shape, descr, size, len(data))
	}
	return AppendHeader(nil, descr, shape)
}

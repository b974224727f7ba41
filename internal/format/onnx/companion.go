package onnx

import (
	"io"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// alignments says where the tensors of external data begin, by their size; the
// first row that holds counts. 64 KiB is what Windows maps at and 4 KiB what
// others do ("External data" of ONNX's ExternalData.md asks for both); ONNX
// Runtime itself aligns to 64 KiB from 1 MiB on, so that the file does not grow
// by more than a few per cent. Others lie at the lines of caches.
var alignments = []struct{ from, at int64 }{{1 << 20, 1 << 16}, {1 << 16, 1 << 12}, {0, 64}}

// companion is the file of external data: the bytes of constants, with zeros
// between.
type companion struct {
	name  string
	parts []*tensor.Tensor
	at    []int64
	size  int64
	seen  map[any]int64 // where bytes lie that were added already
}

// add appends a tensor and returns its offset. Bytes that were added already,
// such as those of tied weights, are not written twice.
func (c *companion) add(t *tensor.Tensor) int64 {
	key, ok := t.Identity()
	if off, seen := c.seen[key]; ok && seen {
		return off
	}
	size, off := t.Storage().Len(), c.size
	for _, a := range alignments {
		if size >= a.from {
			off = (off + a.at - 1) / a.at * a.at
			break
		}
	}
	c.parts = append(c.parts, t)
	c.at = append(c.at, off)
	c.size = off + size
	if ok {
		if c.seen == nil {
			c.seen = map[any]int64{}
		}
		c.seen[key] = off
	}
	return off
}

// WriteTo streams the file.
func (c *companion) WriteTo(w io.Writer) (n int64, err error) {
	var zeros [1 << 16]byte
	for i, t := range c.parts {
		k, err := w.Write(zeros[:c.at[i]-n])
		n += int64(k)
		if err != nil {
			return n, err
		}
		m, err := payload{t}.WriteTo(w)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

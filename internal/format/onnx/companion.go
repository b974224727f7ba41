package onnx

import (
	"io"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// companion is the file of external data: the bytes of constants, each at a
// multiple of externalAlign, with zeros between.
type companion struct {
	name  string
	parts []*tensor.Tensor
	at    []int64
	size  int64
}

// add appends a tensor and returns its offset.
func (c *companion) add(t *tensor.Tensor) int64 {
	off := (c.size + externalAlign - 1) / externalAlign * externalAlign
	c.parts = append(c.parts, t)
	c.at = append(c.at, off)
	c.size = off + t.Storage().Len()
	return off
}

// WriteTo streams the file.
func (c *companion) WriteTo(w io.Writer) (n int64, err error) {
	zeros := make([]byte, externalAlign)
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

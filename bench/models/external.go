package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// externalData is a file beside the model with the weights that are large.
type externalData struct {
	name  string
	parts []random
	at    []int64
	size  int64
}

// externalFrom is the size from which a weight is large, and externalAlign
// where each begins.
const (
	externalFrom  = 1 << 12
	externalAlign = 1 << 12
)

// add places r in the file and says so in its tensor.
func (e *externalData) add(t *proto.Message, r random) {
	off := (e.size + externalAlign - 1) / externalAlign * externalAlign
	e.parts, e.at, e.size = append(e.parts, r), append(e.at, off), off+r.Len()
	for _, pair := range [][2]string{{"location", e.name}, {"offset", fmt.Sprint(off)}, {"length", fmt.Sprint(r.Len())}} {
		var m proto.Message
		m.String(1, pair[0])
		m.String(2, pair[1])
		t.Message(13, &m)
	}
	t.Varint(14, 1)
}

// WriteTo streams the file.
func (e *externalData) WriteTo(w io.Writer) (n int64, err error) {
	var zeros [externalAlign]byte
	for i, r := range e.parts {
		k, err := w.Write(zeros[:e.at[i]-n])
		n += int64(k)
		if err != nil {
			return n, err
		}
		m, err := r.WriteTo(w)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// writeFile streams src to a new file.
func writeFile(path string, src io.WriterTo) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := src.WriteTo(w); err != nil {
		f.Close()
		return err
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// writeData writes the weights beside the model at path.
func (b *builder) writeData(path string) error {
	if b.data == nil {
		return nil
	}
	return writeFile(filepath.Join(filepath.Dir(path), b.data.name), b.data)
}

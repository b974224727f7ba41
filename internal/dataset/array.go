package dataset

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

func readerAt(b []byte) io.ReaderAt { return bytes.NewReader(b) }

// array returns the .npy file in bytes off to off+size of m, aliasing it where
// its layout allows.
func array(m *tensor.Mapping, off, size int64) (*tensor.Tensor, error) {
	whole := m.Bytes()[off : off+size]
	h, err := npy.ParseHeader(readerAt(whole), size)
	if err != nil {
		return nil, err
	}
	typ, err := elementType(h)
	if err != nil {
		return nil, err
	}
	data := whole[h.DataOffset : h.DataOffset+h.DataSize]
	norm := h.Normalize(data)
	if len(data) > 0 && &norm[0] == &data[0] {
		s, err := m.StorageOf(data)
		if err != nil {
			return nil, err
		}
		return tensor.FromStorage(typ, h.Shape, s)
	}
	return tensor.FromBytes(typ, h.Shape, norm)
}

// memberArray returns an array of an archive.
func memberArray(a *npy.Archive, mem *npy.Member, m *tensor.Mapping) (*tensor.Tensor, error) {
	if mem.Offset >= 0 {
		return array(m, mem.Offset, mem.Size)
	}
	b, err := a.Read(mem)
	if err != nil {
		return nil, err
	}
	return array(tensor.FromMemory(b), 0, int64(len(b)))
}

func elementType(h *npy.Header) (dtype.Type, error) {
	t, ok := map[string]dtype.Type{
		"f2": dtype.Float16, "f4": dtype.Float32, "f8": dtype.Float64, "b1": dtype.Bool,
		"i1": dtype.Int8, "i2": dtype.Int16, "i4": dtype.Int32, "i8": dtype.Int64,
		"u1": dtype.Uint8, "u2": dtype.Uint16, "u4": dtype.Uint32, "u8": dtype.Uint64,
	}[fmt.Sprintf("%c%d", h.Kind, h.ItemSize)]
	if !ok {
		return t, fmt.Errorf("arrays of type %q are not read", h.Descr)
	}
	return t, nil
}

// ReadArray reads one .npy file.
func ReadArray(path string) (*tensor.Tensor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := array(tensor.FromMemory(b), 0, int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// WriteArray writes t as an .npy file to w.
func WriteArray(w io.Writer, t *tensor.Tensor) error {
	descr := ""
	for _, c := range []struct {
		t dtype.Type
		d string
	}{{dtype.Float32, "<f4"}, {dtype.Float64, "<f8"}, {dtype.Float16, "<f2"}, {dtype.Bool, "|b1"}, {dtype.Int8, "|i1"}, {dtype.Int16, "<i2"},
		{dtype.Int32, "<i4"}, {dtype.Int64, "<i8"}, {dtype.Uint8, "|u1"}, {dtype.Uint16, "<u2"}, {dtype.Uint32, "<u4"}, {dtype.Uint64, "<u8"}} {
		if c.t == t.Type() {
			descr = c.d
		}
	}
	if descr == "" {
		return fmt.Errorf("NumPy has no %v", t.Type())
	}
	return npy.Write(w, descr, t.Shape(), t.Bytes())
}

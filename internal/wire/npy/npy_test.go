package npy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// file is an .npy file of a version with any header text and data.
func file(version byte, text string, data []byte) []byte {
	b := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	}
	return append(append(b, text...), data...)
}

func dict(descr, fortran, shape string) string {
	return "{'descr': " + descr + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }"
}

func parse(b []byte) (*npy.Header, error) {
	return npy.ParseHeader(bytes.NewReader(b), int64(len(b)))
}

func TestParseHeader(t *testing.T) {
	for _, c := range []struct {
		name    string
		version byte
		text    string
		data    int
		want    npy.Header
	}{
		{"version 1", 1, dict("'<f4'", "False", "(2, 3)"), 24,
			npy.Header{Descr: "<f4", Kind: 'f', ItemSize: 4, Shape: []int{2, 3}}},
		{"version 2, big-endian", 2, dict("'>i8'", "False", "(2,)"), 16,
			npy.Header{Descr: ">i8", Kind: 'i', ItemSize: 8, BigEndian: true, Shape: []int{2}}},
		{"version 3, column-major", 3, dict("'<f2'", "True", "(2, 3)"), 12,
			npy.Header{Descr: "<f2", Kind: 'f', ItemSize: 2, Fortran: true, Shape: []int{2, 3}}},
		{"scalar", 1, dict("'|b1'", "False", "()"), 1,
			npy.Header{Descr: "|b1", Kind: 'b', ItemSize: 1, Shape: []int{}}},
		{"no elements", 1, dict("'|u1'", "False", "(0, 5)"), 0,
			npy.Header{Descr: "|u1", Kind: 'u', ItemSize: 1, Shape: []int{0, 5}}},
		{"other order, quotes and white space", 1, "\n{\"shape\":(4,),\t'fortran_order':False,\"descr\":\"<c8\"}  \n", 32,
			npy.Header{Descr: "<c8", Kind: 'c', ItemSize: 8, Shape: []int{4}}},
		{"long integers of Python 2", 1, dict("'|i1'", "False", "(2L, 2L)"), 4,
			npy.Header{Descr: "|i1", Kind: 'i', ItemSize: 1, Shape: []int{2, 2}}},
		{"one byte has no order", 1, dict("'>i1'", "False", "(2,)"), 2,
			npy.Header{Descr: ">i1", Kind: 'i', ItemSize: 1, Shape: []int{2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := file(c.version, c.text, make([]byte, c.data))
			got, err := parse(b)
			if err != nil {
				t.Fatal(err)
			}
			c.want.DataOffset, c.want.DataSize = int64(len(b)-c.data), int64(c.data)
			if d := cmp.Diff(&c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	good := dict("'<f4'", "False", "(2,)")
	for _, c := range []struct {
		name        string
		b           []byte
		unsupported bool
		want        string
	}{
		{"nothing", nil, false, "magic"},
		{"another file", []byte("PK\x03\x04 and more bytes"), false, "magic"},
		{"magic alone", []byte("\x93NUMPY\x01\x00"), false, "ends inside the header"},
		{"version 2 cut", []byte("\x93NUMPY\x02\x00\x01\x00\x00"), false, "ends inside the header"},
		{"version 4", file(4, good, make([]byte, 8)), false, "version 4.0"},
		{"version 1.1", append([]byte("\x93NUMPY\x01\x01"), 0, 0, 0, 0), false, "version 1.1"},
		{"header cut", file(1, good, nil)[:30], false, "ends inside the header"},
		{"header of 4 GB", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{"), false, "the limit"},
		{"data cut", file(1, good, make([]byte, 7)), false, "needs more data"},
		{"data left over", file(1, good, make([]byte, 9)), false, "1 bytes follow"},
		{"overflow", file(1, dict("'<f4'", "False", "(4611686018427387904, 4)"), nil), false, "too large"},
		{"overflow behind a zero", file(1, dict("'<f4'", "False", "(0, 4611686018427387904, 4)"), nil), false, "too large"},
		{"overflow of bytes", file(1, dict("'<f8'", "False", "(4611686018427387904,)"), nil), false, "needs more data"},
		{"negative axis", file(1, dict("'<f4'", "False", "(-1,)"), nil), false, "axis 0: -1"},
		{"axis beyond 64 bits", file(1, dict("'<f4'", "False", "(99999999999999999999,)"), nil), false, "beyond 64 bits"},
		{"65 axes", file(1, dict("'<f4'", "False", "("+strings.Repeat("1, ", 65)+")"), nil), false, "65 axes"},
		{"shape is a list", file(1, dict("'<f4'", "False", "[2]"), nil), false, "not a tuple"},
		{"shape is a number", file(1, dict("'<f4'", "False", "(2)"), nil), false, "not a tuple"},
		{"order is a number", file(1, dict("'<f4'", "0", "(2,)"), nil), false, "neither True nor False"},
		{"key missing", file(1, "{'descr': '<f4', 'shape': (2,)}", nil), false, `"fortran_order" is missing`},
		{"key twice", file(1, "{'descr': '<f4', 'descr': '<f4'}", nil), false, "twice"},
		{"another key", file(1, "{'x': 1, "+good[1:], nil), false, "4 entries"},
		{"text after", file(1, good+"x", nil), false, "text after"},
		{"NUL after", file(1, good+"\x00", nil), false, "text after"},
		{"a call", file(1, dict("__import__('os')", "False", "()"), nil), false, "no Python literal"},
		{"no comma", file(1, "{'descr' '<f4'}", nil), false, "want ':'"},
		{"deep", file(1, strings.Repeat("(", 60000), nil), false, "too deeply"},
		{"escape", file(1, dict(`'\x3cf4'`, "False", "()"), nil), false, "escapes"},
		{"long integer in version 3", file(3, dict("'|i1'", "False", "(2L,)"), nil), false, "comma"},
		{"leading zero", file(1, dict("'|i1'", "False", "(02,)"), nil), false, "no integer"},
		{"no such type", file(1, dict("'<q4'", "False", "(2,)"), nil), false, "no element type"},
		{"size with a sign", file(1, dict("'<f+4'", "False", "(2,)"), nil), false, "no element type"},
		{"no byte order", file(1, dict("'|f4'", "False", "(2,)"), nil), false, "need a byte order"},
		{"native order", file(1, dict("'=f4'", "False", "(2,)"), nil), false, "no byte order"},
		{"objects", file(1, dict("'|O'", "False", "(2,)"), nil), true, "pickled"},
		{"bfloat16", file(1, dict("'<V2'", "False", "(2,)"), nil), true, "bfloat16"},
		{"float8", file(1, dict("'<V1'", "False", "(2,)"), nil), true, "raw bytes"},
		{"text", file(1, dict("'<U5'", "False", "(2,)"), nil), true, "text"},
		{"long double", file(1, dict("'<f16'", "False", "(2,)"), nil), true, `"<f16"`},
		{"structured", file(1, dict("[('a', '<f4'), ('b', '<i4', (2,))]", "False", "(2,)"), nil), true, "structured"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.b)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "npy: ") {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var ue *npy.UnsupportedError
			if errors.As(err, &ue) != c.unsupported {
				t.Errorf("unsupported: got %v, want %v: %v", ue != nil, c.unsupported, err)
			}
		})
	}
}

func TestNormalize(t *testing.T) {
	// 0…23 as a 2×3×4 array, element (i, j, k) = 12i + 4j + k.
	var want, columns []byte
	for v := range uint16(24) {
		want = binary.LittleEndian.AppendUint16(want, v)
	}
	for k := range 4 {
		for j := range 3 {
			for i := range 2 {
				columns = binary.BigEndian.AppendUint16(columns, uint16(12*i+4*j+k))
			}
		}
	}
	big := slices.Clone(columns)
	for _, c := range []struct {
		name string
		text string
		data []byte
		want []byte
	}{
		{"as it is", dict("'<i2'", "False", "(2, 3, 4)"), want, want},
		{"column-major and big-endian", dict("'>i2'", "True", "(2, 3, 4)"), columns, want},
		{"one axis has one order", dict("'<i2'", "True", "(24,)"), want, want},
		{"big-endian", dict("'>u4'", "False", "(1,)"), []byte{1, 2, 3, 4}, []byte{4, 3, 2, 1}},
		{"complex parts", dict("'>c8'", "False", "(1,)"), []byte{1, 2, 3, 4, 5, 6, 7, 8}, []byte{4, 3, 2, 1, 8, 7, 6, 5}},
		{"empty", dict("'>f8'", "True", "(3, 0)"), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := parse(file(1, c.text, c.data))
			if err != nil {
				t.Fatal(err)
			}
			got := h.Normalize(c.data)
			if !bytes.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if same := len(got) > 0 && &got[0] == &c.data[0]; same != (bytes.Equal(c.data, c.want) && len(got) > 0) {
				t.Errorf("shares the data: %v", same)
			}
		})
	}
	if !bytes.Equal(columns, big) {
		t.Error("the source data is changed")
	}
}

// The headers are those of NumPy 2.4.6, np.save(f, np.zeros(shape, descr)).
func TestWriteEqualsNumPy(t *testing.T) {
	for _, c := range []struct {
		descr string
		shape []int
		text  string
		total int
	}{
		{"<f4", []int{}, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 128},
		{"<f4", []int{3}, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 128},
		{"|i1", []int{1, 3, 224, 224}, "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 3, 224, 224), }", 128},
		{"<f8", []int{0, 5}, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5), }", 128},
		{"|b1", []int{12345, 1}, "{'descr': '|b1', 'fortran_order': False, 'shape': (12345, 1), }", 128},
		// The text, its room to grow and the line end fill 128 bytes: NumPy
		// adds 64 more.
		{"|i1", []int{1, 11, 11, 11, 11, 11, 1, 1, 1, 1, 1, 1, 1}, "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 11, 11, 11, 11, 11, 1, 1, 1, 1, 1, 1, 1), }", 192},
	} {
		h, err := npy.AppendHeader(nil, c.descr, c.shape)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]byte("\x93NUMPY\x01\x00"), byte(c.total-10), 0)
		want = append(want, c.text...)
		want = append(want, strings.Repeat(" ", c.total-1-len(want))...)
		want = append(want, '\n')
		if !bytes.Equal(h, want) {
			t.Errorf("%s %v: got\n%q, want\n%q", c.descr, c.shape, h, want)
		}
	}
}

func TestWriteRoundTrip(t *testing.T) {
	for _, descr := range []string{"<f2", "<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1", "<c8", "<c16"} {
		for _, shape := range [][]int{{}, {1}, {2, 3}, {0, 7}, {2, 1, 5, 1}} {
			size := int(descr[2] - '0')
			if descr == "<c16" {
				size = 16
			}
			for _, d := range shape {
				size *= d
			}
			data := make([]byte, size)
			for i := range data {
				data[i] = byte(i + 1)
			}
			var b bytes.Buffer
			if err := npy.Write(&b, descr, shape, data); err != nil {
				t.Fatal(err)
			}
			h, err := parse(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if h.Descr != descr || !slices.Equal(h.Shape, shape) || h.DataOffset%64 != 0 || !bytes.Equal(b.Bytes()[h.DataOffset:], data) {
				t.Errorf("%s %v came back as %+v", descr, shape, h)
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, c := range []struct {
		descr string
		shape []int
		n     int
	}{
		{"<f4", []int{2}, 7},
		{"<f4", []int{-1}, 0},
		{"<f4", []int{1 << 30, 1 << 30, 1 << 30}, 0},
		{">f4", []int{1}, 4},
		{"|O", []int{1}, 8},
		{"", []int{1}, 1},
		{"|u1", slices.Repeat([]int{1}, 65), 1},
	} {
		if err := npy.Write(io.Discard, c.descr, c.shape, make([]byte, c.n)); err == nil {
			t.Errorf("%q %v with %d bytes is written", c.descr, c.shape, c.n)
		}
	}
}

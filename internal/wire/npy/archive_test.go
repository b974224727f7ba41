package npy_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// entry is a member of a zip archive that the tests make.
type entry struct {
	name     string
	method   uint16
	data     []byte
	declared uint64 // the inflated size to declare instead of the true one
	flags    uint16
}

func archive(entries ...entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		packed := e.data
		if e.method == zip.Deflate {
			packed = deflate(e.data)
		}
		size := uint64(len(e.data))
		if e.declared != 0 {
			size = e.declared
		}
		w, err := z.CreateRaw(&zip.FileHeader{
			Name: e.name, Method: e.method, Flags: e.flags, CRC32: crc32.ChecksumIEEE(e.data),
			CompressedSize64: uint64(len(packed)), UncompressedSize64: size,
		})
		if err == nil {
			_, err = w.Write(packed)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// deflate returns data as DEFLATE blocks that compress nothing: bytes that no
// release of a compressor changes (RFC 1951, 3.2.4).
func deflate(data []byte) []byte {
	var b []byte
	for {
		n := min(len(data), math.MaxUint16)
		last := byte(0)
		if n == len(data) {
			last = 1
		}
		b = append(b, last)
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
		b = binary.LittleEndian.AppendUint16(b, ^uint16(n))
		b = append(b, data[:n]...)
		if data = data[n:]; last == 1 {
			return b
		}
	}
}

func open(b []byte, limit int64) (*npy.Archive, error) {
	return npy.OpenArchive(bytes.NewReader(b), int64(len(b)), limit)
}

func TestArchive(t *testing.T) {
	small := file(1, dict("'<f4'", "False", "(2,)"), make([]byte, 8))
	large := file(1, dict("'|u1'", "False", "(300000,)"), bytes.Repeat([]byte{1, 2, 3}, 100000))
	b := archive(
		entry{name: "a/b.npy", data: small},
		entry{name: "dir/"},
		entry{name: "../x.npy", method: zip.Deflate, data: large},
		entry{name: "note", data: []byte("text")},
		entry{name: "empty", method: zip.Deflate},
	)
	a, err := open(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range a.Members {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, " "); got != "a/b ../x note empty" {
		t.Errorf("members %q", got)
	}
	m := a.Member("a/b")
	if m.Size != int64(len(small)) || !bytes.Equal(b[m.Offset:][:m.Size], small) {
		t.Errorf("stored member: offset %d, size %d", m.Offset, m.Size)
	}
	h, err := npy.ParseHeader(io.NewSectionReader(bytes.NewReader(b), m.Offset, m.Size), m.Size)
	if err != nil || h.Descr != "<f4" {
		t.Errorf("header in place: %+v, %v", h, err)
	}
	for name, want := range map[string][]byte{"a/b": small, "../x": large, "note": []byte("text"), "empty": {}} {
		m := a.Member(name)
		for range 2 {
			if got, err := a.Read(m); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, len(want))
			}
		}
	}
	if a.Member("../x").Offset != -1 {
		t.Error("a compressed member has an offset")
	}
	if a.Member("b") != nil {
		t.Error("a member that is not there")
	}
}

func TestArchiveRefuses(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 20)
	good := archive(entry{name: "a.npy", data: data})
	damaged := bytes.Clone(good)
	damaged[bytes.Index(damaged, data)] ^= 1
	for _, c := range []struct {
		name        string
		b           []byte
		limit       int64
		unsupported bool
		want        string
	}{
		{"no archive", []byte("nothing"), 0, false, "npz: zip"},
		{"cut", good[:len(good)-30], 0, false, "npz: zip"},
		{"one name twice", archive(entry{name: "a.npy"}, entry{name: "a.npy"}), 0, false, "twice"},
		{"one array twice", archive(entry{name: "a"}, entry{name: "a.npy"}), 0, false, "twice"},
		{"encrypted", archive(entry{name: "a", flags: 1}), 0, true, "encrypted"},
		{"unknown method", archive(entry{name: "a", method: 14}), 0, true, "method 14"},
		{"stored, sizes differ", archive(entry{name: "a", data: data, declared: 300}), 0, false, "two sizes differ"},
		{"damaged", damaged, 0, false, "checksum"},
		{"over the limit", archive(entry{name: "a", method: zip.Deflate, data: data}), 199, true, "more than 199 bytes"},
		{"over the limit together", archive(entry{name: "a", method: zip.Deflate, data: data}, entry{name: "b", method: zip.Deflate, data: data}), 399, true, `member "b"`},
		{"declares more than it has", archive(entry{name: "a", method: zip.Deflate, data: data, declared: 1 << 29}), 0, false, "EOF"},
		{"declares less than it has", archive(entry{name: "a", method: zip.Deflate, data: data, declared: 20}), 0, false, `member "a"`},
		{"declares a bomb", archive(entry{name: "a", method: zip.Deflate, data: data, declared: 1 << 50}), 0, true, "inflating more"},
		{"declares the impossible", archive(entry{name: "a", method: zip.Deflate, data: data, declared: math.MaxUint64}), 0, false, "not possible"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := open(c.b, c.limit)
			if err == nil {
				for _, m := range a.Members {
					var got []byte
					if got, err = a.Read(m); err != nil {
						break
					}
					if cap(got) > 4*len(data) {
						t.Errorf("%d bytes are allocated", cap(got))
					}
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var ue *npy.UnsupportedError
			if errors.As(err, &ue) != c.unsupported {
				t.Errorf("unsupported: got %v, want %v", ue != nil, c.unsupported)
			}
		})
	}
}

func TestOverlappingMembersAreRefused(t *testing.T) {
	data := bytes.Repeat([]byte{7}, 1000)
	b := archive(entry{name: "a", data: data}, entry{name: "b"})
	// The directory's row of b is made to point at the bytes of a.
	rows := bytes.Split(b, []byte("PK\x01\x02"))
	if len(rows) != 3 {
		t.Fatalf("%d rows in the directory", len(rows)-1)
	}
	row := rows[2]
	copy(row[12:24], rows[1][12:24])     // checksum and sizes
	copy(row[38:42], []byte{0, 0, 0, 0}) // where its header stands
	if _, err := open(bytes.Join(rows, []byte("PK\x01\x02")), 0); err == nil || !strings.Contains(err.Error(), "longer than the archive") {
		t.Errorf("got %v", err)
	}
}

func TestArchiveWriter(t *testing.T) {
	write := func() []byte {
		var b bytes.Buffer
		w := npy.NewArchiveWriter(&b)
		for i := range 70 {
			name := fmt.Sprintf("/läyer/%s:0", strings.Repeat("x", i))
			if err := w.Add(name, "<f4", []int{i, 2}, bytes.Repeat([]byte{byte(i)}, 8*i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	b := write()
	if !bytes.Equal(b, write()) {
		t.Error("two runs differ")
	}
	a, err := open(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Members) != 70 {
		t.Fatalf("%d members", len(a.Members))
	}
	for i, m := range a.Members {
		if m.Offset%64 != 0 || m.Name != fmt.Sprintf("/läyer/%s:0", strings.Repeat("x", i)) {
			t.Errorf("member %q at %d", m.Name, m.Offset)
		}
		got, err := a.Read(m)
		if err != nil {
			t.Fatal(err)
		}
		h, err := parse(got)
		if err != nil || h.Shape[0] != i || !bytes.Equal(got[h.DataOffset:], bytes.Repeat([]byte{byte(i)}, 8*i)) {
			t.Errorf("member %q came back as %+v, %v", m.Name, h, err)
		}
	}
}

func TestArchiveWriterRefuses(t *testing.T) {
	w := npy.NewArchiveWriter(io.Discard)
	if err := w.Add("a", "|u1", []int{1}, []byte{1}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"twice":        w.Add("a", "|u1", []int{1}, []byte{1}),
		"empty name":   w.Add("", "|u1", []int{1}, []byte{1}),
		"NUL":          w.Add("a\x00b", "|u1", []int{1}, []byte{1}),
		"no UTF-8":     w.Add("\xff", "|u1", []int{1}, []byte{1}),
		"long name":    w.Add(strings.Repeat("a", 1<<16), "|u1", []int{1}, []byte{1}),
		"wrong size":   w.Add("b", "|u1", []int{2}, []byte{1}),
		"no such type": w.Add("c", "|x1", []int{1}, []byte{1}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "npz: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

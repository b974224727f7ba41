package npy_test

import (
	"archive/zip"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/wire/npy"
)

var update = flag.Bool("update", false, "write the fuzz seeds anew")

func seeds() map[string]map[string][]byte {
	array := file(1, dict("'<f4'", "False", "(2,)"), make([]byte, 8))
	var written bytes.Buffer
	w := npy.NewArchiveWriter(&written)
	for _, name := range []string{"x", "labels"} {
		if err := w.Add(name, "|u1", []int{2, 2}, []byte{1, 2, 3, 4}); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return map[string]map[string][]byte{
		"FuzzNpy": {
			"float":       array,
			"fortran":     file(2, dict("'>i2'", "True", "(2, 3)"), make([]byte, 12)),
			"complex":     file(3, dict("'>c16'", "False", "()"), make([]byte, 16)),
			"objects":     file(1, dict("'|O'", "False", "(2,)"), []byte("\x80\x04N.")),
			"structured":  file(1, dict("[('a', '<f4')]", "False", "(2,)"), nil),
			"overflow":    file(1, dict("'<f8'", "False", "(4611686018427387904, 8)"), nil),
			"truncated":   array[:40],
			"huge_header": []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{"),
		},
		"FuzzNpz": {
			"stored":     written.Bytes(),
			"deflated":   archive(entry{name: "x.npy", method: zip.Deflate, data: array}),
			"lies":       archive(entry{name: "x.npy", method: zip.Deflate, data: array, declared: 1 << 40}),
			"duplicate":  archive(entry{name: "x.npy", data: array}, entry{name: "x.npy", data: array}),
			"directory":  archive(entry{name: "d/"}, entry{name: "d/x.npy", data: array}),
			"no_archive": []byte("PK\x05\x06"),
		},
	}
}

func TestSeedsAreFresh(t *testing.T) {
	for target, files := range seeds() {
		dir := filepath.Join("testdata", "fuzz", target)
		for name, b := range files {
			path := filepath.Join(dir, name)
			want := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", b)
			if *update {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, _ := os.ReadFile(path); string(got) != want {
				t.Errorf("%s: not what this test makes; run it with -update", path)
			}
		}
	}
}

// check reads an array the way a caller does, and writes it again.
func check(t *testing.T, b []byte) {
	h, err := parse(b)
	if err != nil {
		return
	}
	if h.DataOffset+h.DataSize != int64(len(b)) {
		t.Fatalf("%+v of a file of %d bytes", h, len(b))
	}
	data := h.Normalize(b[h.DataOffset:])
	descr := h.Descr
	if h.ItemSize > 1 {
		descr = "<" + descr[1:]
	}
	var again bytes.Buffer
	if err := npy.Write(&again, descr, h.Shape, data); err != nil {
		t.Fatalf("%+v is read and not written: %v", h, err)
	}
	back, err := parse(again.Bytes())
	if err != nil || !bytes.Equal(again.Bytes()[back.DataOffset:], data) {
		t.Fatalf("%+v came back as %+v, %v", h, back, err)
	}
}

func FuzzNpy(f *testing.F) { f.Fuzz(check) }

func FuzzNpz(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 20
		a, err := open(b, limit)
		if err != nil {
			return
		}
		inflated := 0
		for _, m := range a.Members {
			if m.Offset >= 0 {
				in := io.NewSectionReader(bytes.NewReader(b), m.Offset, m.Size)
				_, _ = npy.ParseHeader(in, m.Size)
				if m.Offset+m.Size > int64(len(b)) {
					t.Fatalf("member %+v of a file of %d bytes", m, len(b))
				}
			}
			got, err := a.Read(m)
			if err != nil {
				continue
			}
			if int64(len(got)) != m.Size {
				t.Fatalf("member %q of %d bytes gave %d", m.Name, m.Size, len(got))
			}
			if m.Offset < 0 {
				inflated += len(got)
			}
			check(t, got)
		}
		if inflated > limit {
			t.Fatalf("%d bytes are inflated", inflated)
		}
	})
}

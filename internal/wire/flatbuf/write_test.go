package flatbuf_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// example has every kind of field, two tables of one shape, and a value that is
// known only behind the plan.
func example(t *testing.T) (*flatbuf.File, []byte) {
	t.Helper()
	item := func(n int32, name string) flatbuf.Part {
		var f flatbuf.Fields
		f.Part(1, flatbuf.String(name))
		f.Int32(0, n)
		return &f
	}
	var inner, root flatbuf.Fields
	inner.Float32(2, 0.5)
	var later uint64
	root.Part(4, flatbuf.Parts{item(7, "seven"), item(-8, "")}.Vector())
	root.Byte(0, 200)
	root.Bool(1, true)
	root.Later(2, &later)
	root.Union(5, 3, &inner)
	root.Part(7, flatbuf.Numbers([]int64{1, -2}))
	root.Part(8, flatbuf.Blob(5, 16, strings.NewReader("abcde")))
	root.Part(9, flatbuf.Numbers([]float32{1.5}))
	root.Part(10, flatbuf.Numbers([]int32{}))
	f, err := flatbuf.Plan("TST0", &root)
	if err != nil {
		t.Fatal(err)
	}
	later = uint64(f.Size())
	var b bytes.Buffer
	if n, err := f.WriteTo(&b); err != nil || n != f.Size() || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, f.Size(), err)
	}
	return f, b.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	_, b := example(t)
	buf, err := flatbuf.Open(b, "TST0")
	if err != nil {
		t.Fatal(err)
	}
	root := buf.Root()
	if root.Byte(0, 0) != 200 || !root.Bool(1, false) || root.Uint64(2, 0) != uint64(len(b)) || root.Has(3) {
		t.Errorf("plain fields: %d %v %d %v", root.Byte(0, 0), root.Bool(1, false), root.Uint64(2, 0), root.Has(3))
	}
	items := root.Vector(4, 4)
	if items.Len() != 2 || items.Table(0).Int32(0, 0) != 7 || items.Table(0).String(1) != "seven" || items.Table(1).Int32(0, 0) != -8 || !items.Table(1).Has(1) {
		t.Errorf("tables: %d, %d %q", items.Len(), items.Table(0).Int32(0, 0), items.Table(0).String(1))
	}
	if root.Byte(5, 0) != 3 || root.Table(6).Float32(2, 0) != 0.5 {
		t.Errorf("union: %d, %v", root.Byte(5, 0), root.Table(6).Float32(2, 0))
	}
	if v := root.Vector(7, 8); v.Len() != 2 || v.Int64(0) != 1 || v.Int64(1) != -2 {
		t.Errorf("numbers of 64 bits: %d", v.Len())
	}
	if v := root.Vector(8, 1); string(v.Bytes()) != "abcde" || bytes.Index(b, []byte("abcde"))%16 != 0 {
		t.Errorf("blob: %q at %d", v.Bytes(), bytes.Index(b, []byte("abcde")))
	}
	if v := root.Vector(9, 4); v.Len() != 1 || v.Float32(0) != 1.5 {
		t.Errorf("floats: %d", v.Len())
	}
	if v := root.Vector(10, 4); !v.Present() || v.Len() != 0 {
		t.Errorf("an empty vector: %v, %d", v.Present(), v.Len())
	}
	if err := buf.Err(); err != nil {
		t.Error(err)
	}
}

func TestTheSamePartsGiveTheSameBytes(t *testing.T) {
	_, a := example(t)
	_, b := example(t)
	if !bytes.Equal(a, b) {
		t.Error("two builds differ")
	}
}

func TestWritingSaysWhatIsWrong(t *testing.T) {
	var root flatbuf.Fields
	s := flatbuf.String("x")
	root.Part(0, s)
	root.Part(1, s)
	if _, err := flatbuf.Plan("TST0", &root); err == nil || !strings.Contains(err.Error(), "two places") {
		t.Errorf("a part in two places: %v", err)
	}
	root = flatbuf.Fields{}
	root.Part(0, flatbuf.Blob(4, 1, strings.NewReader("abcde")))
	f, err := flatbuf.Plan("TST0", &root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteTo(io.Discard); err == nil || !strings.Contains(err.Error(), "of 4 bytes was written with 5") {
		t.Errorf("a blob of another size: %v", err)
	}
	root = flatbuf.Fields{}
	root.Part(0, flatbuf.Blob(1<<31, 1, strings.NewReader("")))
	if _, err := flatbuf.Plan("TST0", &root); err == nil || !strings.Contains(err.Error(), "needs more than") {
		t.Errorf("a file of 2 GiB: %v", err)
	}
}

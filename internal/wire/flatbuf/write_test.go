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
	root.Part(0, flatbuf.Parts{&root}.Vector())
	if _, err := flatbuf.Plan("TST0", &root); err == nil || !strings.Contains(err.Error(), "contains itself") {
		t.Errorf("a table in itself: %v", err)
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

// TestAlikePartsAreWrittenOnce: strings and vectors of numbers that are alike,
// and tables that are given twice, stand behind all that refer to them.
func TestAlikePartsAreWrittenOnce(t *testing.T) {
	var root, inner, both flatbuf.Fields
	both.Part(0, flatbuf.String("twice"))
	inner.Part(0, flatbuf.Numbers([]int64{0x1234567, 6}))
	inner.Part(1, flatbuf.Numbers([]int32{5, 0}))
	inner.Part(2, &both)
	root.Part(0, flatbuf.Numbers([]int64{0x1234567, 6}))
	root.Part(1, flatbuf.String("twice"))
	root.Part(2, &both)
	root.Part(3, flatbuf.Numbers([]int64{5}))
	root.Part(4, &inner)
	f, err := flatbuf.Plan("TST0", &root)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte("twice")); n != 1 {
		t.Errorf("the string is written %d times", n)
	}
	if n := bytes.Count(b.Bytes(), []byte{0x67, 0x45, 0x23, 1, 0, 0, 0, 0, 6}); n != 1 {
		t.Errorf("the numbers are written %d times", n)
	}
	buf, err := flatbuf.Open(b.Bytes(), "TST0")
	if err != nil {
		t.Fatal(err)
	}
	r := buf.Root()
	for _, v := range []flatbuf.Table{r, r.Table(4)} {
		if x := v.Vector(0, 8); x.Len() != 2 || x.Int64(0) != 0x1234567 || x.Int64(1) != 6 || v.Table(2).String(0) != "twice" {
			t.Errorf("%d numbers, %q", x.Len(), v.Table(2).String(0))
		}
	}
	if x := r.Table(4).Vector(1, 4); x.Len() != 2 || x.Int32(0) != 5 || r.Vector(3, 8).Len() != 1 || r.String(1) != "twice" {
		t.Errorf("what differs: %d, %d, %q", x.Len(), r.Vector(3, 8).Len(), r.String(1))
	}
	if err := buf.Err(); err != nil {
		t.Error(err)
	}
}

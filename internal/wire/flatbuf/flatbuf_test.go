package flatbuf_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// words is a file of 16-bit words, with the identifier in its place.
func words(w ...uint16) []byte {
	b := []byte{0, 0, 0, 0, 'T', 'E', 'S', 'T'}
	for _, v := range w {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

// put writes a 32-bit number.
func put(b []byte, at int, v uint32) []byte {
	binary.LittleEndian.PutUint32(b[at:], v)
	return b
}

// sample is a table at 20 with the field list at 8: a number at slot 0, a vector
// of tables at slot 2 and a string at slot 3.
func sample() []byte {
	b := words(
		12, 16, // 8: sizes of the list and of the table
		4, 0, 8, 12, // 12: fields
		0, 0, 7, 0, 8, 0, 16, 0, // 20: the table: list, number, vector, string
		1, 0, 0, 0, // 36: a vector of one table
		2, 0, 0x6968, 0, // 44: the string hi
	)
	put(b, 0, 20)
	put(b, 20, 12)
	put(b, 24, 7)
	put(b, 28, 8)  // 36
	put(b, 32, 12) // 44
	put(b, 36, 1)  // one element
	put(b, 40, 0)  // filled below
	return b
}

func TestRead(t *testing.T) {
	b := sample()
	// The element leads to a table behind the string, which shares the list.
	b = append(b, make([]byte, 16)...)
	put(b, 40, uint32(52-40))
	put(b, 52, uint32(52-8))
	put(b, 56, 9)
	buf, err := flatbuf.Open(b, "TEST")
	if err != nil {
		t.Fatal(err)
	}
	root := buf.Root()
	if got := root.Int32(0, 3); got != 7 {
		t.Errorf("number %d, want 7", got)
	}
	if got := root.Int32(1, 3); got != 3 {
		t.Errorf("absent field %d, want its default 3", got)
	}
	if got := root.Int32(40, -1); got != -1 {
		t.Errorf("field behind the list %d, want its default", got)
	}
	if got := root.String(3); got != "hi" {
		t.Errorf("string %q, want hi", got)
	}
	v := root.Vector(2, 4)
	if v.Len() != 1 || !v.Present() {
		t.Fatalf("%d elements, want 1", v.Len())
	}
	if got := v.Table(0).Int32(0, 0); got != 9 {
		t.Errorf("number of the element %d, want 9", got)
	}
	if root.Vector(1, 4).Present() || root.Table(1).Present() {
		t.Error("an absent field is present")
	}
	if err := buf.Err(); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(b []byte)
		want   string
	}{
		"root beyond the file":     {func(b []byte) { put(b, 0, 4000) }, "leads out of the file"},
		"root at itself":           {func(b []byte) { put(b, 0, 0) }, "contains itself"},
		"root before the file":     {func(b []byte) { put(b, 0, 0xfffffff8) }, "leads back"},
		"field list before it":     {func(b []byte) { put(b, 20, 400) }, "needs 4 bytes"},
		"field list far behind":    {func(b []byte) { put(b, 20, 0xfffff000) }, "needs 4 bytes"},
		"odd field list":           {func(b []byte) { b[8] = 11 }, "declares sizes"},
		"table beyond the file":    {func(b []byte) { b[10] = 200 }, "needs 200 bytes"},
		"field outside the table":  {func(b []byte) { b[12] = 14 }, "lies outside it"},
		"vector beyond the file":   {func(b []byte) { put(b, 28, 1000) }, "leads out of the file"},
		"vector of too many":       {func(b []byte) { put(b, 36, 1<<30) }, "declares 1073741824 elements"},
		"string of too many bytes": {func(b []byte) { put(b, 44, 500) }, "declares 500 elements"},
	} {
		t.Run(name, func(t *testing.T) {
			b := sample()
			tt.change(b)
			buf, err := flatbuf.Open(b, "TEST")
			if err != nil {
				t.Fatal(err)
			}
			root := buf.Root()
			root.Int32(0, 0)
			root.Vector(2, 4)
			if s := root.String(3); s != "hi" && s != "" {
				t.Errorf("string %q", s)
			}
			if err := buf.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
			if root.Int32(0, 5) != 5 || root.Vector(2, 4).Len() != 0 {
				t.Error("something is read after the fault")
			}
		})
	}
	for _, b := range [][]byte{nil, []byte("short"), []byte("\x08\x00\x00\x00ELSE")} {
		if _, err := flatbuf.Open(b, "TEST"); err == nil {
			t.Errorf("%q is opened", b)
		}
	}
}

// TestCycles: a part that is part of itself is an error, at once, as every offset
// to what stands before it is.
func TestCycles(t *testing.T) {
	back := func(from, to int) uint32 { return uint32(int32(to - from)) }
	for name, tt := range map[string]struct {
		change func(b []byte)
		walk   func(t flatbuf.Table) flatbuf.Table // one step towards the table again
	}{
		"a table that is its own field":  {func(b []byte) { put(b, 28, back(28, 20)) }, func(t flatbuf.Table) flatbuf.Table { return t.Table(2) }},
		"a table that is its own list's": {func(b []byte) { put(b, 40, back(40, 20)) }, func(t flatbuf.Table) flatbuf.Table { return t.Vector(2, 4).Table(0) }},
		"a list that is its own element": {func(b []byte) { put(b, 40, back(40, 36)) }, func(t flatbuf.Table) flatbuf.Table { return t.Vector(2, 4).Table(0) }},
		"a field that leads to itself":   {func(b []byte) { put(b, 28, 0) }, func(t flatbuf.Table) flatbuf.Table { return t.Table(2) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := sample()
			tt.change(b)
			buf, err := flatbuf.Open(b, "TEST")
			if err != nil {
				t.Fatal(err)
			}
			steps := 0
			for at := buf.Root(); at.Present(); at = tt.walk(at) {
				if steps++; steps > 1 {
					t.Fatal("the walk has come to the table again")
				}
			}
			want := "contains itself"
			if err := buf.Err(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error is %v, want one that says %q", err, want)
			}
		})
	}
}

// TestSpend: what is made of a file is bounded by its size, however often its
// parts refer to each other.
func TestSpend(t *testing.T) {
	buf, err := flatbuf.Open(sample(), "TEST")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for buf.Spend(1 << 10) {
		if n++; n > 1000 {
			t.Fatal("there is no end")
		}
	}
	if buf.Err() == nil || n == 0 {
		t.Errorf("%d kilobytes, error %v", n, buf.Err())
	}
}

// FuzzRead: no bytes make the reader panic.
func FuzzRead(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, b []byte) {
		buf, err := flatbuf.Open(b, "TEST")
		if err != nil {
			return
		}
		walk(buf.Root(), 0)
	})
}

// walk reads every slot in every way.
func walk(t flatbuf.Table, depth int) {
	for slot := range 6 {
		t.Byte(slot, 0)
		t.Bool(slot, false)
		t.Int32(slot, 0)
		t.Uint64(slot, 0)
		t.Float32(slot, 0)
		t.Has(slot)
		t.String(slot)
		for _, size := range []int{1, 4, 8} {
			v := t.Vector(slot, size)
			_ = v.Bytes()
			for i := range min(v.Len(), 3) {
				switch size {
				case 4:
					v.Int32(i)
					v.Float32(i)
					if depth < 3 {
						walk(v.Table(i), depth+1)
					}
				case 8:
					v.Int64(i)
				}
			}
			if size == 4 {
				v.Ints()
			}
		}
		if depth < 3 {
			walk(t.Table(slot), depth+1)
		}
	}
}

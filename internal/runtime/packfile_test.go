package runtime

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"
)

var packSections = map[string][]byte{
	"0 rows 3":    {1, 2, 3},
	"10 rows 70":  bytes.Repeat([]byte{9}, 70),
	"11 sums 0":   {},
	"2 rows 64":   bytes.Repeat([]byte{7}, 64),
	"2 other 128": bytes.Repeat([]byte{8}, 128),
}

func packFile(t testing.TB, id packID, sections map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writePack(&b, id, sections); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPackFileHoldsItsSections(t *testing.T) {
	id := packID{5, 6}
	b := packFile(t, id, packSections)
	got, err := parsePack(b, id)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(got, packSections, func(x, y []byte) bool { return bytes.Equal(x, y) }) {
		t.Errorf("read %v", slices.Sorted(maps.Keys(got)))
	}
	if again := packFile(t, id, packSections); !bytes.Equal(b, again) {
		t.Error("a second file of the same sections has other bytes")
	}
	if got, err := parsePack(packFile(t, id, nil), id); err != nil || len(got) != 0 {
		t.Errorf("a file without sections: %v, %v", got, err)
	}
}

// TestPackFileRefusesOthers changes every byte that says where numbers lie, and
// cuts and lengthens the file.
func TestPackFileRefusesOthers(t *testing.T) {
	id := packID{5, 6}
	b := packFile(t, id, packSections)
	if _, err := parsePack(b, packID{5}); err == nil {
		t.Error("a file of other weights is taken")
	}
	for n := range b {
		if _, err := parsePack(b[:n], id); err == nil {
			t.Errorf("%d of %d bytes are taken", n, len(b))
		}
	}
	if _, err := parsePack(append(bytes.Clone(b), 0), id); err == nil {
		t.Error("a byte more is taken")
	}
	table := int(binary.LittleEndian.Uint64(b[24:]))
	for i := range packHeader + table {
		c := bytes.Clone(b)
		c[i] ^= 0x41
		if _, err := parsePack(c, id); err == nil {
			t.Errorf("a change of byte %d is taken", i)
		}
	}
}

// withSum gives a changed file the sum that belongs to it.
func withSum(b []byte) []byte {
	if len(b) >= packHeader {
		le := binary.LittleEndian
		table := b[packHeader:]
		if n := le.Uint64(b[24:]); n < uint64(len(table)) {
			table = table[:n]
		}
		copy(b[64:], packSum(b[:64], table))
	}
	return b
}

// TestPackFileRefusesPlacesOutside writes tables with right sums that point
// where nothing is.
func TestPackFileRefusesPlacesOutside(t *testing.T) {
	id := packID{1}
	le := binary.LittleEndian
	fresh := func() []byte { return packFile(t, id, map[string][]byte{"a": make([]byte, 64), "b": make([]byte, 64)}) }
	entry := func(i int) int { return packHeader + i*(packEntry+1) }
	for what, change := range map[string]func(b []byte){
		"a count beyond the table":    func(b []byte) { le.PutUint32(b[12:], 3) },
		"a count of billions":         func(b []byte) { le.PutUint32(b[12:], 1<<32-1) },
		"a count less":                func(b []byte) { le.PutUint32(b[12:], 1) },
		"a table beyond the file":     func(b []byte) { le.PutUint64(b[24:], 1<<62) },
		"a file of another length":    func(b []byte) { le.PutUint64(b[16:], uint64(len(b))+64) },
		"a name beyond the table":     func(b []byte) { le.PutUint16(b[entry(1):], 500) },
		"one name twice":              func(b []byte) { b[entry(1)+2] = 'a' },
		"an offset beyond the file":   func(b []byte) { le.PutUint64(b[entry(1)+3:], 1<<63) },
		"an offset in the header":     func(b []byte) { le.PutUint64(b[entry(0)+3:], 64) },
		"an offset of no alignment":   func(b []byte) { le.PutUint64(b[entry(0)+3:], 129) },
		"sections over one another":   func(b []byte) { le.PutUint64(b[entry(1)+3:], le.Uint64(b[entry(0)+3:])) },
		"a length beyond the file":    func(b []byte) { le.PutUint64(b[entry(1)+11:], 65) },
		"a length that wraps around":  func(b []byte) { le.PutUint64(b[entry(1)+11:], 1<<64-64) },
		"a table of another version":  func(b []byte) { le.PutUint32(b[8:], packVersion+1) },
		"another kind of file before": func(b []byte) { b[0] = 'O' },
	} {
		b := fresh()
		if _, err := parsePack(withSum(b), id); err != nil {
			t.Fatal(err)
		}
		change(b)
		if _, err := parsePack(withSum(b), id); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

func FuzzParsePack(f *testing.F) {
	f.Add(packFile(f, packID{}, packSections))
	f.Add(packFile(f, packID{}, nil))
	f.Add([]byte(packMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		var id packID
		if b = withSum(bytes.Clone(b)); len(b) >= packHeader {
			id = packID(b[32:64])
		}
		got, err := parsePack(b, id)
		if err != nil {
			return
		}
		for name, s := range got {
			if len(s) > len(b) || len(name) > len(b) {
				t.Fatalf("section %q of %d bytes in a file of %d", name, len(s), len(b))
			}
			for _, v := range s {
				_ = v
			}
		}
		again, err := parsePack(packFile(t, id, got), id)
		if err != nil || !maps.EqualFunc(again, got, func(x, y []byte) bool { return bytes.Equal(x, y) }) {
			t.Fatalf("written again it reads as %d sections, %v", len(again), err)
		}
	})
}

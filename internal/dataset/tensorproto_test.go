package dataset_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// message returns the bytes of a TensorProto whose head is filled in here.
func message(t *testing.T, typ uint64, dims []uint64, body func(m *proto.Message)) []byte {
	t.Helper()
	var m proto.Message
	for _, d := range dims {
		m.Varint(1, d)
	}
	m.Varint(2, typ)
	body(&m)
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func raw(values ...float32) func(m *proto.Message) {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return func(m *proto.Message) { m.Bytes(9, b) }
}

func TestTestData(t *testing.T) {
	dir := t.TempDir()
	two := spec(row, dataset.Input{Name: "flags", Type: dtype.Int64, Shape: []int{2}})
	for i, first := range map[string]float32{"0": 1, "2": 2, "10": 3} {
		set := filepath.Join(dir, "test_data_set_"+i)
		write(t, filepath.Join(set, "input_0.pb"), string(message(t, 1, []uint64{2, 3}, raw(first, 2, 3, 4, 5, 6))))
		write(t, filepath.Join(set, "input_1.pb"), string(message(t, 7, []uint64{2}, func(m *proto.Message) { m.Varint(7, 7); m.Varint(7, math.MaxUint64) })))
		write(t, filepath.Join(set, "output_0.pb"), "no matter")
	}
	d := open(t, two, dir)
	if d.Len() != 3 {
		t.Fatalf("%d samples", d.Len())
	}
	for i, want := range []string{"[1 2 3 4 5 6] [2 3]", "[2 2 3 4 5 6] [2 3]", "[3 2 3 4 5 6] [2 3]"} {
		if got := values(at(t, d, i, "x")); got != want {
			t.Errorf("sample %d: %s, want %s", i, got, want)
		}
		if got := values(at(t, d, i, "flags")); got != "[7 -1] [2]" {
			t.Errorf("sample %d: %s", i, got)
		}
	}
	if d := open(t, two, filepath.Join(dir, "test_data_set_2"), filepath.Join(dir, "test_data_set_10")); d.Len() != 2 {
		t.Errorf("two folders: %d samples", d.Len())
	}
	if d := open(t, spec(row), filepath.Join(dir, "test_data_set_2", "input_0.pb")); d.Len() != 1 {
		t.Errorf("a file: %d samples", d.Len())
	}
	if _, err := dataset.Open(parsed(spec(row), []string{dir}), spec(row)); err == nil || !strings.Contains(err.Error(), "input_1.pb: the model has 1 inputs") {
		t.Errorf("an input too many: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "test_data_set_2", "input_1.pb")); err != nil {
		t.Fatal(err)
	}
	if _, err := dataset.Open(parsed(two, []string{dir}), two); err == nil || !strings.Contains(err.Error(), `input "x" has 3 samples and input "flags" has 2`) {
		t.Errorf("an input too few: %v", err)
	}
}

func TestTensorElements(t *testing.T) {
	ints := func(field protowire.Number, values ...uint64) func(m *proto.Message) {
		return func(m *proto.Message) {
			for _, v := range values {
				m.Varint(field, v)
			}
		}
	}
	packed := func(m *proto.Message) { m.Bytes(5, []byte{1, 0, 255, 1}) }
	floats := func(m *proto.Message) { m.Bytes(4, []byte{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64}) }
	for _, c := range []struct {
		name string
		typ  dtype.Type
		file []byte
		want string // the values, or what the error says
	}{
		{"floats", dtype.Float32, message(t, 1, []uint64{3}, floats), "[1 2 3] [3]"},
		{"bytes", dtype.Uint8, message(t, 2, []uint64{3}, packed), "[1 0 255] [3]"},
		{"raw int8", dtype.Int8, message(t, 3, []uint64{3}, func(m *proto.Message) { m.Bytes(9, []byte{1, 2, 255}) }), "[1 2 -1] [3]"},
		{"unsigned", dtype.Uint32, message(t, 12, []uint64{3}, ints(11, 1, 2, math.MaxUint32)), "[1 2 4294967295] [3]"},
		{"bool", dtype.Bool, message(t, 9, []uint64{3}, ints(5, 1, 0, 1)), "[1 0 1] [3]"},
		{"too few", dtype.Float32, message(t, 1, []uint64{3}, raw(1, 2)), "8 bytes for 3 elements"},
		{"too many", dtype.Float32, message(t, 1, []uint64{3}, raw(1, 2, 3, 4)), "16 bytes for 3 elements"},
		{"nothing", dtype.Float32, message(t, 1, []uint64{3}, ints(5)), "0 elements for shape [3]"},
		{"wrong field", dtype.Float32, message(t, 1, []uint64{3}, ints(5, 1, 2, 3)), "3 elements for shape [3] of float32"},
		{"out of range", dtype.Int8, message(t, 3, []uint64{3}, ints(5, 1, 2, 300)), "value 300 does not fit into int8"},
		{"huge", dtype.Float32, message(t, 1, []uint64{1 << 31, 1 << 31, 1 << 31}, raw(1)), "dimension 0 is"},
		{"negative", dtype.Float32, message(t, 1, []uint64{math.MaxUint64}, raw(1)), "dimension 0 is -1"},
		{"no type", dtype.Float32, message(t, 0, []uint64{3}, raw(1, 2, 3)), "element type 0"},
		{"text", dtype.Float32, message(t, 8, []uint64{1}, func(m *proto.Message) { m.String(6, "a") }), "element type 8"},
		{"external", dtype.Float32, message(t, 1, []uint64{3}, ints(14, 1)), "external data"},
		{"no message", dtype.Float32, []byte("hello"), "offset"},
		{"other shape", dtype.Float32, message(t, 1, []uint64{1, 3}, raw(1, 2, 3)), "does not fit input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := spec(dataset.Input{Name: "x", Type: c.typ, Shape: []int{3}})
			d, err := dataset.Open(parsed(s, []string{write(t, filepath.Join(t.TempDir(), "input_0.pb"), string(c.file))}), s)
			var got string
			if err != nil {
				got = err.Error() + strings.Join(diag.Notes(err), " ")
			} else {
				defer d.Close()
				got = values(at(t, d, 0, "x"))
			}
			if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestBegins(t *testing.T) {
	dir := t.TempDir()
	a := write(t, filepath.Join(dir, "a.csv"), "1,2,3\n4,5,6\n")
	d := open(t, spec(row), a, a)
	var got []bool
	for i := range d.Len() {
		got = append(got, d.Begins(i))
	}
	if !slices.Equal(got, []bool{true, false, true, false}) {
		t.Errorf("sequences begin at %v", got)
	}
}

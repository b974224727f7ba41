package proto_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/octavo-ml/octavo/internal/wire/proto"
	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

var update = flag.Bool("update", false, "write the fuzz seeds anew")

// seeds are messages that the fuzz target starts from, good and broken.
func seeds() map[string][]byte {
	var every, packed proto.Message
	every.Varint(1, math.MaxUint64)
	every.Fixed32(2, 7)
	every.Fixed64(3, 8)
	every.String(4, "naïve \xff")
	every.Bytes(536870911, nil)
	packed.PackedVarints(1, []uint64{0, 1, 127, 128, math.MaxUint64})
	packed.Message(2, &every)
	group := protowire.AppendGroup(protowire.AppendTag(nil, 5, protowire.StartGroupType), 5, []byte{0x08, 0x01})
	return map[string][]byte{
		"every_type":    encode(&every),
		"packed":        encode(&packed),
		"group":         group,
		"open_group":    group[:len(group)-1],
		"truncated":     encode(&packed)[:20],
		"long_varint":   bytes.Repeat([]byte{0xff}, 11),
		"huge_length":   {0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"field_zero":    {0x00, 0x01},
		"stray_end":     {0x0c},
		"reserved_type": {0x0e},
	}
}

func encode(m *proto.Message) []byte {
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestSeedsAreFresh(t *testing.T) {
	dir := filepath.Join("testdata", "fuzz", "FuzzFields")
	for name, b := range seeds() {
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

func FuzzFields(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		var joined []byte
		var again proto.Message
		broken := false
		for f, err := range proto.Fields(b) {
			if err != nil {
				broken = true
				break
			}
			joined = append(joined, f.Raw...)
			again.Raw(f.Raw)
			num, typ, n := protowire.ConsumeField(f.Raw)
			if num != f.Num || typ != f.Type || n != len(f.Raw) {
				t.Fatalf("field %+v: protowire reads field %d, type %d, %d bytes", f, num, typ, n)
			}
			ints, err := proto.AppendInt64s(nil, f)
			if err == nil && len(ints) > max(1, len(f.Bytes)) {
				t.Fatalf("%d integers out of %d bytes", len(ints), len(f.Bytes))
			}
			if _, err := proto.AppendFloat32s(nil, f); err == nil && f.Type == protowire.BytesType && len(f.Bytes)%4 != 0 {
				t.Fatal("ragged floats are accepted")
			}
			_, _ = proto.AppendFloat64s(nil, f)
		}
		rest := b
		for len(rest) > 0 {
			_, _, n := protowire.ConsumeField(rest)
			if n < 0 {
				break
			}
			rest = rest[n:]
		}
		if broken != (len(rest) > 0) {
			t.Fatalf("broken: %v; protowire leaves %d bytes", broken, len(rest))
		}
		if !broken && !bytes.Equal(joined, b) {
			t.Fatalf("the raw fields are %x, the message %x", joined, b)
		}
		if again.Size() != int64(len(joined)) || !bytes.Equal(encode(&again), joined) {
			t.Fatal("a message of raw fields differs from them")
		}
	})
}

func TestFields(t *testing.T) {
	var b []byte
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 300)
	b = protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), 5)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 3, protowire.Fixed64Type), 6)
	b = protowire.AppendString(protowire.AppendTag(b, 4, protowire.BytesType), "x\xff")
	b = protowire.AppendGroup(protowire.AppendTag(b, 16, protowire.StartGroupType), 16, []byte{0x08, 0x01})
	want := []proto.Field{
		{Num: 1, Type: protowire.VarintType, Val: 300, Raw: b[0:3]},
		{Num: 2, Type: protowire.Fixed32Type, Val: 5, Raw: b[3:8]},
		{Num: 3, Type: protowire.Fixed64Type, Val: 6, Raw: b[8:17]},
		{Num: 4, Type: protowire.BytesType, Bytes: []byte("x\xff"), Raw: b[17:21]},
		{Num: 16, Type: protowire.StartGroupType, Bytes: []byte{0x08, 0x01}, Raw: b[21:]},
	}
	var got []proto.Field
	for f, err := range proto.Fields(b) {
		if err != nil {
			t.Fatal(err)
		}
		if cap(f.Raw) != len(f.Raw) || cap(f.Bytes) != len(f.Bytes) {
			t.Errorf("field %d: append would write into the buffer", f.Num)
		}
		got = append(got, f)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if &got[3].Bytes[0] != &b[19] {
		t.Error("bytes are copied")
	}
	for f := range proto.Fields(b) { // leaving early is allowed
		if f.Num == 2 {
			break
		}
	}
}

func TestFieldsNamesTheOffset(t *testing.T) {
	for _, c := range []struct{ seed, want string }{
		{"huge_length", "offset 0: field 1: the message ends inside the field"},
		{"truncated", "field 2: the message ends inside the field"},
		{"long_varint", "offset 0: tag: "},
		{"field_zero", "offset 0: tag: "},
		{"stray_end", "offset 0: field 1: wire type 4"},
		{"reserved_type", "offset 0: field 1: wire type 6"},
		{"open_group", "offset 0: field 5: the message ends inside the field"},
	} {
		var got error
		for _, err := range proto.Fields(seeds()[c.seed]) {
			got = err
		}
		if got == nil || !strings.Contains(got.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.seed, got, c.want)
		}
	}
}

func only(t *testing.T, m *proto.Message) proto.Field {
	t.Helper()
	for f, err := range proto.Fields(encode(m)) {
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	t.Fatal("no field")
	return proto.Field{}
}

func TestRepeated(t *testing.T) {
	var varints, one, floats, ragged proto.Message
	neg := int64(-5)
	varints.PackedVarints(1, []uint64{1, 1 << 40, uint64(neg)})
	one.Varint(1, 9)
	floats.Bytes(2, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0})
	ragged.Bytes(2, make([]byte, 5))

	ints, err := proto.AppendInt64s([]int64{7}, only(t, &varints))
	if want := []int64{7, 1, 1 << 40, -5}; err != nil || !slices.Equal(ints, want) {
		t.Errorf("got %v, %v, want %v", ints, err, want)
	}
	us, err := proto.AppendUint64s(nil, only(t, &one))
	if err != nil || !slices.Equal(us, []uint64{9}) {
		t.Errorf("got %v, %v", us, err)
	}
	fs, err := proto.AppendFloat32s(nil, only(t, &floats))
	if err != nil || !slices.Equal(fs, []float32{1, -2}) {
		t.Errorf("got %v, %v", fs, err)
	}
	var f32, f64 proto.Message
	f32.Fixed32(1, math.Float32bits(1.5))
	f64.Fixed64(1, math.Float64bits(2.5))
	if fs, err = proto.AppendFloat32s(fs, only(t, &f32)); err != nil || fs[2] != 1.5 {
		t.Errorf("got %v, %v", fs, err)
	}
	ds, err := proto.AppendFloat64s(nil, only(t, &f64))
	if err != nil || !slices.Equal(ds, []float64{2.5}) {
		t.Errorf("got %v, %v", ds, err)
	}
	var d2 proto.Message
	d2.Bytes(1, protowire.AppendFixed64(nil, math.Float64bits(-3)))
	if ds, err = proto.AppendFloat64s(ds, only(t, &d2)); err != nil || !slices.Equal(ds, []float64{2.5, -3}) {
		t.Errorf("got %v, %v", ds, err)
	}

	for name, f := range map[string]func() error{
		"floats of 5 bytes":    func() error { _, err := proto.AppendFloat32s(nil, only(t, &ragged)); return err },
		"doubles of 5 bytes":   func() error { _, err := proto.AppendFloat64s(nil, only(t, &ragged)); return err },
		"integers of a float":  func() error { _, err := proto.AppendInt64s(nil, only(t, &f32)); return err },
		"floats of a varint":   func() error { _, err := proto.AppendFloat32s(nil, only(t, &one)); return err },
		"doubles of a fixed32": func() error { _, err := proto.AppendFloat64s(nil, only(t, &f32)); return err },
		"cut varint": func() error {
			var m proto.Message
			m.Bytes(3, []byte{1, 0x80})
			_, err := proto.AppendInt64s(nil, only(t, &m))
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "field ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDepth(t *testing.T) {
	d := proto.Depth(2)
	var err error
	for i := range 2 {
		if d, err = d.Down(); err != nil {
			t.Fatalf("level %d: %v", i, err)
		}
	}
	if _, err = d.Down(); err == nil {
		t.Error("the third level is allowed")
	}
}

// payload is n bytes of its own count; it claims extra more than it writes.
type payload struct{ n, extra int }

func (p payload) Len() int64 { return int64(p.n + p.extra) }
func (p payload) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(p.bytes())
	return int64(n), err
}
func (p payload) bytes() []byte { return bytes.Repeat([]byte{byte(p.n)}, p.n) }

func TestMessageEqualsProtowire(t *testing.T) {
	var leaf, mid, top proto.Message
	leaf.String(1, "leaf")
	leaf.Payload(9, payload{n: 3000})
	leaf.Varint(2, 1)
	mid.Message(5, &leaf)
	mid.Payload(9, payload{})
	mid.Message(5, &leaf)
	mid.Message(6, &proto.Message{})
	top.Fixed32(1, 1)
	top.Message(7, &mid)
	leaf.Varint(3, 1) // after it was added: not in mid

	str := func(b []byte, num protowire.Number, v []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
	}
	wantLeaf := str(nil, 1, []byte("leaf"))
	wantLeaf = str(wantLeaf, 9, payload{n: 3000}.bytes())
	wantLeaf = protowire.AppendVarint(protowire.AppendTag(wantLeaf, 2, protowire.VarintType), 1)
	wantMid := str(nil, 5, wantLeaf)
	wantMid = str(wantMid, 9, nil)
	wantMid = str(wantMid, 5, wantLeaf)
	wantMid = str(wantMid, 6, nil)
	want := protowire.AppendFixed32(protowire.AppendTag(nil, 1, protowire.Fixed32Type), 1)
	want = str(want, 7, wantMid)

	for range 2 {
		var got bytes.Buffer
		n, err := top.WriteTo(&got)
		if err != nil {
			t.Fatal(err)
		}
		if n != int64(got.Len()) || n != top.Size() || !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("wrote %d bytes, size %d: %x\nwant %x", n, top.Size(), got.Bytes(), want)
		}
	}
}

func TestMessageRebuildsADescriptor(t *testing.T) {
	in := descriptorpb.File_google_protobuf_descriptor_proto
	want, err := pb.MarshalOptions{Deterministic: true}.Marshal(protodesc.ToFileDescriptorProto(in))
	if err != nil {
		t.Fatal(err)
	}
	var m proto.Message
	for f, err := range proto.Fields(want) {
		if err != nil {
			t.Fatal(err)
		}
		switch f.Type {
		case protowire.VarintType:
			m.Varint(f.Num, f.Val)
		case protowire.BytesType:
			m.Bytes(f.Num, f.Bytes)
		default:
			m.Raw(f.Raw)
		}
	}
	if !bytes.Equal(encode(&m), want) {
		t.Error("the rebuilt message differs")
	}
	var back descriptorpb.FileDescriptorProto
	if err := pb.Unmarshal(encode(&m), &back); err != nil || len(back.MessageType) != in.Messages().Len() {
		t.Errorf("got %d messages, %v, want %d", len(back.MessageType), err, in.Messages().Len())
	}
}

func TestWriteToReportsTrouble(t *testing.T) {
	for _, extra := range []int{-1, 1} {
		var m proto.Message
		m.Payload(1, payload{n: 10, extra: extra})
		if _, err := m.WriteTo(io.Discard); err == nil || !strings.Contains(err.Error(), "wrote 10") {
			t.Errorf("a payload that is off by %d: %v", extra, err)
		}
	}
	var m proto.Message
	m.String(1, "abc")
	m.Payload(2, payload{n: 10})
	m.String(3, "abc")
	for limit := range int(m.Size()) {
		w := &full{left: limit}
		n, err := m.WriteTo(w)
		if !errors.Is(err, errFull) || n != int64(limit) {
			t.Errorf("a writer of %d bytes: got %d, %v", limit, n, err)
		}
	}
}

var errFull = errors.New("no space")

type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	n := min(f.left, len(b))
	f.left -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

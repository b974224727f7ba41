package onnx_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// fieldsOf yields the fields of a message of one number.
func fieldsOf(t *testing.T, b []byte, num int) (out []proto.Field) {
	t.Helper()
	for f, err := range proto.Fields(b) {
		must(t, err)
		if int(f.Num) == num {
			out = append(out, f)
		}
	}
	return out
}

// externals returns where the external initializers of a model begin.
func externals(t *testing.T, main []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, in := range fieldsOf(t, fieldsOf(t, main, 7)[0].Bytes, 5) {
		for _, pair := range fieldsOf(t, in.Bytes, 13) {
			if string(fieldsOf(t, pair.Bytes, 1)[0].Bytes) == "offset" {
				out[string(fieldsOf(t, in.Bytes, 8)[0].Bytes)] = string(fieldsOf(t, pair.Bytes, 2)[0].Bytes)
			}
		}
	}
	return out
}

// holding is a graph whose outputs are the constants.
func holding(consts map[string]*tensor.Tensor) *ir.Graph {
	g := &ir.Graph{Name: "g"}
	for _, name := range slices.Sorted(maps.Keys(consts)) {
		g.Outputs = append(g.Outputs, ir.NewConst(name, consts[name]))
	}
	return g
}

func zeros(n int) *tensor.Tensor { return tensor.New(dtype.Uint8, n) }

// TestExternalOffsets: each constant begins where its size wants it, and bytes
// that several constants share are written once.
func TestExternalOffsets(t *testing.T) {
	shared := zeros(2000)
	again, err := shared.Reshape(2, 1000)
	must(t, err)
	enc, err := onnx.Encode(holding(map[string]*tensor.Tensor{
		"a": zeros(1024), "b": zeros(1500), "c": zeros(1 << 16), "d": shared, "e": zeros(1 << 20), "f": zeros(1023), "g": again, "h": zeros(5000),
	}), format.EncodeOptions{Name: "m.onnx", External: true})
	must(t, err)
	want := map[string]string{"a": "0", "b": "1024", "c": "4096", "d": fmt.Sprint(4096 + 65536), "e": fmt.Sprint(2 * 65536),
		"g": fmt.Sprint(4096 + 65536), "h": fmt.Sprint(2*65536 + 1<<20)}
	if got := externals(t, bytesOf(enc.Main)); !maps.Equal(got, want) {
		t.Errorf("offsets are %v, want %v", got, want)
	}
	if n := len(bytesOf(enc.Companions[0])); int64(n) != enc.Companions[0].Size || n != 2*65536+1<<20+5000 {
		t.Errorf("the companion has %d bytes, announced %d", n, enc.Companions[0].Size)
	}
}

// TestExternalByItself: constants move out where the main file would pass the
// limit, not before, and what cannot move is an error that says what would
// work.
func TestExternalByItself(t *testing.T) {
	g := holding(map[string]*tensor.Tensor{"a": zeros(3000), "b": zeros(500)})
	whole, err := onnx.Encode(g, format.EncodeOptions{Name: "m.onnx"})
	must(t, err)
	for _, tt := range []struct {
		limit, least int64
		want         []string // that are external
		err          string
	}{
		{limit: whole.Main.Size},
		{limit: whole.Main.Size - 1, want: []string{"a"}},
		{limit: whole.Main.Size - 1, least: 500, want: []string{"a", "b"}},
		{limit: whole.Main.Size - 1, least: 3001, err: "readers take"},
		{limit: 400, err: "lower the size"},
	} {
		enc, err := onnx.Encode(g, format.EncodeOptions{Name: "m.onnx", Limit: tt.limit, ExternalMin: tt.least})
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("limit %d: error is %v, want %q", tt.limit, err, tt.err)
			}
			continue
		}
		must(t, err)
		got := slices.Sorted(maps.Keys(externals(t, bytesOf(enc.Main))))
		if !slices.Equal(got, tt.want) || len(enc.Companions) != min(len(tt.want), 1) {
			t.Errorf("limit %d, from %d bytes on: external are %v, want %v; %d companions", tt.limit, tt.least, got, tt.want, len(enc.Companions))
		}
	}
	// Nothing is large enough: no empty file is written.
	enc, err := onnx.Encode(g, format.EncodeOptions{Name: "m.onnx", External: true, ExternalMin: 4000})
	must(t, err)
	if len(enc.Companions) != 0 {
		t.Errorf("companions are %+v", enc.Companions)
	}
}

// TestSharedRanges: ranges of one file may overlap, and constants over one
// range stay one when they are written.
func TestSharedRanges(t *testing.T) {
	dir := t.TempDir()
	data := make([]float32, 1000)
	for i := range data {
		data[i] = float32(i)
	}
	external := func(name, offset string, n int64) field {
		return sub(5, varint(2, f32), text(8, name), varint(1, n), varint(14, 1),
			sub(13, text(1, "location"), text(2, "w.bin")), sub(13, text(1, "offset"), text(2, offset)))
	}
	must(t, os.WriteFile(filepath.Join(dir, "w.bin"), tensor.FromSlice(data, 1000).Bytes(), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "m.onnx"), model(17, external("a", "0", 800), external("b", "800", 800), external("c", "0", 800),
		bare("a"), bare("b"), bare("c")), 0o644))
	src, err := format.Open(filepath.Join(dir, "m.onnx"))
	must(t, err)
	defer src.Close()
	m, err := onnx.Decode(src)
	must(t, err)
	for i, first := range []float32{0, 200, 0} {
		if got := tensor.Data[float32](m.Graph.Outputs[i].Const); len(got) != 800 || got[0] != first || got[799] != first+799 {
			t.Errorf("%s begins with %v", m.Graph.Outputs[i].Name, got[0])
		}
	}
	if got := src.Neighbours(); !slices.Equal(got, []string{"w.bin"}) {
		t.Errorf("the neighbours are %v", got)
	}
	enc, err := onnx.Encode(m.Graph, format.EncodeOptions{Name: "n.onnx", External: true})
	must(t, err)
	want := map[string]string{"a": "0", "b": "3200", "c": "0"}
	if got := externals(t, bytesOf(enc.Main)); !maps.Equal(got, want) {
		t.Errorf("offsets are %v, want %v", got, want)
	}
}

// TestExternalHuge: dimensions that the data file cannot back are errors that
// name the tensor, and nothing is allocated for them.
func TestExternalHuge(t *testing.T) {
	for _, dims := range [][]int64{{1 << 62}, {1 << 31, 1 << 31}, {1 << 40, 1 << 40}, {-1}, {1 << 61, 2}, {9}} {
		fs := []field{varint(2, f32), text(8, "w"), varint(14, 1), sub(13, text(1, "location"), text(2, "w.bin"))}
		for _, d := range dims {
			fs = append(fs, varint(1, d))
		}
		files := fstest.MapFS{"m.onnx": {Data: model(17, sub(5, fs...), bare("w"))}, "w.bin": {Data: make([]byte, 32)}}
		src, err := format.FromFS(files, "m.onnx")
		must(t, err)
		_, err = onnx.Decode(src)
		isFormatError(t, fmt.Sprint(dims), err)
		if err != nil && !strings.Contains(err.Error(), `"w"`) {
			t.Errorf("%v: error is %q, want it to name the tensor", dims, err)
		}
	}
}

// FuzzExternal: whatever a model says of the file beside it, there is a model
// whose constants lie inside that file, or an error of the door's two kinds.
func FuzzExternal(f *testing.F) {
	f.Add("w.bin", "0", "8", int64(2), int64(1))
	f.Add("./w.bin", "8", "", int64(2), int64(3))
	f.Add("../w.bin", "-1", "9223372036854775807", int64(1<<40), int64(1<<40))
	f.Add("/etc/passwd", "", "x", int64(-1), int64(0))
	data := make([]byte, 64)
	f.Fuzz(func(t *testing.T, location, offset, length string, a, b int64) {
		fs := []field{varint(2, f32), text(8, "w"), varint(1, a), varint(1, b), varint(14, 1)}
		for key, v := range map[string]string{"location": location, "offset": offset, "length": length} {
			if v != "" {
				fs = append(fs, sub(13, text(1, key), text(2, v)))
			}
		}
		files := fstest.MapFS{"sub/m.onnx": {Data: model(17, sub(5, fs...), bare("w"))}, "sub/w.bin": {Data: data}, "w.bin": {Data: data[:8]}}
		src, err := format.FromFS(files, "sub/m.onnx")
		must(t, err)
		m, err := onnx.Decode(src)
		if err != nil {
			if !errors.As(err, new(*diag.FormatError)) && !errors.As(err, new(*diag.UnsupportedError)) {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		if n := len(m.Graph.Outputs[0].Const.Bytes()); n > len(data) || int64(n) != 4*a*b {
			t.Errorf("%d bytes for %d×%d elements", n, a, b)
		}
	})
}

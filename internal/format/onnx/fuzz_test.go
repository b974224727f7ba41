package onnx_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
)

// seeds are small models that reach every part of the reader.
func seeds() map[string][]byte {
	x, y := input("x", f32, 1, 2), bare("y")
	one := func(version int64, typ string, attrs ...field) []byte {
		return model(version, x, y, node(typ, names("x"), names("y"), attrs...))
	}
	return map[string][]byte{
		"small":    small(),
		"branches": branches(),
		"old":      one(7, "Clip", floatAttr("min", 0)),
		"softmax":  one(11, "Softmax"),
		"custom":   file(varint(1, 8), opset("", 17), opset("acme", 1), sub(7, x, y, node("F", names("x"), names("y"), text(7, "acme"), intsAttr("is", 1)))),
		"typed":    model(17, sub(5, varint(2, i64), text(8, "w"), varint(1, 2), varint(7, 5), varint(7, 6)), bare("w")),
		"strings":  model(17, sub(5, varint(2, 8), text(8, "w"), varint(1, 1), text(6, "word")), bare("w")),
		"metadata": file(varint(1, 8), text(6, "doc"), opset("", 17), sub(14, text(1, "k"), text(2, "v")), sub(7, x, y, node("Relu", names("x"), names("y")))),
		"sequence": model(17, sub(11, text(1, "s"), sub(2, sub(4, sub(1, sub(1, varint(1, f32)))))), bare("y"), node("Identity", names("s"), names("y"))),
		"pad":      one(10, "Pad", intsAttr("pads", 0, 0, 1, 1), floatAttr("value", 2)),
	}
}

// FuzzDecode: no bytes make the door panic or allocate much more than the file
// has; what it reads is well-formed and can be written and read again.
func FuzzDecode(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
	}
	f.Add(outside("w.bin", "length", "8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			t.Skip("too large")
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := onnx.Decode(format.FromBytes("fuzzed", b))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(4*len(b))+64<<20 {
			t.Errorf("%d bytes allocated for a file of %d", n, len(b))
		}
		if err != nil {
			if !errors.As(err, new(*diag.FormatError)) && !errors.As(err, new(*diag.UnsupportedError)) {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		if err := ir.Verify(m.Graph); err != nil {
			t.Fatalf("the graph is not well-formed: %v", err)
		}
		enc, err := onnx.Encode(m.Graph, format.EncodeOptions{Name: "m"})
		if err != nil {
			return
		}
		again, err := onnx.Decode(format.FromBytes("written", bytesOf(enc.Main)))
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, ir.Format(m.Graph))
		}
		if a, b := len(m.Graph.Inputs), len(again.Graph.Inputs); a != b {
			t.Errorf("%d inputs became %d", a, b)
		}
	})
}

package onnx_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
	"google.golang.org/protobuf/encoding/protowire"
)

// step is a node, in field num, of a domain and from one value to another.
func step(num protowire.Number, domain, typ, from, to string, attrs ...field) field {
	return sub(num, append([]field{text(1, from), text(2, to), text(4, typ), text(7, domain)}, attrs...)...)
}

// function is one of the domain "own" that makes y of x.
func function(name string, parts ...field) field {
	return sub(25, append([]field{text(1, name), text(10, "own"), text(4, "x"), text(5, "y"), sub(9, text(1, ""), varint(2, 17))}, parts...)...)
}

// withDefault is an attribute of a function that has a default.
func withDefault(name string, v float32) field {
	return sub(11, text(1, name), varint(20, 1), func(m *proto.Message) { m.Fixed32(2, math.Float32bits(v)) })
}

// calling is a model that makes out of in.
func calling(calls []field, functions ...field) []byte {
	graph := sub(7, append([]field{input("in", f32, 2), output("out", f32, 2)}, calls...)...)
	return file(append([]field{varint(1, 8), opset("", 17), opset("own", 1), graph}, functions...)...)
}

// TestFunctionsAreInlined calls a function twice, once with its attribute and
// once with the default; names inside do not meet.
func TestFunctionsAreInlined(t *testing.T) {
	leaky := function("Leaky",
		withDefault("slope", 0.5),
		step(7, "", "Neg", "x", "inner"),
		step(7, "", "LeakyRelu", "inner", "y", sub(5, text(1, "alpha"), varint(20, 1), text(21, "slope"))))
	g := decode(t, calling([]field{
		step(1, "own", "Leaky", "in", "between"),
		step(1, "own", "Leaky", "between", "out", floatAttr("slope", 0.25)),
	}, leaky))
	var got []string
	var slopes []float32
	for _, n := range g.Nodes {
		got = append(got, n.Op.Name())
		if l, ok := n.Op.(*op.LeakyRelu); ok {
			slopes = append(slopes, l.Alpha)
		}
	}
	if want := names("Neg", "LeakyRelu", "Neg", "LeakyRelu"); !slices.Equal(got, want) || !slices.Equal(slopes, []float32{0.5, 0.25}) {
		t.Errorf("nodes %v with slopes %v", got, slopes)
	}
	// -8 becomes 8, then -8·0.25; 4 becomes -4·0.5, then 2.
	out, err := ir.Eval(g, op.Of(tensor.FromSlice([]float32{-8, 4}, 2)))
	if err != nil {
		t.Fatal(err)
	}
	if y := tensor.Data[float32](out[0].Tensor); !slices.Equal(y, []float32{-2, 2}) {
		t.Errorf("got %v, want [-2 2]", y)
	}
}

func TestFunctionsThatCannotBeInlined(t *testing.T) {
	call := []field{step(1, "own", "F", "in", "out")}
	// Each calls the next twice: 2^20 nodes.
	var growing []field
	for i := range 20 {
		next := string(rune('G' + i))
		growing = append(growing, function(string(rune('F'+i)), step(7, "own", next, "x", "t"), step(7, "own", next, "t", "y")))
	}
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"recursive", calling(call, function("F", step(7, "own", "G", "x", "y")), function("G", step(7, "own", "F", "x", "y"))),
			"calls itself (own::F -> own::G -> own::F)"},
		{"growing", calling(call, growing...), "functions become more than"},
		{"twice", calling(call, function("F"), function("F")), "own::F is given twice"},
	} {
		_, err := onnx.Decode(format.FromBytes("the.onnx", tt.file))
		isFormatError(t, tt.name, err)
		if err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %q, want %q", tt.name, err, tt.want)
		}
	}
}

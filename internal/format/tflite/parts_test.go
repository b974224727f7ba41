package tflite

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// run decodes a file and evaluates it.
func run(t *testing.T, b []byte, in ...*tensor.Tensor) (*format.Model, []*tensor.Tensor) {
	t.Helper()
	m, err := Decode(format.FromBytes("part.tflite", b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := ir.Eval(m.Graph, op.Of(in...))
	if err != nil {
		t.Fatalf("%v\n%s", err, ir.Format(m.Graph))
	}
	var y []*tensor.Tensor
	for _, d := range out {
		y = append(y, d.Tensor)
	}
	return m, y
}

func wantFloats(t *testing.T, got *tensor.Tensor, want ...float32) {
	t.Helper()
	if !slices.Equal(tensor.Data[float32](got), want) {
		t.Errorf("got %v, want %v", tensor.Data[float32](got), want)
	}
}

func names(vs []*ir.Value) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Name)
	}
	return strings.Join(out, " ")
}

// several is a model of several subgraphs, codes and buffers.
func several(codes []string, buffers []tbl, graphs ...tbl) tbl {
	m := tbl{modelVersion: uint32(3), modelGraphs: graphs, modelBuffers: append([]tbl{{}}, buffers...)}
	var list []tbl
	for _, c := range codes {
		list = append(list, codeOf(c))
	}
	m[modelCodes] = list
	return m
}

func TestSignature(t *testing.T) {
	model, graph, x, w, y, add, code, data := plain()
	x[tensorSignature] = []int32{-1, 2}
	y[tensorSignature] = []int32{-1, 2}
	model[modelDescription] = "made by a test"
	model[modelSignatures] = []tbl{{
		signatureInputs:  []tbl{{mapName: "image", mapTensor: uint32(0)}},
		signatureOutputs: []tbl{{mapName: "class", mapTensor: uint32(2)}},
		signatureKey:     "serving_default",
	}}
	model[modelMetadata] = []tbl{{metadataName: "about", metadataBuffer: uint32(1)}}
	m, out := run(t, assemble(model, graph, x, w, y, add, code, data), tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 3, 2))
	if got := names(m.Graph.Inputs) + " -> " + names(m.Graph.Outputs); got != "image -> class" {
		t.Errorf("%s, want image -> class", got)
	}
	if got := m.Graph.Inputs[0].Shape.String(); got != "[batch,2]" {
		t.Errorf("shape %s, want [batch,2]", got)
	}
	wantFloats(t, out[0], 2, 4, 4, 6, 6, 8)
	keep := m.Graph.Keep.(*keepModel)
	if keep.description != "made by a test" || keep.key != "serving_default" || len(keep.metadata) != 1 || keep.metadata[0].name != "about" || len(keep.metadata[0].data) != 8 {
		t.Errorf("kept is %+v", keep)
	}
}

// TestDataBehind reads a buffer that lies behind the FlatBuffer.
func TestDataBehind(t *testing.T) {
	model, graph, x, w, y, add, code, data := plain()
	delete(data, bufferData)
	data[bufferOffset], data[bufferSize] = uint64(1), uint64(1)
	size := len(assemble(model, graph, x, w, y, add, code, data))
	data[bufferOffset], data[bufferSize] = uint64(size), uint64(8)
	b := append(assemble(model, graph, x, w, y, add, code, data), floats32(10, 20)...)
	_, out := run(t, b, tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2))
	wantFloats(t, out[0], 11, 22, 13, 24)
}

// TestIf gives both branches the values around them.
func TestIf(t *testing.T) {
	branch := func(code uint32) tbl {
		return tbl{graphTensors: []tbl{value("a", 2), value("b", 2)}, graphInputs: []int32{0}, graphOutputs: []int32{1},
			graphOperators: []tbl{applied(code, []int32{0}, []int32{1}, nil)}}
	}
	main := tbl{
		graphTensors: []tbl{with(value("c"), tbl{tensorType: uint8(6)}), value("x", 2), value("y", 2)},
		graphInputs:  []int32{0, 1}, graphOutputs: []int32{2},
		graphOperators: []tbl{applied(0, []int32{0, 1}, []int32{2}, options("IfOptions", tbl{0: int32(1), 1: int32(2)}))},
	}
	b := build(several([]string{"IF", "NEG", "SQUARE"}, nil, main, branch(1), branch(2)))
	x := tensor.FromSlice([]float32{3, -4}, 2)
	for c, want := range map[bool][]float32{true: {-3, 4}, false: {9, 16}} {
		_, out := run(t, b, tensor.FromSlice([]bool{c}), x)
		wantFloats(t, out[0], want...)
	}
}

// TestWhile adds x until the sum is not less than ten.
func TestWhile(t *testing.T) {
	limit := with(value("limit"), tbl{tensorBuffer: uint32(1)})
	main := tbl{graphTensors: []tbl{value("s"), value("x"), value("sum"), value("same")}, graphInputs: []int32{0, 1}, graphOutputs: []int32{2},
		graphOperators: []tbl{applied(0, []int32{0, 1}, []int32{2, 3}, options("WhileOptions", tbl{0: int32(1), 1: int32(2)}))}}
	cond := tbl{graphTensors: []tbl{value("s"), value("x"), limit, with(value("less"), tbl{tensorType: uint8(6)})}, graphInputs: []int32{0, 1}, graphOutputs: []int32{3},
		graphOperators: []tbl{applied(1, []int32{0, 2}, []int32{3}, nil)}}
	body := tbl{graphTensors: []tbl{value("s"), value("x"), value("next")}, graphInputs: []int32{0, 1}, graphOutputs: []int32{2, 1},
		graphOperators: []tbl{applied(2, []int32{0, 1}, []int32{2}, nil)}}
	b := build(several([]string{"WHILE", "LESS", "ADD"}, []tbl{{bufferData: floats32(10)}}, main, cond, body))
	_, out := run(t, b, tensor.Scalar(float32(1)), tensor.Scalar(float32(4)))
	wantFloats(t, out[0], 13)
	_, out = run(t, b, tensor.Scalar(float32(11)), tensor.Scalar(float32(4)))
	wantFloats(t, out[0], 11)
	// A body that calls itself has no end.
	body[graphOperators] = []tbl{applied(0, []int32{0, 1}, []int32{2, -1}, options("WhileOptions", tbl{0: int32(1), 1: int32(2)}))}
	_, err := Decode(format.FromBytes("endless.tflite", build(several([]string{"WHILE", "LESS", "ADD"}, []tbl{{bufferData: floats32(10)}}, main, cond, body))))
	if err == nil || !strings.Contains(err.Error(), "recursion") {
		t.Errorf("error is %v, want one about recursion", err)
	}
}

// TestResourceVariable reads a variable that a subgraph set once, and writes it
// for the next run.
func TestResourceVariable(t *testing.T) {
	handle := with(value("handle"), tbl{tensorType: uint8(typeResource)})
	name := options("VarHandleOptions", tbl{1: "total"})
	main := tbl{graphTensors: []tbl{value("x", 2), handle, value("old", 2), value("new", 2)}, graphInputs: []int32{0}, graphOutputs: []int32{3},
		graphOperators: []tbl{
			applied(0, nil, nil, options("CallOnceOptions", tbl{0: int32(1)})),
			applied(1, nil, []int32{1}, name),
			applied(2, []int32{1}, []int32{2}, nil),
			applied(3, []int32{2, 0}, []int32{3}, nil),
			applied(4, []int32{1, 3}, nil, nil),
		}}
	once := tbl{graphTensors: []tbl{handle, with(value("first", 2), tbl{tensorBuffer: uint32(1)})},
		graphOperators: []tbl{applied(1, nil, []int32{0}, name), applied(4, []int32{0, 1}, nil, nil)}}
	b := build(several([]string{"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ADD", "ASSIGN_VARIABLE"}, []tbl{{bufferData: floats32(5, 7)}}, main, once))
	m, out := run(t, b, tensor.FromSlice([]float32{1, 2}, 2), tensor.FromSlice([]float32{10, 20}, 2))
	wantFloats(t, out[0], 11, 22)
	if len(m.Graph.States) != 1 {
		t.Fatalf("%d states, want 1", len(m.Graph.States))
	}
	s := m.Graph.States[0]
	if s.In != m.Graph.Inputs[1] || s.Out.Name != "new" || s.Init == nil {
		t.Errorf("state %v -> %v, beginning with %v", s.In.Name, s.Out.Name, s.Init)
	}
	wantFloats(t, s.Init, 5, 7)
}

// TestCustom carries an operator with its options and the shape of its output.
func TestCustom(t *testing.T) {
	model, graph, x, w, y, add, _, data := plain()
	code := tbl{codeDeprecated: uint8(codeCustom), codeBuiltin: int32(codeCustom), codeCustomName: "Frobnicate"}
	add[operatorCustomOptions] = []byte{1, 2, 3}
	m, err := Decode(format.FromBytes("custom.tflite", assemble(model, graph, x, w, y, add, code, data)))
	if err != nil {
		t.Fatal(err)
	}
	n := m.Graph.Nodes[0]
	if got := n.Op.Name(); got != "tflite::Frobnicate" {
		t.Errorf("operator %s", got)
	}
	if k := n.Keep.(*keepNode); k.custom != "Frobnicate" || !slices.Equal(k.options, []byte{1, 2, 3}) {
		t.Errorf("kept is %+v", k)
	}
	if got := m.Graph.Outputs[0].Shape.String(); got != "[2,2]" {
		t.Errorf("shape %s, want [2,2]", got)
	}
	if len(m.Warnings) != 1 || m.Warnings[0].ID != "OCT001" {
		t.Errorf("warnings %v, want OCT001", m.Warnings)
	}
}

// fullyQuantized is y = FULLY_CONNECTED(x, w) of float data [1,4] with weights
// [2,4] of another type.
func fullyQuantized(typ uint8, data []byte, quant tbl, more ...tbl) []byte {
	w := tbl{tensorName: "w", tensorShape: []int32{2, 4}, tensorType: typ, tensorBuffer: uint32(1), tensorQuantization: quant}
	g := tbl{graphTensors: append([]tbl{value("x", 1, 4), w, value("wf", 2, 4), value("y", 1, 2)}, more...), graphInputs: []int32{0}, graphOutputs: []int32{3},
		graphOperators: []tbl{applied(0, []int32{1}, []int32{2}, nil), applied(1, []int32{0, 2, -1}, []int32{3}, nil)}}
	return build(several([]string{"DEQUANTIZE", "FULLY_CONNECTED"}, []tbl{{bufferData: data}, {bufferData: floats32(0.5, 1, 2, 4)}}, g))
}

// TestWeightsOfFourBits: the first of two elements is in the low bits.
func TestWeightsOfFourBits(t *testing.T) {
	x := tensor.FromSlice([]float32{1, 10, 100, 1000}, 1, 4)
	data := []byte{0x21, 0xf3, 0x8e, 0x70} // 1 2 3 -1; -2 -8 0 7
	b := fullyQuantized(17, data, tbl{quantScale: []float32{0.5, 2}, quantZeroPoint: []int64{0, 0}})
	m, out := run(t, b, x)
	wantFloats(t, out[0], -339.5, 13836) // 0.5·(1+20+300−1000), 2·(−2−80+7000)
	if m.Graph.Arithmetic != ir.ONNX {
		t.Error("a model of floats has TFLite's arithmetic")
	}
}

// TestWeightsInBlocks: scales lie in a tensor of their own.
func TestWeightsInBlocks(t *testing.T) {
	x := tensor.FromSlice([]float32{1, 10, 100, 1000}, 1, 4)
	blocks := tbl{quantDetailsType: uint8(detailsBlockwise), quantDetails: tbl{blockScales: int32(4), blockZeroPoints: int32(-1), blockSize: int32(2)}}
	scales := with(value("scales", 2, 2), tbl{tensorBuffer: uint32(2)})
	_, out := run(t, fullyQuantized(17, []byte{0x21, 0xf3, 0x8e, 0x70}, blocks, scales), x)
	wantFloats(t, out[0], -689.5, 27836) // 0.5·21 + 1·(300−1000), 2·(−82) + 4·7000
}

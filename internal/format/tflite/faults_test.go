package tflite

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
)

// plain is a model of one operator, y = ADD(x, w), in parts that tests change.
func plain() (model, graph, x, w, y, add, code, data tbl) {
	x, w, y = value("x", 2, 2), with(value("w", 2), tbl{tensorBuffer: uint32(1)}), value("y", 2, 2)
	data = tbl{bufferData: floats32(1, 2)}
	add, code = applied(0, []int32{0, 1}, []int32{2}, nil), codeOf("ADD")
	graph = tbl{graphInputs: []int32{0}, graphOutputs: []int32{2}}
	model = tbl{modelVersion: uint32(3)}
	return
}

// assemble puts the parts together.
func assemble(model, graph, x, w, y, add, code, data tbl) []byte {
	g := with(tbl{graphTensors: []tbl{x, w, y}, graphOperators: []tbl{add}}, graph)
	return build(with(tbl{modelCodes: []tbl{code}, modelGraphs: []tbl{g}, modelBuffers: []tbl{{}, data}}, model))
}

func TestFaults(t *testing.T) {
	if _, err := Decode(format.FromBytes("ok.tflite", assemble(plain()))); err != nil {
		t.Fatal(err)
	}
	// Each case changes some parts; an error is of the kind that it must be, and
	// unsupported ones say what would work.
	for _, tt := range []struct {
		name        string
		part        string
		change      tbl
		want        string
		unsupported bool
	}{
		{"version of the schema", "model", tbl{modelVersion: uint32(2)}, "schema version 2, want 3", false},
		{"no subgraph", "model", tbl{modelGraphs: []tbl{}}, "no subgraph", false},
		{"unknown operator", "code", tbl{codeDeprecated: uint8(127), codeBuiltin: int32(300)}, "operator 300", true},
		{"the placeholder", "code", tbl{codeDeprecated: uint8(127), codeBuiltin: int32(127)}, "operator 127", true},
		{"newer version", "code", tbl{codeVersion: int32(99)}, "ADD in version 99", true},
		{"Flex", "code", tbl{codeDeprecated: uint8(codeCustom), codeBuiltin: int32(codeCustom), codeCustomName: "FlexConv2D"}, "FlexConv2D", true},
		{"code that is not listed", "add", tbl{operatorCode: uint32(7)}, "of code 7, and the file lists 1", false},
		{"input that is not there", "add", tbl{operatorInputs: []int32{0, 9}}, "tensor 9 of 3", false},
		{"missing input", "add", tbl{operatorInputs: []int32{0, -1}}, "input 1 is missing", false},
		{"too few inputs", "add", tbl{operatorInputs: []int32{0}}, "1 inputs", false},
		{"fused activation", "add", options("AddOptions", tbl{0: uint8(fusedSignBit)}), "fused activation 5", true},
		{"cycle", "add", tbl{operatorInputs: []int32{0, 2}}, `"y" is read before it is computed`, false},
		{"output that is an input", "add", tbl{operatorOutputs: []int32{0}}, `"x" is computed twice`, false},
		{"output that is not there", "graph", tbl{graphOutputs: []int32{-1}}, "tensor -1", false},
		{"input given twice", "graph", tbl{graphInputs: []int32{0, 0}}, "given twice", false},
		{"negative size", "x", tbl{tensorShape: []int32{2, -3}}, "shape [2 -3]", false},
		{"shapes that do not fit", "x", tbl{tensorShape: []int32{2, 5}}, "ADD", false},
		{"too many dimensions", "x", tbl{tensorShape: make([]int32, 40)}, "40 dimensions", false},
		{"unknown element type", "x", tbl{tensorType: uint8(77)}, "element type 77", false},
		{"variant", "x", tbl{tensorType: uint8(14)}, "VARIANT", true},
		{"buffer that is too small", "data", tbl{bufferData: floats32(1)}, "needs 8 bytes, and its buffer has 4", false},
		{"buffer that is not there", "w", tbl{tensorBuffer: uint32(5)}, "buffer 5 of 2", false},
		{"data outside the file", "data", tbl{bufferData: nil, bufferOffset: uint64(1 << 40), bufferSize: uint64(8)}, "lies outside the file", false},
		{"data in another file", "w", tbl{tensorExternal: uint32(1)}, "in another file", true},
		{"sparse", "w", tbl{tensorSparsity: tbl{0: []int32{0}}}, "sparse", true},
		{"scales that do not fit", "w", quantized([]float32{1, 2, 3}, []int64{0, 0, 0}), "3 scales", false},
		{"zero points that do not fit", "w", quantized([]float32{1, 2}, []int64{0, 0, 0}), "3 zero points for 2 scales", false},
		{"zero point out of range", "w", quantized([]float32{1}, []int64{500}), "zero point 500 is no int8", false},
		{"custom quantization", "w", with(quantized([]float32{1}, nil), tbl{tensorQuantization: tbl{quantDetailsType: uint8(detailsCustom), quantDetails: tbl{}}}), "custom quantization", true},
		{"blocks of nothing", "w", with(quantized([]float32{1}, nil), tbl{tensorQuantization: tbl{quantDetailsType: uint8(detailsBlockwise), quantDetails: tbl{}}}), "blocks of 0", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			model, graph, x, w, y, add, code, data := plain()
			for name, part := range map[string]*tbl{"model": &model, "graph": &graph, "x": &x, "w": &w, "add": &add, "code": &code, "data": &data} {
				if name == tt.part {
					*part = with(*part, tt.change)
				}
			}
			if w[tensorType] == uint8(9) {
				data[bufferData] = []byte{1, 2}
			}
			_, err := Decode(format.FromBytes("bad.tflite", assemble(model, graph, x, w, y, add, code, data)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "bad.tflite") {
				t.Fatalf("error is %v, want it to name the file and %q", err, tt.want)
			}
			var u *diag.UnsupportedError
			if errors.As(err, &u) != tt.unsupported {
				t.Errorf("error is a %T: %v", err, err)
			}
			if u != nil && u.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

// quantized makes a tensor one of int8.
func quantized(scale []float32, zero []int64) tbl {
	return tbl{tensorType: uint8(9), tensorQuantization: tbl{quantScale: scale, quantZeroPoint: zero}}
}

// TestMemory: many entries that lead to one table are an error, and not many
// times that table.
func TestMemory(t *testing.T) {
	model, graph, x, w, y, add, code, data := plain()
	x[tensorName] = strings.Repeat("n", 1<<12)
	b := assemble(model, graph, x, w, y, add, code, data)
	shared := with(tbl{graphTensors: make([]tbl, 1<<14), graphOperators: []tbl{add}}, graph)
	for i := range shared[graphTensors].([]tbl) {
		shared[graphTensors].([]tbl)[i] = tbl{}
	}
	wide := build(with(tbl{modelCodes: []tbl{code}, modelGraphs: []tbl{shared}, modelBuffers: []tbl{{}, data}}, model))
	for _, file := range [][]byte{alias(t, wide, 1<<14), alias(t, b, 3)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(format.FromBytes("wide.tflite", file))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(100*len(file))+1<<20 {
			t.Errorf("%d bytes allocated for a file of %d: %v", n, len(file), err)
		}
	}
}

// TestCycles: wherever a file is changed to lead back to its first table, it is
// read to an end, and where that would be a part of itself the error says so.
func TestCycles(t *testing.T) {
	file := assemble(plain())
	root := binary.LittleEndian.Uint32(file)
	named := 0
	for at := root + 4; int(at)+4 <= len(file); at += 4 {
		b := slices.Clone(file)
		binary.LittleEndian.PutUint32(b[at:], root-at)
		if _, err := Decode(format.FromBytes("cycle.tflite", b)); err != nil && strings.Contains(err.Error(), "contains itself") {
			named++
		}
	}
	// Codes, graphs and buffers, their one or two elements, and what each of
	// those refers to in turn.
	if named < 20 {
		t.Errorf("%d places say that something contains itself", named)
	}
}

// alias makes all entries of a vector of n tables lead to the first one's.
func alias(t *testing.T, b []byte, n int) []byte {
	t.Helper()
	f, err := parse(b)
	if err != nil {
		t.Fatal(err)
	}
	v := f.root.Vector(modelGraphs, 4).Table(0).Vector(graphTensors, 4)
	if v.Len() != n {
		t.Fatalf("%d tensors, want %d", v.Len(), n)
	}
	list := v.Bytes()
	first := uint32(list[0]) | uint32(list[1])<<8 | uint32(list[2])<<16 | uint32(list[3])<<24
	for i := range n {
		to := first - uint32(4*i)
		if first <= uint32(4*i) {
			break
		}
		list[4*i], list[4*i+1], list[4*i+2], list[4*i+3] = byte(to), byte(to>>8), byte(to>>16), byte(to>>24)
	}
	return b
}

// TestOneOfThreePeepholes: an LSTM with some of its peepholes alone is an error.
func TestOneOfThreePeepholes(t *testing.T) {
	state := with(value("h", 1, 2), tbl{tensorVariable: uint8(1)})
	tensors := []tbl{value("x", 1, 1, 2), with(value("w", 2, 2), tbl{tensorBuffer: uint32(1)}), with(value("p", 2), tbl{tensorBuffer: uint32(2)}), state, with(state, tbl{tensorName: "c"}), value("y", 1, 1, 2)}
	in := []int32{0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, -1, -1, 3, 4}
	read := func() error {
		g := tbl{graphTensors: tensors, graphOperators: []tbl{with(applied(0, in, []int32{5}, nil), options("UnidirectionalSequenceLSTMOptions", tbl{0: uint8(fusedTanh)}))}, graphInputs: []int32{0}, graphOutputs: []int32{5}}
		_, err := Decode(format.FromBytes("lstm.tflite", build(tbl{modelVersion: uint32(3), modelCodes: []tbl{codeOf("UNIDIRECTIONAL_SEQUENCE_LSTM")}, modelGraphs: []tbl{g},
			modelBuffers: []tbl{{}, {bufferData: floats32(1, 2, 3, 4)}, {bufferData: floats32(1, 2)}}})))
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	in[10] = -1
	if err := read(); err == nil || !strings.Contains(err.Error(), "input 10 is missing") {
		t.Errorf("error is %v, want one that names input 10", err)
	}
}

package onnx_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestScanOverBatches: at opset 8 every sequence of a batch was scanned, here
// from its end; the body reads a constant of the graph around it.
func TestScanOverBatches(t *testing.T) {
	file := func(lengths string) []byte {
		body := graphAttr("body", text(2, "sum"), input("s", f32), input("e", f32), output("t", f32), output("o", f32),
			node("Add", names("s", "e"), names("t")), node("Mul", names("t", "two"), names("o")))
		return model(8, constant("two", []float32{2}), input("x", f32, 2, 3), value(11, "n", i64, 2), constant("zero", []float32{0, 100}, 2), bare("y"),
			node("Scan", names(lengths, "zero", "x"), names("last", "y"), intAttr("num_scan_inputs", 1), intsAttr("directions", 1), body))
	}
	g := decode(t, file(""))
	y := evaluate(t, g, tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3), tensor.FromSlice([]int64{3, 3}, 2))[0]
	if got, want := tensor.Data[float32](y), []float32{6, 10, 12, 212, 222, 230}; !slices.Equal(got, want) || !slices.Equal(y.Shape(), []int{2, 3}) {
		t.Errorf("got %v %v, want %v", y.Shape(), got, want)
	}
	if _, err := onnx.Decode(format.FromBytes("m", file("n"))); err == nil || !strings.Contains(err.Error(), "sequences of one length are") {
		t.Errorf("with lengths: %v", err)
	}
}

package quant_test

import (
	"fmt"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
)

// TestCellsAreStatic: data and both weights of a recurrent operator are
// quantized, nothing else of it, whichever of its states is read; the octavo
// engine has its data in 16 bits unless a recipe says otherwise, and ONNX Runtime,
// which would run it on floats, gets it only where a recipe names it.
func TestCellsAreStatic(t *testing.T) {
	const text = `graph g
input x float32[3,1,2]
const w float32[1,8,2] = [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]
const r float32[1,8,2] = [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]
const b float32[1,16] = [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]
const h float32[1,1,2] = [1 2]
const c float32[1,1,2] = [1 2]
const v float32[2,2] = [1 2 3 4]
all float32[3,1,1,2], last float32[1,1,2] = LSTM(x, w, r, b, _, h, c) {hidden_size=2} @cell
y float32[1,1,2] = MatMul(last, v) @head
output y
`
	const cell = "activation x %s per tensor, weight w int8 along 1, weight r int8 along 1, "
	const head = "activation last uint8 per tensor, weight v int8 along 1"
	for _, k := range []struct {
		recipe quant.Recipe
		want   string
	}{
		{quant.Recipe{Target: "octavo"}, fmt.Sprintf(cell, "uint16") + head},
		{quant.Recipe{Target: "octavo", Activations: quant.Activations{DType: "uint8"}}, fmt.Sprintf(cell, "uint8") + head},
		{quant.Recipe{Target: "onnxruntime-cpu"}, head},
		{quant.Recipe{Target: "onnxruntime-cpu", Overrides: []quant.Override{{Match: "cell", Precision: "w8a8"}}}, fmt.Sprintf(cell, "uint8") + head},
	} {
		p, err := quant.Place(graph(t, text), &k.recipe)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, pt := range p.Points {
			role, along := map[quant.Role]string{quant.Activation: "activation", quant.Weight: "weight", quant.Bias: "bias"}[pt.Role], "per tensor"
			if pt.Axis != quant.PerTensor {
				along = fmt.Sprintf("along %d", pt.Axis)
			}
			if got != "" {
				got += ", "
			}
			got += fmt.Sprintf("%s %s %v %s", role, pt.Value, pt.Type, along)
		}
		if got != k.want {
			t.Errorf("%+v:\n%s, want\n%s", k.recipe, got, k.want)
		}
	}
}

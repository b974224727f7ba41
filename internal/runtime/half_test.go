package runtime_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestHalvesEqualTheirMeaning runs models of float16 with kernels of float32
// and casts between them, and compares with the reference to the bit.
func TestHalvesEqualTheirMeaning(t *testing.T) {
	for _, c := range []struct {
		file  string
		shape []int
	}{
		{"digits_vit/ort/digits_vit.fp16ort.onnx", []int{2, 1, 8, 8}},
		{"digits_lstm/ort/digits_lstm.fp16.onnx", []int{2, 8, 8}},
		{"digits_gru/ort/digits_gru.fp16.onnx", []int{2, 8, 8}},
		{"digits_resnet/ort/digits_resnet.fp16.onnx", []int{1, 1, 8, 8}},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			g := preparedFile(t, filepath.Join("../../../shared/fixtures", c.file))
			n, _ := tensor.Count(c.shape)
			data := make([]float32, n)
			for i := range data {
				data[i] = float32(i*i%17) / 16
			}
			x := tensor.FromSlice(data, c.shape...)
			if g.Inputs[0].Type != dtype.Float32 {
				t.Fatalf("input is %v", g.Inputs[0].Type)
			}
			p, err := runtime.Compile(g, runtime.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Run(context.Background(), runtime.Tensors{g.Inputs[0].Name: x})
			if err != nil {
				t.Fatal(err)
			}
			want, err := ir.Eval(g, op.Of(x))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range g.Outputs {
				if !tensor.Equal(got[v.Name], want[i].Tensor) {
					t.Errorf("%s: %v, want %v", v.Name, tensor.Data[float32](got[v.Name])[:4], tensor.Data[float32](want[i].Tensor)[:4])
				}
			}
			t.Logf("without kernels: %v", p.Reference())
		})
	}
}

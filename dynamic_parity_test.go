package octavo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// integerWeights returns the constants of a graph that are stored as integers,
// by the name of what they stand for, matrices of products as [K, N]; dynamic
// are the operators that read them with ranges found at run time.
func integerWeights(t *testing.T, m *Model) (weights map[string]quantizedValue, dynamic map[string]int) {
	t.Helper()
	g, _ := m.graph.Clone()
	if err := pass.Expand(g); err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	weights, dynamic = map[string]quantizedValue{}, map[string]int{}
	prod, uses := g.Producers(), g.Uses()
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.MatMul, *op.Gemm, *op.Conv:
			if dq := prod[n.In[0]]; dq != nil && prod[dq.In[0]] != nil && prod[dq.In[0]].Op.Name() == "DynamicQuantize" {
				dynamic[n.Op.Name()]++
			}
		}
		if _, ok := n.Op.(*op.DynamicQuantizeLSTM); ok {
			dynamic["LSTM"]++
			for k, at := range []int{1, 2} {
				zeros, _ := tensor.Ints(n.In[9+2*k].Const)
				p := affine.Params{Type: n.In[at].Type, Scale: tensor.Data[float32](n.In[8+2*k].Const), ZeroPoint: zeros}
				weights[strings.TrimSuffix(n.In[at].Name, "_quantized")] = quantizedValue{p, n.In[at].Const}
			}
		}
		if _, ok := n.Op.(*op.DequantizeLinear); !ok {
			continue
		}
		source := n.In[0]
		if table := prod[source]; table != nil && table.Op.Name() == "Gather" {
			source = table.In[0] // rows of integers
		}
		if source.Const == nil {
			continue
		}
		p, ok, err := ir.ParamsOf(n)
		if err != nil || !ok {
			t.Fatalf("%s: %v", n.Label(), err)
		}
		w := quantizedValue{p, source.Const}
		if u := uses[n.Out[0]]; len(u) > 0 {
			if gemm, ok := u[0].Node.Op.(*op.Gemm); ok && gemm.TransB {
				w.data = tensor.Permute(w.data, []int{1, 0})
				if !p.IsPerTensor() {
					w.params.Axis = 1 - p.Axis
				}
			}
		}
		name := strings.TrimSuffix(source.Name, "_quantized")
		weights[strings.TrimSuffix(name, "_Transposed")] = w
	}
	return weights, dynamic
}

// TestDynamicParityWithONNXRuntime compares with quantize_dynamic of the same
// models: weights, scales and zero points are equal to the bit.
func TestDynamicParityWithONNXRuntime(t *testing.T) {
	needFixtures(t)
	for _, model := range []string{"digits_mlp", "digits_vit", "digits_gru", "digits_lstm", "tokens_transformer"} {
		for _, form := range []string{"s8.pt", "s8.pc", "u8.pt"} {
			t.Run(model+"/"+form, func(t *testing.T) {
				dir := filepath.Join(fixtures, model, "ort")
				path := filepath.Join(dir, fmt.Sprintf("%s.dynamic.%s.onnx", model, form))
				if _, err := os.Stat(path); err != nil {
					t.Skip("no such golden")
				}
				want, wantDynamic := integerWeights(t, open(t, path))
				r := Recipe{Mode: Dynamic, Parity: "onnxruntime"}
				r.Weights.DType = map[bool]string{true: "uint8", false: "int8"}[strings.HasPrefix(form, "u8")]
				r.Weights.Granularity = map[bool]string{true: "channel", false: "tensor"}[strings.HasSuffix(form, "pc")]
				q, err := Quantize(context.Background(), open(t, filepath.Join(dir, model+".prep.onnx")), r)
				if err != nil {
					t.Fatal(err)
				}
				// What is written is what counts.
				file := filepath.Join(t.TempDir(), "q.onnx")
				if err := q.Save(file); err != nil {
					t.Fatal(err)
				}
				got, gotDynamic := integerWeights(t, open(t, file))
				if len(want) == 0 || fmt.Sprint(gotDynamic) != fmt.Sprint(wantDynamic) {
					t.Errorf("dynamic operators %v, want %v; %d weights", gotDynamic, wantDynamic, len(want))
				}
				for name, w := range want {
					g, ok := got[name]
					if !ok {
						t.Errorf("%s is not quantized, the peer does", name)
						continue
					}
					if !sameParams(g.params, w.params) {
						t.Errorf("%s: %v, scales %v..., want %v, %v...", name, g.params.Type, g.params.Scale[0], w.params.Type, w.params.Scale[0])
					}
					if !tensor.Equal(g.data, w.data) {
						t.Errorf("%s: quantized weights differ", name)
					}
				}
				for name := range got {
					if _, ok := want[name]; !ok {
						t.Errorf("%s is quantized beyond the peer", name)
					}
				}
			})
		}
	}
}

// sameParams reports whether parameters are equal to the bit; one scale counts
// as many that are equal.
func sameParams(a, b affine.Params) bool {
	if a.Type != b.Type || !slices.Equal(a.Scale, b.Scale) {
		return false
	}
	for i := range a.Scale {
		if a.Zero(i) != b.Zero(i) {
			return false
		}
	}
	return true
}

package octavo

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fixtures is the folder of project-made models and of what other quantizers
// made of them.
const fixtures = "../shared/fixtures"

func needFixtures(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(fixtures); err != nil {
		t.Skipf("the fixtures are not here: %v", err)
	}
}

// quantizedValue is what a graph says of one quantized tensor.
type quantizedValue struct {
	params affine.Params
	data   *tensor.Tensor // of constants
}

// quantizedValues returns the parameters of every quantized tensor by the name
// of the float tensor it stands for.
func quantizedValues(t *testing.T, g *ir.Graph) map[string]quantizedValue {
	t.Helper()
	g, _ = g.Clone()
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	out := map[string]quantizedValue{}
	for _, n := range g.Nodes {
		var name string
		var data *tensor.Tensor
		switch n.Op.(type) {
		case *op.QuantizeLinear:
			name = strings.TrimSuffix(n.In[0].Name, "_QuantizeLinear_Input")
		case *op.DequantizeLinear:
			if n.In[0].Const == nil {
				continue
			}
			name, data = strings.TrimSuffix(n.In[0].Name, "_quantized"), n.In[0].Const
		default:
			continue
		}
		p, ok, err := ir.ParamsOf(n)
		if err != nil || !ok {
			t.Errorf("%s: parameters are not constant: %v", n.Label(), err)
		}
		out[name] = quantizedValue{p, data}
	}
	return out
}

func TestParityWithONNXRuntime(t *testing.T) {
	needFixtures(t)
	for _, c := range []struct{ model, data, input string }{
		{"digits_mlp", "calib_x", "input"}, {"digits_resnet", "calib_x", "input"},
		{"digits_mobilenet", "calib_x", "input"}, {"digits_vit", "calib_x", "input"},
		{"tokens_transformer", "tokens_calib_x", "ids"},
	} {
		for _, form := range []string{"u8s8.pt", "u8s8.pc", "s8s8.pc", "s8s8.pt", "s8s8.pc sym", "u8s8.pc matmulonly"} {
			t.Run(c.model+"/"+form, func(t *testing.T) {
				dir := filepath.Join(fixtures, c.model, "ort")
				types, setting, _ := strings.Cut(form, " ")
				goldenPath := filepath.Join(dir, fmt.Sprintf("%s.qdq.%s.minmax.onnx", c.model, types))
				if setting != "" {
					goldenPath = strings.TrimSuffix(goldenPath, "onnx") + setting + ".onnx"
				}
				if _, err := os.Stat(goldenPath); err != nil {
					t.Skip("no such golden")
				}
				golden := open(t, goldenPath)
				m := open(t, filepath.Join(dir, c.model+".prep.onnx"))
				d, err := m.OpenData(DataOptions{Paths: []string{filepath.Join(fixtures, "data", c.data+".npy")}})
				if err != nil {
					t.Fatal(err)
				}
				r := Recipe{Mode: Static, Parity: "onnxruntime"}
				r.Weights.Granularity = map[bool]string{true: "channel", false: "tensor"}[strings.HasSuffix(types, "pc")]
				r.Activations.DType = map[bool]string{true: "uint8", false: "int8"}[strings.HasPrefix(types, "u8")]
				switch setting {
				case "sym":
					yes := true
					r.Activations.Symmetric = &yes
				case "matmulonly":
					r.Only = []string{"op:Gemm", "op:MatMul"}
				}
				q, err := Quantize(context.Background(), m, r, WithCalibration(d.Samples(0)))
				if err != nil {
					t.Fatal(err)
				}
				compareQuantized(t, quantizedValues(t, q.graph), quantizedValues(t, golden.graph))
			})
		}
	}
}

func open(t *testing.T, path string) *Model {
	t.Helper()
	m, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// maxScaleError is the allowed relative difference of scales: the peer
// computes activations in another order.
const maxScaleError = 1e-5

func compareQuantized(t *testing.T, got, want map[string]quantizedValue) {
	t.Helper()
	for name, w := range want {
		if math.IsInf(float64(w.params.Scale[0]), 0) {
			continue // the peer takes the -inf of masks into its range; here they are left out
		}
		g, ok := got[name]
		if !ok {
			t.Errorf("%s is not quantized, the peer does", name)
			continue
		}
		if g.params.Type != w.params.Type || len(g.params.Scale) != len(w.params.Scale) {
			t.Errorf("%s: %v with %d scales, want %v with %d", name, g.params.Type, len(g.params.Scale), w.params.Type, len(w.params.Scale))
			continue
		}
		for i, s := range w.params.Scale {
			if math.Abs(float64(g.params.Scale[i]/s)-1) > maxScaleError || g.params.Zero(i) != w.params.Zero(i) {
				t.Errorf("%s[%d]: scale %v zero point %d, want %v and %d", name, i, g.params.Scale[i], g.params.Zero(i), s, w.params.Zero(i))
				break
			}
		}
		if w.data == nil || g.data == nil {
			continue
		}
		if w.params.Type.Bits() == 8 && !tensor.Equal(g.data, w.data) {
			t.Errorf("%s: quantized weights differ", name)
		}
	}
	var extra []string
	for name := range got {
		if _, ok := want[name]; !ok {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	if len(extra) > 0 {
		t.Errorf("quantized beyond the peer: %v", extra)
	}
}

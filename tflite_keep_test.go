package octavo

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// TestQuantizedModelsKeepTheirParameters: models that others quantized go from
// ONNX to TensorFlow Lite and back with the integers and scales of their weights
// and the parameters of their activations, uint8 moved by 128 to int8.
func TestQuantizedModelsKeepTheirParameters(t *testing.T) {
	files, _ := filepath.Glob("../shared/fixtures/digits_*/ort/*.qdq.?8s8.*.onnx")
	if len(files) == 0 {
		t.Skip("no ../shared/fixtures")
	}
	for _, path := range files {
		name := filepath.Base(path)
		if strings.Contains(name, "vit") || strings.Contains(name, "lstm") || strings.Contains(name, "gru") {
			continue // ONNX Runtime quantized operators there that LiteRT has no integer kernels for
		}
		t.Run(name, func(t *testing.T) {
			m := open(t, path)
			lite := savedAs(t, m, "model.tflite")
			back := savedAs(t, lite, "model.onnx")
			weights, values := parametersOf(t, m)
			if len(weights) == 0 || len(values) == 0 {
				t.Fatal("nothing is quantized")
			}
			for _, made := range []*Model{lite, back} {
				w, v := parametersOf(t, made)
				if !slices.Equal(w, weights) {
					t.Errorf("%s: weights are %d tensors, %d of them the source's; it has %d", made.Path, len(w), common(w, weights), len(weights))
				}
				if n := common(v, values); n < len(values) {
					t.Errorf("%s: of %d parameters of activations %d are kept", made.Path, len(values), n)
				}
			}
		})
	}
}

func savedAs(t *testing.T, m *Model, name string) *Model {
	t.Helper()
	n, err := Convert(m, Conversion{Simplify: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// parametersOf lists weights of int8 with their scales, and the scales and zero
// points of activations as those of int8, each once and sorted.
func parametersOf(t *testing.T, m *Model) (weights, values []string) {
	t.Helper()
	w, v := map[string]bool{}, map[string]bool{}
	for _, n := range m.graph.Nodes {
		_, ok := n.Op.(*op.DequantizeLinear)
		if !ok {
			continue
		}
		p, ok, err := ir.ParamsOf(n)
		if err != nil || !ok {
			t.Fatalf("%s: %v", n.Label(), err)
		}
		switch c := n.In[0].Const; {
		case c != nil && c.Type() == dtype.Int8:
			w[fmt.Sprintf("%x %v", sha256.Sum256(c.Bytes()), p.Scale)] = true
		case c == nil:
			zero := p.Zero(0)
			if p.Type == dtype.Uint8 {
				zero -= 128
			}
			v[fmt.Sprint(p.Scale[0], zero)] = true
		}
	}
	return slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(v))
}

func common(a, b []string) int {
	n := 0
	for _, s := range a {
		if slices.Contains(b, s) {
			n++
		}
	}
	return n
}

// TestWideUnsignedActivationsAreRefused: TensorFlow Lite has no uint16.
func TestWideUnsignedActivationsAreRefused(t *testing.T) {
	path := "../shared/fixtures/digits_resnet/ort/digits_resnet.qdq.u16s8.pc.minmax.onnx"
	if _, err := os.Stat(path); err != nil {
		t.Skip("no ../shared/fixtures")
	}
	err := open(t, path).Save(filepath.Join(t.TempDir(), "model.tflite"))
	var ue *diag.UnsupportedError
	if !errors.As(err, &ue) || !strings.Contains(err.Error(), "uint16") || !strings.Contains(ue.Hint, "--activations int16") {
		t.Errorf("error is %v", err)
	}
}

package octavo

import (
	"bytes"
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
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// refusals are the models that others quantized and TensorFlow Lite cannot hold,
// by a part of their names, with the operator that the error must name: a GELU in
// pieces that are quantized one by one has an Erf, for which there is no
// operator; masks with -inf were quantized with a scale of +Inf; LSTMs and
// products that quantize all of their data to one range are not those of LiteRT,
// which has a range for each row.
var refusals = []struct{ file, names string }{
	{"digits_vit.plain.qdq.", "Erf"},
	{"digits_vit.qdq.s8s8.pc.minmax.onnx", "Erf"},
	{"digits_vit.qdq.u8s8.pc.minmax.onnx", "Erf"},
	{"digits_vit.qdq.u8s8.pc.percentile.onnx", "Erf"},
	{"digits_vit.qdq.u8s8.pt.minmax.onnx", "Erf"},
	{"digits_vit.qop.", "Erf"},
	{"tokens_transformer.qdq.u8s8.pc.minmax.onnx", "scale +Inf"},
	{"tokens_transformer.qdq.u8s8.pt.minmax.onnx", "scale +Inf"},
	{"digits_lstm.dynamic.", "DynamicQuantizeLSTM"},
	{"digits_gru.dynamic.", "as a whole"},
}

// TestQuantizedModelsKeepTheirParameters: models that others quantized go from
// ONNX to TensorFlow Lite and back with the integers and scales of their weights
// and the parameters of their activations, uint8 moved by 128 to int8, but for
// those that LiteRT's Softmax has.
func TestQuantizedModelsKeepTheirParameters(t *testing.T) {
	files, _ := filepath.Glob("../shared/fixtures/*/ort/*.q*.?8s8.*.onnx")
	recurrent, _ := filepath.Glob("../shared/fixtures/digits_*/ort/digits_[gl]*.dynamic.*.onnx")
	if len(files) == 0 {
		t.Skip("no ../shared/fixtures")
	}
	for _, path := range append(files, recurrent...) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			m := open(t, path)
			if strings.HasPrefix(name, "tokens_transformer") { // its shapes are computed from these
				if err := m.Fix(nil, []string{"batch=1", "time=16"}); err != nil {
					t.Fatal(err)
				}
			}
			lite, fixed, err := savedAs(t, m, "model.tflite")
			for _, r := range refusals {
				if strings.HasPrefix(name, r.file) {
					if err == nil || !strings.Contains(err.Error(), r.names) {
						t.Errorf("error is %v, want one that names %q", err, r.names)
					}
					return
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			back, _, err := savedAs(t, lite, "model.onnx")
			if err != nil {
				t.Fatal(err)
			}
			g, _ := m.graph.Clone()
			if err := pass.Expand(g); err != nil {
				t.Fatal(err)
			}
			weights, values := parametersOf(t, g)
			if len(weights) == 0 || len(values) == 0 {
				t.Fatal("nothing is quantized")
			}
			for _, p := range fixed {
				if p.Renamed() {
					continue
				}
				if !strings.Contains(p.Value, "Softmax") || p.To != (Grid{Type: "int8", Scale: 1.0 / 256, ZeroPoint: -128}) {
					t.Errorf("%s has %v, and had %v", p.Value, p.To, p.From)
				}
				values = slices.DeleteFunc(values, func(v string) bool { return v == fmt.Sprint(p.From.Scale, p.From.ZeroPoint-128) })
			}
			for _, made := range []*Model{lite, back} {
				w, v := parametersOf(t, made.graph)
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

// savedAs converts a model and reads it again. It returns the values that got
// other parameters.
func savedAs(t *testing.T, m *Model, name string) (*Model, []Prescribed, error) {
	t.Helper()
	n, err := Convert(m, Conversion{Simplify: true})
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(t.TempDir(), name)
	if err := n.Save(path); err != nil {
		return nil, nil, err
	}
	return open(t, path), n.Prescribed(), nil
}

// parametersOf lists weights of int8 with their scales, and the scales and zero
// points of activations as those of int8, each once and sorted.
func parametersOf(t *testing.T, g *ir.Graph) (weights, values []string) {
	t.Helper()
	w, v := map[string]bool{}, map[string]bool{}
	for _, n := range g.Nodes {
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
			w[fmt.Sprintf("%x %v", turnedOrNot(c), p.Scale)] = true
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

// turnedOrNot tells integers apart, a matrix and its transpose not: products have
// either form.
func turnedOrNot(c *tensor.Tensor) [sha256.Size]byte {
	sum := sha256.Sum256(c.Bytes())
	if c.Rank() != 2 {
		return sum
	}
	turned := sha256.Sum256(tensor.Permute(c, []int{1, 0}).Bytes())
	if bytes.Compare(turned[:], sum[:]) < 0 {
		return turned
	}
	return sum
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

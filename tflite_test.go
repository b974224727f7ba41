package octavo

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// tfliteAllowed says how far results may lie from LiteRT's reference kernels,
// by the form of a file: the share of elements that may differ at all (by more
// than 1e-5 of the range, or half a step), and by how much in steps of the
// output's scale or in parts of the range.
var tfliteAllowed = []struct {
	form         string
	share, worst float64
}{
	// Activations are quantized while the model runs, in the same steps.
	{".dynamic.", 0, 1e-5},
	{".int16x8.", 1, 1e-3},
	// Over the 16 unrolled cells the steps of the state add up.
	{"unrolled.int8.", 0.1, 16},
	{"unrolled.uint8io.", 0.1, 16},
	{".int8.", 0.02, 1},
	{".uint8io.", 0.02, 1},
	{"", 0.01, 2e-3},
}

// TestTFLiteGoldens runs the files of LiteRT's converter and compares with what
// its reference kernels computed. Variables begin anew for each sample.
func TestTFLiteGoldens(t *testing.T) {
	needFixtures(t)
	files, err := filepath.Glob(filepath.Join(fixtures, "*", "tflite", "*.tflite"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tflite")
		t.Run(name, func(t *testing.T) {
			in := readArray(t, filepath.Join(filepath.Dir(filepath.Dir(file)), "inputs.npy"))
			want := readArray(t, strings.TrimSuffix(file, ".tflite")+".ref.npy")
			m := open(t, file)
			got := oneByOne(t, m, in)
			for _, a := range tfliteAllowed {
				if strings.Contains(name+".", a.form) {
					compareTFLite(t, got, numbersOf(t, want), scaleOfOutput(t, m), a.share, a.worst)
					break
				}
			}
		})
	}
}

// tfliteModels says of models beside the checkout how far results may lie from
// LiteRT's, as tfliteAllowed does; others are floats.
var tfliteModels = map[string]struct{ share, worst float64 }{
	"mlperf-tiny/anomaly/ad01_int8.tflite":                   {0.02, 1},
	"mlperf-tiny/kws/kws_ref_model.tflite":                   {0.02, 1},
	"mlperf-tiny/resnet8/pretrainedResnet_quant.tflite":      {0.5, 8}, // sums of sums: steps add up until the last layer
	"mlperf-tiny/streaming-wakeword/str_ww_ref_model.tflite": {0.02, 1},
	"mlperf-tiny/vww/vww_96_int8.tflite":                     {0.02, 1},
	"tflite-micro/person_detect.tflite":                      {0.02, 1},
}

// TestTFLiteModels runs real models and compares with what LiteRT's reference
// kernels made of the same inputs (testdata/make/tflite_models.py).
func TestTFLiteModels(t *testing.T) {
	var cases []struct {
		Model   string
		Outputs []struct {
			Shape []int
			Step  int
			Range float64
			Data  []float32
		}
	}
	b, err := os.ReadFile(filepath.Join("internal", "format", "tflite", "testdata", "models.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(strings.TrimSuffix(path.Base(c.Model), ".tflite"), func(t *testing.T) {
			file := filepath.Join("..", "shared", "models", filepath.FromSlash(c.Model))
			if _, err := os.Stat(file); err != nil {
				t.Skipf("the model is not here: %v", err)
			}
			m := open(t, file)
			p, err := m.Compile()
			if err != nil {
				t.Fatal(err)
			}
			in := Inputs{}
			states := m.begin()
			for _, v := range m.graph.Inputs {
				if states[v.Name] == nil {
					in[v.Name] = tfliteInput(v.Type, v.Shape)
				}
			}
			out, err := p.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			allowed, ok := tfliteModels[c.Model]
			if !ok {
				allowed.share, allowed.worst = 0.01, 2e-3
			}
			for i, want := range c.Outputs {
				y := out[m.graph.Outputs[i].Name]
				if !slices.Equal(y.Shape(), want.Shape) {
					t.Fatalf("output %d has the shape %v, want %v", i, y.Shape(), want.Shape)
				}
				var got []float32
				for k, v := range numbersOf(t, y) {
					if k%want.Step == 0 {
						got = append(got, v)
					}
				}
				compareTFLite(t, got, want.Data, scaleOfOutput(t, m), allowed.share, allowed.worst)
			}
		})
	}
}

// tfliteInput returns the input of tflite_models.py.
func tfliteInput(typ dtype.Type, s op.Shape) *Tensor {
	shape := make([]int, len(s))
	for i, d := range s {
		n, ok := d.Int()
		if shape[i] = n; !ok {
			shape[i] = 1
		}
	}
	n, _ := tensor.Count(shape)
	floats, ints := make([]float32, n), make([]int64, n)
	for i := range n {
		v := uint32(i+1) * 2654435761
		v = (v ^ v>>15) * 2246822519
		v = (v ^ v>>13) >> 8
		floats[i], ints[i] = float32(v)/(1<<24), int64(v%256)-128
	}
	if typ == dtype.Float32 {
		return tensor.FromSlice(floats, shape...)
	}
	return tensor.FromInts(typ, ints, shape...)
}

func readArray(t *testing.T, path string) *Tensor {
	t.Helper()
	a, err := ReadArray(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// oneByOne runs a model of one sample over all of in, and returns the first
// output of each, raw integers as numbers.
func oneByOne(t *testing.T, m *Model, in *Tensor) []float32 {
	t.Helper()
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	x, shape := m.graph.Inputs[0], in.Shape()
	size := in.Len() / shape[0]
	var out []float32
	for i := range shape[0] {
		data := tensor.Data[float32](in)[i*size : (i+1)*size]
		one := tensor.FromSlice(data, append([]int{1}, shape[1:]...)...)
		if x.Type != dtype.Float32 {
			q, ok := inputParams(t, m)
			if !ok {
				t.Fatalf("input %q is %v without a scale", x.Name, x.Type)
			}
			if one, err = affine.Quantize(one, q, affine.RoundHalfAway); err != nil {
				t.Fatal(err)
			}
		}
		res, err := p.Run(context.Background(), Inputs{x.Name: one})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, numbersOf(t, res[m.graph.Outputs[0].Name])...)
	}
	return out
}

// inputParams returns how the first input is dequantized.
func inputParams(t *testing.T, m *Model) (affine.Params, bool) {
	t.Helper()
	for _, n := range m.graph.Nodes {
		if _, ok := n.Op.(*op.DequantizeLinear); ok && n.In[0] == m.graph.Inputs[0] {
			p, ok, err := ir.ParamsOf(n)
			if err != nil {
				t.Fatal(err)
			}
			return p, ok
		}
	}
	return affine.Params{}, false
}

// scaleOfOutput returns what one step of the first output is worth in the
// numbers that are compared: 1 for integers, 0 for what is not quantized.
func scaleOfOutput(t *testing.T, m *Model) float64 {
	if m.graph.Outputs[0].Type != dtype.Float32 {
		return 1
	}
	return outputStep(t, m)
}

func numbersOf(t *testing.T, x *Tensor) []float32 {
	t.Helper()
	f, err := op.Convert(x, dtype.Float32)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float32](f)
}

func compareTFLite(t *testing.T, got, want []float32, step, share, worst float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	lo, hi := want[0], want[0]
	for _, v := range want {
		lo, hi = min(lo, v), max(hi, v)
	}
	unit, small := float64(hi-lo), 1e-5
	if worst >= 1 {
		unit, small = step, 0.5
	}
	off, most := 0, 0.0
	for i := range want {
		d := math.Abs(float64(got[i])-float64(want[i])) / unit
		if !(d <= small) {
			off++
		}
		most = max(most, d)
	}
	part := float64(off) / float64(len(want))
	t.Logf("%.2f %% of %d elements differ, by up to %.3g", 100*part, len(want), most)
	if part > share || !(most <= worst+small) {
		t.Errorf("%.2f %% of %d elements differ, by up to %.3g; allowed are %.2f %% and %g", 100*part, len(want), most, 100*share, worst)
	}
}

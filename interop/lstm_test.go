package interop_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// How near a written LSTM's outputs are to LiteRT's, of the output's range:
// nearly all elements, and all of them.
const (
	nearlyAll, tiny = 0.99, 1e-5
	farthest        = 2e-3
)

// TestLiteRTRunsWrittenLSTMs writes a model with LSTMs as TensorFlow Lite, with
// floats and dynamically quantized, and compares LiteRT's reference kernels
// with the engine's run of the same file.
func TestLiteRTRunsWrittenLSTMs(t *testing.T) {
	py := python(t)
	for _, source := range []string{"fixtures/digits_lstm/digits_lstm.op13.onnx", "fixtures/digits_lstm/digits_lstm.dynamo.onnx"} {
		for _, mode := range []octavo.Mode{"", octavo.Dynamic} {
			name := strings.TrimSuffix(filepath.Base(source), ".onnx") + string(mode)
			t.Run(name, func(t *testing.T) { runsWritten(t, py, source, name, mode) })
		}
	}
}

// TestLiteRTRunsWrittenSteps does so for recurrent operators that are written step
// by step: GRUs, and LSTMs whose states are inputs and outputs.
func TestLiteRTRunsWrittenSteps(t *testing.T) {
	py := python(t)
	for _, c := range []struct {
		source string
		modes  []octavo.Mode
	}{
		{"fixtures/digits_gru/digits_gru.op13.onnx", []octavo.Mode{"", octavo.Float16, octavo.WeightOnly}},
		{"fixtures/digits_gru/digits_gru.dynamo.onnx", []octavo.Mode{""}},
		{"models/dtln/model_1.onnx", []octavo.Mode{"", octavo.Float16, octavo.Dynamic}},
	} {
		for _, mode := range c.modes {
			name := strings.TrimSuffix(filepath.Base(c.source), ".onnx") + string(mode)
			t.Run(name, func(t *testing.T) { runsWritten(t, py, c.source, name, mode) })
		}
	}
}

// runsWritten writes a model in a mode, and compares LiteRT's run with the
// engine's.
func runsWritten(t *testing.T, py, source, name string, mode octavo.Mode) {
	t.Helper()
	float := open(t, filepath.Join("..", "..", "shared", source))
	written, err := octavo.Convert(float, octavo.Conversion{Simplify: true})
	if mode != "" {
		written, err = octavo.Quantize(context.Background(), float, octavo.Recipe{Mode: mode, Target: "litert"})
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, name+".tflite")
	if err := written.Save(path); err != nil {
		t.Fatal(err)
	}
	litert(t, py, "files", dir, "1", "8", path)
	nearLiteRT(t, path)
}

// nearLiteRT compares what the engine computes with what lies beside a model.
func nearLiteRT(t *testing.T, path string) {
	t.Helper()
	off, all, worst := 0, 0, 0.0
	eachOutput(t, path, strings.TrimSuffix(path, ".tflite"), func(_ int, got, want *tensor.Tensor) {
		w, g := tensor.Data[float32](want), tensor.Data[float32](got)
		span := 0.0
		for _, v := range w {
			span = max(span, math.Abs(float64(v)))
		}
		for i := range w {
			d := math.Abs(float64(g[i])-float64(w[i])) / span
			if worst = max(worst, d); !(d <= tiny) {
				off++
			}
		}
		all += len(w)
	})
	t.Logf("%d of %d elements differ by more than %g of the range, by %.2g at most", off, all, tiny, worst)
	if float64(off) > (1-nearlyAll)*float64(all) || !(worst <= farthest) {
		t.Error("too far")
	}
}

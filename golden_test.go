package octavo

import (
	"context"
	"github.com/octavo-ml/octavo/internal/ir"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Allowed difference between the integer execution here and ONNX Runtime's:
// one step of the output's scale on this share of elements.
const (
	maxSteps = 1
	maxShare = 0.01
)

// TestIntegerExecutionEqualsONNXRuntime runs ONNX Runtime's own quantized files
// (QDQ and QOperator) and compares with what it computed.
func TestIntegerExecutionEqualsONNXRuntime(t *testing.T) {
	needFixtures(t)
	for _, model := range []string{"digits_mlp", "digits_resnet", "digits_mobilenet"} {
		files, err := filepath.Glob(filepath.Join(fixtures, model, "ort", model+".q*.onnx"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no goldens: %v", model, err)
		}
		in, err := ReadArray(filepath.Join(fixtures, model, "inputs.npy"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".onnx")
			if strings.Contains(name, "matmul") {
				continue // 4-bit weights, another scheme
			}
			t.Run(name, func(t *testing.T) {
				m, got := answer(t, file, in)
				for _, level := range []string{"disabled", "all"} {
					want, err := ReadArray(strings.TrimSuffix(file, ".onnx") + "." + level + ".npy")
					if err != nil {
						if os.IsNotExist(err) {
							continue
						}
						t.Fatal(err)
					}
					share := maxShare
					if strings.Contains(name, "16") {
						// 16-bit regions run as dequantized floats, whose sums have
						// another order than the peer's: a step is 1/65535 here.
						share = 1
					}
					compareSteps(t, level, got, want, outputStep(t, m), share)
				}
			})
		}
	}
}

// answer returns the model in a file and its first output for an input.
func answer(t *testing.T, file string, in *Tensor) (*Model, *Tensor) {
	t.Helper()
	m := open(t, file)
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), Inputs{m.graph.Inputs[0].Name: in})
	if err != nil {
		t.Fatal(err)
	}
	return m, out[m.graph.Outputs[0].Name]
}

// outputStep returns the scale of the quantized output, 0 if it is float.
func outputStep(t *testing.T, m *Model) float64 {
	t.Helper()
	g, err := m.prepare(false)
	if err != nil {
		t.Fatal(err)
	}
	dq := g.Producers()[g.Outputs[0]]
	if _, ok := dq.Op.(*op.DequantizeLinear); !ok {
		return 0
	}
	p, ok, err := ir.ParamsOf(dq)
	if err != nil || !ok {
		t.Fatalf("output parameters: %v", err)
	}
	return float64(p.Scale[0])
}

func compareSteps(t *testing.T, level string, got, want *Tensor, step, allowed float64) {
	t.Helper()
	a, b := tensor.Data[float32](got), tensor.Data[float32](want)
	off, worst := 0, 0.0
	for i := range b {
		d := math.Abs(float64(a[i] - b[i]))
		if d > 1e-4*step && d > 1e-6*math.Abs(float64(b[i])) {
			off++
		}
		if step > 0 {
			worst = math.Max(worst, math.Round(d/step))
		}
	}
	if share := float64(off) / float64(len(b)); share > allowed || worst > maxSteps {
		t.Errorf("%s: %.2f %% of %d elements differ, by up to %.0f steps", level, 100*share, len(b), worst)
	}
	classes := got.Shape()[1]
	for r := 0; r < len(b); r += classes {
		if argmax(a[r:r+classes]) != argmax(b[r:r+classes]) {
			t.Errorf("%s: sample %d has another answer", level, r/classes)
		}
	}
}

func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// TestTransformerIsNoWorseThanONNXRuntime: ONNX Runtime differs from itself by
// up to 16 steps here with optimisation on and off, so the yardstick is the
// error against the float model.
func TestTransformerIsNoWorseThanONNXRuntime(t *testing.T) {
	needFixtures(t)
	dir := filepath.Join(fixtures, "digits_vit")
	in, err := ReadArray(filepath.Join(dir, "inputs.npy"))
	if err != nil {
		t.Fatal(err)
	}
	float, err := ReadArray(filepath.Join(dir, "outputs.npy"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "ort", "digits_vit.q*8s8.*.minmax.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		_, out := answer(t, file, in)
		ours := meanError(out, float)
		worst := 0.0
		for _, level := range []string{"disabled", "all"} {
			theirs, err := ReadArray(strings.TrimSuffix(file, ".onnx") + "." + level + ".npy")
			if err != nil {
				t.Fatal(err)
			}
			worst = max(worst, meanError(theirs, float))
		}
		t.Logf("%s: mean error %.4f here, %.4f in ONNX Runtime", filepath.Base(file), ours, worst)
		if ours > worst {
			t.Errorf("%s: mean error %.4f, ONNX Runtime's is %.4f", filepath.Base(file), ours, worst)
		}
	}
}

func meanError(a, b *Tensor) float64 {
	x, y := tensor.Data[float32](a), tensor.Data[float32](b)
	var sum float64
	for i := range y {
		sum += math.Abs(float64(x[i] - y[i]))
	}
	return sum / float64(len(y))
}

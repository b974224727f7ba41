package interop_test

import (
	"context"
	"encoding/json"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/tensor"
)

const shared = "../../shared"

// notRun matches why a model may be refused: scales that ONNX Runtime's quantizer
// takes from a mask's -inf, with which the values become NaN there.
var notRun = regexp.MustCompile(`scale \+Inf: values without bound`)

// unlabelled are cases whose int8 form is compared with that of ONNX Runtime's
// static quantizer.
var unlabelled = []string{
	"models__dtln__model_1.onnx", "models__silero-vad__silero_vad_op18_ifless.onnx@fixed",
	"models__super-resolution__super_resolution.onnx", "models__ultraface__version-RFB-320.onnx",
}

// TestRealModels runs every ONNX file of the real models and the fixtures here
// and in ONNX Runtime, and quantizes the float ones: real_samples.py makes the
// cases, real.py judges them.
func TestRealModels(t *testing.T) {
	py := python(t)
	for _, part := range []string{"models", "fixtures"} {
		if _, err := os.Stat(filepath.Join(shared, part)); err != nil {
			t.Skipf("the %s are not here: %v", part, err)
		}
	}
	root := t.TempDir()
	if out, err := exec.Command(py, "real_samples.py", shared, root).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cases, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) { realCase(t, filepath.Join(root, c.Name())) })
	}
	for _, args := range [][]string{{"real.py", root}, append([]string{"static.py", root}, unlabelled...)} {
		out, err := exec.Command(py, args...).CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Errorf("%s: %v", args[0], err)
		}
	}
}

// realCase runs the model of a case over its samples; where the case asks for
// it, a quantized one is made and run in a case beside it.
func realCase(t *testing.T, dir string) {
	m := open(t, filepath.Join(dir, "model.onnx"))
	if _, err := m.Compile(); err != nil && notRun.MatchString(err.Error()) {
		if err := os.WriteFile(filepath.Join(dir, "refused.txt"), []byte(notRun.FindString(err.Error())), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	samples, err := m.OpenData(octavo.DataOptions{Paths: []string{filepath.Join(dir, "samples.npz")}})
	if err != nil {
		t.Fatal(err)
	}
	defer samples.Close()
	writeNpz(t, filepath.Join(dir, "outputs.npz"), runAll(t, m, samples.Samples(0)))
	var about struct{ Quantize bool }
	b, err := os.ReadFile(filepath.Join(dir, "about.json"))
	if err == nil {
		err = json.Unmarshal(b, &about)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !about.Quantize {
		return
	}
	q, err := octavo.Quantize(context.Background(), m, octavo.Recipe{Mode: octavo.Static}, octavo.WithCalibration(samples.Samples(0)))
	if err != nil {
		t.Fatal(err)
	}
	int8 := dir + ".int8"
	if err := os.Mkdir(int8, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := q.Save(filepath.Join(int8, "model.onnx")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "samples.npz"), filepath.Join(int8, "samples.npz")); err != nil {
		t.Fatal(err)
	}
	written := open(t, filepath.Join(int8, "model.onnx"))
	writeNpz(t, filepath.Join(int8, "outputs.npz"), runAll(t, written, samples.Samples(0)))
}

// runAll returns the outputs of each sample, stacked on a new first axis.
func runAll(t *testing.T, m *octavo.Model, samples iter.Seq2[octavo.Inputs, error]) octavo.Inputs {
	t.Helper()
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	stacked := map[string][]byte{}
	var last octavo.Inputs
	n := 0
	for in, err := range samples {
		if err != nil {
			t.Fatal(err)
		}
		if last, err = p.Run(context.Background(), in); err != nil {
			t.Fatal(err)
		}
		for name, x := range last {
			stacked[name] = append(stacked[name], x.Bytes()...)
		}
		n++
	}
	out := octavo.Inputs{}
	for name, x := range last {
		if out[name], err = tensor.FromBytes(x.Type(), append([]int{n}, x.Shape()...), stacked[name]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

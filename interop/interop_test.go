package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

const fixtures = "../../shared/fixtures"

// python returns the interpreter of the suite's environment.
func python(t *testing.T) string {
	t.Helper()
	p := os.Getenv("OCTAVO_PYTHON")
	if p == "" {
		t.Skip("OCTAVO_PYTHON is not set: run make interop")
	}
	return p
}

// expectation is case.json; check.py says what the fields mean.
type expectation struct {
	Steps    int      `json:"steps"`
	Step     float64  `json:"step"`
	Share    float64  `json:"share"`
	Relative float64  `json:"relative"`
	Argmax   bool     `json:"argmax"`
	Exempt   bool     `json:"exempt"`
	Levels   []string `json:"levels"`
}

// writeCase saves a model and what this engine computes for the inputs.
func writeCase(t *testing.T, dir string, m *octavo.Model, in octavo.Inputs, e expectation, opts ...octavo.SaveOption) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.onnx")
	if err := m.Save(path, opts...); err != nil {
		t.Fatal(err)
	}
	written, err := octavo.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	p, err := written.Compile()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	writeNpz(t, filepath.Join(dir, "inputs.npz"), in)
	writeNpz(t, filepath.Join(dir, "outputs.npz"), out)
	if len(e.Levels) == 0 {
		e.Levels = []string{"disabled", "all"}
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "case.json"), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeNpz(t *testing.T, path string, tensors octavo.Inputs) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := npy.NewArchiveWriter(f)
	for name, x := range tensors {
		var b bytes.Buffer
		if err := octavo.WriteArray(&b, x); err != nil {
			t.Fatal(err)
		}
		h, err := npy.ParseHeader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(name, h.Descr, x.Shape(), x.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, py, dir string) {
	t.Helper()
	out, err := exec.Command(py, "check.py", dir).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

func open(t *testing.T, path string) *octavo.Model {
	t.Helper()
	m, err := octavo.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func quantize(t *testing.T, m *octavo.Model, data string, r octavo.Recipe) *octavo.Model {
	t.Helper()
	d, err := m.OpenData(octavo.DataOptions{Paths: []string{data}})
	if err != nil {
		t.Fatal(err)
	}
	q, err := octavo.Quantize(context.Background(), m, r, octavo.WithCalibration(d.Samples(0)))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// recipes are the forms that every fixture is written in.
func recipes() map[string]octavo.Recipe {
	base := func(f func(r *octavo.Recipe)) octavo.Recipe {
		r := octavo.Recipe{Mode: octavo.Static}
		r.Activations.Observer = "minmax"
		f(&r)
		return r
	}
	symmetric := true
	return map[string]octavo.Recipe{
		"default":   {Mode: octavo.Static},
		"tensor":    base(func(r *octavo.Recipe) { r.Weights.Granularity = "tensor" }),
		"s8s8":      base(func(r *octavo.Recipe) { r.Activations.DType = "int8" }),
		"qoperator": base(func(r *octavo.Recipe) { r.OnnxForm = "qoperator" }),
		"parity":    base(func(r *octavo.Recipe) { r.Parity = "onnxruntime" }),
		"tensorrt":  base(func(r *octavo.Recipe) { r.Target = "tensorrt" }),
		"generic":   base(func(r *octavo.Recipe) { r.Target = "generic" }),
		"symmetric": base(func(r *octavo.Recipe) { r.Activations.Symmetric = &symmetric }),
		"opset21":   base(func(r *octavo.Recipe) { r.Opset = 21 }),
		"u16":       base(func(r *octavo.Recipe) { r.Activations.DType = "uint16" }),
		"u8u8":      base(func(r *octavo.Recipe) { r.Weights.DType = "uint8" }),
	}
}

// TestQuantizedModels writes every fixture in every form.
func TestQuantizedModels(t *testing.T) {
	py := python(t)
	if _, err := os.Stat(fixtures); err != nil {
		t.Skipf("the fixtures are not here: %v", err)
	}
	root := t.TempDir()
	for _, f := range []struct{ model, file, calib string }{
		{"digits_mlp", "op13", "calib_x"}, {"digits_resnet", "op13", "calib_x"}, {"digits_resnet", "dynamo", "calib_x"},
		{"digits_mobilenet", "op13", "calib_x"}, {"digits_vit", "op14", "calib_x"}, {"digits_vit", "dynamo", "calib_x"},
		{"tokens_transformer", "op14", "tokens_calib_x"},
	} {
		for name, r := range recipes() {
			m := open(t, filepath.Join(fixtures, f.model, fmt.Sprintf("%s.%s.onnx", f.model, f.file)))
			x, err := octavo.ReadArray(filepath.Join(fixtures, f.model, "inputs.npy"))
			if err != nil {
				t.Fatal(err)
			}
			info, err := m.Inspect()
			if err != nil {
				t.Fatal(err)
			}
			q := quantize(t, m, filepath.Join(fixtures, "data", f.calib+".npy"), r)
			// Float outputs of integer products differ by the order of one
			// rounding; a step in the middle of the network moves a float
			// output by little, a transformer's by more.
			e := expectation{Relative: 0.01, Argmax: true}
			if name == "tensorrt" || name == "u8u8" {
				// ONNX Runtime's CPU kernels fuse these partly; here they run as
				// the operators stand, as ONNX Runtime does without optimisation.
				e.Relative = 0.05
			}
			if f.model == "digits_vit" || f.model == "tokens_transformer" {
				e = expectation{Relative: 0.3}
			}
			writeCase(t, filepath.Join(root, fmt.Sprintf("%s.%s.%s", f.model, f.file, name)), q, octavo.Inputs{info.Inputs[0].Name: x}, e)
		}
	}
	check(t, py, root)
}

// TestFloatModels writes float models back and compares them.
func TestFloatModels(t *testing.T) {
	py := python(t)
	if _, err := os.Stat(fixtures); err != nil {
		t.Skipf("the fixtures are not here: %v", err)
	}
	root := t.TempDir()
	for _, f := range []string{"digits_mlp/digits_mlp.op13", "digits_resnet/digits_resnet.dynamo", "digits_mobilenet/digits_mobilenet.op13",
		"digits_vit/digits_vit.op14", "digits_vit/digits_vit.dynamo", "tokens_transformer/tokens_transformer.dynamo"} {
		m := open(t, filepath.Join(fixtures, f+".onnx"))
		x, err := octavo.ReadArray(filepath.Join(fixtures, filepath.Dir(f), "inputs.npy"))
		if err != nil {
			t.Fatal(err)
		}
		info, err := m.Inspect()
		if err != nil {
			t.Fatal(err)
		}
		writeCase(t, filepath.Join(root, filepath.Base(f)), m, octavo.Inputs{info.Inputs[0].Name: x}, expectation{Relative: 1e-4, Argmax: true})
	}
	check(t, py, root)
}

// TestSeededNetworks runs the full-size networks of bench/models in float.
func TestSeededNetworks(t *testing.T) {
	py := python(t)
	if testing.Short() {
		t.Skip("takes minutes")
	}
	models, root := t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "run", "../bench/models", "-o", models).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"resnet18", "resnet50", "mobilenetv2", "efficientnet-b0", "vit-s16", "bert-base"} {
		m := open(t, filepath.Join(models, name+".onnx"))
		in := octavo.Inputs{}
		if name == "bert-base" {
			ids, mask := make([]int64, 128), make([]int64, 128)
			for i := range ids {
				ids[i], mask[i] = int64(i*233%30522), 1
			}
			in["input_ids"], in["attention_mask"] = octavo.NewTensor(ids, 1, 128), octavo.NewTensor(mask, 1, 128)
		} else {
			x := make([]float32, 3*224*224)
			for i := range x {
				x[i] = float32(i*7919%2001)/1000 - 1
			}
			in["image"] = octavo.NewTensor(x, 1, 3, 224, 224)
		}
		writeCase(t, filepath.Join(root, name), m, in, expectation{Relative: 1e-4, Levels: []string{"all"}})
	}
	check(t, py, root)
}

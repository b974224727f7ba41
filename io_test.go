package octavo

import (
	"context"
	"github.com/octavo-ml/octavo/internal/ir"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ioModels are fixtures that end in their logits.
var ioModels = []string{"digits_resnet/digits_resnet.op13.onnx", "digits_mobilenet/digits_mobilenet.op13.onnx", "digits_mlp/digits_mlp.op13.onnx", "digits_vit/digits_vit.op14.onnx"}

// madeWith quantizes a fixture and reads the result back from its file.
func madeWith(t *testing.T, file string, r Recipe) (float, made *Model) {
	t.Helper()
	float = open(t, filepath.Join(fixtures, file))
	r.Mode = Static
	q, err := Quantize(context.Background(), float, r, WithCalibration(inputsOf(digits(t, "calib"))))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "made.onnx")
	if err := q.Save(path); err != nil {
		t.Fatal(err)
	}
	return float, open(t, path)
}

// TestIntegerInputsChangeNoAnswer: where only the place changes at which inputs
// are rounded, the outputs have the bits of the file with float inputs, however
// the data comes: as floats, or as the integers that they become.
func TestIntegerInputsChangeNoAnswer(t *testing.T) {
	needFixtures(t)
	test := digits(t, "test")
	if testing.Short() {
		test = test[:40]
	}
	for _, file := range ioModels {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, float := madeWith(t, file, Recipe{})
			for _, r := range []Recipe{{IO: "in=uint8"}, {IO: "in=int8"}, {IO: "in=uint8", IOLayout: "in=channels-last"}, {IOLayout: "in=channels-last"}} {
				_, made := madeWith(t, file, r)
				v, err := Validate(context.Background(), float, []*Model{made}, labelled(test), ValidateOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if f, q := v.Models[0], v.Models[1]; q.Accuracy.Value != f.Accuracy.Value || *q.Agreement != 1 || *q.SQNR < 300 {
					t.Errorf("%s %s: accuracy %v and %v, agreement %v, SQNR %v", r.IO, r.IOLayout, f.Accuracy.Value, q.Accuracy.Value, *q.Agreement, *q.SQNR)
				}
				if r.IO != "" && r.IOLayout == "" {
					givenAsIntegers(t, float, made, test[:5])
				}
			}
		})
	}
}

// givenAsIntegers compares the file as it stands, on samples that the caller
// has quantized with what the file records, with the one that takes floats.
func givenAsIntegers(t *testing.T, float, made *Model, test []Sample) {
	t.Helper()
	values, err := made.IO()
	if err != nil || len(values) != 1 {
		t.Fatalf("recorded: %v, %v", values, err)
	}
	typ, err := dtype.Parse(values[0].Type)
	if err != nil {
		t.Fatal(err)
	}
	run := func(m *Model, in Inputs) []float32 {
		p, err := m.Compile()
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		return tensor.Data[float32](out[m.graph.Outputs[0].Name])
	}
	for _, s := range test {
		name := values[0].Value
		q, err := affine.Quantize(s.Inputs[name], affine.PerTensor(typ, values[0].Scale, values[0].ZeroPoint), affine.RoundHalfEven)
		if err != nil {
			t.Fatal(err)
		}
		in := Inputs{name: q}
		if form, err := made.FormFor(in); err != nil || form != made {
			t.Errorf("integers are not taken as they are: %v", err)
		}
		if got, want := run(made, in), run(float, s.Inputs); !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", typ, got, want)
		}
	}
}

// TestIntegerOutputsCostTheirRounding: outputs that were float get a scale from
// calibration.
func TestIntegerOutputsCostTheirRounding(t *testing.T) {
	needFixtures(t)
	test := digits(t, "test")
	for _, file := range ioModels[:3] {
		float, plain := madeWith(t, file, Recipe{})
		_, made := madeWith(t, file, Recipe{IO: "uint8", IOLayout: "channels-last"})
		v, err := Validate(context.Background(), float, []*Model{plain, made}, labelled(test), ValidateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if p, q := v.Models[1], v.Models[2]; q.Accuracy.Value < p.Accuracy.Value-0.005 || *q.SQNR < min(*p.SQNR-4, 40) {
			t.Errorf("%s: accuracy %v, with float outputs %v; SQNR %.1f and %.1f dB", file, q.Accuracy.Value, p.Accuracy.Value, *q.SQNR, *p.SQNR)
		}
	}
}

// TestRecordsThatDoNotFit: what a file records is not trusted.
func TestRecordsThatDoNotFit(t *testing.T) {
	for text, want := range map[string]string{
		`[{"value":"x"`: "unexpected EOF",
		`[{"value":"x","kind":"input","wrong":1}]`:                                   "unknown field",
		`[{"value":"no","kind":"input","type":"uint8","scale":1}]`:                   "is no input",
		`[{"value":"x","kind":"input","type":"unit8","scale":1}]`:                    "unit8",
		`[{"value":"x","kind":"input","type":"uint8","scale":1}]`:                    "is float32, not uint8",
		`[{"value":"x","kind":"input","layout":"channels-lost"}]`:                    "channels-lost",
		`[{"value":"x","kind":"input","layout":"channels-last"}]`:                    "no layout",
		`[{"value":"y","kind":"output","type":"uint8","scale":-1,"zero_point":0}]`:   "not above 0",
		`[{"value":"y","kind":"output","type":"uint8","scale":1,"zero_point":-300}]`: "zero point",
	} {
		m := small(t)
		m.graph.Meta = map[string]string{metaIO: text}
		if _, err := m.SourceIO(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), metaIO) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
	}
}

// small returns a model with the float input x and the uint8 output y.
func small(t *testing.T) *Model {
	t.Helper()
	return textModel(t, `graph g
input x float32[1,2]
const s float32[] = [0.5]
const z uint8[] = [3]
y uint8[1,2] = QuantizeLinear(x, s, z)
output y
`)
}

// FuzzIO: no text in a file's metadata panics, and what fits runs.
func FuzzIO(f *testing.F) {
	f.Add(`[{"value":"y","kind":"output","type":"uint8","scale":1,"zero_point":3}]`)
	f.Add(`[{"value":"x","kind":"input","layout":"channels-last"}]`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		m := small(t)
		m.graph.Meta = map[string]string{metaIO: text}
		s, err := m.SourceIO()
		if err != nil {
			return
		}
		if _, err := s.Compile(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	})
}

// TestEdgesOfAParityRun: another tool's placement does not stop the user's wish.
func TestEdgesOfAParityRun(t *testing.T) {
	needFixtures(t)
	_, made := madeWith(t, ioModels[0], Recipe{Parity: "onnxruntime", IO: "in=uint8"})
	if got := made.graph.Inputs[0].Type; got != dtype.Uint8 {
		t.Errorf("the input is %v", got)
	}
	for _, n := range made.graph.Nodes {
		if p, ok, _ := ir.ParamsOf(n); ok && n.In[0] == made.graph.Inputs[0] && p.Type != dtype.Uint8 {
			t.Errorf("%s reads it as %v", n.Label(), p.Type)
		}
	}
}

// TestFloatReadersOfIntegerInputs: an input that only float operators read has
// a calibrated scale, and they see what its integers stand for.
func TestFloatReadersOfIntegerInputs(t *testing.T) {
	m := textModel(t, `graph several
input x float32[1,2]
input only float32[1,3]
input both float32[1,2]
const w float32[2,3] = [1 -2 3 0.5 1 2]
a float32[1,3] = MatMul(x, w) @a
b float32[1,3] = MatMul(both, w) @b
e float32[1,2] = Exp(both) @e
s float32[1,3] = Sin(only) @s
output a
output b
output e
output s
`)
	var samples []Inputs
	for i := range 40 {
		v := float32(i%10) / 10
		samples = append(samples, Inputs{"x": NewTensor([]float32{v, 1 - v}, 1, 2), "only": NewTensor([]float32{v, -v, 3 * v}, 1, 3), "both": NewTensor([]float32{-v, 2 * v}, 1, 2)})
	}
	seq := func(yield func(Inputs, error) bool) {
		for _, s := range samples {
			if !yield(s, nil) {
				return
			}
		}
	}
	ctx := context.Background()
	run := func(r Recipe) Inputs {
		r.Mode = Static
		q, err := Quantize(ctx, m, r, WithCalibration(seq))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "q.onnx")
		if err := q.Save(path); err != nil {
			t.Fatal(err)
		}
		form, err := open(t, path).FormFor(samples[7])
		if err != nil {
			t.Fatal(err)
		}
		p, err := form.Compile()
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(ctx, samples[7])
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want, got := run(Recipe{}), run(Recipe{IO: "in=int8"})
	for _, c := range []struct {
		name     string
		from, to float32 // the largest difference lies here
	}{{"a", 0, 0}, {"b", 0, 0}, {"e", 1e-6, 0.05}, {"s", 1e-6, 0.05}} {
		var worst float32
		w := tensor.Data[float32](want[c.name])
		for i, v := range tensor.Data[float32](got[c.name]) {
			worst = max(worst, max(v-w[i], w[i]-v))
		}
		if worst < c.from || worst > c.to {
			t.Errorf("output %s differs by %v, want %v to %v", c.name, worst, c.from, c.to)
		}
	}
}

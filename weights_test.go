package octavo

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/quant"
)

// TestWeightAlgorithmsWinAccuracyBack holds the algorithms of mode weight-only,
// for int4 in groups of 32, to what they gain over rounding to nearest in
// output SQNR on samples that calibration has not seen, in dB, for types with
// zero points and without.
func TestWeightAlgorithmsWinAccuracyBack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	subjects := append(subjects(t), tokens(t)...)
	for _, c := range []struct {
		model, weights string
		gains          map[string]float64
	}{
		{"digits_vit", "int4", map[string]float64{"mse-clip": 0.1, "hqq": 0.1, "gptq": 6, "awq": 6}},
		{"digits_vit", "uint4", map[string]float64{"mse-clip": 0.5, "hqq": 0.1, "gptq": 6, "awq": 6}},
		{"digits_mlp", "int4", map[string]float64{"gptq": 6, "awq": 3}},
		{"digits_resnet", "int4", map[string]float64{"gptq": 4}},
		{"tokens_transformer", "int4", map[string]float64{"gptq": 1, "awq": 0.2}},
		{"tokens_transformer", "uint4", map[string]float64{"gptq": 0, "awq": 0}},
		{"kws", "int4", map[string]float64{"gptq": 4, "awq": 0.3}},
	} {
		i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == c.model })
		if i < 0 {
			t.Logf("%s is not here", c.model)
			continue
		}
		t.Run(c.model+"/"+c.weights, func(t *testing.T) {
			s := subjects[i]
			m := logits(open(t, s.path))
			var names []string
			var made []*Model
			for _, a := range quant.WordsOf("weights.algorithm").Known {
				q, err := Quantize(context.Background(), m, Recipe{Mode: WeightOnly, Weights: quant.Weights{DType: c.weights, Granularity: "group:32", Algorithm: a}}, WithCalibration(inputsOf(s.calib)))
				if err != nil {
					t.Fatalf("%s: %v", a, err)
				}
				names, made = append(names, a), append(made, q)
			}
			v, err := Validate(context.Background(), m, made, labelled(s.test), ValidateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			plain := *v.Models[1].SQNR
			for i, a := range names {
				r := v.Models[1+i]
				t.Logf("%-8s %d samples: %.1f dB, agreement %.2f %%, drop %.2f points", a, v.Samples, *r.SQNR, 100**r.Agreement, 100*r.Drop.Value)
				if want, ok := c.gains[a]; ok && *r.SQNR < plain+want {
					t.Errorf("%s: %.2f dB, %s has %.2f; %.1f more are wanted", a, *r.SQNR, names[0], plain, want)
				}
			}
		})
	}
}

// TestWeightAlgorithmsGiveOneFile: the file is the same for any number of
// threads, both forms of it mean the same numbers, and nothing of the float
// model changes.
func TestWeightAlgorithmsGiveOneFile(t *testing.T) {
	path := filepath.Join(fixtures, "digits_vit/digits_vit.op14.onnx")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the fixtures: %v", err)
	}
	calib, test := digits(t, "calib")[:16], digits(t, "test")[:8]
	for _, a := range []string{"gptq", "awq"} {
		m := open(t, path)
		file := func(threads int, form string) []byte {
			r := Recipe{Mode: WeightOnly, OnnxForm: form, Weights: quant.Weights{DType: "int4", Algorithm: a}}
			q, err := Quantize(context.Background(), m, r, WithCalibration(inputsOf(calib)), WithThreads(threads))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(q.Report.Algorithms, a) {
				t.Errorf("%s ran: %v", a, q.Report.Algorithms)
			}
			out := filepath.Join(t.TempDir(), "q.onnx")
			if err := q.Save(out); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		one := file(1, "")
		if !slices.Equal(one, file(3, "")) {
			t.Errorf("%s: three threads give another file than one", a)
		}
		var answers [][]float32
		for _, b := range [][]byte{one, file(2, "qdq")} {
			out := filepath.Join(t.TempDir(), "q.onnx")
			if err := os.WriteFile(out, b, 0o600); err != nil {
				t.Fatal(err)
			}
			p, all := compiled(t, open(t, out)), []float32{}
			for _, s := range test {
				y, err := p.Run(context.Background(), s.Inputs)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, Data[float32](y["logits"])...)
			}
			answers = append(answers, all)
		}
		if !slices.Equal(answers[0], answers[1]) {
			t.Errorf("%s: MatMulNBits and DequantizeLinear give different answers", a)
		}
	}
}

// TestWeightAlgorithmsNeedSamples: what is missing is said, and what works.
func TestWeightAlgorithmsNeedSamples(t *testing.T) {
	m := open(t, "testdata/demo/model.onnx")
	_, err := Quantize(context.Background(), m, Recipe{Mode: WeightOnly, Weights: quant.Weights{Algorithm: "awq"}})
	if err == nil || !strings.Contains(err.Error(), "algorithm awq needs samples") || !strings.Contains(strings.Join(diag.Notes(err), "\n"), "hqq") {
		t.Errorf("without samples: %v, notes %q", err, diag.Notes(err))
	}
}

package octavo_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// demoModel loads the model of the demo.
func demoModel(t *testing.T) *octavo.Model {
	t.Helper()
	m, err := octavo.Load("testdata/demo/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func randomInput(t *testing.T, m *octavo.Model, n int, seed uint64) []float32 {
	t.Helper()
	samples, err := m.RandomSamples(n, seed)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for s, err := range samples {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, octavo.Data[float32](s["input"])...)
	}
	return out
}

func TestRandomSamples(t *testing.T) {
	m := demoModel(t)
	got := randomInput(t, m, 200, 0)
	if !slices.Equal(got, randomInput(t, m, 200, 0)) {
		t.Error("the same seed gives other samples")
	}
	if slices.Equal(got, randomInput(t, m, 200, 1)) {
		t.Error("another seed gives the same samples")
	}
	// Moments of the sum of twelve uniform numbers: mean 0, variance 1, fourth
	// moment 2.9; 12 800 numbers know them to some hundredths.
	var m1, m2, m4 float64
	for _, v := range got {
		x := float64(v)
		m1, m2, m4 = m1+x, m2+x*x, m4+x*x*x*x
		if math.Abs(x) > 6 {
			t.Fatalf("%v is out of range", x)
		}
	}
	n := float64(len(got))
	if n != 200*64 || math.Abs(m1/n) > 0.05 || math.Abs(m2/n-1) > 0.06 || math.Abs(m4/n-2.9) > 0.4 {
		t.Errorf("%v numbers with moments %v, %v, %v", n, m1/n, m2/n, m4/n)
	}
}

func TestRandomTokens(t *testing.T) {
	m, err := octavo.Load("../shared/fixtures/tokens_transformer/tokens_transformer.op14.onnx")
	if err != nil {
		t.Skip("no fixtures: ", err)
	}
	defer m.Close()
	if err := m.Fix(nil, []string{"time=6"}); err != nil {
		t.Fatal(err)
	}
	samples, err := m.RandomSamples(40, 3)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for s := range samples { // an index outside its table would be an error
		if _, err := p.Run(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRandomCalibrationIsRecorded(t *testing.T) {
	m := demoModel(t)
	q, err := octavo.Quantize(context.Background(), m, octavo.Recipe{}, octavo.WithRandomCalibration(40, 11))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "q.onnx")
	if err := q.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := octavo.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, warnings := range [][]octavo.Warning{q.Warnings, again.Warnings} {
		if !slices.ContainsFunc(warnings, func(w octavo.Warning) bool {
			return w.ID == "OCT003" && strings.Contains(w.Msg, "seed 11")
		}) {
			t.Errorf("warnings %v", warnings)
		}
	}
}

func TestFixLeavesTheModelAfterAnError(t *testing.T) {
	m := demoModel(t)
	before, err := m.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Fix([]string{"input=1x1x8x9"}, nil); diag.ExitCode(err) != 2 {
		t.Errorf("got %v", err)
	}
	if after, err := m.Graph(); err != nil || after != before {
		t.Errorf("the graph changed (%v)", err)
	}
}

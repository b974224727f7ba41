package main

import (
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/testdata"
)

func TestMeasureTimesEveryPart(t *testing.T) {
	b, err := testdata.Demo.ReadFile("demo/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := octavo.LoadBytes(filepath.Join(t.TempDir(), "model.onnx"), b)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	samples, err := m.RandomSamples(40, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, n, err := measure(m, samples, "mse", 1)
	if err != nil || n != 40 {
		t.Fatalf("%d samples: %v", n, err)
	}
	if c.run <= 0 || c.sample <= 0 || c.whole < c.sample {
		t.Errorf("got %+v", c)
	}
}

func TestSummary(t *testing.T) {
	got := summary([]cost{{0.010, 0.012, 0.02}, {0.008, 0.008, 0.016}, {0.020, 0.022, 0.04}})
	const want = "run 8.0 10.0, sample 8.0 12.0, ratio 1.00 1.10; in all 16.0 20.0, ratio 2.00 2.00"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

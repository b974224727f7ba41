package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
)

// TestWrittenTransposes quantizes the networks for LiteRT and writes them: the
// int8 files have two transposes more than the networks, at most.
func TestWrittenTransposes(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := run(dir, n.name, largeSize{layers: 2, width: 128, vocabulary: 1000}); err != nil {
				t.Fatal(err)
			}
			m, err := octavo.Load(filepath.Join(dir, n.name+".onnx"))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			samples, err := m.RandomSamples(1, 7)
			if err != nil {
				t.Fatal(err)
			}
			r := octavo.Recipe{Mode: octavo.Static, Target: "litert", Algorithms: []string{"none"}}
			r.Activations.Observer = "minmax"
			q, err := octavo.Quantize(context.Background(), m, r, octavo.WithCalibration(samples))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "model.tflite")
			if err := q.Save(path); err != nil {
				t.Fatal(err)
			}
			lite, err := octavo.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			defer lite.Close()
			if got, was := operators(t, lite, "Transpose"), operators(t, m, "Transpose"); got > was+2 {
				t.Errorf("%d transposes, the network has %d", got, was)
			}
		})
	}
}

// operators counts the nodes of a model that are of one operator.
func operators(t *testing.T, m *octavo.Model, name string) (n int) {
	t.Helper()
	info, err := m.Inspect()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range info.Operators {
		if o.Name == name {
			n += o.Count
		}
	}
	return n
}

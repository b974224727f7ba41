package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestParameterCounts compares with the published sizes, in millions; BERT's
// without the pooler.
func TestParameterCounts(t *testing.T) {
	want := map[string]float64{"resnet18": 11.69, "resnet50": 25.56, "mobilenetv2": 3.50, "efficientnet-b0": 5.29, "bert-base": 108.89, "vit-s16": 22.05, "lstm": 3.33, large: 1491.27, "empty": 0}
	for _, n := range networks {
		b := newBuilder(n.name)
		n.build(b)
		if got := float64(b.parameters) / 1e6; math.Abs(got-want[n.name]) > 0.005 {
			t.Errorf("%s has %.2f million parameters, want %.2f", n.name, got, want[n.name])
		}
	}
}

// TestWritesTheSameBytes: the seed and nothing else decides.
func TestWritesTheSameBytes(t *testing.T) {
	var files [2][]byte
	for i := range files {
		dir := t.TempDir()
		if err := run(dir, "mobilenetv2", largeDefault); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "mobilenetv2.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		files[i] = b
	}
	if string(files[0]) != string(files[1]) || len(files[0]) < 14_000_000 {
		t.Errorf("two runs differ, or are too short: %d and %d bytes", len(files[0]), len(files[1]))
	}
}

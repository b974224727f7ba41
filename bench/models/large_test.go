package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
)

// TestTransformerLarge writes a small one: it is read with its data, computes
// numbers, and simplifying leaves fewer nodes, the same numbers but for
// rounding, and no operator on constants.
func TestTransformerLarge(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, large, largeSize{layers: 2, width: 128, vocabulary: 1000}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, large+".onnx")
	main, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.Stat(path + ".data")
	if err != nil {
		t.Fatal(err)
	}
	if main.Size() > 100_000 || data.Size() < 2_500_000 {
		t.Errorf("%d bytes beside %d of data", main.Size(), data.Size())
	}
	m, err := octavo.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	simple, err := octavo.Convert(m, octavo.Conversion{Simplify: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := simple.Save(filepath.Join(dir, "simple.onnx"), octavo.ExternalData(0)); err != nil {
		t.Fatal(err)
	}
	saved, err := octavo.Load(filepath.Join(dir, "simple.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	if a, b := m.Nodes(), saved.Nodes(); 3*b > 2*a {
		t.Errorf("%d nodes became %d", a, b)
	}
	ids := make([]int64, 128)
	for i := range ids {
		ids[i] = int64(i * 37 % 1000)
	}
	in := octavo.Inputs{"input_ids": octavo.NewTensor(ids, 1, 128)}
	var outs [2][]float32
	for i, m := range []*octavo.Model{m, saved} {
		p, err := m.Compile()
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		outs[i] = octavo.Data[float32](out["logits"])
	}
	largest, off := 0.0, 0.0
	for i, v := range outs[0] {
		largest = max(largest, math.Abs(float64(v)))
		off = max(off, math.Abs(float64(v-outs[1][i])))
	}
	if len(outs[0]) != 128*1000 || !(largest > 0.1 && largest < 100) || off > 1e-4*largest {
		t.Errorf("%d numbers up to %v differ by up to %v", len(outs[0]), largest, off)
	}
}

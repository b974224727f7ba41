package main

import (
	"context"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestChannelsLast writes networks, quantizes some, and runs them with their
// channels first and last: every bit is the same. Channels last, a convolutional
// network has one transpose, of its input; ViT-S has attention's 48 too.
func TestChannelsLast(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	for _, c := range []struct {
		name       string
		transposes int
		quantized  bool
	}{
		{"resnet18", 1, true},
		{"mobilenetv2", 1, true},
		{"efficientnet-b0", 1, false},
		{"vit-s16", 49, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := run(dir, c.name, largeDefault); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.name+".onnx")
			m, err := octavo.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if n := transposes(t, path); n != c.transposes {
				t.Errorf("%d transposes, want %d", n, c.transposes)
			}
			in := image()
			sameBothWays(t, m, in)
			if !c.quantized {
				return
			}
			samples := iter.Seq2[octavo.Inputs, error](func(yield func(octavo.Inputs, error) bool) { yield(in, nil) })
			q, err := octavo.Quantize(context.Background(), m, octavo.Recipe{Mode: octavo.Static}, octavo.WithCalibration(samples))
			if err != nil {
				t.Fatal(err)
			}
			sameBothWays(t, q, in)
		})
	}
}

func image() octavo.Inputs {
	r := rand.New(rand.NewPCG(7, 7))
	x := make([]float32, 3*224*224)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return octavo.Inputs{"image": octavo.NewTensor(x, 1, 3, 224, 224)}
}

func sameBothWays(t *testing.T, m *octavo.Model, in octavo.Inputs) {
	t.Helper()
	var outs [2]octavo.Inputs
	for i := range outs {
		p, err := m.Compile(func(o *runtime.Options) { o.KeepLayout = i == 0 })
		if err != nil {
			t.Fatal(err)
		}
		if outs[i], err = p.Run(context.Background(), in); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range outs[0] {
		if !tensor.Equal(outs[1][name], want) {
			t.Errorf("output %q differs", name)
		}
	}
}

// transposes counts what ConvertLayout leaves of a model's graph.
func transposes(t *testing.T, path string) (n int) {
	t.Helper()
	src, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	m, err := onnx.Decode(src)
	if err != nil {
		t.Fatal(err)
	}
	g := m.Graph
	if err := pass.Prepare(g, pass.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := pass.ConvertLayout(g, pass.LayoutOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, k := range g.Nodes {
		if _, ok := k.Op.(*op.Transpose); ok {
			n++
		}
	}
	return n
}

package runtime

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestTransformersFusedAndNodeByNode runs the transformers of the folder beside
// the checkout, of floats and as other tools quantized them, both ways, and
// compares every bit of every output.
func TestTransformersFusedAndNodeByNode(t *testing.T) {
	var files []string
	for _, name := range []string{"digits_vit", "tokens_transformer"} {
		for _, pattern := range []string{"*.onnx", "ort/*.onnx"} {
			more, _ := filepath.Glob(filepath.Join("../../../shared/fixtures", name, pattern))
			files = append(files, more...)
		}
	}
	if len(files) == 0 {
		t.Skip("the fixtures are not here")
	}
	fused := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := format.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := onnx.Decode(src)
			if err != nil {
				t.Fatal(err)
			}
			if err := pass.Prepare(m.Graph, pass.Options{}); err != nil {
				t.Fatal(err)
			}
			var outs [2]Tensors
			var steps [2]int
			for i := range outs {
				p, err := Compile(m.Graph, Options{Threads: 1 + i})
				if err != nil {
					t.Skip(err)
				}
				p.plain = i == 0
				in := randomInputs(p)
				if outs[i], err = p.Run(context.Background(), in); err != nil {
					t.Skip(err)
				}
				pl, err := p.planFor(in)
				if err != nil {
					t.Fatal(err)
				}
				steps[i] = len(pl.steps)
			}
			if steps[1] < steps[0] {
				fused++
			}
			for name, want := range outs[0] {
				if !tensor.Equal(outs[1][name], want) {
					t.Errorf("output %q is %v, want %v", name, outs[1][name], want)
				}
			}
		})
	}
	if fused < len(files)/2 {
		t.Errorf("%d of %d models have groups", fused, len(files))
	}
}

// randomInputs returns inputs with three for each size that is open.
func randomInputs(p *Program) Tensors {
	b, in := newNet(), Tensors{}
	for _, v := range p.Inputs() {
		var shape []int
		for _, d := range v.Shape {
			n, ok := d.Int()
			if !ok {
				n = 3
			}
			shape = append(shape, n)
		}
		x := tensor.New(v.Type, shape...)
		switch v.Type {
		case dtype.Float32:
			x = b.floats(1, shape...)
		case dtype.Int64:
			for i, d := 0, tensor.Data[int64](x); i < len(d); i++ {
				d[i] = int64(b.r.IntN(10))
			}
		}
		in[v.Name] = x
	}
	return in
}

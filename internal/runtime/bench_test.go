package runtime_test

import (
	"context"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// BenchmarkOneRelu is what a run costs beside its kernels.
func BenchmarkOneRelu(b *testing.B) {
	g, err := ir.Parse("graph g\ninput x float32[1,16]\ny float32[...] = Relu(x)\noutput y\n")
	if err != nil {
		b.Fatal(err)
	}
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		b.Fatal(err)
	}
	in := runtime.Tensors{"x": tensor.FromSlice(make([]float32, 16), 1, 16)}
	out, err := p.Run(context.Background(), in)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("RunInto", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if err := p.RunInto(context.Background(), in, out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Run", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := p.Run(context.Background(), in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

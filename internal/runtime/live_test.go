package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// livePair is two products of one activation that is quantized as it runs.
func livePair(m, k, n int, scales int, r *rand.Rand) *ir.Graph {
	x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(m, k))}
	g := &ir.Graph{Name: "g", Inputs: []*ir.Value{x}}
	val := func(name string) *ir.Value { return &ir.Value{Name: name} }
	q, s, z, d := val("q"), val("s"), val("z"), val("d")
	g.Nodes = append(g.Nodes,
		&ir.Node{Name: "quantize", Op: op.New[op.DynamicQuantize](), In: []*ir.Value{x}, Out: []*ir.Value{q, s, z}},
		&ir.Node{Name: "dequantize", Op: op.New[op.DequantizeLinear](), In: []*ir.Value{q, s, z}, Out: []*ir.Value{d}})
	for i := range 2 {
		w := make([]int8, k*n)
		for j := range w {
			w[j] = int8(r.IntN(256) - 128)
		}
		ws := make([]float32, scales)
		for j := range ws {
			ws[j] = r.Float32() / 64
		}
		b := make([]float32, n)
		for j := range b {
			b[j] = r.Float32() - 0.5
		}
		shape := []int{scales}
		if scales == 1 {
			shape = nil
		}
		dq := op.New[op.DequantizeLinear]()
		dq.Axis = 1
		wd, y := val(fmt.Sprint("wd", i)), val(fmt.Sprint("y", i))
		g.Nodes = append(g.Nodes,
			&ir.Node{Name: fmt.Sprint("weight", i), Op: dq, In: []*ir.Value{ir.NewConst(fmt.Sprint("w", i), tensor.FromSlice(w, k, n)), ir.NewConst(fmt.Sprint("ws", i), tensor.FromSlice(ws, shape...))}, Out: []*ir.Value{wd}},
			&ir.Node{Name: fmt.Sprint("gemm", i), Op: op.New[op.Gemm](), In: []*ir.Value{d, wd, ir.NewConst(fmt.Sprint("b", i), tensor.FromSlice(b, n))}, Out: []*ir.Value{y}})
		g.Outputs = append(g.Outputs, y)
	}
	return g
}

// TestLiveProductsEqualTheirMeaning compares the kernels with the integers of
// MatMulIntegerToFloat, for activations of several ranges in turn: what one run
// finds must not reach the next.
func TestLiveProductsEqualTheirMeaning(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][3]int{{1, 1, 1}, {1, 7, 5}, {3, 16, 16}, {5, 65, 33}, {17, 128, 80}, {2, 300, 129}} {
		for _, scales := range []int{1, size[2]} {
			m, k, n := size[0], size[1], size[2]
			g := livePair(m, k, n, scales, r)
			if err := ir.Infer(g); err != nil {
				t.Fatal(err)
			}
			means, _ := g.Clone()
			if err := pass.FuseDynamic(means, nil); err != nil {
				t.Fatal(err)
			}
			p, err := runtime.Compile(g, runtime.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, spread := range [][2]float32{{-1, 2}, {0, 0}, {3, 4}, {-8, -2}, {-1e-3, 1e3}} {
				data := make([]float32, m*k)
				for i := range data {
					data[i] = spread[0] + r.Float32()*(spread[1]-spread[0])
				}
				x := tensor.FromSlice(data, m, k)
				got, err := p.Run(context.Background(), runtime.Tensors{"x": x})
				if err != nil {
					t.Fatal(err)
				}
				want, err := ir.Eval(means, op.Of(x))
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range g.Outputs {
					if !tensor.Equal(got[v.Name], want[i].Tensor) {
						t.Errorf("%dx%dx%d, %d scales, range %v: %s differs", m, k, n, scales, spread, v.Name)
					}
				}
			}
			if steps := p.Steps(); !slices.Contains(steps, "MatMulIntegerToFloat") || len(p.Reference()) > 0 {
				t.Errorf("%dx%dx%d: steps %v, without kernels %v", m, k, n, steps, p.Reference())
			}
		}
	}
}

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
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestProductsOfLiveRows compares products whose rows each get a range in the run
// with integers that are added up one by one, and with the numbers that these
// stand for.
func TestProductsOfLiveRows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		m, k, n   int
		symmetric bool
		typ, of   dtype.Type
		scales    int
		after     string
		lite      bool
	}{
		{1, 768, 70, false, dtype.Int8, dtype.Int8, 70, "Relu", true},
		{50, 64, 130, false, dtype.Int8, dtype.Int8, 130, "Gelu", false},
		{49, 37, 18, true, dtype.Int8, dtype.Int8, 1, "", true},
		{7, 3000, 5, false, dtype.Int8, dtype.Int8, 5, "", false},
		{17, 40, 33, false, dtype.Uint8, dtype.Int8, 33, "Relu", false},
		{9, 32, 64, false, dtype.Int8, dtype.Int4, 64, "", true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			val := func(name string) *ir.Value { return &ir.Value{Name: name} }
			x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(c.m, c.k))}
			q, s, z, d, wd, y, out := val("q"), val("s"), val("z"), val("d"), val("wd"), val("y"), val("out")
			scales := ramp(c.scales, func(int) float32 { return (0.5 + r.Float32()) / 64 }, c.scales)
			if c.scales == 1 {
				scales = tensor.Scalar[float32](0.01)
			}
			lo, hi := c.of.Range()
			codes := make([]int64, c.n*c.k)
			for i := range codes {
				codes[i] = lo + r.Int64N(hi-lo+1)
			}
			w := tensor.FromInts(c.of, codes, c.n, c.k)
			bias := ramp(c.n, func(int) float32 { return r.Float32() - 0.5 }, c.n)
			g := &ir.Graph{Name: "g", Inputs: []*ir.Value{x}, Outputs: []*ir.Value{out}, Nodes: []*ir.Node{
				{Name: "quantize", Op: with(op.New[op.DynamicQuantize](), func(o *op.DynamicQuantize) {
					o.Type, o.Symmetric, o.Axis, o.TFLite = c.typ, c.symmetric, op.Some(-1), c.lite
				}), In: []*ir.Value{x}, Out: []*ir.Value{q, s, z}},
				{Name: "dequantize", Op: with(op.New[op.DequantizeLinear](), func(o *op.DequantizeLinear) { o.Axis, o.BlockSize = -1, c.k }), In: []*ir.Value{q, s, z}, Out: []*ir.Value{d}},
				{Name: "weight", Op: with(op.New[op.DequantizeLinear](), func(o *op.DequantizeLinear) { o.Axis = 0 }), In: []*ir.Value{ir.NewConst("w", w), ir.NewConst("ws", scales)}, Out: []*ir.Value{wd}},
				{Name: "product", Op: with(op.New[op.Gemm](), func(o *op.Gemm) { o.TransB = true }), In: []*ir.Value{d, wd, ir.NewConst("b", bias)}, Out: []*ir.Value{y}},
			}}
			last := &ir.Node{Name: "after", Op: op.New[op.Relu](), In: []*ir.Value{y}, Out: []*ir.Value{out}}
			switch c.after {
			case "Relu":
				g.Nodes = append(g.Nodes, last)
			case "Gelu":
				last.Op = op.New[op.Gelu]()
				g.Nodes = append(g.Nodes, last)
			default:
				g.Outputs[0] = y
			}
			if err := ir.Infer(g); err != nil {
				t.Fatal(err)
			}
			p, err := runtime.Compile(g, runtime.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			plain, err := runtime.Compile(g, runtime.Options{NoFusion: true})
			if err != nil {
				t.Fatal(err)
			}
			means, _ := g.Clone()
			if err := runtime.FuseRows(means); err != nil {
				t.Fatal(err)
			}
			for _, spread := range [][2]float32{{-1, 2}, {0, 0}, {3, 4}, {-1e-3, 1e3}} {
				data := ramp(c.m*c.k, func(i int) float32 {
					return (spread[0] + r.Float32()*(spread[1]-spread[0])) * float32(1+i/c.k)
				}, c.m, c.k)
				in := runtime.Tensors{"x": data}
				got, err := p.Run(context.Background(), in)
				if err != nil {
					t.Fatal(err)
				}
				want, err := plain.Run(context.Background(), in)
				if err != nil {
					t.Fatal(err)
				}
				name := g.Outputs[0].Name
				near(t, tensor.Data[float32](got[name]), tensor.Data[float32](want[name]))
				exact, err := ir.Eval(means, op.Of(data))
				if err != nil {
					t.Fatal(err)
				}
				if !tensor.Equal(got[name], exact[0].Tensor) {
					t.Errorf("range %v: results differ from the meaning of RowProduct", spread)
				}
			}
			if !slices.ContainsFunc(p.Steps(), func(s string) bool { return s == "RowProduct" }) && c.after == "" || len(p.Reference()) > 0 {
				t.Errorf("steps %v, without kernels %v", p.Steps(), p.Reference())
			}
		})
	}
}

// near compares with what the same integers give as floats: 1e-5 of the range.
func near(t *testing.T, got, want []float32) {
	t.Helper()
	lo, hi := want[0], want[0]
	for _, v := range want {
		lo, hi = min(lo, v), max(hi, v)
	}
	for i, v := range want {
		if d := max(got[i]-v, v-got[i]); !(d <= 1e-5*(hi-lo)) {
			t.Fatalf("element %d is %g, want %g; the range is %g to %g", i, got[i], v, lo, hi)
		}
	}
}

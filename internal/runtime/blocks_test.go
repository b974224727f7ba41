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

// TestNBitsEqualTheReference runs products with codes of all widths and kinds of
// zero points.
func TestNBitsEqualTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	floats := func(shape ...int) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		return ramp(n, func(int) float32 { return float32(r.NormFloat64()) }, shape...)
	}
	for _, bits := range []int{2, 4, 8} {
		for i, rows := range []int{1, 3, 4, 5, 40} {
			const k, n = 75, 130
			block := []int{16, 32, 128}[i%3]
			blocks := (k + block - 1) / block
			o := with(op.New[op.MatMulNBits](), func(o *op.MatMulNBits) { o.K, o.N, o.Bits, o.BlockSize, o.AccuracyLevel = k, n, bits, block, i%5 })
			half, err := op.Convert(floats(n*blocks), dtype.Float16)
			if err != nil {
				t.Fatal(err)
			}
			for name, more := range map[string][]*tensor.Tensor{
				"plain":                {floats(n, blocks)},
				"float16 scales":       {half},
				"integer zero points":  {floats(n * blocks), bytesOf(r, dtype.Uint8, n*((blocks*bits+7)/8))},
				"real zero points":     {floats(n * blocks), floats(n * blocks)},
				"a bias":               {floats(n * blocks), nil, nil, floats(n)},
				"zero points and bias": {floats(n * blocks), bytesOf(r, dtype.Uint8, n, (blocks*bits+7)/8), nil, floats(n)},
			} {
				t.Run(fmt.Sprintf("%d bits, %d rows, %s", bits, rows, name), func(t *testing.T) {
					in := append([]*tensor.Tensor{floats(1, rows, k), bytesOf(r, dtype.Uint8, n, blocks, block*bits/8)}, more...)
					checkKernel(t, o, in, 1, true)
				})
			}
			in := []*tensor.Tensor{floats(rows, k), bytesOf(r, dtype.Uint8, n, blocks, block*bits/8), floats(n * blocks), nil, tensor.FromSlice(slices.Repeat([]int32{int32(blocks - 1)}, k), k)}
			checkKernel(t, o, in, 1, false)
		}
	}
}

// TestCodedWeightsEqualTheirSteps compares products with dequantized constants,
// as one step, with the two nodes by themselves.
func TestCodedWeightsEqualTheirSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	const k, n = 48, 70
	for _, typ := range []dtype.Type{dtype.Int4, dtype.Uint4, dtype.Int8, dtype.Uint8, dtype.Int2, dtype.Uint2} {
		for _, c := range []struct {
			name   string
			gemm   bool // with a transposed weight and a bias
			axis   int
			block  int
			scales []int
		}{
			{"blocks of rows", false, 0, 16, []int{3, n}},
			{"unequal blocks", false, -2, 32, []int{2, n}},
			{"blocks of columns", true, 1, 16, []int{n, 3}},
			{"one for each column", false, 1, 0, []int{n}},
			{"one for each row", true, 0, 0, []int{n}},
			{"one for all", false, 0, 0, nil},
		} {
			for _, zeros := range []bool{false, true} {
				for _, m := range []int{1, 7} {
					t.Run(fmt.Sprintf("%v %s zero points=%v %d rows", typ, c.name, zeros, m), func(t *testing.T) {
						g := codedGraph(r, typ, c.gemm, m, k, n, c.axis, c.block, c.scales, zeros)
						x := ramp(m*k, func(int) float32 { return float32(r.NormFloat64()) }, m, k)
						want := outputOf(t, g, x, runtime.Options{NoFusion: true}, 2)
						for threads := 1; threads <= 2; threads++ {
							got := outputOf(t, g, x, runtime.Options{Threads: threads}, 1)
							if !tensor.Equal(got, want) {
								t.Fatalf("%d threads: got %v, want %v", threads, got, want)
							}
						}
					})
				}
			}
		}
	}
}

// codedGraph is y = x·dequantized weight.
func codedGraph(r *rand.Rand, typ dtype.Type, gemm bool, m, k, n, axis, block int, scales []int, zeros bool) *ir.Graph {
	shape := []int{k, n}
	if gemm {
		shape = []int{n, k}
	}
	value := func(name string, t *tensor.Tensor) *ir.Value { return ir.NewConst(name, t) }
	count, _ := tensor.Count(scales)
	s := ramp(count, func(int) float32 { return float32(r.NormFloat64()) }, scales...)
	x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(m, k))}
	w, y := &ir.Value{Name: "w"}, &ir.Value{Name: "y"}
	dq := &ir.Node{
		Name: "dq", Op: with(op.New[op.DequantizeLinear](), func(o *op.DequantizeLinear) { o.Axis, o.BlockSize = axis, block }),
		In: []*ir.Value{value("q", bytesOf(r, typ, shape...)), value("s", s)}, Out: []*ir.Value{w},
	}
	if zeros {
		dq.In = append(dq.In, value("z", bytesOf(r, typ, scales...)))
	}
	product := &ir.Node{Name: "product", Op: op.New[op.MatMul](), In: []*ir.Value{x, w}, Out: []*ir.Value{y}}
	if gemm {
		product.Op = with(op.New[op.Gemm](), func(o *op.Gemm) { o.TransB = true })
		product.In = append(product.In, value("b", ramp(n, func(i int) float32 { return float32(i) / 7 }, n)))
	}
	return &ir.Graph{Name: "coded", Inputs: []*ir.Value{x}, Outputs: []*ir.Value{y}, Nodes: []*ir.Node{dq, product}}
}

// outputOf runs a graph from x to y, which must be the given number of steps.
func outputOf(t *testing.T, g *ir.Graph, x *tensor.Tensor, o runtime.Options, steps int) *tensor.Tensor {
	t.Helper()
	p, err := runtime.Compile(g, o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), runtime.Tensors{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Steps(); len(got) != steps {
		t.Fatalf("the steps are %v, want %d", got, steps)
	}
	return out["y"]
}

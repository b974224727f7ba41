package runtime_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestBiasesJoinConvolutions compares what convolutions with the Add of a
// constant and the Relu behind them give with what each node by itself gives.
func TestBiasesJoinConvolutions(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	floats := func(shape ...int) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return tensor.FromSlice(v, shape...)
	}
	for _, c := range []struct {
		name    string
		added   []int
		swap    bool
		group   int
		biased  bool // the convolution has a bias
		keep    []string
		outputs int  // how many of y, conv are outputs
		adds    bool // there is an Add still
	}{
		{name: "constant", added: []int{10, 1, 1}, group: 1, outputs: 1},
		{name: "of all axes", added: []int{1, 10, 1, 1}, group: 1, outputs: 1},
		{name: "second operand", added: []int{10, 1, 1}, swap: true, group: 1, outputs: 1},
		{name: "depthwise", added: []int{10, 1, 1}, group: 10, outputs: 1},
		{name: "one number", added: []int{1}, group: 1, outputs: 1, adds: true},
		{name: "along a row", added: []int{10}, group: 1, outputs: 1, adds: true},
		{name: "one a position", added: []int{1, 7, 10}, group: 1, outputs: 1, adds: true},
		{name: "one a value", added: []int{10, 7, 10}, group: 1, outputs: 1, adds: true},
		{name: "has a bias", added: []int{10, 1, 1}, group: 1, biased: true, outputs: 1, adds: true},
		{name: "convolution is read", added: []int{10, 1, 1}, group: 1, outputs: 2, adds: true},
		{name: "convolution is kept", added: []int{10, 1, 1}, group: 1, outputs: 1, keep: []string{"conv"}, adds: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := op.New[op.Conv]()
			o.Group, o.Pads = c.group, []int{1, 1, 1, 1}
			x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(2, 10, 7, 10))}
			conv, sum, y := &ir.Value{Name: "conv"}, &ir.Value{Name: "sum"}, &ir.Value{Name: "y"}
			operands := []*ir.Value{conv, ir.NewConst("c", floats(c.added...))}
			if c.swap {
				operands[0], operands[1] = operands[1], operands[0]
			}
			in := []*ir.Value{x, ir.NewConst("w", floats(10, 10/c.group, 3, 3))}
			if c.biased {
				in = append(in, ir.NewConst("b", floats(10)))
			}
			g := &ir.Graph{Name: "sum", Inputs: []*ir.Value{x}, Outputs: []*ir.Value{y, conv}[:c.outputs], Nodes: []*ir.Node{
				{Name: "c", Op: o, In: in, Out: []*ir.Value{conv}},
				{Name: "a", Op: &op.Add{}, In: operands, Out: []*ir.Value{sum}},
				{Name: "r", Op: &op.Relu{}, In: []*ir.Value{sum}, Out: []*ir.Value{y}},
			}}
			given := runtime.Tensors{"x": floats(2, 10, 7, 10)}
			want, err := runGraph(g, given, runtime.Options{NoFusion: true})
			if err != nil {
				t.Fatal(err)
			}
			p, err := runtime.Compile(g, runtime.Options{Keep: c.keep})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Run(context.Background(), given)
			if err != nil {
				t.Fatal(err)
			}
			for name := range want {
				if !tensor.Equal(got[name], want[name]) {
					t.Errorf("%s is %v, want %v", name, got[name], want[name])
				}
			}
			if adds := slices.Contains(p.Steps(), "Add"); adds != c.adds {
				t.Errorf("steps: %v", p.Steps())
			}
		})
	}
}

package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestSumsJoinConvolutions compares what convolutions with the Add and Relu
// behind them give with what each node by itself gives, also where something
// else reads what lies between.
func TestSumsJoinConvolutions(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	floats := func(shape ...int) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return tensor.FromSlice(v, shape...)
	}
	for _, c := range []struct {
		name        string
		layout      op.Layout
		group       int
		swap, shape bool // the convolution is the second operand; the other one is broadcast
		keep        []string
		outputs     int // how many of y, sum, conv are outputs
	}{
		{name: "plain", layout: op.ChannelsLast, group: 1, outputs: 1},
		{name: "second operand", layout: op.ChannelsLast, group: 1, swap: true, outputs: 1},
		{name: "sum is read", layout: op.ChannelsLast, group: 1, outputs: 2},
		{name: "convolution is read", layout: op.ChannelsLast, group: 1, outputs: 3},
		{name: "convolution is kept", layout: op.ChannelsLast, group: 1, outputs: 1, keep: []string{"conv"}},
		{name: "broadcast", layout: op.ChannelsLast, group: 1, shape: true, outputs: 1},
		{name: "groups", layout: op.ChannelsLast, group: 2, outputs: 1},
		{name: "channels first", layout: op.ChannelsFirst, group: 1, outputs: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := op.New[op.Conv]()
			o.Layout, o.Group, o.Pads = c.layout, c.group, []int{1, 1, 1, 1}
			dims, out := []int{2, 7, 9, 6}, []int{2, 7, 9, 10}
			if c.layout == op.ChannelsFirst {
				dims, out = []int{2, 6, 7, 9}, []int{2, 10, 7, 9}
			}
			if c.shape {
				out = out[3:]
			}
			x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(dims...))}
			other := &ir.Value{Name: "other", Fact: op.TensorFact(x.Type, op.Known(out...))}
			conv, sum, y := &ir.Value{Name: "conv"}, &ir.Value{Name: "sum"}, &ir.Value{Name: "y"}
			operands := []*ir.Value{conv, other}
			if c.swap {
				operands = []*ir.Value{other, conv}
			}
			g := &ir.Graph{Name: "sum", Inputs: []*ir.Value{x, other}, Outputs: []*ir.Value{y, sum, conv}[:c.outputs], Nodes: []*ir.Node{
				{Name: "c", Op: o, In: []*ir.Value{x, ir.NewConst("w", floats(10, 6/c.group, 3, 3)), ir.NewConst("b", floats(10))}, Out: []*ir.Value{conv}},
				{Name: "a", Op: &op.Add{}, In: operands, Out: []*ir.Value{sum}},
				{Name: "r", Op: &op.Relu{}, In: []*ir.Value{sum}, Out: []*ir.Value{y}},
			}}
			in := runtime.Tensors{"x": floats(dims...), "other": floats(out...)}
			want, err := runGraph(g, in, runtime.Options{NoFusion: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, threads := range []int{1, 2} {
				got, err := runGraph(g, in, runtime.Options{Threads: threads, Keep: c.keep})
				if err != nil {
					t.Fatal(err)
				}
				for name := range want {
					if !tensor.Equal(got[name], want[name]) {
						t.Errorf("%s is %v, want %v", name, got[name], want[name])
					}
				}
			}
		})
	}
}

func runGraph(g *ir.Graph, in runtime.Tensors, o runtime.Options) (runtime.Tensors, error) {
	p, err := runtime.Compile(g, o)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	return p.Run(context.Background(), in)
}

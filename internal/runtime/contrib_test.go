package runtime_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// contribGraph is one operator on random inputs of the given shapes; nil is
// absent. Tensors stand for constants.
func contribGraph(rng *rand.Rand, o op.Op, outs int, in ...any) (*ir.Graph, runtime.Tensors) {
	n := &ir.Node{Name: "node", Op: o}
	g := &ir.Graph{Name: "g", Nodes: []*ir.Node{n}}
	given := runtime.Tensors{}
	for i, x := range in {
		name := fmt.Sprintf("x%d", i)
		switch x := x.(type) {
		case nil:
			n.In = append(n.In, nil)
		case *tensor.Tensor:
			n.In = append(n.In, ir.NewConst(name, x))
		case []int:
			t := tensor.New(dtype.Float32, x...)
			for k := range tensor.Data[float32](t) {
				tensor.Data[float32](t)[k] = float32(rng.NormFloat64())
			}
			v := &ir.Value{Name: name, Fact: op.TensorFact(dtype.Float32, op.Known(x...))}
			n.In, g.Inputs, given[name] = append(n.In, v), append(g.Inputs, v), t
		case []int32:
			v := &ir.Value{Name: name, Fact: op.TensorFact(dtype.Int32, op.Known(len(x)))}
			n.In, g.Inputs, given[name] = append(n.In, v), append(g.Inputs, v), tensor.FromSlice(x, len(x))
		}
	}
	for i := range outs {
		v := &ir.Value{Name: fmt.Sprintf("y%d", i)}
		n.Out, g.Outputs = append(n.Out, v), append(g.Outputs, v)
	}
	return g, given
}

// TestExpandedContribIsEval: operators that are written out give the bits of
// their reference, and none of those here is left as it is.
func TestExpandedContribIsEval(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	s := func(d ...int) []int { return d }
	heads := func(n int, causal bool) *op.MultiHeadAttention {
		o := op.New[op.MultiHeadAttention]()
		o.NumHeads, o.Unidirectional = n, causal
		return o
	}
	attention := func(n int, causal bool) *op.MicrosoftAttention {
		o := op.New[op.MicrosoftAttention]()
		o.NumHeads, o.Unidirectional = n, causal
		return o
	}
	scaled := heads(3, false)
	scaled.Scale = op.Some[float32](0.3)
	product := op.New[op.FusedMatMul]()
	product.Alpha, product.TransB, product.TransBatchA = 0.125, true, true
	gemm := op.New[op.FusedGemm]()
	gemm.Activation, gemm.Alpha, gemm.TransB = "LeakyRelu", 0.5, true
	conv := op.New[op.FusedConv]()
	conv.Activation, conv.Pads = "Relu", []int{1, 1, 1, 1}
	clip := op.New[op.FusedConv]()
	clip.Activation, clip.ActivationParams = "Clip", []float32{-0.5, 0.5}
	bias := tensor.New(dtype.Float32, 72)
	for i := range 72 {
		tensor.Data[float32](bias)[i] = float32(rng.NormFloat64())
	}
	flags := tensor.New(dtype.Int32, 2, 19)
	for i := range 38 {
		tensor.Data[int32](flags)[i] = int32(rng.IntN(2))
	}
	for _, c := range []struct {
		name string
		op   op.Op
		outs int
		in   []any
	}{
		{"gelu", op.New[op.FastGelu](), 1, []any{s(2, 7, 33), s(33)}},
		{"biasGelu", op.New[op.BiasGelu](), 1, []any{s(2, 7, 33), s(33)}},
		{"quickGelu", op.New[op.QuickGelu](), 1, []any{s(2, 7, 33)}},
		{"splitGelu", op.New[op.BiasSplitGelu](), 1, []any{s(2, 7, 34), s(34)}},
		{"skip", op.New[op.SkipLayerNormalization](), 4, []any{s(2, 7, 33), s(7, 33), s(33), s(33), s(33)}},
		{"skipFew", op.New[op.SkipLayerNormalization](), 1, []any{s(2, 7, 33), s(2, 7, 33), s(33)}},
		{"simplified", op.New[op.SimplifiedLayerNormalization](), 1, []any{s(2, 7, 33), s(33)}},
		{"skipSimplified", op.New[op.SkipSimplifiedLayerNormalization](), 1, []any{s(2, 7, 33), s(2, 7, 33), s(33), s(33)}},
		{"matmul", product, 1, []any{s(7, 3, 5), s(3, 9, 5)}},
		{"gemm", gemm, 1, []any{s(7, 33), s(20, 33), s(20)}},
		{"conv", conv, 1, []any{s(1, 3, 9, 9), s(8, 3, 3, 3), s(8), s(1, 8, 9, 9)}},
		{"clip", clip, 1, []any{s(1, 3, 9, 9), s(8, 3, 3, 3), s(8)}},
		{"heads", heads(3, false), 1, []any{s(2, 17, 24), s(2, 19, 24), s(2, 19, 30)}},
		{"headsBias", heads(3, true), 1, []any{s(2, 17, 24), s(2, 17, 24), s(2, 17, 24), bias}},
		{"headsMask", scaled, 1, []any{s(2, 17, 24), s(2, 19, 24), s(2, 19, 24), nil, flags, s(1, 3, 17, 19)}},
		{"headsEnds", heads(3, false), 1, []any{s(2, 17, 24), s(2, 19, 24), s(2, 19, 24), nil, []int32{3, 19}}},
		{"headsLaidOut", heads(3, false), 1, []any{s(2, 17, 24), s(2, 3, 19, 8), s(2, 3, 19, 8)}},
		{"attention", attention(2, false), 1, []any{s(2, 19, 12), s(12, 48), s(48), flags}},
		{"attentionCausal", attention(2, true), 1, []any{s(2, 19, 12), s(12, 48), nil, []int32{4, 18}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, in := contribGraph(rng, c.op, c.outs, c.in...)
			if err := ir.Infer(g); err != nil {
				t.Fatal(err)
			}
			open, _ := g.Clone()
			if changed, err := pass.ExpandContrib(open, true); err != nil || !changed {
				t.Fatalf("not written out (%v)", err)
			}
			if err := ir.Infer(open); err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(open); err != nil {
				t.Fatal(err)
			}
			for _, n := range open.Nodes {
				if op.Domain(n.Op) != "" || n.Op.Name() == c.op.Name() {
					t.Errorf("%s is left", n.Op.Name())
				}
			}
			want := runContrib(t, g, in, runtime.Options{NoFusion: true})
			got := runContrib(t, g, in, runtime.Options{})
			for name, w := range want {
				if !bytes.Equal(got[name].Bytes(), w.Bytes()) {
					t.Errorf("%s: the bits differ", name)
				}
			}
		})
	}
}

func runContrib(t *testing.T, g *ir.Graph, in runtime.Tensors, o runtime.Options) runtime.Tensors {
	t.Helper()
	p, err := runtime.Compile(g, o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

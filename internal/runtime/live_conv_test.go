package runtime_test

import (
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

// TestLiveConvolutionsEqualTheirMeaning compares convolutions whose data is
// quantized as they run with the integers of ConvIntegerToFloat, for data of
// several ranges in turn.
func TestLiveConvolutionsEqualTheirMeaning(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		x, w    []int
		pads    []int
		strides []int
		scales  int
		bias    bool
		lite    bool // channels last, in the steps of TensorFlow Lite
	}{
		{[]int{1, 3, 9, 8}, []int{18, 3, 3, 3}, []int{1, 1, 1, 1}, []int{2, 2}, 18, true, false},
		{[]int{1, 9, 8, 3}, []int{18, 3, 3, 3}, []int{1, 1, 1, 1}, []int{2, 2}, 18, true, true},
		{[]int{2, 8, 7}, []int{5, 8, 3}, []int{2, 0}, []int{1}, 1, true, false},
		{[]int{1, 16, 5, 6}, []int{70, 16, 1, 1}, nil, nil, 70, false, false},
	} {
		x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(c.x...))}
		val := func(name string) *ir.Value { return &ir.Value{Name: name} }
		q, s, z, d, wd, y, out := val("q"), val("s"), val("z"), val("d"), val("wd"), val("y"), val("out")
		scales := ramp(c.scales, func(int) float32 { return (0.5 + r.Float32()) / 64 }, c.scales)
		if c.scales == 1 {
			scales = tensor.Scalar[float32](0.01)
		}
		dq := with(op.New[op.DequantizeLinear](), func(o *op.DequantizeLinear) { o.Axis = 0 })
		o := conv(func(o *op.Conv) { o.Pads, o.Strides = c.pads, c.strides })
		dynamic := op.New[op.DynamicQuantize]()
		if c.lite {
			o.Layout, dynamic.Type, dynamic.TFLite = op.ChannelsLast, dtype.Int8, true
		}
		in := []*ir.Value{d, wd}
		if c.bias {
			in = append(in, ir.NewConst("b", ramp(c.w[0], func(int) float32 { return r.Float32() - 0.5 }, c.w[0])))
		}
		g := &ir.Graph{Name: "g", Inputs: []*ir.Value{x}, Outputs: []*ir.Value{out}, Nodes: []*ir.Node{
			{Name: "quantize", Op: dynamic, In: []*ir.Value{x}, Out: []*ir.Value{q, s, z}},
			{Name: "dequantize", Op: op.New[op.DequantizeLinear](), In: []*ir.Value{q, s, z}, Out: []*ir.Value{d}},
			{Name: "weight", Op: dq, In: []*ir.Value{ir.NewConst("w", bytesOf(r, dtype.Int8, c.w...)), ir.NewConst("ws", scales)}, Out: []*ir.Value{wd}},
			{Name: "conv", Op: o, In: in, Out: []*ir.Value{y}},
			{Name: "relu", Op: op.New[op.Relu](), In: []*ir.Value{y}, Out: []*ir.Value{out}},
		}}
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
		n, _ := tensor.Count(c.x)
		for _, spread := range [][2]float32{{-1, 2}, {0, 0}, {3, 4}, {-1e-3, 1e3}} {
			data := ramp(n, func(int) float32 { return spread[0] + r.Float32()*(spread[1]-spread[0]) }, c.x...)
			got, err := p.Run(context.Background(), runtime.Tensors{"x": data})
			if err != nil {
				t.Fatal(err)
			}
			want, err := ir.Eval(means, op.Of(data))
			if err != nil {
				t.Fatal(err)
			}
			if !tensor.Equal(got["out"], want[0].Tensor) {
				t.Errorf("%+v, range %v: results differ", c, spread)
			}
		}
		fused := false
		for _, name := range p.Steps() {
			fused = fused || name == "ConvIntegerToFloat"
		}
		if !fused || len(p.Reference()) > 0 {
			t.Errorf("%s: steps %v, without kernels %v", fmt.Sprint(c), p.Steps(), p.Reference())
		}
	}
}

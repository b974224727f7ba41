package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// kernelCase is an operator that has a kernel for these shapes, the operands
// from the given one on being constant.
type kernelCase struct {
	name     string
	inner    op.Op
	shapes   [][]int
	constant int
}

func conv(change func(*op.Conv)) *op.Conv { return with(op.New[op.Conv](), change) }

func last(o *op.Conv) { o.Layout = op.ChannelsLast }

var kernelCases = []kernelCase{
	{"depthwise", conv(func(o *op.Conv) { last(o); o.Group, o.Pads = 20, []int{1, 1, 1, 1} }), [][]int{{2, 9, 7, 20}, {20, 1, 3, 3}}, 1},
	{"depthwise with strides", conv(func(o *op.Conv) { last(o); o.Group, o.Pads, o.Strides = 80, []int{2, 1, 0, 2}, []int{2, 1} }), [][]int{{1, 8, 9, 80}, {80, 1, 5, 3}}, 1},
	{"depthwise in one dimension", conv(func(o *op.Conv) { last(o); o.Group, o.Pads = 48, []int{4, 0} }), [][]int{{1, 300, 48}, {48, 1, 5}}, 1},
	{"a long filter of one channel", conv(func(o *op.Conv) { last(o); o.Pads, o.Strides = []int{4, 0}, []int{2} }), [][]int{{2, 300, 1}, {1, 1, 64}}, 1},
	{"depthwise in three", conv(func(o *op.Conv) { last(o); o.Group = 3 }), [][]int{{1, 3, 4, 5, 3}, {3, 1, 2, 2, 2}}, 1},
	{"max pool", with(op.New[op.MaxPool](), func(o *op.MaxPool) {
		o.Layout, o.KernelShape, o.Pads, o.Strides = op.ChannelsLast, []int{3, 3}, []int{1, 1, 1, 1}, []int{2, 2}
	}), [][]int{{2, 9, 8, 70}}, 1},
	{"max pool in one dimension", with(op.New[op.MaxPool](), func(o *op.MaxPool) { o.Layout, o.KernelShape = op.ChannelsLast, []int{4} }), [][]int{{2, 9, 5}}, 1},
	{"max pool, channels first", with(op.New[op.MaxPool](), func(o *op.MaxPool) { o.KernelShape = []int{4} }), [][]int{{2, 9, 5}}, 1},
	{"average pool", with(op.New[op.AveragePool](), func(o *op.AveragePool) {
		o.Layout, o.KernelShape, o.Pads = op.ChannelsLast, []int{3, 2}, []int{1, 0, 1, 1}
	}), [][]int{{2, 7, 8, 33}}, 1},
	{"average pool with padding", with(op.New[op.AveragePool](), func(o *op.AveragePool) {
		o.Layout, o.KernelShape, o.Pads, o.CountIncludePad = op.ChannelsLast, []int{5, 5}, []int{2, 2, 2, 2}, true
	}), [][]int{{1, 7, 8, 17}}, 1},
	{"global average", with(op.New[op.GlobalAveragePool](), func(o *op.GlobalAveragePool) { o.Layout = op.ChannelsLast }), [][]int{{2, 7, 7, 100}}, 1},
}

var floatCases = []kernelCase{
	{"global average, channels first", op.New[op.GlobalAveragePool](), [][]int{{2, 5, 7, 7}}, 1},
	{"softmax", op.New[op.Softmax](), [][]int{{2, 3, 130}}, 1},
	{"layer norm", op.New[op.LayerNormalization](), [][]int{{3, 5, 70}, {70}, {70}}, 1},
	{"layer norm of two axes", with(op.New[op.LayerNormalization](), func(o *op.LayerNormalization) { o.Axis = 1 }), [][]int{{3, 5, 7}, {5, 7}}, 1},
	{"layer norm with a scale a row", op.New[op.LayerNormalization](), [][]int{{5, 5}, {5, 1}}, 1},
	{"RMS norm", op.New[op.RMSNormalization](), [][]int{{3, 70}, {1, 70}}, 1},
}

var movers = []kernelCase{
	{"transpose to channels last", &op.Transpose{Perm: []int{0, 2, 3, 1}}, [][]int{{2, 3, 20, 17}}, 1},
	{"transpose of a large matrix", &op.Transpose{Perm: []int{1, 0}}, [][]int{{300, 40}}, 1},
	{"transpose of runs", &op.Transpose{Perm: []int{0, 2, 1, 3}}, [][]int{{2, 9, 3, 16}}, 1},
	{"transpose, reversed", &op.Transpose{}, [][]int{{3, 4, 5}}, 1},
}

// TestKernelsEqualTheReference runs operators that have kernels, on floats and,
// quantized, on integers, and compares every element with the reference.
func TestKernelsEqualTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, c := range append(append(kernelCases[:len(kernelCases):len(kernelCases)], floatCases...), movers...) {
		t.Run(c.name+" float32", func(t *testing.T) {
			var in []*tensor.Tensor
			for _, s := range c.shapes {
				n, _ := tensor.Count(s)
				in = append(in, ramp(n, func(int) float32 { return float32(r.NormFloat64()) }, s...))
			}
			checkKernel(t, c.inner, in, c.constant, c.name != "layer norm with a scale a row")
		})
	}
	for _, typ := range []dtype.Type{dtype.Uint8, dtype.Int8} {
		for _, c := range append(kernelCases[:len(kernelCases):len(kernelCases)], movers...) {
			t.Run(fmt.Sprint(c.name, " ", typ), func(t *testing.T) {
				in := []*tensor.Tensor{bytesOf(r, typ, c.shapes[0]...)}
				q := &op.Quantized{Inner: c.inner, In: []affine.Params{gridOf(r, typ)}}
				outs := []affine.Params{gridOf(r, dtype.Uint8), gridOf(r, dtype.Int8)}
				if len(c.shapes) > 1 {
					in = append(in, bytesOf(r, dtype.Int8, c.shapes[1]...))
					q.In = append(q.In, affine.PerTensor(dtype.Int8, 0.02, 0))
					outs[0].Scale[0], outs[1].Scale[0] = 10*outs[0].Scale[0], 10*outs[1].Scale[0]
					outs = append(outs, affine.Params{})
				}
				switch c.inner.(type) {
				case *op.MaxPool, *op.Transpose:
					outs = q.In[:1]
				}
				for i, out := range outs {
					q.Out = []affine.Params{out}
					if q.Clamp = nil; i == 1 {
						q.Clamp = &op.Interval{Lo: 0, Hi: 6 * float64(out.Scale[0])}
					}
					checkKernel(t, q, in, c.constant, true)
				}
			})
		}
		for _, c := range []struct {
			name  string
			inner op.Op
			in    [][]int
		}{
			{"Sigmoid", op.New[op.Sigmoid](), [][]int{{3, 70}}},
			{"Softmax", op.New[op.Softmax](), [][]int{{3, 70}}},
			{"Concat", &op.Concat{Axis: 1}, [][]int{{2, 3, 5}, {2, 4, 5}, {2, 1, 5}}},
			{"Concat of the last axis", &op.Concat{Axis: -1}, [][]int{{2, 3, 5}, {2, 3, 70}}},
			{"Add by channel", op.New[op.Add](), [][]int{{2, 9, 70}, {1, 1, 70}}},
			{"Add to one", op.New[op.Add](), [][]int{{1, 1}, {9, 70}}},
			{"Mul by channel of a sample", op.New[op.Mul](), [][]int{{2, 30, 8, 70}, {2, 1, 1, 70}}},
			{"Mul by long rows", op.New[op.Mul](), [][]int{{3, 5000}, {1, 5000}}},
			{"Mul, reversed", op.New[op.Mul](), [][]int{{2, 7, 1, 1}, {2, 7, 3, 50}}},
		} {
			t.Run(fmt.Sprint(c.name, " ", typ), func(t *testing.T) {
				for i := range 4 {
					q := &op.Quantized{Inner: c.inner, Out: []affine.Params{gridOf(r, typ)}}
					var in []*tensor.Tensor
					for _, s := range c.in {
						q.In, in = append(q.In, gridOf(r, typ)), append(in, bytesOf(r, typ, s...))
					}
					if c.name == "Concat" && i == 0 {
						q.In[1] = q.Out[0]
					}
					if i%2 == 1 && c.name != "Softmax" {
						q.Clamp = &op.Interval{Lo: 0, Hi: 50 * float64(q.Out[0].Scale[0])}
					}
					checkKernel(t, q, in, len(in), true)
				}
			})
		}
	}
}

// TestPiecesEqualTheReference runs operators that take tensors apart.
func TestPiecesEqualTheReference(t *testing.T) {
	list := func(v ...int64) *tensor.Tensor { return tensor.FromSlice(v, len(v)) }
	x := ramp(2*7*6*5, func(i int) float32 { return float32(i) }, 2, 7, 6, 5)
	for _, c := range []struct {
		name string
		o    op.Op
		in   []*tensor.Tensor
	}{
		{"rows", &op.Slice{}, []*tensor.Tensor{x, list(1), list(1 << 40), list(1)}},
		{"box", &op.Slice{}, []*tensor.Tensor{x, list(-3, 1), list(-1, 4), list(3, -2), list(1, 1)}},
		{"first axes", &op.Slice{}, []*tensor.Tensor{x, list(0, 2), list(1, 5)}},
		{"nothing", &op.Slice{}, []*tensor.Tensor{x, list(9), list(3), list(1)}},
		{"gather of the last axis", &op.Gather{Axis: -1}, []*tensor.Tensor{x, tensor.FromSlice([]int64{4, -5, 0, 2}, 2, 2)}},
		{"gather of rows", &op.Gather{}, []*tensor.Tensor{x, list(1, 0, -1)}},
	} {
		t.Run(c.name, func(t *testing.T) { checkKernel(t, c.o, c.in, 1, true) })
	}
	split := &op.Split{Axis: 1}
	want, err := split.Eval(op.Of(x, list(3, 0, 4)))
	if err != nil {
		t.Fatal(err)
	}
	cs := optest.Case{Op: split, In: []*tensor.Tensor{x, list(3, 0, 4)}}
	for _, w := range want {
		cs.Want = append(cs.Want, w.Tensor)
	}
	g, feed := single(cs, func(i int) bool { return i > 0 })
	p, err := runtime.Compile(g, runtime.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), feed)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range g.Outputs {
		if !tensor.Equal(out[v.Name], cs.Want[i]) {
			t.Errorf("piece %d is %v", i, out[v.Name])
		}
	}
	if slow := p.Reference(); len(slow) > 0 {
		t.Errorf("without kernels: %v", slow)
	}
}

// TestFunctionsOfOneByteAreTables: x·sigmoid(x) on integers is looked up, and
// keeps its bits.
func TestFunctionsOfOneByteAreTables(t *testing.T) {
	const swish = `graph g
input x float32[2,70]
const s float32[] = [0.05]
const z uint8[] = [120]
const g float32[] = [0.004]
const n uint8[] = [0]
q uint8[2,70] = QuantizeLinear(x, s, z)
a float32[2,70] = DequantizeLinear(q, s, z)
b float32[2,70] = Sigmoid(a)
c uint8[2,70] = QuantizeLinear(b, g, n)
d float32[2,70] = DequantizeLinear(c, g, n)
e float32[2,70] = Mul(a, d)
f uint8[2,70] = QuantizeLinear(e, s, z)
y float32[2,70] = DequantizeLinear(f, s, z)
output y
`
	g := parse(t, swish)
	x := ramp(140, func(i int) float32 { return float32(i)/10 - 6 }, 2, 70)
	var want *tensor.Tensor
	for i, o := range []runtime.Options{{Threads: 1}, {Threads: 1, Keep: []string{"c"}}} {
		p, err := runtime.Compile(g, o)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(context.Background(), runtime.Tensors{"x": x})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = out["y"]
		} else if !tensor.Equal(out["y"], want) {
			t.Error("the table differs from the steps")
		}
	}
}

func bytesOf(r *rand.Rand, typ dtype.Type, shape ...int) *tensor.Tensor {
	t := tensor.New(typ, shape...)
	for i := range t.Bytes() {
		t.Bytes()[i] = byte(r.Uint32())
	}
	return t
}

func gridOf(r *rand.Rand, typ dtype.Type) affine.Params {
	lo, hi := typ.Range()
	return affine.PerTensor(typ, float32(0.01+r.Float64()), lo+r.Int64N(hi-lo+1))
}

// checkKernel runs one operator, whose operands from a given one on are
// constant, and compares with its reference; where it has a kernel, that must be
// what runs.
func checkKernel(t *testing.T, o op.Op, in []*tensor.Tensor, constant int, kernel bool) {
	t.Helper()
	want, err := o.(op.Evaluator).Eval(op.Of(in...))
	if err != nil {
		t.Fatal(err)
	}
	c := optest.Case{Op: o, In: in, Want: []*tensor.Tensor{want[0].Tensor}}
	g, feed := single(c, func(i int) bool { return i >= constant })
	for threads := 1; threads <= 2; threads++ {
		p, err := runtime.Compile(g, runtime.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(context.Background(), feed)
		if err != nil {
			t.Fatal(err)
		}
		if err := optest.Compare(out[g.Outputs[0].Name], want[0].Tensor, 0); err != nil {
			t.Fatalf("%+v, %d threads: %v", o, threads, err)
		}
		if slow := p.Reference(); kernel && len(slow) > 0 {
			t.Errorf("%+v has no kernel", o)
		}
	}
}

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

// TestIntegerKernelsEqualTheReference runs regions that have kernels of their
// own, over sizes beside and beyond their steps, and compares every element
// with the reference meaning.
func TestIntegerKernelsEqualTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	random := func(typ dtype.Type, shape ...int) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		lo, hi := typ.Range()
		v := make([]int64, n)
		for i := range v {
			v[i] = lo + r.Int64N(hi-lo+1)
		}
		return tensor.FromInts(typ, v, shape...)
	}
	grid := func(typ dtype.Type) affine.Params {
		lo, hi := typ.Range()
		return affine.PerTensor(typ, float32(0.01+r.Float64()), lo+r.Int64N(hi-lo+1))
	}
	type shapes struct{ a, b []int }
	for _, typ := range []dtype.Type{dtype.Uint8, dtype.Int8} {
		weight := affine.PerTensor(dtype.Int8, 0.02, 0)
		for _, c := range []struct {
			name  string
			inner op.Op
			in    shapes
			w     bool // the second operand is a constant weight
		}{
			{"Add", &op.Add{}, shapes{[]int{3, 5, 7}, []int{3, 5, 7}}, false},
			{"Add of rows", &op.Add{}, shapes{[]int{3, 5, 7}, []int{7}}, false},
			{"Mul", &op.Mul{}, shapes{[]int{2, 33}, []int{2, 33}}, false},
			{"Mul by gates", &op.Mul{}, shapes{[]int{2, 3, 25, 25}, []int{2, 3, 1, 1}}, false},
			{"Mul by one", &op.Mul{}, shapes{[]int{1, 37}, []int{1, 1}}, false},
			{"Mul of columns", &op.Mul{}, shapes{[]int{4, 9}, []int{1, 9}}, false},
			{"Concat of short runs", &op.Concat{Axis: 1}, shapes{[]int{700, 16}, []int{700, 9}}, false},
			{"Concat of long runs", &op.Concat{Axis: -1}, shapes{[]int{3, 1, 2000}, []int{3, 1, 24}}, false},
			{"Conv", op.New[op.Conv](), shapes{[]int{2, 6, 9, 11}, []int{5, 6, 3, 3}}, true},
			{"Conv padded", with(op.New[op.Conv](), func(o *op.Conv) { o.Pads, o.Strides = []int{1, 2, 1, 2}, []int{2, 1} }), shapes{[]int{1, 3, 20, 21}, []int{18, 3, 3, 5}}, true},
			{"Conv in groups", with(op.New[op.Conv](), func(o *op.Conv) { o.Group = 2 }), shapes{[]int{1, 10, 6, 18}, []int{8, 5, 1, 1}}, true},
			{"Conv channels last", with(op.New[op.Conv](), func(o *op.Conv) { o.Layout, o.Pads = op.ChannelsLast, []int{1, 0, 1, 2} }), shapes{[]int{2, 9, 11, 18}, []int{21, 18, 3, 2}}, true},
			{"Conv channels last in groups", with(op.New[op.Conv](), func(o *op.Conv) { o.Layout, o.Group, o.Strides = op.ChannelsLast, 2, []int{2, 1} }), shapes{[]int{1, 9, 11, 10}, []int{8, 5, 3, 3}}, true},
			{"Conv channels last by channel", with(op.New[op.Conv](), func(o *op.Conv) { o.Layout, o.Group, o.Pads = op.ChannelsLast, 5, []int{1, 1, 1, 1} }), shapes{[]int{1, 9, 11, 5}, []int{5, 1, 3, 3}}, true},
			{"MatMul of two activations", &op.MatMul{}, shapes{[]int{2, 3, 9, 20}, []int{3, 20, 17}}, false},
			{"MatMul", &op.MatMul{}, shapes{[]int{3, 19, 35}, []int{35, 21}}, true},
			{"Gemm", with(op.New[op.Gemm](), func(o *op.Gemm) { o.TransB = true }), shapes{[]int{18, 35}, []int{5, 35}}, true},
		} {
			t.Run(fmt.Sprint(c.name, " ", typ), func(t *testing.T) {
				for range 6 {
					q := &op.Quantized{Inner: c.inner, In: []affine.Params{grid(typ), grid(typ)}, Out: []affine.Params{grid(typ)}}
					second := random(typ, c.in.b...)
					if c.w {
						q.In[1], second = weight, random(dtype.Int8, c.in.b...)
						q.Out[0].Scale[0] *= 20
					}
					if r.IntN(2) == 0 {
						q.Clamp = &op.Interval{Lo: 0, Hi: float64(q.Out[0].Scale[0]) * 50}
					}
					cs := optest.Case{Op: q, In: []*tensor.Tensor{random(typ, c.in.a...), second}}
					want, err := q.Eval(op.Of(cs.In...))
					if err != nil {
						t.Fatal(err)
					}
					cs.Want = []*tensor.Tensor{want[0].Tensor}
					g, in := single(cs, func(i int) bool { return c.w && i == 1 })
					p, err := runtime.Compile(g, runtime.Options{Threads: 2})
					if err != nil {
						t.Fatal(err)
					}
					out, err := p.Run(context.Background(), in)
					if err != nil {
						t.Fatal(err)
					}
					if err := optest.Compare(out[g.Outputs[0].Name], cs.Want[0], 0); err != nil {
						t.Fatalf("%+v: %v", q, err)
					}
				}
			})
		}
	}
}

func with[T any](o T, change func(T)) T {
	change(o)
	return o
}

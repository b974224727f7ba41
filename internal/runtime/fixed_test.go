package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestFixedKernelsEqualTheReference runs regions of TensorFlow Lite's arithmetic
// that have kernels, and compares every element with the reference meaning.
func TestFixedKernelsEqualTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	random := func(typ dtype.Type, shape ...int) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		lo, hi := typ.Range()
		v := make([]int64, n)
		for i := range v {
			v[i] = lo + r.Int64N(hi-lo+1)
		}
		return tensor.FromInts(typ, v, shape...)
	}
	last := func(change func(*op.Conv)) op.Op {
		return with(op.New[op.Conv](), func(o *op.Conv) { o.Layout = op.ChannelsLast; change(o) })
	}
	turned := with(op.New[op.ConvTranspose](), func(o *op.ConvTranspose) { o.Layout, o.Strides = op.ChannelsLast, []int{2, 1} })
	gemm := with(op.New[op.Gemm](), func(o *op.Gemm) { o.TransB = true })
	pool := with(op.New[op.AveragePool](), func(o *op.AveragePool) {
		o.Layout, o.KernelShape, o.Pads, o.Strides = op.ChannelsLast, []int{3, 2}, []int{1, 0, 1, 1}, []int{2, 1}
	})
	axes := tensor.FromSlice([]int64{1, 2}, 2)
	for _, typ := range []dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int16} {
		grid := func() affine.Params {
			if typ == dtype.Int16 {
				return affine.PerTensor(typ, float32(0.0001+r.Float64()/256), 0)
			}
			lo, hi := typ.Range()
			return affine.PerTensor(typ, float32(0.01+r.Float64()), lo+r.Int64N(hi-lo+1))
		}
		weighted := typ != dtype.Uint8 // weights of uint8 run by the reference
		for _, c := range []struct {
			name   string
			inner  op.Op
			a, b   []int
			weight int // the axis of its channels, -1: b is an activation, -2: there is none
		}{
			{"Conv", last(func(o *op.Conv) { o.Pads = []int{1, 0, 1, 2} }), []int{2, 9, 11, 18}, []int{21, 18, 3, 2}, 0},
			{"Conv of many channels", last(func(*op.Conv) {}), []int{1, 2, 2, 3000}, []int{3, 3000, 1, 1}, 0},
			{"Conv in groups", last(func(o *op.Conv) { o.Group = 2 }), []int{1, 9, 11, 10}, []int{8, 5, 3, 3}, 0},
			{"Conv by channel", last(func(o *op.Conv) { o.Group, o.Pads = 5, []int{1, 1, 1, 1} }), []int{1, 9, 11, 5}, []int{5, 1, 3, 3}, 0},
			{"ConvTranspose", turned, []int{2, 4, 5, 7}, []int{7, 6, 3, 3}, 1},
			{"Gemm", gemm, []int{18, 35}, []int{5, 35}, 0},
			{"Gemm of many", gemm, []int{3, 4000}, []int{5, 4000}, 0},
			{"MatMul", op.New[op.MatMul](), []int{2, 3, 20}, []int{2, 20, 7}, -1},
			{"Add", op.New[op.Add](), []int{3, 5, 7}, []int{3, 5, 7}, -1},
			{"Add of rows", op.New[op.Add](), []int{3, 5, 7}, []int{7}, -1},
			{"Sub from rows", op.New[op.Sub](), []int{7}, []int{3, 5, 7}, -1},
			{"Mul by one", op.New[op.Mul](), []int{2, 25, 3}, []int{}, -1},
			{"Mul by gates", op.New[op.Mul](), []int{2, 25, 3}, []int{2, 1, 3}, -1},
			{"AveragePool", pool, []int{2, 9, 7, 70}, nil, -2},
			{"ReduceMean", op.New[op.ReduceMean](), []int{2, 5, 7, 67}, nil, -2},
			{"ReduceSum", op.New[op.ReduceSum](), []int{2, 3, 3, 5}, nil, -2},
			{"Softmax", op.New[op.Softmax](), []int{5, 3, 41}, nil, -2},
			{"Identity", op.New[op.Identity](), []int{5, 300}, nil, -2},
			{"LeakyRelu", op.New[op.LeakyRelu](), []int{5, 300}, nil, -2},
			{"Sigmoid", op.New[op.Sigmoid](), []int{5, 300}, nil, -2},
			{"Tanh", op.New[op.Tanh](), []int{5, 300}, nil, -2},
		} {
			if c.weight >= 0 && !weighted {
				continue
			}
			t.Run(fmt.Sprint(c.name, " ", typ), func(t *testing.T) {
				for range 4 {
					x, y := grid(), grid()
					q := &op.Quantized{Inner: c.inner, In: []affine.Params{x}, Out: []affine.Params{y}, Fixed: true, Round: affine.RoundHalfAway}
					in := []*tensor.Tensor{random(typ, c.a...)}
					switch {
					case c.weight >= 0:
						w := affine.Params{Type: dtype.Int8, Axis: c.weight}
						for range c.b[c.weight] {
							w.Scale = append(w.Scale, 0.01+r.Float32()/100)
						}
						bias := make([]int64, c.b[c.weight])
						for i := range bias {
							bias[i] = r.Int64N(60000) - 30000
						}
						b := affine.BiasParams(x.Scale[0], w, 1)
						b.Axis = 0
						q.In = append(q.In, w, b)
						in = append(in, random(dtype.Int8, c.b...), tensor.FromInts(dtype.Int32, bias, len(bias)))
						q.Out[0].Scale[0] *= 20
					case c.weight == -1:
						q.In = append(q.In, grid())
						in = append(in, random(typ, c.b...))
					}
					switch c.inner.(type) {
					case *op.AveragePool:
						q.Out[0] = x
					case *op.Softmax:
						least, _ := typ.Range()
						q.Out[0] = affine.PerTensor(typ, 1.0/256, least)
						if typ == dtype.Int16 {
							q.Out[0] = affine.PerTensor(typ, 1.0/32768, 0)
						}
					case *op.ReduceMean, *op.ReduceSum:
						q.In, in = append(q.In, affine.Params{}), append(in, axes)
					}
					if _, ok := c.inner.(*op.Softmax); !ok && r.IntN(2) == 0 {
						q.Clamp = &op.Interval{Lo: 0, Hi: float64(q.Out[0].Scale[0]) * 50}
					}
					if !q.FixedPoint() {
						t.Fatalf("%+v has no fixed point", q)
					}
					want, err := q.Eval(op.Of(in...))
					if err != nil {
						t.Fatal(err)
					}
					cs := optest.Case{Op: q, In: in, Want: []*tensor.Tensor{want[0].Tensor}}
					g, ins := single(cs, func(i int) bool { return i > 0 && c.weight != -1 })
					g.Arithmetic = ir.TFLite
					p, err := runtime.Compile(g, runtime.Options{Threads: 2})
					if err != nil {
						t.Fatal(err)
					}
					out, err := p.Run(context.Background(), ins)
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

// TestFixedProductWithAConstant: a constant of one number is an operand like
// others.
func TestFixedProductWithAConstant(t *testing.T) {
	grid := func(scale float32, zero int64) affine.Params { return affine.PerTensor(dtype.Int8, scale, zero) }
	q := &op.Quantized{Inner: op.New[op.Mul](), In: []affine.Params{grid(0.1, 3), grid(0.001, 0)}, Out: []affine.Params{grid(0.02, -7)}, Fixed: true, Round: affine.RoundHalfAway}
	codes := make([]int64, 300)
	for i := range codes {
		codes[i] = int64(i%256) - 128
	}
	in := []*tensor.Tensor{tensor.FromInts(dtype.Int8, codes, 3, 100), tensor.Scalar(int8(99))}
	want, err := q.Eval(op.Of(in...))
	if err != nil {
		t.Fatal(err)
	}
	g, ins := single(optest.Case{Op: q, In: in, Want: []*tensor.Tensor{want[0].Tensor}}, func(i int) bool { return i > 0 })
	g.Arithmetic = ir.TFLite
	p, err := runtime.Compile(g, runtime.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), ins)
	if err != nil {
		t.Fatal(err)
	}
	if !tensor.Equal(out[g.Outputs[0].Name], want[0].Tensor) || len(p.Reference()) > 0 {
		t.Errorf("results differ, or run without a kernel: %v", p.Reference())
	}
}

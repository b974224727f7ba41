package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fixedCase is an operator in TensorFlow Lite's arithmetic.
type fixedCase struct {
	quantizedCase
	y affine.Params // zero: chosen from the results
	// most is how many steps beyond rounding the fixed point may be away from
	// real numbers: what its tables and its exponential leave.
	most float64
}

func fixedCases(rng *rand.Rand) []fixedCase {
	var out []fixedCase
	for _, typ := range []dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int16} {
		x := func() affine.Params {
			p := randomParams(rng, typ, 1, 0)
			if typ == dtype.Int16 {
				p.ZeroPoint, p.Scale[0] = []int64{0}, p.Scale[0]/256
			}
			return p
		}
		add := func(name string, o op.Op, most float64, y affine.Params, params []affine.Params, in ...*tensor.Tensor) {
			out = append(out, fixedCase{quantizedCase{fmt.Sprintf("%s/%v", name, typ), o, in, params}, y, most})
		}
		product := func(name string, o op.Op, xs, ws []int, axis int) {
			a := x()
			w := affine.PerTensor(dtype.Uint8, 0.02, 120)
			if typ != dtype.Uint8 {
				w = randomParams(rng, dtype.Int8, ws[axis], axis)
				clear(w.ZeroPoint)
			}
			n := ws[axis]
			if axis == 1 {
				n = ws[1]
			}
			b := make([]int64, n)
			for i := range b {
				b[i] = rng.Int64N(4000) - 2000
			}
			bias := dtype.Int32
			if typ == dtype.Int16 {
				bias = dtype.Int64
			}
			pb := affine.BiasParams(a.Scale[0], w, 1)
			pb.Type = bias
			pb.Axis = 0
			if len(pb.Scale) == 1 {
				pb.Axis = affine.PerTensorAxis
			}
			wide := 0.01
			if typ == dtype.Int16 {
				wide = 0.5 // the factor has 15 bits
			}
			add(name, o, wide, affine.Params{}, []affine.Params{a, w, pb}, randomInts(rng, typ, xs...), randomInts(rng, w.Type, ws...), tensor.FromInts(bias, b, n))
		}
		conv := op.New[op.Conv]()
		conv.Layout, conv.Pads, conv.Strides = op.ChannelsLast, []int{1, 0, 0, 1}, []int{2, 1}
		product("Conv", conv, []int{2, 6, 5, 4}, []int{6, 4, 3, 3}, 0)
		depthwise := op.New[op.Conv]()
		depthwise.Layout, depthwise.Group = op.ChannelsLast, 4
		product("Conv_depthwise", depthwise, []int{1, 6, 5, 4}, []int{8, 1, 3, 3}, 0)
		turned := op.New[op.ConvTranspose]()
		turned.Layout, turned.Strides = op.ChannelsLast, []int{2, 2}
		product("ConvTranspose", turned, []int{2, 3, 4, 5}, []int{5, 6, 3, 3}, 1)
		gemm := op.New[op.Gemm]()
		gemm.TransB = true
		product("Gemm", gemm, []int{3, 70}, []int{5, 70}, 0)
		add("MatMul", op.New[op.MatMul](), 0.5, affine.Params{}, []affine.Params{x(), x()}, randomInts(rng, typ, 2, 3, 7), randomInts(rng, typ, 2, 7, 5))
		for name, o := range map[string]op.Op{"Add": op.New[op.Add](), "Sub": op.New[op.Sub](), "Mul": op.New[op.Mul]()} {
			add(name, o, 0.26, affine.Params{}, []affine.Params{x(), x()}, randomInts(rng, typ, 2, 3, 4), randomInts(rng, typ, 3, 1))
		}
		leaky := op.New[op.LeakyRelu]()
		leaky.Alpha = 0.2
		for name, o := range map[string]op.Op{"Identity": op.New[op.Identity](), "LeakyRelu": leaky} {
			add(name, o, 0.26, affine.Params{}, []affine.Params{x()}, randomInts(rng, typ, 5, 40)) // it rounds twice
		}
		for name, o := range map[string]op.Op{"ReduceMean": op.New[op.ReduceMean](), "ReduceSum": op.New[op.ReduceSum]()} {
			add(name, o, 0.26, affine.Params{}, []affine.Params{x(), {}}, randomInts(rng, typ, 2, 5, 6, 3), tensor.FromSlice([]int64{1, 2}, 2))
		}
		pool := op.New[op.AveragePool]()
		pool.KernelShape, pool.Pads, pool.Layout = []int{3, 2}, []int{1, 0, 1, 1}, op.ChannelsLast
		p := x()
		add("AveragePool", pool, 0.001, p, []affine.Params{p}, randomInts(rng, typ, 2, 5, 4, 3))
		if typ != dtype.Int16 {
			lo, _ := typ.Range()
			sig, tanh := affine.PerTensor(typ, 1.0/256, lo), affine.PerTensor(typ, 1.0/128, lo+128)
			add("Sigmoid", op.New[op.Sigmoid](), 0.001, sig, []affine.Params{x()}, randomInts(rng, typ, 300))
			add("Tanh", op.New[op.Tanh](), 0.001, tanh, []affine.Params{x()}, randomInts(rng, typ, 300))
			add("Softmax", op.New[op.Softmax](), 0.5, sig, []affine.Params{x()}, randomInts(rng, typ, 7, 40))
			add("HardSwish", op.New[op.HardSwish](), 0.8, affine.Params{}, []affine.Params{x()}, randomInts(rng, typ, 300))
			add("Gelu", op.New[op.Gelu](), 0.001, affine.Params{}, []affine.Params{x()}, randomInts(rng, typ, 300))
			add("PRelu", op.New[op.PRelu](), 0.26, affine.Params{}, []affine.Params{x(), x()}, randomInts(rng, typ, 2, 3, 4), randomInts(rng, typ, 3, 1))
			add("Concat", func() op.Op { c := op.New[op.Concat](); c.Axis = 1; return c }(), 0.01, affine.Params{}, []affine.Params{x(), x()}, randomInts(rng, typ, 3, 4), randomInts(rng, typ, 3, 5))
		} else {
			unit := affine.PerTensor(typ, 1.0/32768, 0)
			for i, s := range []float32{1.0 / 4096, 1.0 / 2048, 0.00031, 0.0011} {
				in := affine.PerTensor(typ, s, 0)
				add(fmt.Sprint("Sigmoid", i), op.New[op.Sigmoid](), 6, unit, []affine.Params{in}, randomInts(rng, typ, 3000))
				add(fmt.Sprint("Tanh", i), op.New[op.Tanh](), 12, unit, []affine.Params{in}, randomInts(rng, typ, 3000))
				add(fmt.Sprint("Softmax", i), op.New[op.Softmax](), 60, unit, []affine.Params{in}, randomInts(rng, typ, 7, 30))
			}
		}
	}
	return out
}

// TestWideSlopesAreReal: PRELU of int16 is one of floats between two
// conversions, as LiteRT has no kernel for it.
func TestWideSlopesAreReal(t *testing.T) {
	for _, typ := range []dtype.Type{dtype.Int8, dtype.Int16} {
		p := affine.PerTensor(typ, 0.5, 0)
		q := &op.Quantized{Inner: op.New[op.PRelu](), In: []affine.Params{p, p}, Out: []affine.Params{p}}
		if got, want := q.FixedPoint(), typ == dtype.Int8; got != want {
			t.Errorf("%v: the arithmetic is fixed: %v, want %v", typ, got, want)
		}
	}
}

// TestFixedIsTheOperatorOnRealNumbers compares TensorFlow Lite's arithmetic with
// real numbers: it may miss the nearest integer by what its steps leave, and by
// no more. The values it has to the bit are compared in the tests on its files.
func TestFixedIsTheOperatorOnRealNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range fixedCases(rng) {
		t.Run(c.name, func(t *testing.T) {
			want := c.real(t)
			lo, hi := slices.Min(want), slices.Max(want)
			y := c.y
			if !y.Present() {
				typ := c.in[0].Type()
				scale, zero := affine.ChooseParams(float64(lo)*0.8, float64(hi)*0.8, affine.Scheme{Type: typ, Symmetric: typ == dtype.Int16})
				y = affine.PerTensor(typ, scale, zero)
			}
			limits := []*op.Interval{nil, {Lo: float64(lo) * 0.5, Hi: math.Inf(1)}}
			if c.inner.Name() == "Softmax" || c.inner.Name() == "Concat" {
				limits = limits[:1]
			}
			for _, iv := range limits {
				q := &op.Quantized{Inner: c.inner, In: c.p, Out: []affine.Params{y}, Clamp: iv, Fixed: true, Round: affine.RoundHalfAway}
				if !q.FixedPoint() {
					t.Fatal("has no fixed point")
				}
				out, err := q.Eval(op.Of(c.in...))
				if err != nil {
					t.Fatal(err)
				}
				got, _ := tensor.Ints(out[0].Tensor)
				least, most := y.Type.Range()
				if iv != nil {
					least, most = y.FixedBounds(iv.Lo, iv.Hi)
				}
				worst := 0.0
				for i, v := range want {
					exact := min(max(float64(v)/float64(y.Scale[0])+float64(y.Zero(0)), float64(least)), float64(most))
					worst = max(worst, math.Abs(float64(got[i])-exact))
				}
				if worst > 0.5+c.most {
					t.Errorf("clamp %v: %.3f steps from the real result, want at most %.3f", iv, worst, 0.5+c.most)
				}
			}
		})
	}
}

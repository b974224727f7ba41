package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// nearTie is how far, in steps of the result, float32 sums of real numbers may
// carry a value: beyond it integer and real execution agree.
const nearTie = 1e-3

func randomInts(rng *rand.Rand, typ dtype.Type, shape ...int) *tensor.Tensor {
	lo, hi := typ.Range()
	n, _ := tensor.Count(shape)
	v := make([]int64, n)
	for i := range v {
		v[i] = lo + rng.Int64N(hi-lo+1)
	}
	return tensor.FromInts(typ, v, shape...)
}

func randomParams(rng *rand.Rand, typ dtype.Type, channels, axis int) affine.Params {
	lo, hi := typ.Range()
	p := affine.Params{Type: typ, Axis: affine.PerTensorAxis}
	if channels > 1 {
		p.Axis = axis
	}
	for range channels {
		p.Scale = append(p.Scale, 0.01+0.04*rng.Float32())
		p.ZeroPoint = append(p.ZeroPoint, lo+rng.Int64N(hi-lo+1))
	}
	return p
}

// quantizedCase is an operator whose integer execution is compared with real
// arithmetic.
type quantizedCase struct {
	name  string
	inner op.Op
	in    []*tensor.Tensor
	p     []affine.Params
}

func quantizedCases(rng *rand.Rand) []quantizedCase {
	var out []quantizedCase
	for _, x := range []dtype.Type{dtype.Uint8, dtype.Int8} {
		for _, w := range []dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int4} {
			add := func(name string, o op.Op, xs, ws []int, channels, axis int, bias bool) {
				c := quantizedCase{name: fmt.Sprintf("%s/%v_%v", name, x, w), inner: o,
					in: []*tensor.Tensor{randomInts(rng, x, xs...), randomInts(rng, w, ws...)},
					p:  []affine.Params{randomParams(rng, x, 1, 0), randomParams(rng, w, channels, axis)}}
				if bias {
					n := ws[axis]
					b := make([]int32, n)
					for i := range b {
						b[i] = rng.Int32N(4000) - 2000
					}
					c.in = append(c.in, tensor.FromSlice(b, n))
					c.p = append(c.p, affine.BiasParams(c.p[0].Scale[0], c.p[1], 1))
				}
				out = append(out, c)
			}
			conv := func(set func(*op.Conv)) *op.Conv {
				o := op.New[op.Conv]()
				set(o)
				return o
			}
			add("Conv", conv(func(o *op.Conv) { o.Pads, o.Strides = []int{1, 1, 1, 1}, []int{2, 1} }), []int{2, 4, 6, 5}, []int{6, 4, 3, 3}, 6, 0, true)
			add("Conv_last", conv(func(o *op.Conv) { o.Layout, o.Pads = op.ChannelsLast, []int{1, 0, 0, 1} }), []int{2, 6, 5, 4}, []int{6, 4, 3, 3}, 6, 0, true)
			add("Conv_groups", conv(func(o *op.Conv) { o.Group, o.Dilations = 4, []int{2} }), []int{1, 4, 9}, []int{8, 1, 3}, 1, 0, false)
			add("MatMul", op.New[op.MatMul](), []int{2, 3, 7}, []int{7, 5}, 5, 1, false)
			add("MatMul_vector", op.New[op.MatMul](), []int{7}, []int{7}, 1, 0, false)
			add("MatMul_stack", op.New[op.MatMul](), []int{2, 1, 3, 7}, []int{4, 7, 5}, 1, 0, false)
			gemm := op.New[op.Gemm]()
			gemm.TransB = true
			add("Gemm", gemm, []int{3, 7}, []int{5, 7}, 5, 0, true)
		}
		pool := op.New[op.AveragePool]()
		pool.KernelShape, pool.Pads = []int{3, 2}, []int{1, 0, 1, 1}
		last := op.New[op.AveragePool]()
		last.KernelShape, last.Pads, last.Layout, last.CountIncludePad = []int{3, 2}, []int{1, 0, 1, 1}, op.ChannelsLast, true
		for name, o := range map[string]op.Op{"AveragePool": pool, "AveragePool_last": last, "GlobalAveragePool": op.New[op.GlobalAveragePool]()} {
			out = append(out, quantizedCase{fmt.Sprintf("%s/%v", name, x), o, []*tensor.Tensor{randomInts(rng, x, 2, 3, 5, 4)}, []affine.Params{randomParams(rng, x, 1, 0)}})
		}
		for name, o := range map[string]op.Op{"Add": op.New[op.Add](), "Mul": op.New[op.Mul](), "Sub": op.New[op.Sub](), "Concat": func() op.Op { c := op.New[op.Concat](); c.Axis = 1; return c }()} {
			b := []int{3, 1}
			if name == "Concat" {
				b = []int{2, 4, 4}
			}
			out = append(out, quantizedCase{fmt.Sprintf("%s/%v", name, x), o,
				[]*tensor.Tensor{randomInts(rng, x, 2, 3, 4), randomInts(rng, x, b...)},
				[]affine.Params{randomParams(rng, x, 1, 0), randomParams(rng, x, 1, 0)}})
		}
		for name, o := range map[string]op.Op{"Relu": op.New[op.Relu](), "Sigmoid": op.New[op.Sigmoid](), "HardSwish": op.New[op.HardSwish](), "Softmax": op.New[op.Softmax]()} {
			out = append(out, quantizedCase{fmt.Sprintf("%s/%v", name, x), o, []*tensor.Tensor{randomInts(rng, x, 3, 40)}, []affine.Params{randomParams(rng, x, 1, 0)}})
		}
	}
	return out
}

// real evaluates the operator on dequantized operands.
func (c quantizedCase) real(t *testing.T) []float32 {
	t.Helper()
	in := make([]op.Datum, len(c.in))
	for i, q := range c.in {
		if !c.p[i].Present() {
			in[i].Tensor = q
			continue
		}
		x, err := affine.Dequantize(q, c.p[i], dtype.Float32)
		if err != nil {
			t.Fatal(err)
		}
		in[i].Tensor = x
	}
	out, err := c.inner.(op.Evaluator).Eval(in)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float32](out[0].Tensor)
}

// TestQuantizedIsTheOperatorOnRealNumbers compares integer execution with
// dequantize, operator, quantize: equal wherever the real result is not close
// to half-way between two integers.
func TestQuantizedIsTheOperatorOnRealNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range quantizedCases(rng) {
		t.Run(c.name, func(t *testing.T) {
			want := c.real(t)
			lo, hi := slices.Min(want), slices.Max(want)
			// Narrower than the results, so that some are clamped.
			scale, zero := affine.ChooseParams(float64(lo)*0.8, float64(hi)*0.8, affine.Scheme{Type: dtype.Int8})
			y := affine.PerTensor(dtype.Int8, scale, zero)
			clamp := &op.Interval{Lo: float64(lo) * 0.5, Hi: math.Inf(1)}
			for _, iv := range []*op.Interval{nil, clamp} {
				q := &op.Quantized{Inner: c.inner, In: c.p, Out: []affine.Params{y}, Clamp: iv}
				out, err := q.Eval(op.Of(c.in...))
				if err != nil {
					t.Fatal(err)
				}
				got := tensor.Data[int8](out[0].Tensor)
				for i, v := range want {
					if iv != nil {
						v = max(v, float32(iv.Lo))
					}
					exact := float64(v)/float64(scale) + float64(zero)
					if d := math.Abs(math.Max(-128, math.Min(127, exact)) - float64(got[i])); d > 0.5+nearTie {
						t.Fatalf("element %d: got %d, want %v", i, got[i], exact)
					}
				}
			}
			q := &op.Quantized{Inner: c.inner, In: c.p}
			out, err := q.Eval(op.Of(c.in...))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range tensor.Data[float32](out[0].Tensor) {
				if d := math.Abs(float64(v - want[i])); d > 1e-5*float64(max(hi, -lo)) {
					t.Fatalf("float result, element %d: got %v, want %v", i, v, want[i])
				}
			}
			facts := make([]op.Fact, len(c.in))
			for i, x := range c.in {
				facts[i] = op.TensorFact(x.Type(), op.Known(x.Shape()...))
			}
			inferred, err := (&op.Quantized{Inner: c.inner, In: c.p, Out: []affine.Params{y}}).Infer(facts, 1)
			if err != nil || inferred[0].Type != dtype.Int8 {
				t.Fatalf("inferred %v, %v", inferred, err)
			}
			if _, err := op.Merge(inferred[0].Shape, op.Known(out[0].Tensor.Shape()...)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestQuantizedLayoutsAgree runs one convolution in both layouts.
func TestQuantizedLayoutsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x, w := randomInts(rng, dtype.Uint8, 2, 3, 6, 5), randomInts(rng, dtype.Int8, 4, 3, 3, 2)
	in := []affine.Params{randomParams(rng, dtype.Uint8, 1, 0), randomParams(rng, dtype.Int8, 4, 0)}
	out := []affine.Params{affine.PerTensor(dtype.Uint8, 2, 100)}
	first := op.New[op.Conv]()
	first.Pads = []int{1, 2, 0, 1}
	last := *first
	last.Layout = op.ChannelsLast
	a, err := (&op.Quantized{Inner: first, In: in, Out: out}).Eval(op.Of(x, w))
	if err != nil {
		t.Fatal(err)
	}
	b, err := (&op.Quantized{Inner: &last, In: in, Out: out}).Eval(op.Of(tensor.Permute(x, []int{0, 2, 3, 1}), w))
	if err != nil {
		t.Fatal(err)
	}
	if !tensor.Equal(a[0].Tensor, tensor.Permute(b[0].Tensor, []int{0, 3, 1, 2})) {
		t.Error("channels last differs")
	}
}

// TestTableIsTheOperator compares the table with the operator on real numbers,
// to the bit.
func TestTableIsTheOperator(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, o := range []op.Op{op.New[op.Sigmoid](), op.New[op.Tanh](), op.New[op.HardSwish](), op.New[op.Gelu](), op.New[op.Relu]()} {
		for _, typ := range []dtype.Type{dtype.Uint8, dtype.Int8} {
			x, y := randomParams(rng, typ, 1, 0), randomParams(rng, typ, 1, 0)
			q := &op.Quantized{Inner: o, In: []affine.Params{x}, Out: []affine.Params{y}}
			table, ok, err := q.Table()
			if err != nil || !ok {
				t.Fatalf("%s: no table, %v", o.Name(), err)
			}
			lo, hi := typ.Range()
			for v := lo; v <= hi; v++ {
				in := tensor.FromInts(typ, []int64{v}, 1)
				f, err := affine.Dequantize(in, x, dtype.Float32)
				if err != nil {
					t.Fatal(err)
				}
				r, err := o.(op.Evaluator).Eval(op.Of(f))
				if err != nil {
					t.Fatal(err)
				}
				want, err := affine.Quantize(r[0].Tensor, y, affine.RoundHalfEven)
				if err != nil {
					t.Fatal(err)
				}
				if got := table[byte(v)]; got != want.Bytes()[0] {
					t.Errorf("%s of %d: got %d, want %d", o.Name(), v, got, want.Bytes()[0])
				}
			}
		}
	}
	if _, ok, _ := (&op.Quantized{Inner: op.New[op.Softmax](), In: []affine.Params{affine.PerTensor(dtype.Int8, 1, 0)}, Out: []affine.Params{affine.PerTensor(dtype.Int8, 1, 0)}}).Table(); ok {
		t.Error("Softmax has a table")
	}
}

// TestQuantizedBias: a bias of other units, and a float one, count for what
// they are.
func TestQuantizedBias(t *testing.T) {
	x, w := tensor.FromSlice([]uint8{3}, 1, 1), tensor.FromSlice([]int8{5}, 1, 1)
	in := []affine.Params{affine.PerTensor(dtype.Uint8, 0.5, 1), affine.PerTensor(dtype.Int8, 0.5, 0)}
	y := affine.PerTensor(dtype.Int8, 0.25, 0)
	for _, c := range []struct {
		name string
		bias *tensor.Tensor
		p    affine.Params
		out  affine.Params
		want float64
	}{
		{"own units", tensor.FromSlice([]int32{4}, 1), affine.PerTensor(dtype.Int32, 0.25, 0), y, 14},
		{"other units", tensor.FromSlice([]int32{4}, 1), affine.PerTensor(dtype.Int32, 0.5, 0), y, 18},
		{"matrix", tensor.FromSlice([]int32{4}, 1, 1), affine.PerTensor(dtype.Int32, 0.5, 0), y, 18},
		{"float", tensor.FromSlice([]float32{1.1}, 1), affine.Params{}, y, 14},
		{"float to float", tensor.FromSlice([]float32{1.125}, 1), affine.Params{}, affine.Params{}, 3.625},
	} {
		q := &op.Quantized{Inner: op.New[op.Gemm](), In: append(slices.Clone(in), c.p), Out: []affine.Params{c.out}}
		out, err := q.Eval(op.Of(x, w, c.bias))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		f, err := op.Convert(out[0].Tensor, dtype.Float64)
		if err != nil {
			t.Fatal(err)
		}
		if got := tensor.Data[float64](f)[0]; got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestQuantizedOperatorsRefuse feeds the operators of this family what does not
// fit; they must say so and not panic.
func TestQuantizedOperatorsRefuse(t *testing.T) {
	u := tensor.FromSlice([]uint8{1, 2}, 1, 2)
	s, two := tensor.Scalar[float32](1), tensor.FromSlice([]float32{1, 2, 3}, 3)
	z := tensor.Scalar[uint8](0)
	for _, c := range []struct {
		o    op.Op
		in   []*tensor.Tensor
		want string
	}{
		{op.New[op.QuantizeLinear](), []*tensor.Tensor{u, s}, "element type uint8"},
		{op.New[op.QuantizeLinear](), []*tensor.Tensor{two, two}, "axis 1"},
		{op.New[op.DequantizeLinear](), []*tensor.Tensor{u, two}, "scale of shape [3]"},
		{op.New[op.DequantizeLinear](), []*tensor.Tensor{u, s, tensor.Scalar[int8](0)}, "zero point of type int8"},
		{op.New[op.DequantizeLinear](), []*tensor.Tensor{u}, "inputs"},
		{op.New[op.QLinearMatMul](), []*tensor.Tensor{u, s, z, u, s, z, s, z}, "columns against"},
		{op.New[op.QLinearMatMul](), []*tensor.Tensor{u, nil, z, u, s, z, s, z}, "missing"},
		{op.New[op.QLinearAdd](), []*tensor.Tensor{u, s, z, tensor.Scalar[int8](1), s, nil, s}, "differ"},
		{op.New[op.QLinearConcat](), []*tensor.Tensor{s, z, u, s}, "inputs"},
		{op.New[op.QLinearConv](), []*tensor.Tensor{u, s, z, u, s, z, s, z}, "shape"},
		{op.New[op.MatMulNBits](), []*tensor.Tensor{s, u, s}, "block_size"},
		{op.New[op.DynamicQuantize](), []*tensor.Tensor{u}, "uint8"},
	} {
		_, err := c.o.(op.Evaluator).Eval(op.Of(c.in...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.o.Name(), err, c.want)
		}
	}
}

// TestQuantizedOperatorsNeverPanic runs the family's cases with one operand
// exchanged for a random one and one attribute changed.
func TestQuantizedOperatorsNeverPanic(t *testing.T) {
	cases := optest.QuantizedCases()
	types := []dtype.Type{dtype.Float32, dtype.Uint8, dtype.Int8, dtype.Float16, dtype.Int32, dtype.Int4, dtype.Bool, dtype.Float8E4M3FN, dtype.Int64}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(cases).Draw(t, "case")
		o, err := op.ByName(c.Op.Name())
		if err != nil {
			t.Fatal(err)
		}
		attrs := op.Attrs(c.Op)
		if n := len(attrs); n > 0 && rapid.Bool().Draw(t, "change") {
			a := &attrs[rapid.IntRange(0, n-1).Draw(t, "attribute")]
			switch a.Value.(type) {
			case int64:
				a.Value = int64(rapid.SampledFrom([]int{-2, -1, 0, 1, 2, 3, 16, 1 << 30}).Draw(t, "number"))
			case []int64:
				a.Value = []int64{int64(rapid.SampledFrom([]int{-2, -1, 0, 1, 2, 3, 16, 1 << 30}).Draw(t, "number"))}
			}
		}
		if _, err := op.SetAttrs(o, attrs); err != nil {
			return // no such element type or enumeration
		}
		in := op.Of(c.In...)
		i := rapid.IntRange(0, len(in)-1).Draw(t, "operand")
		shape := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(t, "shape")
		typ := rapid.SampledFrom(types).Draw(t, "type")
		switch old := in[i].Tensor; rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			in[i].Tensor = nil
		case 1: // another type
			if old != nil {
				in[i].Tensor = tensor.New(typ, old.Shape()...)
			}
		case 2: // another shape
			if old != nil {
				in[i].Tensor = tensor.New(old.Type(), shape...)
			}
		case 3:
			in[i].Tensor = tensor.New(typ, shape...)
		case 4:
			in = in[:i]
		}
		// A wrong operand is an error; only a panic fails.
		out, err := o.(op.Evaluator).Eval(in)
		if err == nil && (len(out) == 0 || out[0].Tensor == nil) {
			t.Fatal("neither a result nor an error")
		}
	})
}

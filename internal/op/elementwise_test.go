package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// sweep covers the floats in both directions, with the numbers that are
// special.
func sweep() *tensor.Tensor {
	x := []float32{0, float32(math.Copysign(0, -1)), 1, -1, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32,
		float32(math.Inf(1)), float32(math.Inf(-1))}
	for v := float32(1e-6); v < 1e4; v *= 1.05 {
		x = append(x, v, -v)
	}
	return tensor.FromSlice(x, len(x))
}

func eval(t *testing.T, o op.Op, in ...*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	out, err := o.(op.Evaluator).Eval(op.Of(in...))
	if err != nil {
		t.Fatalf("%s: %v", o.Name(), err)
	}
	return out[0].Tensor
}

// TestFactsHold: what Quantization says of an operator of one operand is so.
func TestFactsHold(t *testing.T) {
	seen := 0
	for _, e := range op.Table() {
		q, ok := e.New().(op.Quantizable)
		if !ok || slices.Contains(neuralOps, e.Name) {
			continue
		}
		f := q.Quantization()
		if f.Range == nil && f.Clamp == nil && !f.Elementwise {
			continue
		}
		x := sweep()
		y := eval(t, q, x)
		seen++
		src, dst := tensor.Data[float32](x), tensor.Data[float32](y)
		for i, v := range dst {
			if r := f.Range; r != nil && !math.IsNaN(float64(v)) && (float64(v) < r.Lo || float64(v) > r.Hi) {
				t.Errorf("%s: %v gives %v, outside [%v, %v]", e.Name, src[i], v, r.Lo, r.Hi)
			}
			if c := f.Clamp; c != nil && float64(v) != min(max(float64(src[i]), c.Lo), c.Hi) {
				t.Errorf("%s: %v gives %v", e.Name, src[i], v)
			}
		}
		if !f.Elementwise {
			continue
		}
		back := slices.Clone(src)
		slices.Reverse(back)
		rev := slices.Clone(tensor.Data[float32](eval(t, q, tensor.FromSlice(back, len(back)))))
		slices.Reverse(rev)
		if err := optest.Compare(tensor.FromSlice(rev, len(rev)), y, 0); err != nil {
			t.Errorf("%s depends on other elements: %v", e.Name, err)
		}
	}
	if seen < 15 {
		t.Errorf("only %d operators have facts", seen)
	}
}

// TestUnaryFuncIsEval: the function that fusion uses gives the bits of Eval.
func TestUnaryFuncIsEval(t *testing.T) {
	seen := 0
	for _, e := range op.Table() {
		fn, ok := op.UnaryFunc(e.New())
		if !ok {
			continue
		}
		seen++
		x := sweep()
		want := tensor.New(dtype.Float32, x.Len())
		for i, v := range tensor.Data[float32](x) {
			tensor.Data[float32](want)[i] = fn(v)
		}
		if err := optest.Compare(eval(t, e.New(), x), want, 0); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
	if seen < 10 {
		t.Errorf("only %d operators have a function", seen)
	}
	if _, ok := op.UnaryFunc(&op.Add{}); ok {
		t.Error("Add has two operands")
	}
}

// TestConvertKeepsSmallNumbers: 1 and 2 (or 1 alone, where there is no 2) come
// through every pair of types.
func TestConvertKeepsSmallNumbers(t *testing.T) {
	numeric := slices.DeleteFunc(dtype.All(), func(t dtype.Type) bool { return !t.IsFloat() && !t.IsInteger() && t != dtype.Bool })
	for _, from := range numeric {
		for _, to := range numeric {
			start := tensor.FromSlice([]float64{1, 2, 1}, 3)
			if slices.ContainsFunc([]dtype.Type{from, to}, func(t dtype.Type) bool { return t == dtype.Bool || t == dtype.Int2 }) {
				start = tensor.FromSlice([]float64{1, 1, 1}, 3)
			}
			x := start
			var err error
			for _, typ := range []dtype.Type{from, to, dtype.Float64} {
				if x, err = op.Convert(x, typ); err != nil {
					t.Fatalf("%v to %v: %v", from, to, err)
				}
				if x.Type() != typ {
					t.Fatalf("got %v, want %v", x.Type(), typ)
				}
			}
			if !tensor.Equal(x, start) {
				t.Errorf("%v to %v: got %v", from, to, tensor.Data[float64](x))
			}
		}
	}
	for _, to := range []dtype.Type{dtype.String, dtype.Complex64, dtype.Invalid, 200} {
		if _, err := op.Convert(tensor.Scalar[float32](1), to); err == nil {
			t.Errorf("converts to %v", to)
		}
	}
	word, err := tensor.FromStrings([]string{"1"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Convert(word, dtype.Float32); err == nil {
		t.Error("converts a string")
	}
}

// TestIntegersRoundOnce: every integer goes to the nearest float32, as Go's
// own conversion does.
func TestIntegersRoundOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	ints, words := make([]int64, 4000), make([]uint64, 4000)
	for i := range ints {
		words[i] = rng.Uint64() >> rng.IntN(12) &^ (1<<rng.IntN(41) - 1)
		words[i] += uint64(rng.IntN(3))
		ints[i] = int64(words[i])
	}
	signed := tensor.Data[float32](mustConvert(t, tensor.FromSlice(ints, len(ints)), dtype.Float32))
	unsigned := tensor.Data[float32](mustConvert(t, tensor.FromSlice(words, len(words)), dtype.Float32))
	for i := range ints {
		if signed[i] != float32(ints[i]) || unsigned[i] != float32(words[i]) {
			t.Fatalf("%d gives %v, %d gives %v", ints[i], signed[i], words[i], unsigned[i])
		}
	}
}

func mustConvert(t *testing.T, x *tensor.Tensor, to dtype.Type) *tensor.Tensor {
	t.Helper()
	y, err := op.Convert(x, to)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// TestSignsOfZero: −0 is less than +0, which comparing with == does not show.
func TestSignsOfZero(t *testing.T) {
	plus, minus := tensor.Scalar[float32](0), tensor.Scalar(float32(math.Copysign(0, -1)))
	for _, c := range []struct {
		name     string
		op       op.Op
		in       []*tensor.Tensor
		negative bool
	}{
		{"Abs", &op.Abs{}, []*tensor.Tensor{minus}, false},
		{"Neg", &op.Neg{}, []*tensor.Tensor{plus}, true},
		{"Relu", &op.Relu{}, []*tensor.Tensor{minus}, false},
		{"Max", &op.Max{}, []*tensor.Tensor{minus, plus}, false},
		{"Min", &op.Min{}, []*tensor.Tensor{plus, minus}, true},
		{"Clip", &op.Clip{}, []*tensor.Tensor{minus, plus}, false},
		{"Ceil", &op.Ceil{}, []*tensor.Tensor{tensor.Scalar[float32](-0.5)}, true},
		{"Sqrt", &op.Sqrt{}, []*tensor.Tensor{minus}, true},
	} {
		y := tensor.Data[float32](eval(t, c.op, c.in...))[0]
		if y != 0 || math.Signbit(float64(y)) != c.negative {
			t.Errorf("%s: got %v, want a zero that is negative: %v", c.name, y, c.negative)
		}
	}
}

// TestEvalLeavesItsInputsAlone: inputs are shared, and constants.
func TestEvalLeavesItsInputsAlone(t *testing.T) {
	for _, c := range optest.ElementwiseCases() {
		before := make([]*tensor.Tensor, len(c.In))
		for i, x := range c.In {
			if x != nil {
				before[i] = x.Clone()
			}
		}
		if _, err := c.Op.(op.Evaluator).Eval(op.Of(c.In...)); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		for i, x := range c.In {
			if x != nil && !tensor.Equal(x, before[i]) {
				t.Errorf("%s: input %d was written to", c.Name, i)
			}
		}
	}
}

// TestStrangeElementwise: whatever the attributes and inputs, there is a result
// that agrees with what was inferred, or an error, and no panic.
func TestStrangeElementwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	types := slices.DeleteFunc(dtype.All(), func(t dtype.Type) bool { return t == dtype.String || t.Class() == dtype.Complex })
	word, err := tensor.FromStrings([]string{"a"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	cases, worked := optest.ElementwiseCases(), map[string]int{}
	for i := range 60000 {
		c := cases[i%len(cases)]
		o := reflect.New(reflect.TypeOf(c.Op).Elem())
		o.Elem().Set(reflect.ValueOf(c.Op).Elem())
		e := o.Interface().(op.Evaluator)
		strange(rng, e)
		in := slices.Clone(c.In)
		switch rng.IntN(12) {
		case 0:
			in = in[:len(in)-1]
		case 1:
			in = append(in, in[0])
		}
		facts, vague := make([]op.Fact, len(in)), make([]op.Fact, len(in))
		for k := range in {
			switch rng.IntN(20) {
			case 0:
				in[k] = nil
			case 1:
				in[k] = word
			case 2, 3:
				if in[k] != nil {
					if y, err := op.Convert(in[k], types[rng.IntN(len(types))]); err == nil {
						in[k] = y
					}
				}
			case 4, 5, 6:
				if in[k] != nil {
					in[k] = strangeTensor(rng, in[k].Shape(), in[k].Type())
				}
			}
			if in[k] != nil {
				facts[k] = op.ConstFact(in[k])
				vague[k] = op.TensorFact(in[k].Type(), blur(rng, facts[k].Shape))
			}
		}
		if checkStrange(t, fmt.Sprintf("%+v of %s on %v", e, c.Name, in), e, 1, facts, vague, in) {
			worked[e.Name()]++
		}
	}
	for _, c := range cases {
		if worked[c.Op.Name()] < 20 {
			t.Errorf("%s had sensible inputs %d times only", c.Op.Name(), worked[c.Op.Name()])
		}
	}
}

// checkStrange reports whether o, asked for outs outputs, runs. Whether it does
// or not, there is no panic, what Infer says agrees with what Eval does, and
// knowing less makes nothing wrong.
func checkStrange(t *testing.T, what string, o op.Evaluator, outs int, facts, vague []op.Fact, in []*tensor.Tensor) bool {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s: panic: %v", what, p)
		}
	}()
	known, err := o.Infer(facts, outs)
	guess, vagueErr := o.Infer(vague, outs)
	if err == nil && vagueErr != nil {
		t.Fatalf("%s: %v only where less is known: %v", what, vague, vagueErr)
	}
	out, evalErr := o.Eval(op.Of(in...))
	if err != nil && evalErr == nil {
		t.Fatalf("%s: runs, but Infer says %v", what, err)
	}
	if evalErr != nil {
		return false
	}
	for k, d := range out {
		got := d.Tensor
		if got == nil {
			if known[k].Present() {
				t.Fatalf("%s: output %d: inferred %v, got none", what, k, known[k])
			}
			continue
		}
		for _, f := range []op.Fact{known[k], guess[k]} {
			if f.Type != dtype.Invalid && f.Type != got.Type() {
				t.Fatalf("%s: output %d: inferred %v, got %v", what, k, f.Type, got)
			}
			if _, err := op.Merge(f.Shape, op.Known(got.Shape()...)); err != nil {
				t.Fatalf("%s: output %d: %v", what, k, err)
			}
		}
		vals, ok := tensor.Ints(got)
		for i, d := range known[k].Values {
			if n, number := d.Int(); ok && number && (len(known[k].Values) != len(vals) || int64(n) != vals[i]) {
				t.Fatalf("%s: output %d: inferred %v, got %v", what, k, known[k].Values, vals)
			}
		}
	}
	return true
}

// TestTooLargeIsAnError: small constants can ask for terabytes.
func TestTooLargeIsAnError(t *testing.T) {
	thin := tensor.Splat(dtype.Float32, []int{0, 1 << 31, 1 << 29}, make([]byte, 4))
	if out, err := op.New[op.ReduceSum]().Eval(op.Of(thin, tensor.FromSlice([]int64{0}, 1))); err == nil {
		t.Errorf("got %v", out)
	}
	column := tensor.Splat(dtype.Int8, []int{1 << 31, 1}, make([]byte, 1))
	line := tensor.Splat(dtype.Int8, []int{1 << 30}, make([]byte, 1))
	if out, err := (&op.Add{}).Eval(op.Of(column, line)); err == nil {
		t.Errorf("got %v", out)
	}
}

// TestFloat64StaysFloat64: results of float64 are nearer than float32 can tell.
func TestFloat64StaysFloat64(t *testing.T) {
	const x, y = 0.7, -1.3
	for _, c := range []struct {
		name string
		op   op.Op
		want float64
	}{
		{"Exp", &op.Exp{}, math.Exp(x)},
		{"Sigmoid", &op.Sigmoid{}, 1 / (1 + math.Exp(-x))},
		{"Tanh", &op.Tanh{}, math.Tanh(x)},
		{"Erf", &op.Erf{}, math.Erf(x)},
		{"Gelu", &op.Gelu{}, x / 2 * (1 + math.Erf(x/math.Sqrt2))},
		{"Gelu by tanh", &op.Gelu{Approximate: "tanh"}, x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))},
		{"Swish", &op.Swish{Alpha: 1}, x / (1 + math.Exp(-x))},
		{"Softmax", &op.Softmax{Axis: -1}, 1 / (1 + math.Exp(y-x))},
		{"LogSoftmax", &op.LogSoftmax{Axis: -1}, -math.Log1p(math.Exp(y - x))},
		{"ReduceLogSumExp", &op.ReduceLogSumExp{}, x + math.Log1p(math.Exp(y-x))},
	} {
		got := tensor.Data[float64](eval(t, c.op, tensor.FromSlice([]float64{x, y}, 2)))[0]
		if math.Abs(got-c.want) > 1e-10*math.Abs(c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

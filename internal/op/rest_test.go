package op_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestStrangeRest: whatever the attributes and inputs of the operators of
// signals, text and training, there is a result that agrees with what was
// inferred, or an error, and no panic.
func TestStrangeRest(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	cases, worked := optest.RestCases(), map[string]int{}
	for i := range 60000 {
		c := cases[i%len(cases)]
		o := reflect.New(reflect.TypeOf(c.Op).Elem())
		o.Elem().Set(reflect.ValueOf(c.Op).Elem())
		e := o.Interface().(op.Evaluator)
		if rng.IntN(2) == 0 {
			strange(rng, e)
		}
		in := slices.Clone(c.In)
		switch rng.IntN(12) {
		case 0:
			in = in[:max(len(in)-1, 0)]
		case 1:
			in = append(in, tensor.Scalar(1.0))
		}
		facts, vague := make([]op.Fact, len(in)), make([]op.Fact, len(in))
		for k := range in {
			if in[k] == nil || rng.IntN(20) == 0 {
				in[k] = nil
				continue
			}
			if rng.IntN(4) == 0 {
				in[k] = otherTensor(rng, in[k])
			}
			facts[k] = op.ConstFact(in[k])
			vague[k] = op.TensorFact(in[k].Type(), blur(rng, facts[k].Shape))
		}
		if large(e, facts) {
			continue // allowed, and slow
		}
		if checkStrange(t, fmt.Sprintf("%s: %+v on %v", c.Name, e, in), e, 3, facts, vague, in) {
			worked[e.Name()]++
		}
	}
	for _, c := range cases {
		if worked[c.Op.Name()] < 20 {
			t.Errorf("%s had sensible inputs %d times only", c.Op.Name(), worked[c.Op.Name()])
		}
	}
}

// otherTensor returns a tensor that resembles base, which may hold strings.
func otherTensor(rng *rand.Rand, base *tensor.Tensor) *tensor.Tensor {
	typ := base.Type()
	if typ != dtype.String {
		return strangeTensor(rng, base.Shape(), typ)
	}
	like := strangeTensor(rng, base.Shape(), dtype.Int8)
	words := make([]string, like.Len())
	for i := range words {
		words[i] = []string{"", "a", "monday", " a-b ", "1.5", "\xff"}[rng.IntN(6)]
	}
	out, err := tensor.FromStrings(words, like.Shape()...)
	if err != nil {
		panic(err)
	}
	return out
}

// large reports whether an output is known to have more than a million
// elements.
func large(o op.Op, facts []op.Fact) bool {
	out, err := o.Infer(facts, 3)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(out, func(f op.Fact) bool {
		n, ok := f.Shape.Count().Int()
		return ok && n > 1e6
	})
}

// TestRandomNumbersComeBack: a run starts at the seed again, and the seed
// matters.
func TestRandomNumbersComeBack(t *testing.T) {
	draw := func(seed float32) *tensor.Tensor {
		return eval(t, with(func(o *op.RandomNormal) { o.Shape, o.Seed = []int{700}, op.Some(seed) }))
	}
	if !tensor.Equal(draw(3), draw(3)) || tensor.Equal(draw(3), draw(4)) {
		t.Error("numbers do not follow the seed")
	}
	var sum, squares float64
	for _, v := range tensor.Data[float32](draw(3)) {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	if mean, square := sum/700, squares/700; mean*mean > 0.02 || square < 0.8 || square > 1.2 {
		t.Errorf("mean %g and mean square %g of normal numbers", mean, square)
	}
}

// TestTransformsComeBack: the inverse of a transform of any length is the
// signal, and the power of the spectrum is that of the signal.
func TestTransformsComeBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 5, 8, 12, 31, 64, 100, 127, 400, 1000} {
		x := make([]float64, 2*n)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		signal := tensor.FromSlice(x, n, 2)
		spectrum := eval(t, op.New[op.DFT](), signal)
		back := eval(t, with(func(o *op.DFT) { o.Inverse = true }), spectrum)
		if err := optest.Compare(back, signal, 1e-13); err != nil {
			t.Errorf("length %d: %v", n, err)
		}
		var power, of float64
		for i, v := range tensor.Data[float64](spectrum) {
			power, of = power+v*v/float64(n), of+x[i]*x[i]
		}
		if d := power/of - 1; d > 1e-13 || d < -1e-13 {
			t.Errorf("length %d: the power is off by %g", n, d)
		}
	}
}

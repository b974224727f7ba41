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

// neuralOps are the operators that TestStrangeInputs drives.
var neuralOps = []string{"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "Einsum", "GRU", "Gemm",
	"GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "GroupNormalization", "InstanceNormalization", "LRN", "LSTM",
	"Attention", "CausalConvWithState", "LayerNormalization", "LinearAttention", "LpNormalization", "LpPool", "MatMul", "MaxPool", "MaxUnpool", "MeanVarianceNormalization",
	"RMSNormalization", "RNN", "RoiAlign", "RotaryEmbedding", "SwiGLU"}

var strangeStrings = []string{"", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "reverse", "bidirectional", "forward",
	"avg", "max", "half_pixel", "ij,jk->ik", "...,...", "ii,i->", "i->j", "abc,cb", "...ij->...", "a...b...", "->", "ij,jk", "Relu", "Tanh"}

// strange sets the attributes of o to small, senseless or huge values.
func strange(rng *rand.Rand, o op.Op) {
	number := func() int { return []int{-1, 0, 1, 1, 1, 2, 2, 3, 4, 1 << 62}[rng.IntN(10)] }
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		if rng.IntN(6) > 0 {
			continue
		}
		f := v.Field(i)
		if f.Kind() == reflect.Struct {
			f.Field(1).SetBool(true)
			f = f.Field(0)
		}
		switch f.Kind() {
		case reflect.Int:
			f.SetInt(int64(number()))
		case reflect.Bool:
			f.SetBool(!f.Bool())
		case reflect.Float32:
			f.SetFloat(rng.NormFloat64())
		case reflect.Uint8:
			f.SetUint(uint64(rng.IntN(2)))
		case reflect.String:
			f.SetString(strangeStrings[rng.IntN(len(strangeStrings))])
		case reflect.Slice:
			switch f.Interface().(type) {
			case []int:
				s := make([]int, rng.IntN(5))
				for k := range s {
					s[k] = number()
				}
				f.Set(reflect.ValueOf(s))
			case []string:
				f.Set(reflect.ValueOf([]string{strangeStrings[rng.IntN(len(strangeStrings))], "Tanh", "Sigmoid"}))
			case []float32:
				f.Set(reflect.ValueOf([]float32{1}))
			}
		}
	}
}

// strangeTensor returns a tensor that resembles one of the given shape and type.
func strangeTensor(rng *rand.Rand, base []int, typ dtype.Type) *tensor.Tensor {
	shape := slices.Clone(base)
	switch rng.IntN(4) {
	case 0:
		shape = nil
		for range rng.IntN(6) {
			shape = append(shape, rng.IntN(4))
		}
	case 1:
		if len(shape) > 0 {
			shape = shape[rng.IntN(len(shape)):]
		}
	case 2:
		if len(shape) > 0 {
			shape[rng.IntN(len(shape))] = rng.IntN(4)
		}
	}
	if rng.IntN(4) == 0 {
		types := []dtype.Type{dtype.Float32, dtype.Float64, dtype.Float16, dtype.Int8, dtype.Int32, dtype.Int64, dtype.Bool}
		typ = types[rng.IntN(len(types))]
	}
	n, _ := tensor.Count(shape)
	vals := make([]int64, n)
	for i := range vals {
		vals[i] = int64(rng.IntN(9) - 2)
	}
	t := tensor.FromInts(dtype.Int64, vals, shape...)
	out, err := op.Convert(t, typ)
	if err != nil {
		return t
	}
	return out
}

// TestStrangeInputs: whatever the attributes and inputs, there is a result that
// agrees with what was inferred, or an error, and no panic.
func TestStrangeInputs(t *testing.T) { driveStrange(t, neuralOps, 40000, 100) }

// driveStrange does so for operators by name; each must have had sensible inputs
// in at least least of the rounds.
func driveStrange(t *testing.T, names []string, rounds, least int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 5))
	worked := map[string]int{}
	cases := slices.DeleteFunc(optest.All(), func(c optest.Case) bool { return !slices.Contains(names, c.Op.Name()) })
	for i := range rounds {
		c := cases[i%len(cases)]
		name := c.Op.Name()
		clone := reflect.New(reflect.TypeOf(c.Op).Elem())
		clone.Elem().Set(reflect.ValueOf(c.Op).Elem())
		o := clone.Interface().(op.Op)
		strange(rng, o)
		in := slices.Clone(c.In)
		switch rng.IntN(12) {
		case 0:
			in = in[:len(in)-1]
		case 1:
			in = append(in, in[0])
		}
		facts, vague := make([]op.Fact, len(in)), make([]op.Fact, len(in))
		for k := range in {
			if in[k] == nil || rng.IntN(20) == 0 {
				in[k] = nil
				continue
			}
			if rng.IntN(4) == 0 {
				in[k] = strangeTensor(rng, in[k].Shape(), in[k].Type())
			}
			facts[k] = op.ConstFact(in[k])
			vague[k] = op.TensorFact(in[k].Type(), blur(rng, facts[k].Shape))
		}
		if checkStrange(t, fmt.Sprintf("%s from %s: %+v on %v", name, c.Name, o, in), o.(op.Evaluator), 3, facts, vague, in) {
			worked[name]++
		}
	}
	for _, name := range names {
		if worked[name] < least {
			t.Errorf("%s had sensible inputs %d times only", name, worked[name])
		}
	}
}

// blur forgets some of a shape.
func blur(rng *rand.Rand, s op.Shape) op.Shape {
	if rng.IntN(4) == 0 {
		return nil
	}
	out := s.Clone()
	for i := range out {
		if rng.IntN(2) == 0 {
			out[i] = []op.Dim{op.Unknown, op.Sym(fmt.Sprintf("d%d", i))}[rng.IntN(2)]
		}
	}
	return out
}

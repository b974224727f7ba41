package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// training is the domain of ONNX's operators of training.
const training = "ai.onnx.preview.training"

// The optimizers take the learning rate, the number of updates so far (0 at
// first), and lists of equal length: the weights, their gradients, and the
// states of each. The outputs are the new weights and states, in that order.

// inferUpdate is Infer of an optimizer with the given number of states.
func inferUpdate(in []Fact, states int) ([]Fact, error) {
	if err := need(in, 2+2+states, -1); err != nil {
		return nil, err
	}
	n := (len(in) - 2) / (2 + states)
	if n*(2+states) != len(in)-2 {
		return nil, fmt.Errorf("got %d inputs, want 2 and %d for each weight", len(in), 2+states)
	}
	for i, f := range in[:2] {
		if k, ok := f.Shape.Count().Int(); ok && k != 1 {
			return nil, fmt.Errorf("input %d of shape %v, want one number", i, f.Shape)
		}
		if err := accept(isNumber, f); err != nil {
			return nil, err
		}
	}
	var out []Fact
	for i, f := range in[2:] {
		x := in[2+i%n]
		if !f.Present() {
			return nil, fmt.Errorf("input %d is missing", 2+i)
		}
		if _, err := Merge(x.Shape, f.Shape); err != nil {
			return nil, err
		}
		if typ, err := sameType(x, f); err != nil || typ != dtype.Invalid && typ != dtype.Float32 && typ != dtype.Float64 {
			return nil, fmt.Errorf("a weight of type %v with a gradient or state of type %v", x.Type, f.Type)
		}
		if i < n || i >= 2*n {
			out = append(out, TensorFact(x.Type, x.Shape.Clone()))
		}
	}
	return out, nil
}

// evalUpdate calls update for each element with the weight, the gradient and
// the states, all in float64; it replaces weight and states.
func evalUpdate(o Op, in []Datum, states int, update func(rate, count float64) func(x, g float64, s []float64) float64) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	p, err := realScalars(arg(in, 0), arg(in, 1))
	if err != nil {
		return nil, err
	}
	step := update(p[0], p[1])
	n := (len(in) - 2) / (2 + states)
	out := make([]*tensor.Tensor, n*(1+states))
	s := make([]float64, states)
	for i := range n {
		wide := make([][]float64, 2+states)
		for k := range wide {
			t, err := Convert(arg(in, 2+k*n+i), dtype.Float64)
			if err != nil {
				return nil, err
			}
			wide[k] = append([]float64(nil), tensor.Data[float64](t)...)
		}
		for at := range wide[0] {
			for k := range s {
				s[k] = wide[2+k][at]
			}
			wide[0][at] = step(wide[0][at], wide[1][at], s)
			for k := range s {
				wide[2+k][at] = s[k]
			}
		}
		x := arg(in, 2+i)
		for k := range 1 + states {
			from := wide[0]
			if k > 0 {
				from = wide[1+k]
			}
			if out[k*n+i], err = Convert(tensor.FromSlice(from, x.Shape()...), x.Type()); err != nil {
				return nil, err
			}
		}
	}
	return Of(out...), nil
}

// Adagrad divides the gradient by the root of the sum of its squares so far,
// which is the state (Duchi, Hazan and Singer, 2011).
type Adagrad struct {
	DecayFactor     float32 `attr:"decay_factor,default=0"`
	Epsilon         float32 `attr:"epsilon,default=0"`
	NormCoefficient float32 `attr:"norm_coefficient,default=0"`
}

// Name returns "Adagrad".
func (*Adagrad) Name() string { return "Adagrad" }

// Infer returns the shapes of weights and states.
func (*Adagrad) Infer(in []Fact, _ int) ([]Fact, error) { return inferUpdate(in, 1) }

// Eval makes one update.
func (o *Adagrad) Eval(in []Datum) ([]Datum, error) {
	return evalUpdate(o, in, 1, func(rate, count float64) func(x, g float64, s []float64) float64 {
		rate /= 1 + float64(count*float64(o.DecayFactor))
		return func(x, g float64, s []float64) float64 {
			g += float64(float64(o.NormCoefficient) * x)
			s[0] += float64(g * g)
			return x - float64(rate*g)/(math.Sqrt(s[0])+float64(o.Epsilon))
		}
	})
}

// Adam divides a running mean of the gradient by the root of one of its square,
// which are the states, both corrected for their start at 0 (Kingma and Ba,
// 2015).
type Adam struct {
	Alpha               float32 `attr:"alpha,default=0.9"`
	Beta                float32 `attr:"beta,default=0.999"`
	Epsilon             float32 `attr:"epsilon,default=0"`
	NormCoefficient     float32 `attr:"norm_coefficient,default=0"`
	NormCoefficientPost float32 `attr:"norm_coefficient_post,default=0"`
}

// Name returns "Adam".
func (*Adam) Name() string { return "Adam" }

// Infer returns the shapes of weights and states.
func (*Adam) Infer(in []Fact, _ int) ([]Fact, error) { return inferUpdate(in, 2) }

// Eval makes one update.
func (o *Adam) Eval(in []Datum) ([]Datum, error) {
	a, b := float64(o.Alpha), float64(o.Beta)
	return evalUpdate(o, in, 2, func(rate, count float64) func(x, g float64, s []float64) float64 {
		if count > 0 {
			rate = rate * math.Sqrt(1-power(b, count)) / (1 - power(a, count))
		}
		return func(x, g float64, s []float64) float64 {
			g += float64(float64(o.NormCoefficient) * x)
			s[0] = float64(a*s[0]) + float64((1-a)*g)
			s[1] = float64(b*s[1]) + float64((1-b)*float64(g*g))
			x -= float64(rate * (s[0] / (math.Sqrt(s[1]) + float64(o.Epsilon))))
			return float64((1 - float64(o.NormCoefficientPost)) * x)
		}
	})
}

// power returns x to a whole power of 0 and more, by squaring.
func power(x, n float64) float64 {
	out := 1.0
	for k := uint64(max(0, min(n, 1<<62))); k > 0; k /= 2 {
		if k%2 == 1 {
			out *= x
		}
		x *= x
	}
	return out
}

// Momentum moves weights by a running sum of gradients, which is the state; in
// the mode "nesterov" by the gradient and what the sum will be.
type Momentum struct {
	Alpha           float32 `attr:"alpha,required"`
	Beta            float32 `attr:"beta,required"`
	Mode            string  `attr:"mode"`
	NormCoefficient float32 `attr:"norm_coefficient,required"`
}

// Name returns "Momentum".
func (*Momentum) Name() string { return "Momentum" }

// Infer returns the shapes of weights and states.
func (o *Momentum) Infer(in []Fact, _ int) ([]Fact, error) {
	if o.Mode != "standard" && o.Mode != "nesterov" {
		return nil, fmt.Errorf("mode %q, want standard or nesterov", o.Mode)
	}
	return inferUpdate(in, 1)
}

// Eval makes one update.
func (o *Momentum) Eval(in []Datum) ([]Datum, error) {
	a := float64(o.Alpha)
	return evalUpdate(o, in, 1, func(rate, count float64) func(x, g float64, s []float64) float64 {
		b := float64(o.Beta)
		if count <= 0 {
			b = 1
		}
		return func(x, g float64, s []float64) float64 {
			g += float64(float64(o.NormCoefficient) * x)
			s[0] = float64(a*s[0]) + float64(b*g)
			if o.Mode == "nesterov" {
				g += float64(a * s[0])
				return x - float64(rate*g)
			}
			return x - float64(rate*s[0])
		}
	})
}

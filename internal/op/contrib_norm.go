package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// SimplifiedLayerNormalization is RMSNormalization as ONNX Runtime had it in
// the standard's domain before the standard did: outputs are the result and
// 1/√(mean of squares + ε) of each row, of type StashType.
type SimplifiedLayerNormalization struct {
	Axis      int        `attr:"axis,default=-1"`
	Epsilon   float32    `attr:"epsilon,default=1e-5"`
	StashType dtype.Type `attr:"stash_type,default=float32"`
}

// Name returns "SimplifiedLayerNormalization".
func (*SimplifiedLayerNormalization) Name() string { return "SimplifiedLayerNormalization" }

// Infer returns the data's shape and that of the statistics.
func (o *SimplifiedLayerNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if !plainFloat(o.StashType) {
		return nil, fmt.Errorf("stash_type %v, want a floating-point type", o.StashType)
	}
	out, err := (&RMSNormalization{Axis: o.Axis, Epsilon: o.Epsilon, StashType: o.StashType}).Infer(in, 1)
	if err != nil {
		return nil, err
	}
	stats := TensorFact(o.StashType, in[0].Shape.Clone())
	if stats.Shape != nil {
		axis, err := Axis(o.Axis, len(stats.Shape))
		if err != nil {
			return nil, err
		}
		for i := axis; i < len(stats.Shape); i++ {
			stats.Shape[i] = Size(1)
		}
	}
	return append(out, stats), nil
}

// Eval normalizes.
func (o *SimplifiedLayerNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 2, true, func(in []Datum, out []Fact) ([]Datum, error) {
		y, inv, err := byRMS(in[0].Tensor, in[1].Tensor, out[0], o.Axis, o.Epsilon)
		return Of(y, inv), err
	})
}

// Quantization says that the data is an activation.
func (*SimplifiedLayerNormalization) Quantization() Facts { return dataOnly() }

// SkipLayerNormalization is LayerNormalization over the last axis of the sum
// of input, skip and an optional bias, which are added in this order: inputs
// are input [..., H], skip, which broadcasts to it, gamma [H], and optional
// beta [H] and bias [H]. Outputs are the result, the mean and 1/√(variance+ε)
// of each row, and the sum (ONNX Runtime, com.microsoft).
type SkipLayerNormalization struct {
	Epsilon float32 `attr:"epsilon,default=1e-12"`
}

// Name returns "SkipLayerNormalization".
func (*SkipLayerNormalization) Name() string { return "SkipLayerNormalization" }

// Infer returns the input's shape and those of the statistics.
func (o *SkipLayerNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 5); err != nil {
		return nil, err
	}
	return inferSkip(in, input(in, 3), input(in, 4))
}

// inferSkip returns the facts of result, mean, 1/deviation and sum.
func inferSkip(in []Fact, beta, bias Fact) ([]Fact, error) {
	typ, err := wantFloats(in...)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	stats := x.Clone()
	if x != nil {
		if len(x) == 0 {
			return nil, fmt.Errorf("input is a scalar, want rows to normalize")
		}
		if in[1].Shape != nil {
			if err := fits(in[1].Shape, x); err != nil {
				return nil, fmt.Errorf("skip: %w", err)
			}
		}
		stats[len(stats)-1] = Size(1)
	}
	for _, v := range []struct {
		f    Fact
		what string
	}{{in[2], "gamma"}, {beta, "beta"}, {bias, "bias"}} {
		if err := wantLength(v.f, v.what, lastDim(x)); err != nil {
			return nil, err
		}
	}
	row := TensorFact(dtype.Float32, stats)
	return []Fact{TensorFact(typ, x.Clone()), row, row, TensorFact(typ, x.Clone())}, nil
}

// Eval adds, each sum rounded, and normalizes.
func (o *SkipLayerNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 4, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		sum, err := addAll(arg(in, 0), arg(in, 1), arg(in, 4))
		if err != nil {
			return nil, err
		}
		out, err := normalizeLast(sum, arg(in, 2), arg(in, 3), o.Epsilon)
		if err != nil {
			return nil, err
		}
		return append(out, Datum{Tensor: sum}), nil
	})
}

// normalizeLast is LayerNormalization over the last axis: the result, the mean
// and 1/deviation.
func normalizeLast(x, gamma, beta *tensor.Tensor, epsilon float32) ([]Datum, error) {
	n := New[LayerNormalization]()
	n.Epsilon = epsilon
	in := Of(x, gamma)
	if beta != nil {
		in = Of(x, gamma, beta)
	}
	return n.Eval(in)
}

// Quantization says that both summands are activations.
func (*SkipLayerNormalization) Quantization() Facts { return summands() }

func summands() Facts {
	f := NoFacts()
	f.Data = []int{0, 1}
	return f
}

// SkipSimplifiedLayerNormalization is RMSNormalization over the last axis of
// the sum of input, skip and an optional bias: inputs are input [..., H], skip,
// gamma [H] and the bias [H]. Outputs are those of SkipLayerNormalization, of
// which there is no mean (ONNX Runtime, com.microsoft).
type SkipSimplifiedLayerNormalization struct {
	Epsilon float32 `attr:"epsilon,default=1e-12"`
}

// Name returns "SkipSimplifiedLayerNormalization".
func (*SkipSimplifiedLayerNormalization) Name() string { return "SkipSimplifiedLayerNormalization" }

// Infer returns the input's shape and those of the statistics.
func (o *SkipSimplifiedLayerNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 4); err != nil {
		return nil, err
	}
	out, err := inferSkip(in, Fact{}, input(in, 3))
	if err != nil {
		return nil, err
	}
	out[1] = Fact{}
	return out, nil
}

// Eval adds, each sum rounded, and normalizes.
func (o *SkipSimplifiedLayerNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 4, true, func(in []Datum, out []Fact) ([]Datum, error) {
		sum, err := addAll(arg(in, 0), arg(in, 1), arg(in, 3))
		if err != nil {
			return nil, err
		}
		y, inv, err := byRMS(sum, arg(in, 2), out[0], -1, o.Epsilon)
		return Of(y, nil, inv, sum), err
	})
}

// Quantization says that both summands are activations.
func (*SkipSimplifiedLayerNormalization) Quantization() Facts { return summands() }

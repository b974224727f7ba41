package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// loss is what the two losses over classes have in common: scores [N, C, d…],
// targets [N, d…] of integers, and an optional weight for each class [C].
type loss struct {
	ignore    Opt[int]
	reduction string
}

// infer checks the operands and returns the fact of the loss.
func (l loss) infer(in []Fact) (Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return Fact{}, err
	}
	x, target, weight := in[0], in[1], input(in, 2)
	typ, err := wantFloats(x, weight)
	if err != nil {
		return Fact{}, err
	}
	if err := accept(dtype.Type.IsInteger, target); err != nil {
		return Fact{}, fmt.Errorf("targets: %w", err)
	}
	shape := target.Shape
	if x.Shape != nil {
		if len(x.Shape) < 2 {
			return Fact{}, fmt.Errorf("scores of shape %v have no axis of classes", x.Shape)
		}
		each := append(x.Shape[:1].Clone(), x.Shape[2:]...)
		if shape, err = Merge(each, target.Shape); err != nil {
			return Fact{}, fmt.Errorf("targets: %w", err)
		}
		if err := wantLength(weight, "weight", x.Shape[1]); err != nil {
			return Fact{}, err
		}
	}
	switch l.reduction {
	case "none":
		return TensorFact(typ, shape.Clone()), nil
	case "sum", "mean":
		return TensorFact(typ, Known()), nil
	}
	return Fact{}, fmt.Errorf("reduction %q, want none, sum or mean", l.reduction)
}

// eval computes the loss of log-probabilities x, which are of Float32 or
// Float64, as the weight is.
func (l loss) eval(x, target, weight *tensor.Tensor) (*tensor.Tensor, error) {
	if x.Type() == dtype.Float64 {
		return lossOf(l, x, target, weight, func(v []float64) float64 { return sumOf(v, len(v), 1) })
	}
	return lossOf(l, x, target, weight, reduce.SumF32)
}

func lossOf[T float32 | float64](l loss, x, target, weight *tensor.Tensor, sum func([]T) T) (*tensor.Tensor, error) {
	logp, wc := tensor.Data[T](x), elements[T](weight)
	classes, area := x.Shape()[1], inner(x.Shape(), 2)
	each := make([]T, target.Len())
	weights := make([]T, target.Len())
	for i, c := range integers(target) {
		if l.ignore.Set && c == int64(l.ignore.Value) {
			continue // both stay 0
		}
		if c < 0 || c >= int64(classes) {
			return nil, fmt.Errorf("target %d is no class of %d", c, classes)
		}
		w := T(1)
		if wc != nil {
			w = wc[c]
		}
		each[i] = -logp[(i/area*classes+int(c))*area+i%area] * w
		weights[i] = w
	}
	switch l.reduction {
	case "none":
		return tensor.FromSlice(each, target.Shape()...), nil
	case "sum":
		return tensor.Scalar(sum(each)), nil
	}
	return tensor.Scalar(sum(each) / sum(weights)), nil
}

// NegativeLogLikelihoodLoss picks -x of the target's class out of
// log-probabilities x [N, C, d…], times the weight of the class where weights
// [C] are given, and 0 where the target [N, d…] is IgnoreIndex. Reduction
// leaves that as it is (none), adds it up (sum), or divides the sum by that of
// the weights (mean).
type NegativeLogLikelihoodLoss struct {
	IgnoreIndex Opt[int] `attr:"ignore_index"`
	Reduction   string   `attr:"reduction,default=mean"`
}

// Name returns "NegativeLogLikelihoodLoss".
func (*NegativeLogLikelihoodLoss) Name() string { return "NegativeLogLikelihoodLoss" }

func (o *NegativeLogLikelihoodLoss) loss() loss { return loss{o.IgnoreIndex, o.Reduction} }

// Infer returns the targets' shape, or a scalar.
func (o *NegativeLogLikelihoodLoss) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := o.loss().infer(in)
	return []Fact{out}, err
}

// Eval computes the loss.
func (o *NegativeLogLikelihoodLoss) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		y, err := o.loss().eval(arg(in, 0), arg(in, 1), arg(in, 2))
		return Of(y), err
	})
}

// SoftmaxCrossEntropyLoss is NegativeLogLikelihoodLoss of LogSoftmax of scores
// over the classes; its second output is that LogSoftmax.
type SoftmaxCrossEntropyLoss struct {
	IgnoreIndex Opt[int] `attr:"ignore_index"`
	Reduction   string   `attr:"reduction,default=mean"`
}

// Name returns "SoftmaxCrossEntropyLoss".
func (*SoftmaxCrossEntropyLoss) Name() string { return "SoftmaxCrossEntropyLoss" }

func (o *SoftmaxCrossEntropyLoss) loss() loss { return loss{o.IgnoreIndex, o.Reduction} }

// Infer returns the targets' shape, or a scalar, and the scores' shape.
func (o *SoftmaxCrossEntropyLoss) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := o.loss().infer(in)
	if err != nil {
		return nil, err
	}
	return []Fact{out, TensorFact(out.Type, in[0].Shape.Clone())}, nil
}

// Eval computes the loss and the log-probabilities.
func (o *SoftmaxCrossEntropyLoss) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 2, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		x := arg(in, 0)
		var logp *tensor.Tensor
		var err error
		if x.Type() == dtype.Float64 {
			logp, err = rows(x, 1, tensor.Data[float64], logSoftmax64)
		} else {
			logp, err = rows(x, 1, tensor.Data[float32], reduce.LogSoftmax)
		}
		if err != nil {
			return nil, err
		}
		y, err := o.loss().eval(logp, arg(in, 1), arg(in, 2))
		return Of(y, logp), err
	})
}

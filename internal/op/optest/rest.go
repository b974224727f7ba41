package optest

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// RestCases returns the cases of signals, text, training and classical machine
// learning.
func RestCases() []Case { return restCases() }

func restCases() []Case {
	return slices.Concat(lossCases(), randomCases(), updateCases(), signalCases(), samplingCases(), bitCases(),
		stringCases(), gramCases(), treeCases())
}

const ln3 = 1.098612288668109691 // the natural logarithm of 3

// scalar returns one number.
func scalar[T tensor.Element](v T) *tensor.Tensor { return tensor.Scalar(v) }

// lossCases: the first three are the specification's.
func lossCases() []Case {
	x := ten(dims(2, 3, 2), float32(1), 2, 2, 2, 3, 2, 0, 1, 2, 2, 1, 2)
	target, weight := ten(dims(2, 2), int64(2), 1, 0, 2), vec(float32(0.2), 0.3, 0.1)
	zero := float32(math.Copysign(0, -1))
	nll := func(name, reduction string, ignore op.Opt[int], tol float64, want *tensor.Tensor, in ...*tensor.Tensor) Case {
		return Case{"NegativeLogLikelihoodLoss/" + name, with(func(o *op.NegativeLogLikelihoodLoss) {
			o.Reduction, o.IgnoreIndex = reduction, ignore
		}), in, these(want), tol}
	}
	log4 := float32(2 * math.Ln2)
	scores, logs := ten(dims(1, 2), float32(0), ln3), ten(dims(1, 2), -log4, ln3-2*math.Ln2)
	sce := func(name string, label int64, ignore op.Opt[int], want ...*tensor.Tensor) Case {
		return Case{"SoftmaxCrossEntropyLoss/" + name, with(func(o *op.SoftmaxCrossEntropyLoss) { o.IgnoreIndex = ignore }),
			these(scores, vec(label)), want, 1e-6}
	}
	return []Case{
		nll("none", "none", op.Opt[int]{}, 0, ten(dims(2, 2), float32(-3), -2, zero, -2), x, target),
		nll("weightedSum", "sum", op.Opt[int]{}, 1e-6, scalar(float32(-1.1)), x, target, weight),
		nll("weightedMean", "mean", op.Opt[int]{}, 1e-6, scalar(float32(-1.1/0.7)), x, target, weight),
		nll("ignored", "none", op.Some(1), 0, ten(dims(2, 2), float32(-3), 0, zero, -2), x, target),
		nll("meanOfTheOthers", "mean", op.Some(1), 1e-6, scalar(float32(-5.0/3)), x, target),
		nll("ignoredOutside", "sum", op.Some(-7), 0, scalar(float64(-4)), ten(dims(2, 2), 1.0, 2, 3, 4), vec[int32](-7, 1)),
		sce("mean", 0, op.Opt[int]{}, scalar(log4), logs),
		sce("lossAlone", 1, op.Opt[int]{}, scalar(float32(2*math.Ln2-ln3))),
		sce("allIgnored", 1, op.Some(1), scalar(float32(math.NaN())), logs),
	}
}

// randomCases: the numbers are the first of NumPy's RandomState, as its
// documentation and many examples show them: seed 0 begins with 0.5488135,
// 0.71518937, 0.60276338 and, normally distributed, with 1.76405235,
// 0.40015721, 0.97873798; seed 42 with 0.37454012, 0.95071431, 0.73199394,
// 0.59865848, 0.15601864.
func randomCases() []Case {
	zero := op.Some[float32](0)
	uniform, normal := vec(float32(0.5488135), 0.71518937, 0.60276338), vec(float32(1.76405235), 0.40015721, 0.97873798)
	return []Case{
		{"RandomUniform/seed", with(func(o *op.RandomUniform) { o.Shape, o.Seed = dims(3), zero }), nil, these(uniform), 1e-7},
		{"RandomUniform/interval", with(func(o *op.RandomUniform) {
			o.Shape, o.Seed, o.Low, o.High, o.Dtype = dims(1, 3), op.Some[float32](42), -1, 3, dtype.Float64
		}), nil, these(ten(dims(1, 3), 0.49816048, 2.80285724, 1.92797576)), 1e-7},
		{"RandomUniformLike/withoutSeed", op.New[op.RandomUniformLike](), these(ten(dims(3), float32(7), 7, 7)), these(uniform), 1e-7},
		{"RandomNormal/seed", with(func(o *op.RandomNormal) { o.Shape, o.Seed = dims(3), zero }), nil, these(normal), 1e-7},
		{"RandomNormalLike/moved", with(func(o *op.RandomNormalLike) {
			o.Mean, o.Scale, o.Dtype, o.Seed = 10, 2, op.Some(dtype.Float64), zero
		}), these(vec(true, false)), these(vec(13.5281047, 10.80031442)), 1e-7},
		{"Bernoulli/seed", with(func(o *op.Bernoulli) { o.Dtype, o.Seed = op.Some(dtype.Int32), zero }),
			these(vec(float32(0.6), 0.7, 0.61)), these(vec[int32](1, 0, 1)), 0},
		{"Bernoulli/certain", op.New[op.Bernoulli](), these(vec(1.0, 0, 1)), these(vec(1.0, 0, 1)), 0},
		// A third of the sum of both belongs to class 0.
		{"Multinomial/seed", with(func(o *op.Multinomial) { o.SampleSize, o.Seed, o.Dtype = 5, op.Some[float32](42), dtype.Int64 }),
			these(ten(dims(1, 2), float32(0), ln3)), these(ten(dims(1, 5), int64(1), 1, 1, 1, 0)), 0},
		{"Multinomial/impossible", op.New[op.Multinomial](), these(ten(dims(2, 2), math.Inf(-1), -800, -800, math.Inf(-1))),
			these(ten(dims(2, 1), int32(1), 0)), 0},
		{"Dropout/training", with(func(o *op.Dropout) { o.Seed = op.Some(0) }), these(vec(float32(1), 1, 2), scalar(float32(0.6)), scalar(true)),
			these(vec(float32(0), 2.5, 5), vec(false, true, true)), 1e-6},
		{"Dropout/trainingByHalf", op.New[op.Dropout](), these(vec(1.0, -1, 3), nil, scalar(true)), these(vec(2.0, -2, 6), vec(true, true, true)), 0},
	}
}

// updateCases: one weight of 1 with a gradient of 2 at a rate of 0.1.
func updateCases() []Case {
	rate, first, second := scalar(float32(0.1)), scalar[int64](0), scalar[int64](1)
	x, g := vec(float32(1)), vec(float32(2))
	momentum := func(mode string) *op.Momentum {
		return with(func(o *op.Momentum) { o.Alpha, o.Beta, o.Mode = 0.9, 0.1, mode })
	}
	adam := with(func(o *op.Adam) { o.Alpha, o.Beta = 0.875, 0.75 })
	return []Case{
		{"Adagrad/first", op.New[op.Adagrad](), these(rate, first, x, g, vec(float32(0))), these(vec(float32(0.9)), vec(float32(4))), 1e-6},
		{"Adagrad/decayAndNorm", with(func(o *op.Adagrad) { o.DecayFactor, o.NormCoefficient, o.Epsilon = 1, 1, 1 }),
			these(rate, second, x, g, vec(float32(16))), these(vec(float32(1-0.05*3/6)), vec(float32(25))), 1e-6},
		{"Adam/first", adam, these(rate, first, x, g, vec(float32(0)), vec(float32(0))),
			these(vec(float32(0.975)), vec(float32(0.25)), vec(float32(1))), 1e-6},
		// Both corrections take the first step back to the gradient and its square.
		{"Adam/corrected", adam, these(rate, second, x, g, vec(float32(0)), vec(float32(0))),
			these(vec(float32(0.9)), vec(float32(0.25)), vec(float32(1))), 1e-6},
		{"Momentum/first", momentum("standard"), these(rate, first, x, g, vec(float32(1))), these(vec(float32(0.71)), vec(float32(2.9))), 1e-6},
		{"Momentum/second", momentum("standard"), these(rate, second, x, g, vec(float32(1))), these(vec(float32(0.89)), vec(float32(1.1))), 1e-6},
		{"Momentum/nesterov", momentum("nesterov"), these(rate, second, x, g, vec(float32(1))), these(vec(float32(0.701)), vec(float32(1.1))), 1e-6},
		{"Momentum/twoWeights", momentum("standard"), these(rate, second, x, vec(float32(3), 4), g, vec(float32(0), 0), vec(float32(1)), vec(float32(1), 0)),
			these(vec(float32(0.89)), vec(float32(2.91), 4), vec(float32(1.1)), vec(float32(0.9), 0)), 1e-6},
	}
}

// treeCases: a tree that asks twice, and one that is a leaf.
func treeCases() []Case {
	nan := float32(math.NaN())
	tree := func(set func(*op.TreeEnsemble)) *op.TreeEnsemble {
		return with(func(o *op.TreeEnsemble) {
			// 0: x0 ≤ 1 ? leaf 0 : node 1; 1: x1 > 5 ? leaf 1 : leaf 2; 2: leaf 0.
			o.NTargets = 2
			o.NodesFeatureids, o.TreeRoots = dims(0, 1, 0), dims(0, 2)
			o.NodesTrueleafs, o.NodesTruenodeids = dims(1, 1, 1), dims(0, 1, 0)
			o.NodesFalseleafs, o.NodesFalsenodeids = dims(0, 1, 1), dims(1, 2, 0)
			o.NodesModes, o.NodesSplits = vec[uint8](0, 3, 0), vec(float32(1), 5, 0)
			o.LeafTargetids, o.LeafWeights = dims(0, 1, 0), vec(float32(10), 20, 30)
			set(o)
		})
	}
	x := ten(dims(4, 2), float32(1), 0, 2, 6, 2, 5, nan, 6)
	inf := float32(math.Inf(1))
	label := func(set func(*op.LabelEncoder)) *op.LabelEncoder { return with(set) }
	return []Case{
		{"TreeEnsemble/sum", tree(func(*op.TreeEnsemble) {}), these(x), these(ten(dims(4, 2), float32(20), 0, 10, 20, 40, 0, 10, 20)), 0},
		{"TreeEnsemble/mean", tree(func(o *op.TreeEnsemble) { o.AggregateFunction = 0 }), these(x), these(ten(dims(4, 2), float32(10), 0, 5, 10, 20, 0, 5, 10)), 0},
		{"TreeEnsemble/greatest", tree(func(o *op.TreeEnsemble) { o.AggregateFunction = 3 }), these(x),
			these(ten(dims(4, 2), float32(10), -inf, 10, 20, 30, -inf, 10, 20)), 0},
		{"TreeEnsemble/missing", tree(func(o *op.TreeEnsemble) { o.NodesMissingValueTracksTrue = dims(1, 0, 0) }), these(x),
			these(ten(dims(4, 2), float32(20), 0, 10, 20, 40, 0, 20, 0)), 0},
		{"TreeEnsemble/members", tree(func(o *op.TreeEnsemble) {
			o.NodesModes, o.MembershipValues = vec[uint8](6, 3, 0), vec(float32(2), 7, nan)
		}), these(ten(dims(2, 2), float32(7), 0, 1, 9)), these(ten(dims(2, 2), float32(20), 0, 10, 20)), 0},
		// The specification's.
		{"LabelEncoder/strings", label(func(o *op.LabelEncoder) { o.KeysStrings, o.ValuesInt64s = []string{"Amy", "Sally"}, []int64{5, 6} }),
			these(texts("Dori", "Amy", "Amy", "Sally", "Sally")), these(vec[int64](-1, 5, 5, 6, 6)), 0},
		{"LabelEncoder/floats", label(func(o *op.LabelEncoder) {
			o.KeysFloats, o.ValuesStrings = []float32{nan, 0, 0}, []string{"none", "first", "last"}
		}), these(vec(nan, float32(math.Copysign(0, -1)), 3)), these(texts("none", "last", "_Unused")), 0},
		{"LabelEncoder/tensors", label(func(o *op.LabelEncoder) {
			o.KeysTensor, o.ValuesTensor, o.DefaultTensor = vec[int16](1, 2), vec(0.1, 0.2), vec(9.0)
		}), these(ten(dims(1, 3), int16(2), 3, 1)), these(ten(dims(1, 3), 0.2, 9, 0.1)), 0},
		{"Binarizer/above", with(func(o *op.Binarizer) { o.Threshold = 1 }), these(vec(float32(1), 1.5, nan)), these(vec(float32(0), 1, 0)), 0},
		{"Binarizer/integers", op.New[op.Binarizer](), these(vec[int32](-1, 0, 5)), these(vec[int32](0, 0, 1)), 0},
		{"ArrayFeatureExtractor/rows", &op.ArrayFeatureExtractor{}, these(series(0, 2, 3), vec[int64](2, 0)), these(ten(dims(2, 2), float32(2), 0, 5, 3)), 0},
		{"ArrayFeatureExtractor/vector", &op.ArrayFeatureExtractor{}, these(texts("a", "b", "c"), ten(dims(1, 2), int64(1), 1)),
			these(stringsOf(dims(1, 2), "b", "b")), 0},
	}
}

package optest

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// contribCases are those of ONNX Runtime's own float operators. Attention with
// queries of 0 is the mean of the values, which can be worked out by hand.
func contribCases() []Case {
	return slices.Concat(contribElementCases(), contribRowCases(), contribProductCases(), projectedCases(), multiHeadCases(), groupQueryCases())
}

func contribElementCases() []Case {
	return []Case{
		{Name: "FastGelu/bias", Op: op.New[op.FastGelu](), In: these(ten(dims(1, 2), float32(0), -2), vec[float32](1, 1)),
			Want: these(ten(dims(1, 2), float32(0.841192), -0.158808)), Tol: 1e-6},
		{Name: "FastGelu/plain", Op: op.New[op.FastGelu](), In: these(vec[float32](0, 1)), Want: these(vec[float32](0, 0.841192)), Tol: 1e-6},
		{Name: "BiasGelu/bias", Op: op.New[op.BiasGelu](), In: these(ten(dims(2, 1), float32(0), -2), vec[float32](1)),
			Want: these(ten(dims(2, 1), float32(0.8413447), -0.15865526)), Tol: 1e-6},
		{Name: "QuickGelu/default", Op: op.New[op.QuickGelu](), In: these(vec[float32](0, 1)), Want: these(vec[float32](0, 0.845796)), Tol: 1e-6},
		{Name: "QuickGelu/alpha", Op: with(func(o *op.QuickGelu) { o.Alpha = 1 }), In: these(vec[float32](1)), Want: these(vec[float32](0.7310586)), Tol: 1e-6},
		{Name: "BiasSplitGelu/halves", Op: op.New[op.BiasSplitGelu](), In: these(ten(dims(1, 1, 4), float32(2), 3, 0, -2), vec[float32](0, 0, 1, 1)),
			Want: these(ten(dims(1, 1, 2), float32(1.6826895), -0.47596577)), Tol: 1e-6},
		{Name: "MicrosoftRotaryEmbedding/halves", Op: op.New[op.MicrosoftRotaryEmbedding](),
			In:   these(ten(dims(1, 2, 4), float32(1), 2, 3, 4, 5, 6, 7, 8), ten(dims(1, 2), int64(1), 0), ten(dims(2, 1), float32(1), 0), ten(dims(2, 1), float32(0), 1)),
			Want: these(ten(dims(1, 2, 4), float32(-2), 1, -4, 3, 5, 6, 7, 8))},
		{Name: "MicrosoftRotaryEmbedding/pairsByHeadFromOne",
			Op:   with(func(o *op.MicrosoftRotaryEmbedding) { o.Interleaved, o.NumHeads, o.RotaryEmbeddingDim = true, 1, 4 }),
			In:   these(ten(dims(1, 1, 1, 5), float32(1), 2, 3, 4, 5), vec[int64](1), ten(dims(2, 2), float32(0), 0, 0, 2), ten(dims(2, 2), float32(0), 0, 1, 0)),
			Want: these(ten(dims(1, 1, 1, 5), float32(-2), 1, 6, 8, 5))},
	}
}

func contribRowCases() []Case {
	skip := func(o *op.SkipLayerNormalization) { o.Epsilon = 0 }
	rms := func(o *op.SkipSimplifiedLayerNormalization) { o.Epsilon = 0 }
	ids := ten(dims(1, 2), int32(0), 1)
	embed := func(o *op.EmbedLayerNormalization) { o.Epsilon = 0 }
	one, codes := u8(1), func(shape []int, v ...uint8) *tensor.Tensor { return ten(shape, v...) }
	return []Case{
		{Name: "SkipLayerNormalization/all", Op: with(skip),
			In: these(ten(dims(2, 2), float32(1), 2, 0, 1), vec[float32](0, 1), vec[float32](2, 1), vec[float32](10, 0), vec[float32](1, 1)),
			Want: these(ten(dims(2, 2), float32(8), 1, 8, 1), ten(dims(2, 1), float32(3), 2), ten(dims(2, 1), float32(1), 1),
				ten(dims(2, 2), float32(2), 4, 1, 3))},
		{Name: "SkipLayerNormalization/gammaAlone", Op: with(skip),
			In: these(ten(dims(1, 2), float32(1), 2), ten(dims(1, 2), float32(0), 1), vec[float32](2, 1)), Want: these(ten(dims(1, 2), float32(-2), 1))},
		{Name: "SkipSimplifiedLayerNormalization/bias", Op: with(rms),
			In:   these(ten(dims(1, 2), float32(1), -1), ten(dims(1, 2), float32(0), -1), vec[float32](1, 3), vec[float32](1, 0)),
			Want: these(ten(dims(1, 2), float32(1), -3), nil, ten(dims(1, 1), float32(0.5)), ten(dims(1, 2), float32(2), -2))},
		{Name: "SimplifiedLayerNormalization/last", Op: with(func(o *op.SimplifiedLayerNormalization) { o.Epsilon = 0 }),
			In:   these(ten(dims(2, 2), float32(2), -2, 0.5, 0.5), vec[float32](1, 3)),
			Want: these(ten(dims(2, 2), float32(1), -3, 1, 3), ten(dims(2, 1), float32(0.5), 2))},
		{Name: "EmbedLayerNormalization/wordsAndPlaces", Op: with(embed),
			In: these(ids, nil, ten(dims(2, 2), float32(1), 2, 0, 2), ten(dims(3, 2), float32(0), 1, 1, 1, 9, 9), nil, vec[float32](2, 1), vec[float32](10, 0)),
			Want: these(ten(dims(1, 2, 2), float32(8), 1, 8, 1), vec[int32](0),
				ten(dims(1, 2, 2), float32(1), 3, 1, 3))},
		{Name: "EmbedLayerNormalization/all", Op: with(embed),
			In: these(ids, ten(dims(1, 2), int32(1), 0), ten(dims(2, 2), float32(1), 2, 0, 2), ten(dims(3, 2), float32(0), 1, 1, 1, 2, 0),
				ten(dims(2, 2), float32(0), 2, 1, 1), vec[float32](1, 1), vec[float32](0, 0), ten(dims(1, 2), int32(1), 0), ten(dims(1, 2), int32(2), 1)),
			Want: these(ten(dims(1, 2, 2), float32(1), -1, -1, 1), vec[int32](1), ten(dims(1, 2, 2), float32(4), 3, 1, 5))},
		{Name: "QEmbedLayerNormalization/wordsAndPlaces", Op: with(func(o *op.QEmbedLayerNormalization) { o.Epsilon = 0 }),
			In: these(ids, nil, codes(dims(2, 2), 2, 3, 1, 3), codes(dims(2, 2), 1, 3, 3, 3), nil, codes(dims(2), 3, 2), codes(dims(2), 21, 1), nil,
				f32(1), f32(0.5), nil, f32(1), f32(0.5), one, one, nil, one, one),
			Want: these(ten(dims(1, 2, 2), float32(8), 1, 8, 1), vec[int32](0))},
	}
}

func contribProductCases() []Case {
	relu := func(o *op.FusedConv) { o.Activation = "Relu" }
	affine := []string{"Affine", "Affine", "Affine"}
	x255 := ten(dims(1, 1, 1), float32(255))
	return []Case{
		{Name: "FusedMatMul/transBAlpha", Op: with(func(o *op.FusedMatMul) { o.TransB, o.Alpha = true, 0.5 }),
			In: these(ten(dims(1, 2), float32(1), 2), ten(dims(2, 2), float32(3), 4, 5, 6)), Want: these(ten(dims(1, 2), float32(5.5), 8.5))},
		{Name: "FusedMatMul/transBatchA", Op: with(func(o *op.FusedMatMul) { o.TransBatchA = true }),
			In:   these(ten(dims(2, 1, 2), float32(1), 2, 3, 4), ten(dims(1, 2, 1), float32(1), 10)),
			Want: these(ten(dims(1, 2, 1), float32(21), 43))},
		{Name: "FusedMatMul/transBoth", Op: with(func(o *op.FusedMatMul) { o.TransBatchB, o.TransB, o.TransA = true, true, true }),
			In:   these(ten(dims(1, 2, 1), float32(1), 10), ten(dims(2, 1, 2), float32(1), 2, 3, 4)),
			Want: these(ten(dims(1, 1, 2), float32(21), 43))},
		{Name: "FusedMatMul/vector", Op: with(func(o *op.FusedMatMul) { o.TransA = true }),
			In: these(vec[float32](1, 2), ten(dims(2, 1), float32(3), 4)), Want: these(vec[float32](11))},
		{Name: "FusedGemm/relu", Op: with(func(o *op.FusedGemm) { o.Activation, o.Alpha, o.Beta = "Relu", 2, -1 }),
			In:   these(ten(dims(1, 2), float32(1), 2), ten(dims(2, 2), float32(1), 0, 0, 1), vec[float32](5, 1)),
			Want: these(ten(dims(1, 2), float32(0), 3))},
		{Name: "FusedGemm/leaky", Op: with(func(o *op.FusedGemm) { o.Activation, o.ActivationAlpha = "LeakyRelu", op.Some[float32](0.5) }),
			In: these(ten(dims(1, 1), float32(1)), ten(dims(1, 2), float32(2), -2)), Want: these(ten(dims(1, 2), float32(2), -1))},
		{Name: "FusedConv/sum", Op: with(relu),
			In:   these(ten(dims(1, 1, 3), float32(1), 2, 3), ten(dims(1, 1, 2), float32(1), -1), vec[float32](0.5), ten(dims(1, 1, 2), float32(1), -1)),
			Want: these(ten(dims(1, 1, 2), float32(0.5), 0))},
		{Name: "FusedConv/clip", Op: with(func(o *op.FusedConv) { o.Activation, o.ActivationParams = "Clip", []float32{0, 4} }),
			In: these(ten(dims(1, 1, 3), float32(1), -2, 3), ten(dims(1, 1, 1), float32(2))), Want: these(ten(dims(1, 1, 3), float32(2), 0, 4))},
		// 255 is quantized as 255 in units of 1: input, output and candidate are
		// 255, forget is 0, and so the cell is 255².
		{Name: "DynamicQuantizeLSTM/gates", Op: with(func(o *op.DynamicQuantizeLSTM) { o.Activations, o.HiddenSize = affine, 1 }),
			In: these(x255, ten(dims(1, 1, 4), int8(1), 1, 0, 1), ten(dims(1, 1, 4), int8(1), 1, 1, 1), nil, nil, nil, nil, nil,
				vec[float32](1), vec[int8](0), ten(dims(1, 4), float32(1), 1, 1, 1), ten(dims(1, 4), int8(0), 0, 0, 0)),
			Want: these(ten(dims(1, 1, 1, 1), float32(16581375)), ten(dims(1, 1, 1), float32(16581375)), ten(dims(1, 1, 1), float32(65025)))},
		// A state of 255: candidate 255, forget 1 by its bias, cell 10 + 0.
		{Name: "DynamicQuantizeLSTM/states", Op: with(func(o *op.DynamicQuantizeLSTM) { o.Activations, o.HiddenSize = affine, 1 }),
			In: these(ten(dims(1, 1, 1), float32(0)), ten(dims(1, 1, 4), uint8(9), 9, 9, 9), ten(dims(1, 1, 4), uint8(7), 9, 7, 8), ten(dims(1, 8), float32(0), 0, 1, 0, 0, 0, 0, 0),
				nil, ten(dims(1, 1, 1), float32(255)), ten(dims(1, 1, 1), float32(10)), nil, vec[float32](1), vec[uint8](9), vec[float32](0.5), vec[uint8](7)),
			Want: these(ten(dims(1, 1, 1, 1), float32(2550)), ten(dims(1, 1, 1), float32(2550)), ten(dims(1, 1, 1), float32(10)))},
	}
}

func projectedCases() []Case {
	attention := func(name string, in, want []*tensor.Tensor, set func(*op.MicrosoftAttention)) Case {
		return Case{Name: "MicrosoftAttention/" + name, In: in, Want: want,
			Op: with(func(o *op.MicrosoftAttention) { o.NumHeads = 1; set(o) })}
	}
	x, w := ten(dims(1, 2, 1), float32(1), 3), ten(dims(1, 3), float32(0), 0, 1)
	mean := ten(dims(1, 2, 1), float32(2), 2)
	return []Case{
		attention("plain", these(x, w), these(mean, ten(dims(2, 1, 1, 2, 1), float32(0), 0, 1, 3)), func(*op.MicrosoftAttention) {}),
		attention("bias", these(x, w, vec[float32](0, 5, 1)), these(ten(dims(1, 2, 1), float32(3), 3)), func(*op.MicrosoftAttention) {}),
		attention("causal", these(x, w), these(ten(dims(1, 2, 1), float32(1), 2)), func(o *op.MicrosoftAttention) { o.Unidirectional = true }),
		attention("ends", these(x, w, nil, vec[int32](1)), these(ten(dims(1, 2, 1), float32(1), 1)), func(*op.MicrosoftAttention) {}),
		attention("endsAndStarts", these(x, w, nil, vec[int32](2, 1)), these(ten(dims(1, 2, 1), float32(3), 3)), func(*op.MicrosoftAttention) {}),
		attention("flags", these(x, w, nil, ten(dims(1, 2), int32(0), 1)), these(ten(dims(1, 2, 1), float32(3), 3)), func(*op.MicrosoftAttention) {}),
		attention("flagsOfQueries", these(x, w, nil, ten(dims(1, 2, 2), int32(0), 1, 1, 1)), these(ten(dims(1, 2, 1), float32(3), 2)), func(*op.MicrosoftAttention) {}),
		attention("allMasked", these(x, w, nil, vec[int32](0)), these(mean), func(*op.MicrosoftAttention) {}),
		attention("past", these(x, w, nil, nil, ten(dims(2, 1, 1, 2, 1), float32(0), 0, 5, 7)),
			these(ten(dims(1, 2, 1), float32(4), 4), ten(dims(2, 1, 1, 4, 1), float32(0), 0, 0, 0, 5, 7, 1, 3)), func(*op.MicrosoftAttention) {}),
		attention("scores", these(x, w, nil, nil, nil, ten(dims(1, 1, 2, 2), float32(0), -200, -200, 0)), these(ten(dims(1, 2, 1), float32(1), 3)), func(*op.MicrosoftAttention) {}),
		attention("wideValues", these(x, ten(dims(1, 4), float32(0), 0, 1, 2)), these(ten(dims(1, 2, 2), float32(2), 4, 2, 4)),
			func(o *op.MicrosoftAttention) { o.HiddenSizes = dims(1, 1, 2) }),
		{Name: "QAttention/columns", Op: with(func(o *op.QAttention) { o.NumHeads = 1 }),
			In: these(ten(dims(1, 2, 1), uint8(3), 5), ten(dims(1, 3), int8(0), 0, 4), vec[float32](0, 0, 1), f32(0.5), vec[float32](1, 1, 0.5),
				nil, u8(2), vec[int8](0, 0, 2)),
			Want: these(ten(dims(1, 2, 1), float32(2), 2), ten(dims(2, 1, 1, 2, 1), float32(0), 0, 1.5, 2.5))},
	}
}

func multiHeadCases() []Case {
	mha := func(name string, in, want []*tensor.Tensor, set func(*op.MultiHeadAttention)) Case {
		return Case{Name: "MultiHeadAttention/" + name, In: in, Want: want,
			Op: with(func(o *op.MultiHeadAttention) { o.NumHeads = 2; set(o) })}
	}
	plain := func(*op.MultiHeadAttention) {}
	q, k, v := ten(dims(1, 1, 2), float32(0), 0), ten(dims(1, 2, 2), float32(1), 2, 3, 4), ten(dims(1, 2, 2), float32(1), 10, 3, 30)
	byHead := ten(dims(1, 2, 2, 1), float32(1), 3, 10, 30)
	mean := ten(dims(1, 1, 2), float32(2), 20)
	return []Case{
		mha("apart", these(q, k, v), these(mean, ten(dims(1, 2, 2, 1), float32(1), 3, 2, 4), byHead, ten(dims(1, 2, 1, 2), float32(0), 0, 0, 0)), plain),
		mha("scale", these(ten(dims(1, 1, 2), float32(1), 0), k, v), these(nil, nil, nil, ten(dims(1, 2, 1, 2), float32(10), 30, 0, 0)),
			func(o *op.MultiHeadAttention) { o.Scale = op.Some[float32](10) }),
		mha("bias", these(q, k, v, vec[float32](0, 0, 1, 1, 1, -10)), these(ten(dims(1, 1, 2), float32(3), 10), ten(dims(1, 2, 2, 1), float32(2), 4, 3, 5)), plain),
		mha("ends", these(q, k, v, nil, vec[int32](1)), these(ten(dims(1, 1, 2), float32(1), 10)), plain),
		mha("byHead", these(q, byHead, byHead), these(mean), plain),
		mha("keysWithValues", these(q, ten(dims(1, 2, 2, 2, 1), float32(1), 1, 2, 10, 3, 3, 4, 30)), these(mean, ten(dims(1, 2, 2, 1), float32(1), 3, 2, 4), byHead), plain),
		mha("allInOne", these(ten(dims(1, 2, 2, 3, 1), float32(0), 1, 1, 0, 2, 10, 0, 3, 3, 0, 4, 30)),
			these(ten(dims(1, 2, 2), float32(2), 20, 2, 20), ten(dims(1, 2, 2, 1), float32(1), 3, 2, 4), byHead), plain),
		mha("allInOneCausalBias", these(ten(dims(1, 2, 2, 3, 1), float32(0), 1, 1, 0, 2, 10, 0, 3, 3, 0, 4, 30), nil, nil, vec[float32](0, 0, 0, 0, 1, 0)),
			these(ten(dims(1, 2, 2), float32(2), 10, 3, 20)), func(o *op.MultiHeadAttention) { o.Unidirectional = true }),
		within(1e-6, mha("past", these(q, k, v, nil, nil, nil, ten(dims(1, 2, 1, 1), float32(7), 8), ten(dims(1, 2, 1, 1), float32(5), 50)),
			these(ten(dims(1, 1, 2), float32(3), 30), ten(dims(1, 2, 3, 1), float32(7), 1, 3, 8, 2, 4), ten(dims(1, 2, 3, 1), float32(5), 1, 3, 50, 10, 30)), plain)),
	}
}

func within(tol float64, c Case) Case {
	c.Tol = tol
	return c
}

func groupQueryCases() []Case {
	gqa := func(name string, in, want []*tensor.Tensor, set func(*op.GroupQueryAttention)) Case {
		return Case{Name: "GroupQueryAttention/" + name, In: in, Want: want,
			Op: with(func(o *op.GroupQueryAttention) { o.NumHeads, o.KVNumHeads = 2, 1; set(o) })}
	}
	plain := func(*op.GroupQueryAttention) {}
	q, k, v := ten(dims(1, 2, 2), float32(0), 0, 0, 0), ten(dims(1, 2, 1), float32(7), 8), ten(dims(1, 2, 1), float32(1), 3)
	prompt := these(q, k, v, nil, nil, vec[int32](1), tensor.Scalar(int32(2)))
	more := func(ts ...*tensor.Tensor) []*tensor.Tensor { return append(slices.Clone(prompt), ts...) }
	keys, values := ten(dims(1, 1, 2, 1), float32(7), 8), ten(dims(1, 1, 2, 1), float32(1), 3)
	old := ten(dims(1, 1, 3, 1), float32(5), 9, 9)
	return []Case{
		gqa("prompt", prompt, these(ten(dims(1, 2, 2), float32(1), 1, 2, 2), keys, values), plain),
		gqa("bidirectional", prompt, these(ten(dims(1, 2, 2), float32(2), 2, 2, 2)), func(o *op.GroupQueryAttention) { o.Causal = false }),
		gqa("packed", these(ten(dims(1, 2, 4), float32(0), 0, 7, 1, 0, 0, 8, 3), nil, nil, nil, nil, vec[int32](1), tensor.Scalar(int32(2))),
			these(ten(dims(1, 2, 2), float32(1), 1, 2, 2), keys, values), plain),
		gqa("window", prompt, these(ten(dims(1, 2, 2), float32(1), 1, 3, 3)), func(o *op.GroupQueryAttention) { o.LocalWindowSize = 1 }),
		gqa("smooth", prompt, these(ten(dims(1, 2, 2), float32(0.5), 0.5, 4.0/3, 4.0/3)), func(o *op.GroupQueryAttention) { o.SmoothSoftmax = 1 }),
		gqa("sink", more(nil, nil, nil, nil, vec[float32](0, -500)), these(ten(dims(1, 2, 2), float32(0.5), 1, 4.0/3, 2)), plain),
		gqa("weights", prompt, these(nil, nil, nil, ten(dims(1, 2, 2, 2), float32(1), 0, 0.5, 0.5, 1, 0, 0.5, 0.5)), func(o *op.GroupQueryAttention) { o.QKOutput = 2 }),
		gqa("bias", more(nil, nil, nil, ten(dims(1, 1, 2, 2), float32(0), 0, -500, 0)), these(ten(dims(1, 2, 2), float32(1), 1, 3, 3)), plain),
		// The cache has room for 3 places, of which the sequence has 1.
		gqa("cache", these(q, k, v, old, old, vec[int32](2), tensor.Scalar(int32(3))),
			these(ten(dims(1, 2, 2), float32(3), 3, 3, 3), ten(dims(1, 1, 3, 1), float32(5), 7, 8), ten(dims(1, 1, 3, 1), float32(5), 1, 3)), plain),
		// Of the step's two places one is padding.
		gqa("padded", these(q, k, v, old, old, vec[int32](1), tensor.Scalar(int32(3)), nil, nil, nil, nil, nil, nil, nil, nil, nil, vec[int32](1)),
			these(nil, ten(dims(1, 1, 3, 1), float32(5), 7, 0), ten(dims(1, 1, 3, 1), float32(5), 1, 0)), plain),
		gqa("rotary", these(ten(dims(1, 1, 2), float32(0), 0), ten(dims(1, 1, 2), float32(3), 4), ten(dims(1, 1, 2), float32(5), 6), nil, nil, vec[int32](0), tensor.Scalar(int32(1)),
			ten(dims(2, 1), float32(1), 0), ten(dims(2, 1), float32(0), 1), ten(dims(1, 1), int64(1))),
			these(ten(dims(1, 1, 2), float32(5), 6), ten(dims(1, 1, 1, 2), float32(-4), 3)), func(o *op.GroupQueryAttention) { o.NumHeads, o.DoRotary = 1, true }),
	}
}

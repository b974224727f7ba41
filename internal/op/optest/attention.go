package optest

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func attentionCases() []Case {
	return slices.Concat(scoreCases(), cacheCases(), rotaryCases(), linearAttentionCases(), causalConvCases())
}

// zeros returns a tensor of them: such queries look at all keys alike.
func zeros(shape ...int) *tensor.Tensor { return tensor.New(dtype.Float32, shape...) }

func scoreCases() []Case {
	inf := float32(math.Inf(-1))
	q, k := zeros(1, 1, 2, 1), ten(dims(1, 1, 2, 1), float32(3), 5)
	v := series(1, 1, 1, 2, 2)
	both := these(q, k, v)
	masked := func(m *tensor.Tensor) tensors { return append(slices.Clone(both), m) }
	y := func(vals ...float32) tensors { return these(ten(dims(1, 1, len(vals)/2, 2), vals...)) }
	scores := func(mode int) *op.Attention {
		return with(func(o *op.Attention) { o.Scale, o.QKMatmulOutputMode = op.Some[float32](4), mode })
	}
	one := these(ten(dims(1, 1, 1, 1), float32(0.5)), k, v, vec(float32(1), inf))
	return []Case{
		{Name: "Attention/mean", Op: op.New[op.Attention](), In: both, Want: y(2, 3, 2, 3)},
		{Name: "Attention/causal", Op: with(func(o *op.Attention) { o.IsCausal = true }), In: both, Want: y(1, 2, 2, 3)},
		// A query without a key gives zeros.
		{Name: "Attention/maskOfBools", Op: op.New[op.Attention](), In: masked(ten(dims(2, 2), true, false, false, false)), Want: y(1, 2, 0, 0)},
		{Name: "Attention/maskOfNumbers", Op: op.New[op.Attention](), In: masked(ten(dims(1, 2), inf, float32(0))), Want: y(3, 4, 3, 4)},
		{Name: "Attention/maskOfIntegers", Op: op.New[op.Attention](), In: masked(ten(dims(2), int8(-128), 0)), Want: y(3, 4, 3, 4)},
		{Name: "Attention/shortMask", Op: op.New[op.Attention](), In: masked(ten(dims(2, 1), true, false)), Want: y(1, 2, 0, 0)},
		{Name: "Attention/causalAndMask", Op: with(func(o *op.Attention) { o.IsCausal = true }), In: masked(ten(dims(2), false, true)), Want: y(0, 0, 3, 4)},
		{Name: "Attention/window", Op: with(func(o *op.Attention) { o.LeftWindowSize, o.RightWindowSize = 0, 0 }), In: both, Want: y(1, 2, 3, 4)},
		{Name: "Attention/rightWindow", Op: with(func(o *op.Attention) { o.LeftWindowSize, o.RightWindowSize = 0, 1 }), In: both, Want: y(2, 3, 3, 4)},
		{Name: "Attention/scores", Op: scores(0), In: one, Want: these(ten(dims(1, 1, 1, 2), float32(1), 2), nil, nil, ten(dims(1, 1, 1, 2), float32(6), 10))},
		{Name: "Attention/scoresWithBias", Op: scores(2), In: one, Want: these(nil, nil, nil, ten(dims(1, 1, 1, 2), float32(7), inf))},
		{Name: "Attention/probabilities", Op: scores(3), In: one, Want: these(nil, nil, nil, ten(dims(1, 1, 1, 2), float32(1), 0))},
		{Name: "Attention/softCap", Op: with(func(o *op.Attention) {
			o.Scale, o.Softcap, o.QKMatmulOutputMode = op.Some[float32](4), 2, 1
		}), In: one, Want: these(nil, nil, nil, ten(dims(1, 1, 1, 2), float32(1.99010951), 1.99981840)), Tol: 1e-6},
		{Name: "Attention/groupedHeads", Op: op.New[op.Attention](),
			In:   these(zeros(1, 4, 1, 1), zeros(1, 2, 2, 1), series(1, 1, 2, 2, 1)),
			Want: these(ten(dims(1, 4, 1, 1), float32(1.5), 1.5, 3.5, 3.5))},
		{Name: "Attention/sideBySide", Op: with(func(o *op.Attention) { o.QNumHeads, o.KVNumHeads = 2, 2 }),
			In: these(zeros(1, 1, 2), ten(dims(1, 2, 2), float32(7), 8, 9, 6), ten(dims(1, 2, 4), float32(1), 2, 10, 20, 3, 4, 30, 40)),
			Want: these(ten(dims(1, 1, 4), float32(2), 3, 20, 30), ten(dims(1, 2, 2, 1), float32(7), 9, 8, 6),
				ten(dims(1, 2, 2, 2), float32(1), 2, 3, 4, 10, 20, 30, 40))},
		{Name: "Attention/float64", Op: op.New[op.Attention](), In: these(ten(dims(1, 1, 1, 1), 0.0), ten(dims(1, 1, 2, 1), 3.0, 5), ten(dims(1, 1, 2, 1), 1.0, 4)),
			Want: these(ten(dims(1, 1, 1, 1), 2.5))},
		{Name: "Attention/noKeys", Op: op.New[op.Attention](), In: these(q, zeros(1, 1, 0, 1), zeros(1, 1, 0, 2)), Want: y(0, 0, 0, 0)},
		{Name: "Attention/noQueries", Op: with(func(o *op.Attention) { o.IsCausal = true }), In: these(zeros(1, 1, 0, 1), k, v), Want: y()},
	}
}

func cacheCases() []Case {
	causal := func(o *op.Attention) { o.IsCausal = true }
	k, v := zeros(1, 1, 2, 1), series(1, 1, 1, 2, 1)
	pastK, pastV := ten(dims(1, 1, 1, 1), float32(9)), ten(dims(1, 1, 1, 1), float32(6))
	past := these(zeros(1, 1, 2, 1), k, v, nil, pastK, pastV)
	padded := func(n int64) tensors { return these(zeros(1, 1, 2, 1), k, v, nil, nil, nil, vec(n)) }
	y := func(a, b float32) *tensor.Tensor { return ten(dims(1, 1, 2, 1), a, b) }
	return []Case{
		// The queries stand behind the past key.
		{Name: "Attention/past", Op: with(causal), In: past,
			Want: these(y(3.5, 3), ten(dims(1, 1, 3, 1), float32(9), 0, 0), ten(dims(1, 1, 3, 1), float32(6), 1, 2))},
		{Name: "Attention/pastWindow", Op: with(func(o *op.Attention) { o.LeftWindowSize, o.RightWindowSize = 1, 0 }), In: past,
			Want: these(y(3.5, 1.5))},
		{Name: "Attention/padding", Op: op.New[op.Attention](), In: padded(1), Want: these(y(1, 1))},
		{Name: "Attention/causalPadding", Op: with(causal), In: padded(2), Want: these(y(1, 1.5))},
		// More queries than keys: the first one has none.
		{Name: "Attention/queriesBeforeKeys", Op: with(causal), In: padded(1), Want: these(y(0, 1))},
	}
}

func rotaryCases() []Case {
	x, turn := series(1, 1, 1, 1, 4), func(n int) tensors {
		sin := zeros(1, 1, n)
		for i := range n {
			tensor.Data[float32](sin)[i] = 1
		}
		return these(zeros(1, 1, n), sin)
	}
	quarter := func(n int) tensors { return append(these(x), turn(n)...) }
	return []Case{
		{Name: "RotaryEmbedding/halves", Op: op.New[op.RotaryEmbedding](), In: quarter(2), Want: these(ten(dims(1, 1, 1, 4), float32(-3), -4, 1, 2))},
		{Name: "RotaryEmbedding/neighbours", Op: with(func(o *op.RotaryEmbedding) { o.Interleaved = true }), In: quarter(2),
			Want: these(ten(dims(1, 1, 1, 4), float32(-2), 1, -4, 3))},
		{Name: "RotaryEmbedding/part", Op: with(func(o *op.RotaryEmbedding) { o.RotaryDim = 2 }), In: quarter(1),
			Want: these(ten(dims(1, 1, 1, 4), float32(-2), 1, 3, 4))},
		{Name: "RotaryEmbedding/positions", Op: with(func(o *op.RotaryEmbedding) { o.NumHeads = 2 }),
			In: these(series(1, 1, 2, 4), ten(dims(2, 1), float32(1), 0), ten(dims(2, 1), float32(0), 1), ten(dims(1, 2), int64(1), 0)),
			// The zeros that the products add keep no sign.
			Want: these(ten(dims(1, 2, 4), float32(-2), 1, -4, 3, 5, 6, 7, 8))},
		{Name: "SwiGLU/half", Op: with(func(o *op.SwiGLU) { o.Alpha = 0 }), In: these(vec[float32](2, -4), vec[float32](3, 5)), Want: these(vec[float32](3, -10))},
		{Name: "SwiGLU/swish", Op: op.New[op.SwiGLU](), In: these(vec[float32](0, 1), vec[float32](3, 2)), Want: these(vec[float32](0, 1.46211716)), Tol: 1e-6},
	}
}

func linearAttentionCases() []Case {
	ones := ten(dims(1, 3, 1), float32(1), 1, 1)
	k := ten(dims(1, 3, 1), float32(1), 2, 3)
	rule := func(name string) *op.LinearAttention {
		return with(func(o *op.LinearAttention) { o.UpdateRule, o.QNumHeads, o.KVNumHeads, o.Scale = name, 1, 1, 1 })
	}
	never := float32(math.Inf(-1)) // all is forgotten
	decay := ten(dims(1, 3, 1), float32(0), 0, never)
	state := func(v float32) *tensor.Tensor { return ten(dims(1, 1, 1, 1), v) }
	return []Case{
		{Name: "LinearAttention/linear", Op: rule("linear"), In: these(ones, k, ones), Want: these(ten(dims(1, 3, 1), float32(1), 3, 6), state(6))},
		{Name: "LinearAttention/past", Op: rule("linear"), In: these(ones, k, ones, state(10)), Want: these(ten(dims(1, 3, 1), float32(11), 13, 16), state(16))},
		{Name: "LinearAttention/gated", Op: rule("gated"), In: these(ones, k, ones, nil, decay), Want: these(ten(dims(1, 3, 1), float32(1), 3, 3), state(3))},
		// 1; then 2·(1-2·1) more; then 3·(1-3·(-1)) more.
		{Name: "LinearAttention/delta", Op: rule("delta"), In: these(ones, k, ones, nil, nil, ones), Want: these(ten(dims(1, 3, 1), float32(1), -1, 11), state(11))},
		{Name: "LinearAttention/gatedDelta", Op: rule("gated_delta"), In: these(ones, k, ones, nil, decay, ones),
			Want: these(ten(dims(1, 3, 1), float32(1), -1, 3), state(3))},
		// The keys of the two heads are (1, 0) and (0, 1), and two queries look at each.
		{Name: "LinearAttention/groupedHeads", Op: with(func(o *op.LinearAttention) { o.UpdateRule, o.QNumHeads, o.KVNumHeads, o.Scale = "linear", 4, 2, 2 }),
			In:   these(series(1, 1, 1, 8), ten(dims(1, 1, 4), float32(1), 0, 0, 1), ten(dims(1, 1, 2), float32(10), 100)),
			Want: these(ten(dims(1, 1, 4), float32(20), 60, 1200, 1600), ten(dims(1, 2, 2, 1), float32(10), 0, 0, 100))},
	}
}

func causalConvCases() []Case {
	x, w := series(1, 1, 1, 4), ten(dims(1, 1, 2), float32(1), 10)
	row := func(vals ...float32) *tensor.Tensor { return ten(dims(1, 1, len(vals)), vals...) }
	plain := op.New[op.CausalConvWithState]()
	return []Case{
		{Name: "CausalConvWithState/zerosBefore", Op: plain, In: these(x, w), Want: these(row(10, 21, 32, 43), row(4))},
		{Name: "CausalConvWithState/state", Op: plain, In: these(x, w, vec[float32](100), row(5)), Want: these(row(115, 121, 132, 143), row(4))},
		{Name: "CausalConvWithState/longState", Op: plain, In: these(row(7), ten(dims(1, 1, 4), float32(1000), 100, 10, 1)),
			Want: these(row(7), row(0, 0, 7))},
		{Name: "CausalConvWithState/channels", Op: plain, In: these(series(1, 1, 2, 2), ten(dims(2, 1, 1), float32(2), 3)),
			Want: these(ten(dims(1, 2, 2), float32(2), 4, 9, 12), zeros(1, 2, 0))},
		{Name: "CausalConvWithState/silu", Op: with(func(o *op.CausalConvWithState) { o.Activation = "silu" }), In: these(row(0, 1), ten(dims(1, 1, 1), float32(1))),
			Want: these(row(0, 0.731058579), zeros(1, 1, 0)), Tol: 1e-6},
	}
}

package optest

import (
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Gates that compute with the identity can be followed by hand.
var identity = []string{"Affine", "Affine", "Affine"}

func recurrentCases() []Case {
	one := func(v ...float32) *tensor.Tensor { return ten(dims(1, len(v), 1), v...) }
	bias := func(v ...float32) *tensor.Tensor { return ten(dims(1, len(v)), v...) }
	rnn := func(name string, in, want []*tensor.Tensor, set func(*op.RNN)) Case {
		return Case{Name: "RNN/" + name, In: in, Want: want,
			Op: with(func(o *op.RNN) { o.Activations = identity[:2]; set(o) })}
	}
	// h = x + 2h.
	x, w, r := ten(dims(3, 1, 1), float32(1), 2, 3), one(1), one(2)
	gru := func(name string, in, want []*tensor.Tensor, set func(*op.GRU)) Case {
		return Case{Name: "GRU/" + name, In: in, Want: want,
			Op: with(func(o *op.GRU) { o.Activations, o.HiddenSize = identity[:2], 1; set(o) })}
	}
	lstm := func(name string, in, want []*tensor.Tensor, set func(*op.LSTM)) Case {
		return Case{Name: "LSTM/" + name, In: in, Want: want,
			Op: with(func(o *op.LSTM) { o.Activations, o.HiddenSize = identity, 1; set(o) })}
	}
	// Input, output and candidate are x; forget is 1.
	lw, lr, lb := one(1, 1, 0, 1), one(0, 0, 0, 0), bias(0, 0, 1, 0, 0, 0, 0, 0)
	lx := ten(dims(2, 1, 1), float32(2), 1)
	return []Case{
		rnn("forward", these(x, w, r), these(ten(dims(3, 1, 1, 1), float32(1), 4, 11), one(11)), func(*op.RNN) {}),
		rnn("reverse", these(x, w, r), these(ten(dims(3, 1, 1, 1), float32(17), 8, 3), one(17)),
			func(o *op.RNN) { o.Direction = "reverse" }),
		rnn("clipBiasInitial", these(x, w, r, bias(1, 1), nil, one(1)),
			these(ten(dims(3, 1, 1, 1), float32(5), 8, 8), one(8)), func(o *op.RNN) { o.Clip = op.Some[float32](8) }),
		rnn("bidirectional", these(x, ten(dims(2, 1, 1), float32(1), 1), ten(dims(2, 1, 1), float32(2), 2)),
			these(ten(dims(3, 2, 1, 1), float32(1), 17, 4, 8, 11, 3), ten(dims(2, 1, 1), float32(11), 17)),
			func(o *op.RNN) { o.Direction = "bidirectional" }),
		rnn("lengths", these(ten(dims(2, 2, 1), float32(1), 5, 2, 6), w, r, nil, vec[int32](1, 2)),
			these(ten(dims(2, 1, 2, 1), float32(1), 17, 0, 6), ten(dims(1, 2, 1), float32(1), 17)),
			func(o *op.RNN) { o.Direction = "reverse" }),
		rnn("batchFirst", these(ten(dims(2, 2, 1), float32(1), 2, 5, 6), w, r),
			these(ten(dims(2, 2, 1, 1), float32(1), 4, 5, 16), ten(dims(2, 1, 1), float32(4), 16)),
			func(o *op.RNN) { o.BatchFirst = true }),
		{Name: "RNN/tanh", Op: op.New[op.RNN](), In: these(ten(dims(1, 1, 1), float32(0.5)), w, r),
			Want: these(ten(dims(1, 1, 1, 1), float32(0.46211717))), Tol: 1e-6},
		gru("reset", these(ten(dims(2, 1, 1), float32(4), 2), one(0, 0, 1), one(0, 0, 2), bias(0.5, 3, 0, 0, 0, 0)),
			these(ten(dims(2, 1, 1, 1), float32(2), 8), one(8)), func(*op.GRU) {}),
		gru("linearBeforeReset", these(ten(dims(2, 1, 1), float32(4), 2), one(0, 0, 1), one(0, 0, 2), bias(0.5, 3, 0, 0, 0, 1)),
			these(ten(dims(2, 1, 1, 1), float32(3.5), 14.75), one(14.75)), func(o *op.GRU) { o.LinearBeforeReset = true }),
		lstm("gates", these(lx, lw, lr, lb), these(ten(dims(2, 1, 1, 1), float32(8), 5), one(5), one(5)), func(*op.LSTM) {}),
		lstm("peephole", these(lx, lw, lr, lb, nil, nil, nil, bias(0, 1, 0)),
			these(ten(dims(2, 1, 1, 1), float32(24), 30), one(30), one(5)), func(*op.LSTM) {}),
		lstm("inputForget", these(lx, lw, lr, nil, nil, nil, one(1)),
			these(ten(dims(2, 1, 1, 1), float32(6), 1), one(1), one(1)), func(o *op.LSTM) { o.InputForget = true }),
		// The cell state itself is not clipped.
		lstm("clip", these(lx, lw, lr, lb, nil, one(0), one(10)),
			these(ten(dims(2, 1, 1, 1), float32(18.375), 13.25), one(13.25), one(13.25)),
			func(o *op.LSTM) { o.Clip = op.Some[float32](1.5) }),
	}
}

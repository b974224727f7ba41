package tflite

import "github.com/octavo-ml/octavo/internal/op"

// Operators that join elements along axes.
var reductions = []conversion{
	{"ARG_MAX", "ArgMaxOptions", 3, 2, 1, argMax},
	{"ARG_MIN", "ArgMinOptions", 3, 2, 1, argMin},
	{"CUMSUM", "CumsumOptions", 1, 2, 1, cumSum},
	{"L2_NORMALIZATION", "L2NormOptions", 2, 1, 1, l2Normalization},
	{"LOG_SOFTMAX", "LogSoftmaxOptions", 2, 1, 1, unary[op.LogSoftmax]},
	{"MEAN", "ReducerOptions", 3, 2, 1, func(s *scope) {
		o := op.New[op.ReduceMean]()
		s.reduce(o, &o.Keepdims, &o.NoopWithEmptyAxes)
	}},
	{"REDUCE_ALL", "ReducerOptions", 1, 2, 1, reduceMin},
	{"REDUCE_ANY", "ReducerOptions", 1, 2, 1, reduceMax},
	{"REDUCE_MAX", "ReducerOptions", 3, 2, 1, reduceMax},
	{"REDUCE_MIN", "ReducerOptions", 3, 2, 1, reduceMin},
	{"REDUCE_PROD", "ReducerOptions", 2, 2, 1, func(s *scope) {
		o := op.New[op.ReduceProd]()
		s.reduce(o, &o.Keepdims, &o.NoopWithEmptyAxes)
	}},
	{"SOFTMAX", "SoftmaxOptions", 3, 1, 1, softmax},
	{"SUM", "ReducerOptions", 2, 2, 1, func(s *scope) {
		o := op.New[op.ReduceSum]()
		s.reduce(o, &o.Keepdims, &o.NoopWithEmptyAxes)
	}},
	{"TOPK_V2", "TopKV2Options", 3, 2, 2, topK},
}

// reduce appends a reduction; no axes leave the data as it is.
func (s *scope) reduce(o op.Op, keep, noop *bool) {
	*keep, *noop = optionsOf[reducerOptions](s.o).KeepDims, true
	axes := s.numbers(1, "axes")
	s.set(0, s.node(o, s.in(0), s.list(axes...)))
}

func reduceMax(s *scope) {
	o := op.New[op.ReduceMax]()
	s.reduce(o, &o.Keepdims, &o.NoopWithEmptyAxes)
}

func reduceMin(s *scope) {
	o := op.New[op.ReduceMin]()
	s.reduce(o, &o.Keepdims, &o.NoopWithEmptyAxes)
}

func argMax(s *scope) {
	o := op.New[op.ArgMax]()
	o.Axis, o.Keepdims = s.one(1, "an axis"), false
	s.set(0, s.node(o, s.in(0)))
}

func argMin(s *scope) {
	o := op.New[op.ArgMin]()
	o.Axis, o.Keepdims = s.one(1, "an axis"), false
	s.set(0, s.node(o, s.in(0)))
}

func cumSum(s *scope) {
	p := optionsOf[cumsumOptions](s.o)
	o := op.New[op.CumSum]()
	o.Exclusive, o.Reverse = p.Exclusive, p.Reverse
	s.set(0, s.node(o, s.in(0), s.raw(1)))
}

func l2Normalization(s *scope) { s.set(0, s.node(op.New[op.LpNormalization](), s.in(0))) }

// softmax is over the last axis, of the data times beta.
func softmax(s *scope) {
	x := s.in(0)
	if beta := optionsOf[softmaxOptions](s.o).Beta; beta != 1 {
		x = s.node(op.New[op.Mul](), x, s.cast(s.scalar(beta), x.Type))
	}
	s.set(0, s.node(op.New[op.Softmax](), x))
}

func topK(s *scope) {
	k := s.lengths(1)
	if len(k.Shape) != 1 {
		k = s.node(op.New[op.Reshape](), k, s.list(1))
	}
	out := s.nodes(op.New[op.TopK](), 2, s.in(0), k)
	s.set(0, out[0])
	s.store(1, out[1])
}

package tflite

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// encodeGemm is a FULLY_CONNECTED: weights are [out, in].
func encodeGemm(e *encoder) {
	o := unwrap(e.n.Op).(*op.Gemm)
	if o.Alpha != 1 || o.Beta != 1 || o.TransA {
		e.err = e.unsupported(e.n, "with alpha, beta or transA", "fold them into the weights with octavo convert --simplify")
		return
	}
	k := e.sizes(e.n.In[1])
	if e.err != nil {
		return
	}
	perm, out := []int{1, 0}, k[1]
	if o.TransB {
		perm, out = []int{0, 1}, k[0]
	}
	if len(e.n.In) > 2 && e.n.In[2] != nil {
		if b := e.n.In[2]; !b.Shape.Count().Is(out) {
			e.err = e.unsupported(e.n, fmt.Sprintf("with a bias of shape %v for %d columns", b.Shape, out), "add it behind the product")
			return
		}
	}
	e.multiply(true, false)
	w := e.weight(1, perm...)
	b := e.added(2, out)
	f, y := e.activation()
	e.emit("FULLY_CONNECTED", fullyConnectedOptions{Fused: f, Asymmetric: e.h != nil && e.h.asymmetric}, []int32{e.in(0), w, b}, y)
}

// encodeMatMul is a FULLY_CONNECTED where the second operand is a constant
// matrix, and a BATCH_MATMUL otherwise.
func encodeMatMul(e *encoder) {
	w := e.n.In[1]
	if w.Const == nil && !e.stored(w) || len(w.Shape) != 2 || len(e.n.In[0].Shape) < 2 {
		e.emit("BATCH_MATMUL", batchMatMulOptions{}, []int32{e.in(0), e.in(1)}, e.out(0))
		return
	}
	k := e.sizes(w)
	if e.err != nil {
		return
	}
	e.multiply(true, false)
	rows := len(e.n.In[0].Shape) != 2
	f, y := e.activation()
	e.emit("FULLY_CONNECTED", fullyConnectedOptions{Fused: f, KeepDims: rows, Asymmetric: e.h != nil && e.h.asymmetric}, []int32{e.in(0), e.weight(1, 1, 0), e.added(2, k[1])}, y)
}

// encodeSoftmax works along the last axis.
func encodeSoftmax(e *encoder) {
	o := unwrap(e.n.Op).(*op.Softmax)
	e.lastAxis(o.Axis, func(x, y int32) { e.emit("SOFTMAX", softmaxOptions{Beta: 1}, []int32{x}, y) })
}

func encodeLogSoftmax(e *encoder) {
	o := unwrap(e.n.Op).(*op.LogSoftmax)
	e.lastAxis(o.Axis, func(x, y int32) { e.emit("LOG_SOFTMAX", nil, []int32{x}, y) })
}

// lastAxis runs an operator that works along the last axis along another one.
func (e *encoder) lastAxis(axis int, run func(x, y int32)) {
	x, y := e.in(0), e.out(0)
	if x < 0 || y < 0 {
		return
	}
	n := len(e.tensors[x].shape)
	a, err := op.Axis(axis, n)
	if err != nil {
		e.err = err
		return
	}
	if a == n-1 {
		run(x, y)
		return
	}
	perm := make([]int, n)
	for i := range perm {
		perm[i] = i
	}
	perm[a], perm[n-1] = n-1, a
	from := e.transposed(x, perm)
	if from < 0 {
		return
	}
	to := e.like(y, e.tensors[from].shape)
	run(from, to)
	e.emit("TRANSPOSE", nil, []int32{to, e.list(perm...)}, y)
}

func encodeReduce(name string) func(*encoder) {
	return func(e *encoder) {
		keep, noop := reduction(unwrap(e.n.Op))
		axes := e.numbers(1, "axes")
		if axes == nil {
			if noop {
				encodeReshape(e)
				return
			}
			for i := range e.n.In[0].Shape {
				axes = append(axes, i)
			}
		}
		e.emit(name, reducerOptions{KeepDims: keep}, []int32{e.in(0), e.list(axes...)}, e.out(0))
	}
}

func reduction(o op.Op) (keep, noop bool) {
	switch o := o.(type) {
	case *op.ReduceMean:
		return o.Keepdims, o.NoopWithEmptyAxes
	case *op.ReduceMax:
		return o.Keepdims, o.NoopWithEmptyAxes
	case *op.ReduceMin:
		return o.Keepdims, o.NoopWithEmptyAxes
	case *op.ReduceProd:
		return o.Keepdims, o.NoopWithEmptyAxes
	case *op.ReduceSum:
		return o.Keepdims, o.NoopWithEmptyAxes
	}
	panic(fmt.Sprintf("tflite: %s is no reduction", o.Name()))
}

func encodeArgMax(e *encoder) {
	o := unwrap(e.n.Op).(*op.ArgMax)
	e.arg("ARG_MAX", o.Axis, o.Keepdims, o.SelectLastIndex)
}

func encodeArgMin(e *encoder) {
	o := unwrap(e.n.Op).(*op.ArgMin)
	e.arg("ARG_MIN", o.Axis, o.Keepdims, o.SelectLastIndex)
}

func (e *encoder) arg(name string, axis int, keep, last bool) {
	if last {
		e.err = e.unsupported(e.n, "that takes the last of equals", "write an ONNX model (.onnx)")
		return
	}
	x, y := e.in(0), e.out(0)
	to := y
	if x < 0 || y < 0 {
		return
	}
	if keep {
		a, err := op.Axis(axis, len(e.tensors[x].shape))
		if err != nil {
			e.err = err
			return
		}
		shape := e.tensors[y].shape.Clone()
		to = e.like(y, append(shape[:a:a], shape[a+1:]...))
	}
	e.emit(name, typeOptions{typeNumber(dtype.Int64)}, []int32{x, e.given(tensor.Scalar(int32(axis)))}, to)
	if keep {
		e.reshapeTo(to, y)
	}
}

func encodeGelu(e *encoder) {
	o := unwrap(e.n.Op).(*op.Gelu)
	e.emit("GELU", geluOptions{Approximate: o.Approximate == "tanh"}, []int32{e.in(0)}, e.out(0))
}

func encodeLeakyRelu(e *encoder) {
	e.emit("LEAKY_RELU", leakyReluOptions{unwrap(e.n.Op).(*op.LeakyRelu).Alpha}, []int32{e.in(0)}, e.out(0))
}

func encodeElu(e *encoder) {
	if o := unwrap(e.n.Op).(*op.Elu); o.Alpha != 1 {
		e.err = e.unsupported(e.n, fmt.Sprintf("with alpha %v", o.Alpha), "only alpha 1 can be written")
		return
	}
	e.emit("ELU", nil, []int32{e.in(0)}, e.out(0))
}

// encodeReciprocal is a division: the format has no operator for it.
func encodeReciprocal(e *encoder) {
	e.emit("DIV", fusedOptions{}, []int32{e.scalar(1), e.in(0)}, e.out(0))
}

// encodeHardSigmoid is max(0, min(1, alpha·x + beta)), spelled out.
func encodeHardSigmoid(e *encoder) {
	o := unwrap(e.n.Op).(*op.HardSigmoid)
	x, y := e.in(0), e.out(0)
	if x < 0 || y < 0 {
		return
	}
	shape := e.tensors[x].shape
	scaled, positive := e.like(x, shape), e.like(x, shape)
	e.emit("MUL", fusedOptions{}, []int32{x, e.scalar(o.Alpha)}, scaled)
	e.emit("ADD", sumOptions{Fused: fusedRelu, PotScale16: true}, []int32{scaled, e.scalar(o.Beta)}, positive)
	e.emit("MINIMUM", nil, []int32{positive, e.scalar(1)}, y)
}

// encodeLRN: the format multiplies the sum of squares with alpha, ONNX the mean.
func encodeLRN(e *encoder) {
	o := unwrap(e.n.Op).(*op.LRN)
	if o.Layout != op.ChannelsLast || o.Size%2 == 0 {
		e.err = e.unsupported(e.n, fmt.Sprintf("over %d channels", o.Size), "an odd number of channels can be written")
		return
	}
	e.emit("LOCAL_RESPONSE_NORMALIZATION", lrnOptions{Radius: int32(o.Size / 2), Bias: o.Bias, Alpha: o.Alpha / float32(o.Size), Beta: o.Beta}, []int32{e.in(0)}, e.out(0))
}

// encodeLayerNormalization spells it out: the format has no operator for it.
func encodeLayerNormalization(e *encoder) {
	o := unwrap(e.n.Op).(*op.LayerNormalization)
	x, y := e.in(0), e.out(0)
	if x < 0 || y < 0 || e.q != nil || len(e.n.Out) > 1 && e.n.Out[1] != nil {
		if e.err == nil {
			e.err = e.unsupported(e.n, "on integers, or with its mean as an output", "leave it float")
		}
		return
	}
	full := e.tensors[x].shape
	a, err := op.Axis(o.Axis, len(full))
	if err != nil {
		e.err = err
		return
	}
	small, axes := full.Clone(), []int{}
	for i := a; i < len(full); i++ {
		small[i] = op.Size(1)
		axes = append(axes, i)
	}
	over := e.list(axes...)
	keep := reducerOptions{KeepDims: true}
	mean, centred, squares, variance := e.like(x, small), e.like(x, full), e.like(x, full), e.like(x, small)
	e.emit("MEAN", keep, []int32{x, over}, mean)
	e.emit("SUB", sumOptions{PotScale16: true}, []int32{x, mean}, centred)
	e.emit("MUL", fusedOptions{}, []int32{centred, centred}, squares)
	e.emit("MEAN", keep, []int32{squares, over}, variance)
	raised, inverse, scaled := e.like(x, small), e.like(x, small), e.like(x, full)
	e.emit("ADD", sumOptions{PotScale16: true}, []int32{variance, e.scalar(o.Epsilon)}, raised)
	e.emit("RSQRT", nil, []int32{raised}, inverse)
	bias := len(e.n.In) > 2 && e.n.In[2] != nil
	e.emit("MUL", fusedOptions{}, []int32{centred, inverse}, scaled)
	if !bias {
		e.emit("MUL", fusedOptions{}, []int32{scaled, e.in(1)}, y)
		return
	}
	gained := e.like(x, full)
	e.emit("MUL", fusedOptions{}, []int32{scaled, e.in(1)}, gained)
	e.emit("ADD", sumOptions{PotScale16: true}, []int32{gained, e.in(2)}, y)
}

// encodeLpNormalization is of the last axis, by the root of the sum of squares.
func encodeLpNormalization(e *encoder) {
	o := unwrap(e.n.Op).(*op.LpNormalization)
	if axis, err := op.Axis(o.Axis, len(e.n.In[0].Shape)); err != nil || axis != len(e.n.In[0].Shape)-1 || o.P != 2 {
		e.err = e.unsupported(e.n, "of another axis than the last, or another norm than the second,", "write an ONNX model (.onnx)")
		return
	}
	e.emit("L2_NORMALIZATION", fusedOptions{}, []int32{e.in(0)}, e.out(0))
}

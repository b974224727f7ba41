package tflite

import (
	"github.com/octavo-ml/octavo/internal/dtype"
)

// encodings is the table of operators that are written, by their name in the
// graph: the mirror of conversions.
var encodings = map[string]func(*encoder){
	"Abs": encodeUnary("ABS"), "Add": encodeSum("ADD"), "And": encodePair("LOGICAL_AND"), "ArgMax": encodeArgMax, "ArgMin": encodeArgMin,
	"AveragePool": encodeAveragePool, "Cast": encodeCast, "Ceil": encodeUnary("CEIL"), "Clip": encodeClip, "Concat": encodeConcat,
	"Conv": encodeConv, "ConvTranspose": encodeConvTranspose, "Cos": encodeUnary("COS"), "DepthToSpace": encodeDepthToSpace,
	"DequantizeLinear": encodeDequantize, "Div": encodeFused("DIV"), "Elu": encodeElu, "Equal": encodePair("EQUAL"), "Exp": encodeUnary("EXP"),
	"Expand": encodeExpand, "Flatten": encodeReshape, "Floor": encodeUnary("FLOOR"), "Gather": encodeGather, "GatherND": encodeGatherND, "Gelu": encodeGelu,
	"Gemm": encodeGemm, "GlobalAveragePool": encodeGlobalAverage, "GlobalMaxPool": encodeGlobalMax, "Greater": encodePair("GREATER"),
	"GreaterOrEqual": encodePair("GREATER_EQUAL"), "HardSigmoid": encodeHardSigmoid, "HardSwish": encodeUnary("HARD_SWISH"), "Identity": encodeIdentity,
	"IsNaN": encodeIsNaN, "LRN": encodeLRN, "LSTM": encodeLSTM, "LayerNormalization": encodeLayerNormalization, "LeakyRelu": encodeLeakyRelu, "Less": encodePair("LESS"),
	"LessOrEqual": encodePair("LESS_EQUAL"), "Log": encodeUnary("LOG"), "LogSoftmax": encodeLogSoftmax, "LpNormalization": encodeLpNormalization, "MatMul": encodeMatMul,
	"Max": encodePair("MAXIMUM"), "MaxPool": encodeMaxPool, "Min": encodePair("MINIMUM"), "Mul": encodeFused("MUL"), "Neg": encodeUnary("NEG"),
	"Not": encodeUnary("LOGICAL_NOT"), "Or": encodePair("LOGICAL_OR"), "PRelu": encodePair("PRELU"), "Pad": encodePad, "Pow": encodePair("POW"),
	"QuantizeLinear": encodeQuantize, "Reciprocal": encodeReciprocal, "ReduceMax": encodeReduce("REDUCE_MAX"), "ReduceMean": encodeReduce("MEAN"),
	"ReduceMin": encodeReduce("REDUCE_MIN"), "ReduceProd": encodeReduce("REDUCE_PROD"), "ReduceSum": encodeReduce("SUM"), "Relu": encodeUnary("RELU"),
	"Reshape": encodeReshape, "Resize": encodeResize, "Round": encodeUnary("ROUND"), "Shape": encodeShape, "Sigmoid": encodeUnary("LOGISTIC"),
	"Sign": encodeUnary("SIGN"), "Sin": encodeUnary("SIN"), "Slice": encodeSlice, "Softmax": encodeSoftmax, "SpaceToDepth": encodeSpaceToDepth,
	"Split": encodeSplit, "Sqrt": encodeUnary("SQRT"), "Squeeze": encodeReshape, "Sub": encodeSum("SUB"), "Tanh": encodeUnary("TANH"),
	"Tile": encodeTile, "Transpose": encodeTranspose, "Unsqueeze": encodeReshape, "Where": encodePair3("SELECT_V2"),
}

// encodeUnary is an operator with one operand and no options.
func encodeUnary(name string) func(*encoder) {
	return func(e *encoder) { e.emit(name, nil, []int32{e.in(0)}, e.out(0)) }
}

// encodePair is an operator with two operands and no options.
func encodePair(name string) func(*encoder) {
	return func(e *encoder) {
		if len(e.n.In) != 2 {
			e.err = e.unsupported(e.n, "with other than two operands", "write an ONNX model (.onnx)")
			return
		}
		e.emit(name, nil, []int32{e.in(0), e.in(1)}, e.out(0))
	}
}

// encodeIsNaN is what no number is: other than itself.
func encodeIsNaN(e *encoder) {
	x := e.in(0)
	e.emit("NOT_EQUAL", nil, []int32{x, x}, e.out(0))
}

func encodePair3(name string) func(*encoder) {
	return func(e *encoder) { e.emit(name, nil, []int32{e.in(0), e.in(1), e.in(2)}, e.out(0)) }
}

// encodeFused is an operator on two operands with a fused activation.
func encodeFused(name string) func(*encoder) {
	return func(e *encoder) {
		f, y := e.activation()
		e.emit(name, fusedOptions{f}, []int32{e.in(0), e.in(1)}, y)
	}
}

// encodeSum is ADD or SUB, whose int16 kernels take any scale only where the
// options say that none is a power of two.
func encodeSum(name string) func(*encoder) {
	return func(e *encoder) {
		f, y := e.activation()
		o := sumOptions{Fused: f, PotScale16: true}
		if e.q != nil && e.q.In[0].Type == dtype.Int16 {
			o.PotScale16 = false
		}
		e.emit(name, o, []int32{e.in(0), e.in(1)}, y)
	}
}

func encodeClip(e *encoder) {
	lo, hi, ok := e.limits(e.n)
	if !ok {
		e.err = e.unsupported(e.n, "with computed limits", "make them constants")
		return
	}
	x := e.in(0)
	if f, ok := fusedLimit(lo, hi); ok && e.q == nil {
		name := map[byte]string{fusedRelu: "RELU", fusedRelu6: "RELU6", fusedReluN1To1: "RELU_N1_TO_1"}[f]
		e.emit(name, nil, []int32{x}, e.out(0))
		return
	}
	if x < 0 {
		return
	}
	mid := e.like(x, e.tensors[x].shape)
	e.emit("MAXIMUM", nil, []int32{x, e.number(x, float32(lo))}, mid)
	e.emit("MINIMUM", nil, []int32{mid, e.number(mid, float32(hi))}, e.out(0))
}

func encodeCast(e *encoder) {
	from, to := e.n.In[0].Type, e.n.Out[0].Type
	if from == dtype.Float16 && to == dtype.Float32 {
		e.emit("DEQUANTIZE", nil, []int32{e.in(0)}, e.out(0))
		return
	}
	e.emit("CAST", castOptions{typeNumber(from), typeNumber(to)}, []int32{e.in(0)}, e.out(0))
}

// encodeDequantize reads integers of the graph; constants of weights are
// widened where they are read.
func encodeDequantize(e *encoder) { e.emit("DEQUANTIZE", nil, []int32{e.in(0)}, e.out(0)) }

func orError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// encodeQuantize writes integers; from those of other parameters it requantizes.
func encodeQuantize(e *encoder) { e.emit("QUANTIZE", nil, []int32{e.in(0)}, e.out(0)) }

// encodeIdentity is, on integers, an activation or new parameters.
func encodeIdentity(e *encoder) {
	if e.q == nil {
		encodeReshape(e)
		return
	}
	f := e.clamped()
	name, ok := map[byte]string{fusedRelu: "RELU", fusedRelu6: "RELU6", fusedReluN1To1: "RELU_N1_TO_1"}[f]
	switch {
	case ok:
		e.emit(name, nil, []int32{e.in(0)}, e.out(0))
	case e.q.In[0].Equal(e.q.Out[0]):
		encodeReshape(e)
	default:
		encodeQuantize(e)
	}
}

"""Writes models of one TensorFlow Lite operator each, with what LiteRT's reference kernels (where there are any) make of them.

Usage: tflite_operators.py OUT.json INTEGERS.json     (ai-edge-litert 2.3.0, numpy 2.4.6, flatbuffers 25.12.19)
"""
import base64, json, sys
import flatbuffers, numpy as np
from ai_edge_litert import schema_py_generated as S
from ai_edge_litert.interpreter import Interpreter, OpResolverType

R = np.random.default_rng(20261126)
TYPES = {np.dtype(np.float32): 0, np.dtype(np.float16): 1, np.dtype(np.int32): 2, np.dtype(np.uint8): 3, np.dtype(np.int64): 4,
         np.dtype(np.bool_): 6, np.dtype(np.int16): 7, np.dtype(np.int8): 9}
CASES = []


class Const(np.ndarray):
    """A constant operand."""


def const(x, dtype=None):
    return np.array(x, dtype=dtype).view(Const)


def ints(*x):
    return const(x, np.int32)


def rnd(*shape, lo=-2, hi=2):
    return R.uniform(lo, hi, shape).astype(np.float32)


class Q:
    """A quantized operand: integers with scales and zero points, of which the data is drawn."""

    def __init__(self, shape, dtype=np.int8, scale=0.05, zero=3, axis=0, constant=False, data=None):
        n = np.iinfo(dtype)
        lo = -127 if constant and dtype == np.int8 else n.min
        self.data = np.array(data if data is not None else R.integers(lo, n.max + 1, shape), dtype=dtype)
        self.scale, self.axis, self.constant = np.atleast_1d(np.float32(scale)), axis, constant
        self.zero = np.broadcast_to(np.int64(zero), self.scale.shape)


class Out:
    def __init__(self, dtype=np.float32, scale=None, zero=0):
        self.dtype, self.scale, self.zero = np.dtype(dtype), scale, zero


def tensor(m, name, dtype, shape, data=None, scale=None, zero=None, axis=0):
    t = S.TensorT()
    t.name, t.type, t.shape, t.buffer, t.hasRank = name, TYPES[np.dtype(dtype)], list(shape), 0, True
    if data is not None:
        b = S.BufferT()
        b.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        t.buffer = len(m.buffers)
        m.buffers.append(b)
    if scale is not None:
        q = S.QuantizationParametersT()
        q.scale, q.zeroPoint, q.quantizedDimension = list(np.atleast_1d(scale)), list(np.atleast_1d(zero)), axis
        t.quantization = q
    m.subgraphs[0].tensors.append(t)
    return len(m.subgraphs[0].tensors) - 1


def case(name, op, ins, outs=None, version=1, options=None, reference=True, **fields):
    m = S.ModelT()
    m.version, m.description = 3, ""
    m.buffers, m.subgraphs, m.operatorCodes = [S.BufferT()], [S.SubGraphT()], []
    g = m.subgraphs[0]
    g.tensors, g.inputs, g.outputs, g.operators, g.name = [], [], [], [], "main"
    code = getattr(S.BuiltinOperator, op)
    c = S.OperatorCodeT()
    c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), version
    m.operatorCodes.append(c)
    o = S.OperatorT()
    o.opcodeIndex, o.inputs, o.outputs = 0, [], []
    feeds = []
    for k, x in enumerate(ins):
        if x is None:
            o.inputs.append(-1)
            continue
        q = x if isinstance(x, Q) else None
        data = q.data if q else np.asarray(x)
        constant = q.constant if q else isinstance(x, Const)
        i = tensor(m, f"in{k}", data.dtype, data.shape, data if constant else None, q and q.scale, q and q.zero, q.axis if q else 0)
        o.inputs.append(i)
        if not constant:
            g.inputs.append(i)
            feeds.append(data)
    for k, y in enumerate(outs or [Out()]):
        i = tensor(m, f"out{k}", y.dtype, [], None, y.scale, y.zero)
        m.subgraphs[0].tensors[i].hasRank = False
        o.outputs.append(i)
        g.outputs.append(i)
    if options:
        opt = getattr(S, options + "T")()
        for f, v in fields.items():
            assert hasattr(opt, f), (options, f)
            setattr(opt, f, v)
        o.builtinOptionsType, o.builtinOptions = getattr(S.BuiltinOptions, options), opt
    g.operators.append(o)

    def pack():
        b = flatbuffers.Builder(1024)
        b.Finish(m.Pack(b), b"TFL3")
        return bytes(b.Output())

    for kind in (OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)[not reference:]:  # the first lacks some
        try:
            it = Interpreter(model_content=pack(), experimental_op_resolver_type=kind, num_threads=1)
            it.allocate_tensors()
            break
        except (RuntimeError, ValueError) as e:
            problem = str(e)
    else:
        sys.exit(f"{name}: {problem}")
    for d, x in zip(it.get_input_details(), feeds):
        it.set_tensor(d["index"], x)
    it.invoke()
    results = [it.get_tensor(d["index"]) for d in it.get_output_details()]
    for i, y in zip(g.outputs, results):
        g.tensors[i].shape = list(y.shape)
    value = lambda x: {"type": str(x.dtype), "shape": list(x.shape), "data": [float(f"{v:.9g}") for v in np.asarray(x, np.float64).ravel()]}
    CASES.append({"name": name, "model": base64.b64encode(pack()).decode(), "inputs": [value(x) for x in feeds], "outputs": [value(y) for y in results]})


SAME, VALID = 0, 1
I8 = lambda scale, zero=0: [Out(np.int8, scale, zero)]


def convolutions():
    x, w, b = rnd(2, 5, 7, 4), const(rnd(3, 3, 3, 4)), const(rnd(3))
    conv = dict(options="Conv2DOptions", strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1)
    case("conv same", "CONV_2D", [x, w, b], padding=SAME, **conv)
    case("conv same, even kernel and strides", "CONV_2D", [x, const(rnd(3, 2, 4, 4)), b], padding=SAME, **conv | dict(strideW=2, strideH=3))
    case("conv valid, relu", "CONV_2D", [x, w, b], padding=VALID, fusedActivationFunction=1, **conv)
    case("conv valid, dilated, relu6", "CONV_2D", [x, w, b], padding=VALID, fusedActivationFunction=3, **conv | dict(dilationWFactor=2, dilationHFactor=2))
    case("conv of groups", "CONV_2D", [x, const(rnd(6, 3, 3, 2)), const(rnd(6))], padding=SAME, version=6, **conv)
    dw = dict(options="DepthwiseConv2DOptions", strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1)
    case("depthwise", "DEPTHWISE_CONV_2D", [x, const(rnd(1, 3, 3, 4)), const(rnd(4))], padding=SAME, depthMultiplier=1, **dw)
    case("depthwise, two filters a channel", "DEPTHWISE_CONV_2D", [x, const(rnd(1, 3, 2, 8)), const(rnd(8))], padding=VALID, depthMultiplier=2, fusedActivationFunction=2, **dw)
    case("depthwise, dilated", "DEPTHWISE_CONV_2D", [x, const(rnd(1, 2, 2, 4)), const(rnd(4))], padding=SAME, depthMultiplier=1, version=2, **dw | dict(dilationWFactor=2, dilationHFactor=2))
    q = Q((1, 5, 7, 4))
    s = np.array([0.01, 0.02, 0.005], np.float32)
    wq = Q((3, 3, 3, 4), scale=s, zero=0, constant=True)
    bq = Q((3,), np.int32, scale=q.scale * s, zero=0, constant=True, data=R.integers(-4000, 4000, 3))
    case("conv int8", "CONV_2D", [q, wq, bq], I8(0.2, -5), padding=SAME, version=3, **conv)
    dq = Q((1, 3, 3, 4), scale=np.array([0.01, 0.02, 0.005, 0.03], np.float32), zero=0, axis=3, constant=True)
    db = Q((4,), np.int32, scale=q.scale * dq.scale, zero=0, constant=True, data=R.integers(-4000, 4000, 4))
    case("depthwise int8", "DEPTHWISE_CONV_2D", [q, dq, db], I8(0.1, 4), padding=SAME, depthMultiplier=1, fusedActivationFunction=1, version=3, **dw)
    u, uw = Q((1, 5, 7, 4), np.uint8, 0.05, 120), Q((3, 3, 3, 4), np.uint8, 0.02, 130, constant=True)
    ub = Q((3,), np.int32, scale=0.001, zero=0, constant=True, data=[100, -2000, 3000])
    case("conv uint8 of before", "CONV_2D", [u, uw, ub], [Out(np.uint8, 0.3, 128)], padding=VALID, fusedActivationFunction=1, **conv)
    tr = dict(options="TransposeConvOptions", strideW=2, strideH=2)
    y = rnd(1, 3, 4, 2)
    case("transposed conv same", "TRANSPOSE_CONV", [ints(1, 6, 8, 3), const(rnd(3, 3, 3, 2)), y], padding=SAME, **tr)
    case("transposed conv valid", "TRANSPOSE_CONV", [ints(1, 7, 9, 3), const(rnd(3, 3, 3, 2)), y, const(rnd(3))], padding=VALID, version=3, **tr)
    case("transposed conv, small kernel", "TRANSPOSE_CONV", [ints(1, 6, 8, 3), const(rnd(3, 1, 1, 2)), y], padding=SAME, **tr)
    case("conv 3d", "CONV_3D", [rnd(1, 4, 5, 6, 2), const(rnd(2, 3, 2, 2, 3)), const(rnd(3))], padding=SAME, options="Conv3DOptions", strideD=1, strideW=2, strideH=1, dilationDFactor=1, dilationWFactor=1, dilationHFactor=1)
    pool = dict(options="Pool2DOptions", strideW=2, strideH=1, filterWidth=3, filterHeight=2)
    case("max pool same", "MAX_POOL_2D", [x], padding=SAME, **pool)
    case("average pool same", "AVERAGE_POOL_2D", [x], padding=SAME, **pool)
    case("average pool valid, relu", "AVERAGE_POOL_2D", [x], padding=VALID, fusedActivationFunction=1, **pool)
    case("average pool int8", "AVERAGE_POOL_2D", [q], I8(0.05, 3), padding=SAME, version=2, **pool)
    # The reference kernel leaves the last channel of each window out.
    case("local response", "LOCAL_RESPONSE_NORMALIZATION", [x], reference=False, options="LocalResponseNormalizationOptions", radius=1, bias=1.5, alpha=0.3, beta=0.6)


def products():
    fc = dict(options="FullyConnectedOptions")
    w, b = const(rnd(3, 6)), const(rnd(3))
    case("fully connected", "FULLY_CONNECTED", [rnd(2, 6), w, b], fusedActivationFunction=1, **fc)
    case("fully connected, flattened", "FULLY_CONNECTED", [rnd(2, 3, 2), w, None], version=6, **fc)
    case("fully connected, dimensions kept", "FULLY_CONNECTED", [rnd(2, 3, 6), w, b], keepNumDims=True, version=5, **fc)
    q = Q((2, 3, 6))
    wq = Q((3, 6), scale=0.02, zero=0, constant=True)
    bq = Q((3,), np.int32, scale=0.001, zero=0, constant=True, data=[100, -2000, 3000])
    case("fully connected int8, dimensions kept", "FULLY_CONNECTED", [q, wq, bq], I8(0.1, 4), keepNumDims=True, version=5, **fc)
    case("fully connected hybrid", "FULLY_CONNECTED", [rnd(2, 6), wq, b], version=3, **fc)
    case("fully connected hybrid, asymmetric", "FULLY_CONNECTED", [rnd(2, 6), wq, b], asymmetricQuantizeInputs=True, version=9, **fc)
    case("batch product", "BATCH_MATMUL", [rnd(2, 3, 4), rnd(2, 4, 5)], options="BatchMatMulOptions")
    case("batch product, adjoint", "BATCH_MATMUL", [rnd(2, 4, 3), rnd(2, 5, 4)], options="BatchMatMulOptions", adjX=True, adjY=True)
    case("embedding", "EMBEDDING_LOOKUP", [np.array([2, 0, 2], np.int32), const(rnd(4, 3))])


def elements():
    x, y = rnd(2, 3, 4), rnd(3, 1)
    for op in "ABS CEIL COS ELU EXP FLOOR HARD_SWISH LOGISTIC NEG RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 SIN SQUARE TANH SIGN LOG_SOFTMAX".split():
        case(op.lower(), op, [x * 3])
    case("round", "ROUND", [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.4], np.float32)])
    for op in "LOG SQRT RSQRT".split():
        case(op.lower(), op, [np.abs(x) + 0.1])
    for op, o in {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions"}.items():
        case(op.lower(), op, [x, const(np.abs(y) + 0.5)], options=o, fusedActivationFunction=1)
        case(op.lower() + " int32", op, [np.array([7, -7, 9], np.int32), np.array([2, 2, -4], np.int32)], [Out(np.int32)], options=o)
    for op in "MAXIMUM MINIMUM SQUARED_DIFFERENCE".split():
        case(op.lower(), op, [x, y])
    case("pow", "POW", [np.abs(x) + 0.1, y])
    case("prelu", "PRELU", [x, const(rnd(1, 4))])
    case("leaky relu", "LEAKY_RELU", [x], options="LeakyReluOptions", alpha=0.2)
    case("gelu", "GELU", [x], options="GeluOptions", approximate=False)
    case("gelu by tanh", "GELU", [x], options="GeluOptions", approximate=True)
    case("floor div", "FLOOR_DIV", [np.array([7, -7, 7, -7], np.int32), np.array([2, 2, -2, -2], np.int32)], [Out(np.int32)])
    case("floor div float", "FLOOR_DIV", [rnd(5), rnd(5)], version=2)
    case("floor mod", "FLOOR_MOD", [np.array([7, -7, 7, -7], np.int32), np.array([3, 3, -3, -3], np.int32)], [Out(np.int32)])
    case("floor mod float", "FLOOR_MOD", [rnd(8), const(np.array([0.7, -0.7] * 4, np.float32))])
    z = np.round(x)
    for op in "EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL".split():
        case(op.lower(), op, [z, np.round(y)], [Out(np.bool_)])
    a, b = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    case("and", "LOGICAL_AND", [a, b], [Out(np.bool_)])
    case("or", "LOGICAL_OR", [a, b], [Out(np.bool_)])
    case("not", "LOGICAL_NOT", [a], [Out(np.bool_)])
    case("select", "SELECT", [a, rnd(4), rnd(4)])
    case("select of rows", "SELECT", [a, rnd(4, 3), rnd(4, 3)])
    case("select, broadcast", "SELECT_V2", [a, rnd(3, 4), rnd(3, 1)])
    case("add many", "ADD_N", [x, x, rnd(2, 3, 4)])
    case("cast", "CAST", [np.array([1.5, -2.7, 3.2], np.float32)], [Out(np.int32)], options="CastOptions", inDataType=0, outDataType=2)
    q, r = Q((2, 3, 4)), Q((2, 3, 4), scale=0.03, zero=-7)
    for op, o, s in (("ADD", "AddOptions", 0.1), ("SUB", "SubOptions", 0.1), ("MUL", "MulOptions", 0.2)):
        case(op.lower() + " int8", op, [q, r], I8(s, 5), options=o, version=2)
    for op, s, z in (("LOGISTIC", 1 / 256, -128), ("TANH", 1 / 128, 0), ("LEAKY_RELU", 0.05, 0), ("HARD_SWISH", 0.05, -100)):
        case(op.lower() + " int8", op, [q], I8(s, z), version=1 if op[0] in "LH" and op != "LOGISTIC" else 2, **dict(options="LeakyReluOptions", alpha=0.1) if op[0:2] == "LE" else {})
    case("quantize", "QUANTIZE", [x], I8(0.02, 3))
    case("quantize anew", "QUANTIZE", [q], I8(0.04, -9), version=2)
    case("quantize to uint8", "QUANTIZE", [q], [Out(np.uint8, 0.05, 131)], version=2)
    case("dequantize", "DEQUANTIZE", [q], version=2)
    case("dequantize half", "DEQUANTIZE", [const(rnd(3, 2), np.float16)], version=3)


def moves():
    x = rnd(2, 3, 4)
    i = rnd(1, 4, 6, 4)
    case("concatenation", "CONCATENATION", [x, rnd(2, 1, 4)], options="ConcatenationOptions", axis=1)
    case("concatenation from the end", "CONCATENATION", [x, rnd(2, 3, 1)], options="ConcatenationOptions", axis=-1)
    case("concatenation int8", "CONCATENATION", [Q((2, 3)), Q((2, 1))], I8(0.05, 3), options="ConcatenationOptions", axis=1, version=2)
    case("pack", "PACK", [x, x + 1], options="PackOptions", axis=-2, valuesCount=2)
    case("unpack", "UNPACK", [x], [Out()] * 3, options="UnpackOptions", axis=1, num=3)
    case("split", "SPLIT", [ints(2).reshape(()).view(Const), x], [Out()] * 2, options="SplitOptions", numSplits=2)
    case("split by sizes", "SPLIT_V", [x, ints(1, -1), ints(2).reshape(()).view(Const)], [Out()] * 2, options="SplitVOptions", numSplits=2)
    case("transpose", "TRANSPOSE", [x, ints(2, 0, 1)])
    case("reshape", "RESHAPE", [x, ints(4, -1)], options="ReshapeOptions")
    case("reshape by options", "RESHAPE", [x], options="ReshapeOptions", newShape=[4, 6])
    case("reshape computed", "RESHAPE", [x, np.array([3, -1], np.int32)], options="ReshapeOptions")
    case("squeeze", "SQUEEZE", [rnd(1, 3, 1, 2)], options="SqueezeOptions", squeezeDims=[2])
    case("squeeze all", "SQUEEZE", [rnd(1, 3, 1, 2)], options="SqueezeOptions", squeezeDims=[])
    case("expand dims", "EXPAND_DIMS", [x, ints(-1).reshape(()).view(Const)])
    case("tile", "TILE", [x, ints(1, 2, 3)])
    case("broadcast", "BROADCAST_TO", [rnd(3, 1), ints(2, 3, 4)], version=2)
    case("pad", "PAD", [x, const([[0, 1], [2, 0], [1, 1]], np.int32)])
    case("pad with", "PADV2", [x, const([[0, 1], [2, 0], [1, 1]], np.int32), const(1.5, np.float32)])
    case("pad int8", "PAD", [Q((2, 3)), const([[1, 1], [0, 2]], np.int32)], I8(0.05, 3), version=2)
    case("mirror pad", "MIRROR_PAD", [x, const([[0, 1], [2, 0], [1, 3]], np.int32)], options="MirrorPadOptions", mode=0)
    case("mirror pad with the border", "MIRROR_PAD", [x, const([[0, 2], [3, 0], [1, 4]], np.int32)], options="MirrorPadOptions", mode=1)
    case("gather", "GATHER", [x, np.array([[2, 0], [1, 1]], np.int32)], options="GatherOptions", axis=1)
    case("gather of batches", "GATHER", [x, np.array([[2, 0], [1, 1]], np.int32)], options="GatherOptions", axis=1, batchDims=1, version=5)
    case("gather places", "GATHER_ND", [x, np.array([[1, 2], [0, 0]], np.int32)])
    case("scatter", "SCATTER_ND", [np.array([[1], [3], [1]], np.int32), rnd(3, 2), ints(5, 2)])
    case("slice", "SLICE", [x, ints(0, 1, 1), ints(-1, 2, 2)])
    case("slice computed", "SLICE", [x, np.array([0, 1, 1], np.int32), np.array([-1, 2, 2], np.int32)])
    ss = dict(options="StridedSliceOptions")
    case("strided slice", "STRIDED_SLICE", [x, ints(0, 2, 3), ints(2, 0, -4), ints(1, -1, -2)], **ss)
    case("strided slice, masks", "STRIDED_SLICE", [x, ints(1, 1, 1), ints(1, 2, 1), ints(1, 1, -1)], beginMask=1 | 4, endMask=1 | 4, **ss)
    case("strided slice, axes gone", "STRIDED_SLICE", [x, ints(-1, 0, 2), ints(0, 3, 3), ints(1, 1, 1)], shrinkAxisMask=1 | 4, **ss)
    case("strided slice, fewer entries", "STRIDED_SLICE", [x, ints(1), ints(2), ints(1)], **ss)
    case("strided slice, ellipsis", "STRIDED_SLICE", [x, ints(0, 1), ints(0, 3), ints(1, 2)], ellipsisMask=1, version=6, **ss)
    case("strided slice, new axis", "STRIDED_SLICE", [x, ints(0, 0, 1), ints(0, 2, 3), ints(1, 1, 1)], newAxisMask=1, shrinkAxisMask=2, version=6, **ss)
    case("strided slice, computed", "STRIDED_SLICE", [x, np.array([1, 0, 1], np.int32), np.array([2, 3, 3], np.int32), ints(1, 1, 1)], shrinkAxisMask=1, endMask=2, **ss)
    for align, half in ((0, 0), (1, 0), (0, 1)):
        f = dict(alignCorners=bool(align), halfPixelCenters=bool(half))
        case(f"resize bilinear {align}{half}", "RESIZE_BILINEAR", [i, ints(7, 9)], options="ResizeBilinearOptions", version=3, **f)
        case(f"resize nearest {align}{half}", "RESIZE_NEAREST_NEIGHBOR", [i, ints(7, 4)], options="ResizeNearestNeighborOptions", version=3, **f)
    case("space to depth", "SPACE_TO_DEPTH", [i], options="SpaceToDepthOptions", blockSize=2)
    case("depth to space", "DEPTH_TO_SPACE", [i], options="DepthToSpaceOptions", blockSize=2)
    case("space to batch", "SPACE_TO_BATCH_ND", [i, ints(2, 3), const([[0, 2], [1, 2]], np.int32)])
    case("batch to space", "BATCH_TO_SPACE_ND", [rnd(12, 2, 3, 2), ints(2, 3), const([[1, 0], [0, 2]], np.int32)])
    case("reverse", "REVERSE_V2", [x, ints(1)])
    case("reverse sequences", "REVERSE_SEQUENCE", [x, np.array([2, 1, 3], np.int32)], options="ReverseSequenceOptions", seqDim=2, batchDim=1)
    case("update", "DYNAMIC_UPDATE_SLICE", [x, rnd(1, 2, 4), np.array([1, 5, 0], np.int32)])
    case("update whole rows", "DYNAMIC_UPDATE_SLICE", [x, rnd(1, 3, 4), np.array([1, 0, 0], np.int32)])


def shapes():
    x = rnd(2, 3, 4)
    case("shape", "SHAPE", [x], [Out(np.int32)], options="ShapeOptions", outType=2)
    case("shape int64", "SHAPE", [x], [Out(np.int64)], options="ShapeOptions", outType=4)
    case("rank", "RANK", [x], [Out(np.int32)])
    case("fill", "FILL", [ints(2, 3), const(1.5, np.float32)])
    case("range", "RANGE", [const(1, np.int32), const(8, np.int32), const(3, np.int32)], [Out(np.int32)])
    case("zeros like", "ZEROS_LIKE", [x])
    case("where", "WHERE", [np.array([[1, 0], [1, 1]], bool)], [Out(np.int64)])
    case("one hot", "ONE_HOT", [np.array([2, 0], np.int32), const(3, np.int32), const(5, np.float32), const(-1, np.float32)], options="OneHotOptions", axis=-1)


def reductions():
    x = rnd(2, 3, 4)
    for op in "MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD".split():
        case(op.lower(), op, [x, ints(1)], options="ReducerOptions")
        case(op.lower() + ", dimensions kept", op, [x, ints(0, -1)], options="ReducerOptions", keepDims=True)
    b = np.array([[1, 0], [0, 0], [1, 1]], bool)
    case("any", "REDUCE_ANY", [b, ints(1)], [Out(np.bool_)], options="ReducerOptions")
    case("all", "REDUCE_ALL", [b, ints(1)], [Out(np.bool_)], options="ReducerOptions")
    case("mean int8", "MEAN", [Q((1, 3, 4, 2)), ints(1, 2)], I8(0.04, -3), options="ReducerOptions", version=2)
    case("arg max", "ARG_MAX", [x, const(-1, np.int32)], [Out(np.int32)], options="ArgMaxOptions", outputType=2)
    case("arg min", "ARG_MIN", [x, const(1, np.int32)], [Out(np.int64)], options="ArgMinOptions", outputType=4)
    case("softmax", "SOFTMAX", [x], options="SoftmaxOptions", beta=1)
    case("softmax, beta", "SOFTMAX", [x], options="SoftmaxOptions", beta=0.5)
    case("softmax int8", "SOFTMAX", [Q((2, 5))], I8(1 / 256, -128), options="SoftmaxOptions", beta=1, version=2)
    case("unit length", "L2_NORMALIZATION", [x], options="L2NormOptions")
    case("running sum", "CUMSUM", [x, const(1, np.int32)], options="CumsumOptions", exclusive=True, reverse=True)
    case("top k", "TOPK_V2", [x, const(2, np.int32)], [Out(), Out(np.int32)])


def integers():
    """Operators of which the reference has kernels on integers."""
    I16 = lambda scale: [Out(np.int16, scale, 0)]
    for name, op, o in (("bilinear", "RESIZE_BILINEAR", "ResizeBilinearOptions"), ("nearest", "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")):
        for size in ((7, 9), (2, 3), (1, 1), (10, 12)):
            for flags in ({}, {"alignCorners": True}, {"halfPixelCenters": True}):
                for dtype, zero in ((np.int8, 3), (np.uint8, 120), (np.int16, 0)):
                    case(f"{name} to {size} {dtype.__name__} {''.join(flags)}", op, [Q((2, 5, 6, 3), dtype, 0.05, zero), ints(*size)], [Out(dtype, 0.05, zero)],
                         options=o, version=4 if dtype == np.int16 else 3, **flags)
    for scale in (0.02, 0.1, 0.7):
        case(f"log softmax {scale}", "LOG_SOFTMAX", [Q((4, 40), scale=scale)], I8(16 / 256, 127), version=2)
        case(f"unit length {scale}", "L2_NORMALIZATION", [Q((4, 40), scale=scale, zero=-20)], I8(1 / 128, 0), options="L2NormOptions", version=2)
        case(f"softmax {scale}", "SOFTMAX", [Q((4, 40), scale=scale)], I8(1 / 256, -128), options="SoftmaxOptions", beta=1, version=2)
    case("log softmax of two", "LOG_SOFTMAX", [Q((50, 2), scale=0.3)], I8(16 / 256, 127), version=2)
    case("unit length of zeros", "L2_NORMALIZATION", [Q((2, 3), zero=5, data=[[5, 5, 5], [5, 6, 5]])], I8(1 / 128, 0), options="L2NormOptions", version=2)
    positive = np.arange(-128, 128).reshape(16, 16)
    wide = R.integers(0, 32768, (8, 64))
    for scale, out, zero in ((0.05, 0.03, -128), (0.003, 0.2, -120), (1.5, 0.01, -100)):
        for op, last in (("RSQRT", 2), ("SQRT", 2), ("LOG", 2)):
            case(f"{op.lower()} int8 {scale}", op, [Q((16, 16), scale=scale, zero=-128, data=positive)], I8(out, zero), version=last)
            case(f"{op.lower()} int16 {scale}", op, [Q((8, 64), np.int16, scale / 100, 0, data=wide)], I16(out / 50), version=3 if op == "RSQRT" else last)
        case(f"exp int8 {scale}", "EXP", [Q((16, 16), scale=scale / 5, zero=10, data=positive)], I8(out, zero), options="ExpOptions", version=2)
        case(f"exp int16 {scale}", "EXP", [Q((8, 64), np.int16, 0.0002, 0)], I16(out / 10), options="ExpOptions", version=2)
        case(f"log of all {scale}", "LOG", [Q((16, 16), scale=scale, zero=7, data=positive)], I8(out, zero), version=2)
        case(f"abs int8 {scale}", "ABS", [Q((16, 16), scale=scale, zero=7, data=positive)], I8(out, zero), options="AbsOptions", version=2)
        case(f"abs int16 {scale}", "ABS", [Q((8, 64), np.int16, scale, 0)], I16(out), options="AbsOptions", version=3)
        case(f"squared difference {scale}", "SQUARED_DIFFERENCE", [Q((4, 30), scale=scale), Q((30,), scale=scale * 0.7, zero=-9)], I8(100 * scale * scale, zero), options="SquaredDifferenceOptions", version=2)
    case("abs of one scale", "ABS", [Q((16, 16), scale=0.1, zero=7, data=positive)], I8(0.1, -20), options="AbsOptions", version=2)
    for dtype, zero in ((np.int8, 3), (np.uint8, 120), (np.int16, 0)):
        n = np.iinfo(dtype)
        a, b = Q((6, 40), dtype, 0.05, zero), Q((6, 40), dtype, 0.02, zero)
        b.data[b.data == zero] = n.max
        y = 7e-5 if dtype == np.int16 else 0.015  # so that no shift is beyond 31, where the reference is undefined
        case(f"quotient {dtype.__name__}", "DIV", [a, b], [Out(dtype, y, zero)], options="DivOptions")
        case(f"quotient of rows {dtype.__name__}", "DIV", [a, Q((1, 40), dtype, 0.02, zero, data=b.data[:1])], [Out(dtype, y, zero)], options="DivOptions", fusedActivationFunction=1)
    for dtype, zero in ((np.int8, 3), (np.int16, 0)):
        s = 1 / 40 if dtype == np.int8 else 1 / 9000
        case(f"product {dtype.__name__}", "REDUCE_PROD", [Q((5, 4, 6), dtype, s, zero), ints(1)], [Out(dtype, s * 20, zero)], options="ReducerOptions", version=2)
        case(f"greatest {dtype.__name__}", "REDUCE_MAX", [Q((5, 4, 6), dtype, s, zero), ints(1)], [Out(dtype, s, zero)], options="ReducerOptions", version=3)
        case(f"maximum {dtype.__name__}", "MAXIMUM", [Q((5, 4), dtype, s, zero), Q((5, 4), dtype, s, zero)], [Out(dtype, s, zero)], options="MaximumMinimumOptions", version=4)
        if dtype == np.int8:
            case("prelu int8", "PRELU", [Q((5, 4), dtype, s, zero), Q((1, 4), dtype, s / 3, zero)], [Out(dtype, s, zero)])
        case(f"leaky relu {dtype.__name__}", "LEAKY_RELU", [Q((5, 40), dtype, s, zero)], [Out(dtype, s / 2, zero)], options="LeakyReluOptions", alpha=0.3, version=2)
        case(f"pad {dtype.__name__}", "PAD", [Q((5, 4), dtype, s, zero), ints(1, 2, 0, 1).reshape(2, 2)], [Out(dtype, s, zero)], options="PadOptions", version=2)


def write(path):
    with open(path, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]\n")
    print(len(CASES), "cases")


if __name__ == "__main__":
    for f in (convolutions, products, elements, moves, shapes, reductions):
        f()
    write(sys.argv[1])
    CASES.clear()
    integers()
    write(sys.argv[2])

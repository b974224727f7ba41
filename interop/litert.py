"""Makes TensorFlow Lite models of integer operators, or takes models, and runs
them with LiteRT's reference kernels.

Usage: litert.py ops FOLDER SEED
       litert.py files FOLDER SEED COUNT FILE...

ops writes NAME.tflite for each operator, with one node a case; files takes the
models given and COUNT samples of noise for each. Beside each model the folder
gets NAME.I.in.npz and NAME.I.out.npz for sample I, whose arrays 0, 1, … are the
inputs and outputs in the file's order. A file that LiteRT refuses gets
NAME.refused with the reason.
"""
import os
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as s
from ai_edge_litert.interpreter import Interpreter, OpResolverType

TYPES = {np.dtype(k): getattr(s.TensorType, v) for k, v in dict(int8="INT8", uint8="UINT8", int16="INT16", int32="INT32", int64="INT64", float32="FLOAT32").items()}
SAME, VALID = s.Padding.SAME, s.Padding.VALID
RELU, RELU6 = s.ActivationFunctionType.RELU, s.ActivationFunctionType.RELU6


class Maker:
    """Collects nodes of one model."""

    def __init__(self, rng):
        self.rng = rng
        self.model = s.ModelT()
        self.model.version, self.model.description = 3, "litert.py"
        self.model.buffers, self.model.operatorCodes = [s.BufferT()], []
        self.graph = s.SubGraphT()
        self.graph.tensors, self.graph.inputs, self.graph.outputs, self.graph.operators = [], [], [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, name, shape, dtype, scale=None, zero=0, axis=0, data=None):
        t = s.TensorT()
        t.name, t.shape, t.type, t.buffer = name, list(shape), TYPES[np.dtype(dtype)], 0
        if data is not None:
            b = s.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            self.model.buffers.append(b)
            t.buffer = len(self.model.buffers) - 1
        if scale is not None:
            q = s.QuantizationParametersT()
            q.scale = np.atleast_1d(np.asarray(scale, np.float32))
            q.zeroPoint = np.broadcast_to(np.asarray(zero, np.int64), q.scale.shape).copy()
            q.quantizedDimension = axis
            t.quantization = q
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def given(self, shape, dtype, scale=None, zero=0):
        i = self.tensor(f"in{len(self.graph.inputs)}", shape, dtype, scale, zero)
        self.graph.inputs.append(i)
        return i

    def const(self, data, scale=None, zero=0, axis=0):
        return self.tensor(f"const{len(self.graph.tensors)}", data.shape, data.dtype, scale, zero, axis, data)

    def ints(self, shape, dtype, least=None):
        n = np.iinfo(dtype)
        return self.rng.integers(n.min if least is None else least, n.max, shape, dtype, endpoint=True)

    def node(self, op, ins, shape, dtype, scale=None, zero=0, version=1, options=None, **attrs):
        o = s.OperatorT()
        code = s.OperatorCodeT()
        code.builtinCode = getattr(s.BuiltinOperator, op)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        self.model.operatorCodes.append(code)
        o.opcodeIndex, o.inputs = len(self.model.operatorCodes) - 1, list(ins)
        out = self.tensor(f"out{len(self.graph.outputs)}", shape, dtype, scale, zero)
        o.outputs = [out]
        if options:
            o.builtinOptionsType = getattr(s.BuiltinOptions, options)
            o.builtinOptions = getattr(s, options + "T")()
            for k, v in attrs.items():
                setattr(o.builtinOptions, k, v)
        self.graph.operators.append(o)
        self.graph.outputs.append(out)

    def bytes(self):
        b = flatbuffers.Builder(1024)
        b.Finish(self.model.Pack(b), b"TFL3")
        return bytes(b.Output())


def grid(m, dtype, low=0.002, high=0.05):
    """A random scale and zero point of activations."""
    scale = np.float32(m.rng.uniform(low, high))
    if dtype == np.int16:
        return scale / np.float32(256), 0
    n = np.iinfo(dtype)
    return scale, int(m.rng.integers(n.min + 40, n.max - 40))


def weights(m, dtype, shape, axis, channels, x):
    """A weight and a bias for activations of type dtype and scale x."""
    if dtype == np.uint8:
        scale, zero = np.float32(m.rng.uniform(0.005, 0.03)), int(m.rng.integers(90, 160))
        w = m.const(m.ints(shape, np.uint8), scale, zero)
    else:
        scale, zero = m.rng.uniform(0.005, 0.03, channels).astype(np.float32), 0
        w = m.const(m.ints(shape, np.int8, -127), scale, zero, axis)
    b = m.rng.integers(-3000, 3000, channels).astype(np.int64 if dtype == np.int16 else np.int32)
    return w, m.const(b, scale * x, 0)


def product(m, op, dtype):
    s1, z1 = grid(m, dtype)
    s2, z2 = grid(m, dtype, 0.05, 0.2)
    act = int(m.rng.choice([0, RELU, RELU6]))
    v16 = dtype == np.int16
    if op == "CONV_2D":
        pad, stride, dilate = int(m.rng.choice([SAME, VALID])), int(m.rng.integers(1, 3)), int(m.rng.integers(1, 3))
        stride = 1 if dilate > 1 else stride
        w, b = weights(m, dtype, (7, 3, 2, 5), 0, 7, s1)
        out = lambda n, k: -(-n // stride) if pad == SAME else -(-(n - (k - 1) * dilate) // stride)
        m.node(op, [m.given((2, 9, 8, 5), dtype, s1, z1), w, b], (2, out(9, 3), out(8, 2), 7), dtype, s2, z2, 1 if dtype == np.uint8 or v16 else 3, "Conv2DOptions", padding=pad, strideH=stride, strideW=stride,
               dilationHFactor=dilate, dilationWFactor=dilate, fusedActivationFunction=act)
    elif op == "DEPTHWISE_CONV_2D":
        times = int(m.rng.integers(1, 3))
        w, b = weights(m, dtype, (1, 3, 3, 6 * times), 3, 6 * times, s1)
        m.node(op, [m.given((2, 7, 8, 6), dtype, s1, z1), w, b], (2, 4, 4, 6 * times), dtype, s2, z2, 1 if dtype == np.uint8 or v16 else 3, "DepthwiseConv2DOptions", padding=SAME, strideH=2, strideW=2,
               depthMultiplier=times, dilationHFactor=1, dilationWFactor=1, fusedActivationFunction=act)
    elif op == "TRANSPOSE_CONV":
        pad = int(m.rng.choice([SAME, VALID]))
        w, b = weights(m, dtype, (5, 3, 3, 4), 0, 5, s1)
        size = (2, 8, 10, 5) if pad == SAME else (2, 9, 11, 5)
        m.node(op, [m.const(np.array(size, np.int32)), w, m.given((2, 4, 5, 4), dtype, s1, z1), b], size, dtype, s2, z2, 3, "TransposeConvOptions", padding=pad, strideH=2, strideW=2)
    elif op == "FULLY_CONNECTED":
        w, b = weights(m, dtype, (9, 83), 0, 9, s1)
        m.node(op, [m.given((3, 83), dtype, s1, z1), w, b], (3, 9), dtype, s2, z2, {np.int8: 4, np.uint8: 2, np.int16: 7}[dtype], "FullyConnectedOptions", fusedActivationFunction=act)
    else:
        sb, zb = grid(m, dtype)
        m.node(op, [m.given((2, 3, 11), dtype, s1, z1), m.given((2, 11, 6), dtype, sb, zb)], (2, 3, 6), dtype, s2, z2, 3 if v16 else 2, "BatchMatMulOptions", adjX=False, adjY=False)


def binary(m, op, dtype):
    (s1, z1), (s2, z2), (s3, z3) = grid(m, dtype), grid(m, dtype), grid(m, dtype)
    if op == "MUL":
        s3 *= np.float32(2)
    if op == "PRELU":
        m.node(op, [m.given((2, 5, 4, 6), dtype, s1, z1), m.const(m.ints((1, 1, 6), dtype), s2, z2)], (2, 5, 4, 6), dtype, s3, z3)
        return
    shapes = [((2, 5, 4, 6), (2, 5, 4, 6)), ((2, 5, 4, 6), (1, 1, 1, 6)), ((1, 5, 1, 6), (2, 1, 4, 1))][int(m.rng.integers(3))]
    extra = {} if op == "MUL" else dict(potScaleInt16=False)
    m.node(op, [m.given(shapes[0], dtype, s1, z1), m.given(shapes[1], dtype, s2, z2)], (2, 5, 4, 6), dtype, s3, z3, 3 if dtype == np.int16 else 2,
           {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}[op], fusedActivationFunction=int(m.rng.choice([0, RELU])), **extra)


FIXED = {"LOGISTIC": (1 / 256, None), "TANH": (1 / 128, 128), "SOFTMAX": (1 / 256, None)}


def unary(m, op, dtype):
    s1, z1 = grid(m, dtype)
    s2, z2 = grid(m, dtype)
    n = np.iinfo(dtype)
    shape, out, ins, kw = (3, 4, 5, 21), (3, 4, 5, 21), [], {}
    version = 3 if dtype == np.int16 else 2
    if op in FIXED:
        s2, off = FIXED[op]
        z2 = n.min + (off or 0)
        if dtype == np.int16:
            s1, s2, z2 = np.float32(m.rng.choice([2.0**-12, 2.0**-11, 0.00031, 0.0011, 2.0**-14])), 2.0**-15, 0
        elif op == "TANH" and m.rng.integers(2):
            s1 *= 3
    if op == "SOFTMAX":
        kw = dict(options="SoftmaxOptions", beta=1.0)
    elif op == "AVERAGE_POOL_2D":
        s2, z2, out = s1, z1, (3, 2, 3, 21)
        kw = dict(options="Pool2DOptions", padding=SAME, strideH=2, strideW=2, filterHeight=3, filterWidth=2, fusedActivationFunction=int(m.rng.choice([0, RELU])))
    elif op == "MAX_POOL_2D":
        s2, z2, out = s1, z1, (3, 2, 3, 21)
        kw = dict(options="Pool2DOptions", padding=SAME, strideH=2, strideW=2, filterHeight=3, filterWidth=2, fusedActivationFunction=0)
    elif op in ("MEAN", "SUM"):
        axes = [[1, 2], [3], [1], [2, 3]][int(m.rng.integers(4))]
        ins = [m.const(np.array(axes, np.int32))]
        out = tuple(d for i, d in enumerate(shape) if i not in axes)
        kw = dict(options="ReducerOptions", keepDims=False)
        if op == "SUM":
            s2 *= np.float32(8)
    elif op == "LEAKY_RELU":
        kw = dict(options="LeakyReluOptions", alpha=float(np.float32(m.rng.uniform(0.01, 0.5))))
        version = 2 if dtype == np.int16 else 1
    elif op == "GELU":
        kw = dict(options="GeluOptions", approximate=bool(m.rng.integers(2)))
    elif op == "HARD_SWISH":
        version = 1
        kw = dict(options="HardSwishOptions")
        s2 *= np.float32(4) if s2 * 2 < s1 else np.float32(1)
    elif op == "QUANTIZE":
        version = 1
        kw = dict(options="QuantizeOptions")
    m.node(op, [m.given(shape, dtype, s1, z1)] + ins, out, dtype, s2, z2, version, **kw)


def requantize(m, op, dtype):
    for to in {np.int8: (np.uint8, np.int8, np.int16), np.uint8: (np.int8, np.uint8, np.int16), np.int16: (np.int8, np.int16)}[dtype]:
        (s1, z1), (s2, z2) = grid(m, dtype), grid(m, to)
        m.node(op, [m.given((4, 90), dtype, s1, z1)], (4, 90), to, s2, z2, 2 if np.int16 in (to, dtype) else 1, "QuantizeOptions")
    if dtype != np.int16:
        to, z = (np.uint8, 37) if dtype == np.int8 else (np.int8, -91)
        m.node(op, [m.given((4, 90), dtype, 0.02, z - 128 if dtype == np.int8 else z + 128)], (4, 90), to, 0.02, z, 1, "QuantizeOptions")
    m.node(op, [m.given((40, 90), np.float32)], (40, 90), dtype, *grid(m, dtype), 1 if dtype == np.int8 else 2, "QuantizeOptions")


def concat(m, op, dtype):
    s3, z3 = grid(m, dtype)
    grids = [(s3, z3), grid(m, dtype) if dtype == np.uint8 else (s3, z3)]
    m.node(op, [m.given((3, 5, 2 + i), dtype, *g) for i, g in enumerate(grids)], (3, 5, 5), dtype, s3, z3, 3 if dtype == np.int16 else 2, "ConcatenationOptions", axis=2, fusedActivationFunction=0)


I8, U8, I16 = np.int8, np.uint8, np.int16
# Without SUM of int8, which LiteRT's reference kernel reads as uint8 (kernels/reduce.cc, QuantizedMeanOrSum).
OPS = [
    (product, "CONV_2D", (I8, U8, I16)), (product, "DEPTHWISE_CONV_2D", (I8, U8, I16)), (product, "TRANSPOSE_CONV", (I8, I16)), (product, "FULLY_CONNECTED", (I8, U8, I16)),
    (product, "BATCH_MATMUL", (I8, I16)), (binary, "ADD", (I8, U8, I16)), (binary, "SUB", (I8, U8, I16)), (binary, "MUL", (I8, U8, I16)), (binary, "PRELU", (I8, U8)),
    (unary, "LOGISTIC", (I8, U8, I16)), (unary, "TANH", (I8, U8, I16)), (unary, "SOFTMAX", (I8, U8, I16)), (unary, "AVERAGE_POOL_2D", (I8, U8, I16)), (unary, "MAX_POOL_2D", (I8, U8, I16)),
    (unary, "MEAN", (I8, U8, I16)), (unary, "SUM", (U8,)), (unary, "LEAKY_RELU", (I8, U8, I16)), (unary, "RELU", (I8, U8, I16)), (unary, "RELU6", (I8, U8, I16)),
    (unary, "HARD_SWISH", (I8, U8)), (unary, "GELU", (I8, U8)), (requantize, "QUANTIZE", (I8, U8, I16)), (concat, "CONCATENATION", (I8, U8, I16)),
]


def samples(interpreter, rng):
    out = []
    for d in interpreter.get_input_details():
        if np.issubdtype(d["dtype"], np.integer):
            n = np.iinfo(d["dtype"])
            out.append(rng.integers(n.min, n.max, d["shape"], d["dtype"], endpoint=True))
        else:
            out.append(rng.uniform(-1.5, 1.5, d["shape"]).astype(d["dtype"]))
    return out


def mended(path):
    """The file, biases being quantized along the one axis that they have: LiteRT refuses older files with another."""
    with open(path, "rb") as f:
        content = f.read()
    model = s.ModelT.InitFromPackedBuf(content, 0)
    wrong = [t for g in model.subgraphs for t in g.tensors if t.quantization is not None and t.shape is not None and len(t.shape) == 1 and t.quantization.quantizedDimension > 0]
    if not wrong:
        return content
    for t in wrong:
        t.quantization.quantizedDimension = 0
    b = flatbuffers.Builder(len(content))
    b.Finish(model.Pack(b), b"TFL3")
    return bytes(b.Output())


def run(path, stem, rng, count):
    try:
        it = Interpreter(model_content=mended(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1)
        it.allocate_tensors()
    except (RuntimeError, ValueError) as e:
        open(stem + ".refused", "w").write(str(e)[:300])
        return
    for i in range(count):
        it.reset_all_variables()
        given = samples(it, rng)
        for d, v in zip(it.get_input_details(), given):
            it.set_tensor(d["index"], v)
        it.invoke()
        np.savez(f"{stem}.{i}.in.npz", **{str(k): v for k, v in enumerate(given)})
        np.savez(f"{stem}.{i}.out.npz", **{str(k): it.get_tensor(d["index"]) for k, d in enumerate(it.get_output_details())})


def main():
    what, folder, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rng = np.random.default_rng(seed)
    os.makedirs(folder, exist_ok=True)
    if what == "files":
        for path in sys.argv[5:]:
            run(path, os.path.join(folder, os.path.basename(path)[:-len(".tflite")]), rng, int(sys.argv[4]))
        return
    for make, op, types in OPS:
        for dtype in types:
            m = Maker(rng)
            for _ in range(4):
                make(m, op, dtype)
            path = os.path.join(folder, f"{op.lower()}_{np.dtype(dtype).name}.tflite")
            open(path, "wb").write(m.bytes())
            run(path, path[:-len(".tflite")], rng, 2)


main()

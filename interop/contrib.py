"""Makes models of ONNX Runtime's own operators and what ONNX Runtime computes.

Usage: contrib.py FOLDER [SEED]. For each operator the folder gets NAME.onnx,
with one node a case, NAME.in.npz with the inputs by name, and NAME.out.npz with
the outputs that are to be compared. The names of a case's values begin with
its own. Sizes are small, inputs are random; a case that ONNX Runtime refuses is
an error.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"


class Maker:
    """Collects the cases of one operator."""

    def __init__(self, op, rng, domain=MICROSOFT):
        self.op, self.rng, self.domain = op, rng, domain
        self.nodes, self.inputs, self.outputs, self.fixed = [], {}, [], []

    def case(self, name, ins, outs=1, fixed=(), skip=(), **attrs):
        """Adds a node. ins lists arrays, None for an absent input; fixed tells
        which of them are constants of the model; skip which outputs are absent."""
        names = []
        for i, x in enumerate(ins):
            if x is None:
                names.append("")
                continue
            names.append(f"{name}.in{i}")
            if i in fixed:
                self.fixed.append(numpy_helper.from_array(x, names[-1]))
            else:
                self.inputs[names[-1]] = x
        out = ["" if i in skip else f"{name}.out{i}" for i in range(outs)]
        self.nodes.append(helper.make_node(self.op, names, out, name=name, domain=self.domain, **attrs))
        self.outputs += [o for o in out if o]

    def f(self, *shape, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def write(self, folder):
        ins = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in self.inputs.items()]
        # A fourth output has a type of its own, which nothing tells.
        outs = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) if o.endswith("out3") else onnx.ValueInfoProto(name=o) for o in self.outputs]
        graph = helper.make_graph(self.nodes, self.op, ins, outs, self.fixed)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="contrib.py")
        o = onnxruntime.SessionOptions()
        o.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        o.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.SerializeToString(), o, providers=["CPUExecutionProvider"])
        values = session.run(self.outputs, self.inputs)
        # Types and shapes, so that the file says what it holds.
        del model.graph.output[:]
        model.graph.output.extend(
            helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in zip(self.outputs, values))
        stem = os.path.join(folder, self.op)
        onnx.save(model, stem + ".onnx")
        np.savez_compressed(stem + ".in.npz", **self.inputs)
        np.savez_compressed(stem + ".out.npz", **dict(zip(self.outputs, values)))
        return len(self.nodes)


def i32(*v):
    return np.array(v, np.int32)


def gelus(rng):
    m = Maker("FastGelu", rng)
    m.case("plain", [m.f(2, 3, 5, scale=3)])
    m.case("bias", [m.f(2, 3, 5), m.f(5)])
    yield m
    m = Maker("BiasGelu", rng)
    m.case("bias", [m.f(2, 3, 5, scale=3), m.f(5)])
    yield m
    m = Maker("QuickGelu", rng)
    m.case("default", [m.f(2, 9, scale=3)])
    m.case("alpha", [m.f(2, 9, scale=3)], alpha=0.7)
    yield m


def norms(rng):
    m = Maker("SkipLayerNormalization", rng)
    m.case("all", [m.f(2, 3, 8), m.f(2, 3, 8), m.f(8), m.f(8), m.f(8)], outs=4, skip=(1, 2), epsilon=1e-5)
    m.case("few", [m.f(2, 3, 8), m.f(2, 3, 8), m.f(8)])
    m.case("beta", [m.f(2, 3, 8), m.f(1, 3, 8), m.f(8), m.f(8)], outs=4, skip=(1, 2))
    m.case("rows", [m.f(2, 3, 8), m.f(3, 8), m.f(8), None, m.f(8)], epsilon=0.1)
    yield m
    m = Maker("SkipSimplifiedLayerNormalization", rng)
    m.case("bias", [m.f(2, 3, 8), m.f(2, 3, 8), m.f(8), m.f(8)], outs=4, skip=(1, 2), epsilon=1e-5)
    m.case("few", [m.f(3, 8), m.f(3, 8), m.f(8)])
    yield m
    m = Maker("SimplifiedLayerNormalization", rng, "")
    m.case("last", [m.f(2, 3, 8), m.f(8)], epsilon=1e-6)
    m.case("axis", [m.f(2, 3, 4), m.f(3, 4)], axis=1, outs=2)
    yield m


def embeddings(rng):
    ids = lambda n, *shape: rng.integers(0, n, shape).astype(np.int32)
    m = Maker("EmbedLayerNormalization", rng)
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0]], np.int32)
    m.case("all", [ids(11, 2, 4), ids(2, 2, 4), m.f(11, 8), m.f(6, 8), m.f(2, 8), m.f(8), m.f(8), mask], outs=3, epsilon=1e-5)
    m.case("places", [ids(11, 2, 4), ids(2, 2, 4), m.f(11, 8), m.f(6, 8), m.f(2, 8), m.f(8), m.f(8), None, ids(6, 2, 4)], outs=3)
    m.case("shared", [ids(11, 2, 4), None, m.f(11, 8), m.f(6, 8), None, m.f(8), m.f(8), None, ids(6, 1, 4)], outs=3)
    m.case("words", [ids(11, 2, 4), None, m.f(11, 8), m.f(6, 8), None, m.f(8), m.f(8)], outs=2)
    yield m
    m = Maker("QEmbedLayerNormalization", rng)
    u8 = lambda *s: rng.integers(0, 256, s).astype(np.uint8)
    scale = lambda: np.float32(rng.uniform(0.01, 0.03))
    zero = lambda: np.uint8(rng.integers(100, 156))
    m.case("all", [ids(11, 2, 4), ids(2, 2, 4), u8(11, 8), u8(6, 8), u8(2, 8), u8(8), u8(8), mask] +
           [np.array(scale()) for _ in range(5)] + [np.array(zero()) for _ in range(5)], outs=2, fixed=range(2, 18))
    yield m


def products(rng):
    m = Maker("FusedMatMul", rng)
    m.case("alpha", [m.f(2, 3, 4), m.f(2, 4, 5)], alpha=0.125)
    m.case("transA", [m.f(2, 4, 3), m.f(4, 5)], transA=1)
    m.case("transB", [m.f(3, 4), m.f(2, 5, 4)], transB=1, alpha=2.5)
    m.case("both", [m.f(2, 4, 3), m.f(2, 5, 4)], transA=1, transB=1)
    m.case("batchA", [m.f(3, 2, 4, 5), m.f(2, 4, 5, 6)], transBatchA=1)
    m.case("batchB", [m.f(2, 3, 5), m.f(5, 2, 4)], transBatchB=1)
    yield m
    m = Maker("FusedGemm", rng)
    m.case("relu", [m.f(3, 4), m.f(4, 5), m.f(5)], activation="Relu", alpha=0.5, beta=2.0)
    m.case("leaky", [m.f(4, 3), m.f(5, 4)], activation="LeakyRelu", activation_alpha=0.3, transA=1, transB=1)
    m.case("hard", [m.f(3, 4), m.f(4, 5), m.f(3, 1)], activation="HardSigmoid", activation_alpha=0.3, activation_beta=0.4)
    m.case("elu", [m.f(3, 4), m.f(4, 5)], activation="Elu", activation_alpha=0.7)
    yield m
    m = Maker("FusedConv", rng)
    for name, params in [("Relu", None), ("Sigmoid", None), ("Tanh", None), ("LeakyRelu", [0.2]), ("Clip", [-0.5, 0.75]), ("HardSigmoid", [0.3, 0.4])]:
        more = {"activation_params": params} if params else {}
        m.case(name, [m.f(1, 2, 5, 5), m.f(4, 2, 3, 3), m.f(4)], activation=name, pads=[1, 1, 1, 1], **more)
    m.case("sum", [m.f(1, 2, 5, 5), m.f(4, 2, 3, 3), m.f(4), m.f(1, 4, 3, 3)], activation="Relu")
    m.case("groups", [m.f(1, 4, 6, 6), m.f(4, 2, 3, 3)], activation="Relu", group=2, strides=[2, 2])
    yield m


def projected(rng):
    m = Maker("Attention", rng)
    B, S, D, N, H = 2, 3, 6, 2, 8

    def base(hidden=3 * H):
        return [m.f(B, S, D), m.f(D, hidden, scale=0.5), m.f(hidden)]

    m.case("plain", base(), num_heads=N)
    m.case("noBias", base()[:2], num_heads=N)
    m.case("causal", base(), num_heads=N, unidirectional=1)
    m.case("scale", base(), num_heads=N, scale=0.3)
    m.case("ends", base() + [i32(2, 3)], num_heads=N)
    m.case("endsStarts", base() + [i32(3, 2, 1, 0)], num_heads=N)
    m.case("flags", base() + [i32([1, 1, 0], [1, 0, 1]).reshape(2, 3)], num_heads=N)
    m.case("flagsCausal", base() + [i32([0, 1, 1], [1, 1, 0]).reshape(2, 3)], num_heads=N, unidirectional=1)
    m.case("flags3", base() + [rng.integers(0, 2, (B, S, S)).astype(np.int32)], num_heads=N)
    m.case("filter", base() + [i32(2, 1)], num_heads=N, mask_filter_value=-1.5)
    m.case("past", base() + [None, m.f(2, B, N, 4, H // N)], num_heads=N, outs=2)
    m.case("pastCausal", base() + [i32(*[1] * 7, *[0, 0, 1, 1, 1, 1, 1]).reshape(2, 7), m.f(2, B, N, 4, H // N)], num_heads=N, outs=2, unidirectional=1)
    m.case("present", base(), num_heads=N, outs=2)
    m.case("values", base(2 * H + 4), num_heads=N, qkv_hidden_sizes=[H, H, 4])
    m.case("scores", base() + [None, None, m.f(1, N, S, S)], num_heads=N)
    m.case("scoresMask", base() + [i32(2, 3), None, m.f(B, 1, S, S)], num_heads=N)
    yield m
    m = Maker("QAttention", rng)

    # Weights of 7 bits: some processors' sums of two products of 8 bits saturate.
    def quantized(columns):
        n = (3 * H,) if columns else ()
        return [rng.integers(0, 256, (B, S, D)).astype(np.uint8), rng.integers(-64, 64, (D, 3 * H)).astype(np.int8), m.f(3 * H),
                np.array(0.01, np.float32), np.array(rng.uniform(0.005, 0.01, n), np.float32), None, np.array(120, np.uint8), np.zeros(n, np.int8)]

    m.case("plain", quantized(False), num_heads=N, fixed=(1,))
    m.case("columns", quantized(True), num_heads=N, unidirectional=1, fixed=(1,))
    q = quantized(False)
    q[5] = i32(2, 3)
    m.case("ends", q, num_heads=N, fixed=(1,))
    m.case("past", quantized(False) + [m.f(2, B, N, 4, H // N)], num_heads=N, outs=2, unidirectional=1, fixed=(1,))
    yield m


def multi_head(rng):
    m = Maker("MultiHeadAttention", rng)
    B, S, L, N, E = 2, 3, 5, 2, 4
    H = N * E
    q, k, v = lambda: m.f(B, S, H), lambda: m.f(B, L, H), lambda: m.f(B, L, H)
    m.case("cross", [q(), k(), v()], num_heads=N)
    m.case("bias", [q(), k(), m.f(B, L, N * 3), m.f(2 * H + N * 3)], num_heads=N)
    m.case("byHead", [q(), m.f(B, N, L, E), m.f(B, N, L, E)], num_heads=N)
    m.case("causal", [q(), m.f(B, S, H), m.f(B, S, H)], num_heads=N, unidirectional=1)
    m.case("scale", [q(), k(), v()], num_heads=N, scale=0.2)
    m.case("ends", [q(), k(), v(), None, i32(3, 5)], num_heads=N)
    m.case("list", [q(), k(), v(), None, i32(3, 5, 0, 3, 6, 0, 5, 10)], num_heads=N)
    m.case("flags", [q(), k(), v(), None, rng.integers(0, 2, (B, L)).astype(np.int32)], num_heads=N)
    m.case("flags3", [q(), k(), v(), None, rng.integers(0, 2, (B, S, L)).astype(np.int32)], num_heads=N)
    m.case("scores", [q(), k(), v(), None, None, m.f(B, N, S, L)], num_heads=N)
    m.case("scoresOne", [q(), k(), v(), m.f(3 * H), i32(3, 5), m.f(1, 1, S, L)], num_heads=N, mask_filter_value=-2.0)
    P = 4
    m.case("past", [q(), k(), v(), None, None, None, m.f(B, N, P, E), m.f(B, N, P, E)], num_heads=N, outs=3)
    m.case("pastCausal", [q(), m.f(B, S, H), m.f(B, S, H), None, rng.integers(0, 2, (B, P + S)).astype(np.int32), m.f(B, N, S, P + S), m.f(B, N, P, E), m.f(B, N, P, E)],
           num_heads=N, outs=3, unidirectional=1)
    m.case("qk", [q(), k(), v(), None, i32(3, 5)], num_heads=N, outs=4)
    yield m


def group_query(rng):
    m = Maker("GroupQueryAttention", rng)
    N, G, E, M = 4, 2, 16, 11
    H, K = N * E, G * E
    angle = np.outer(np.arange(M), 1 / 10 ** (np.arange(E // 2) / 2)).astype(np.float32)
    cos, sin = np.cos(angle), np.sin(angle)

    def step(B, S, P, ends=None, total=None, packed=False, rotary=False, places=None, bias=None, sink=None, capacity=None):
        qkv = [m.f(B, S, H + 2 * K), None, None] if packed else [m.f(B, S, H), m.f(B, S, K), m.f(B, S, K)]
        C = capacity or P
        past = [m.f(B, G, C, E), m.f(B, G, C, E)] if C else [np.zeros((B, G, 0, E), np.float32)] * 2
        ends = [P + S] * B if ends is None else ends
        x = qkv + past + [i32(*ends) - 1, i32(total or max(ends)).reshape(())] + ([cos, sin] if rotary else [None, None])
        return x + [places, bias, sink]

    a = dict(num_heads=N, kv_num_heads=G, outs=3)
    m.case("prompt", step(2, 5, 0), **a)
    m.case("promptPacked", step(2, 5, 0, packed=True), **a)
    m.case("token", step(2, 1, 6), **a)
    m.case("tokenPacked", step(2, 1, 6, packed=True, rotary=True), do_rotary=1, **a)
    m.case("uneven", step(2, 1, 6, ends=[4, 7]), **a)
    m.case("chunk", step(1, 3, 6), **a)
    m.case("rotary", step(2, 5, 0, rotary=True), do_rotary=1, **a)
    m.case("rotaryInterleaved", step(1, 3, 4, rotary=True), do_rotary=1, rotary_interleaved=1, **a)
    m.case("places", step(1, 3, 4, rotary=True, places=np.array([[5, 6, 9]], np.int64)), do_rotary=1, **a)
    m.case("window", step(2, 7, 0), local_window_size=3, **a)
    m.case("windowToken", step(2, 1, 6), local_window_size=4, **a)
    m.case("softcap", step(2, 5, 0), softcap=1.5, **a)
    m.case("scale", step(2, 5, 0), scale=0.1, **a)
    m.case("smooth", step(2, 5, 0), smooth_softmax=1, **a)
    m.case("sink", step(2, 5, 0, sink=m.f(N)), **a)
    m.case("bias", step(2, 5, 0, bias=m.f(2, N, 5, 5)), **a)
    m.case("biasOne", step(1, 2, 4, bias=m.f(1, 1, 2, 6)), softcap=2.0, **a)
    m.case("buffer", step(1, 1, 3, capacity=8), **a)
    m.case("bidirectional", step(2, 4, 0), causal=0, **a)
    a["outs"] = 4
    m.case("before", step(2, 4, 0), qk_output=1, **a)
    m.case("after", step(1, 2, 3), qk_output=2, **a)
    yield m


def rotary(rng):
    m = Maker("RotaryEmbedding", rng)
    angle = rng.uniform(-3, 3, (9, 4)).astype(np.float32)
    cos, sin = np.cos(angle), np.sin(angle)
    run, each = np.array([2], np.int64), np.array([[0, 3, 8], [1, 1, 5]], np.int64)
    m.case("halves", [m.f(2, 3, 16), each, cos, sin])
    m.case("pairs", [m.f(2, 3, 16), each, cos, sin], interleaved=1)
    m.case("run", [m.f(2, 3, 16), run, cos, sin])
    m.case("byHead", [m.f(2, 2, 3, 8), each, cos, sin])
    m.case("part", [m.f(2, 3, 24), each, cos, sin], num_heads=2, rotary_embedding_dim=8)
    m.case("scale", [m.f(2, 3, 16), each, cos, sin], scale=2.0)
    yield m


def recurrent(rng):
    m = Maker("DynamicQuantizeLSTM", rng)
    T, B, I, H = 4, 2, 3, 5

    def lstm(dirs, columns, signed, more=True):
        typ, lo, hi = (np.int8, -64, 64) if signed else (np.uint8, 0, 256)
        n = (dirs, 4 * H) if columns else (dirs,)
        zero = np.zeros(n, np.int8) if signed else np.full(n, 131, np.uint8)
        w = lambda k: rng.integers(lo, hi, (dirs, k, 4 * H)).astype(typ)
        s = lambda: rng.uniform(0.003, 0.008, n).astype(np.float32)
        x = [m.f(T, B, I), w(I), w(H), m.f(dirs, 8 * H)]
        x += [i32(3, 4), m.f(dirs, B, H, scale=0.5), m.f(dirs, B, H), m.f(dirs, 3 * H)] if more else [None] * 4
        return x + [s(), zero, s(), zero]

    fixed = (1, 2, 8, 9, 10, 11)
    m.case("tensor", lstm(1, False, True, False), hidden_size=H, outs=3, fixed=fixed)
    m.case("unsigned", lstm(1, False, False, False), hidden_size=H, outs=3, fixed=fixed)
    m.case("columns", lstm(1, True, True), hidden_size=H, outs=3, fixed=fixed)
    m.case("reverse", lstm(1, True, True, False), hidden_size=H, direction="reverse", outs=3, fixed=fixed)
    m.case("bidirectional", lstm(2, True, False), hidden_size=H, direction="bidirectional", outs=3, fixed=fixed)
    m.case("clip", lstm(1, False, True), hidden_size=H, clip=0.7, input_forget=1, outs=3, fixed=fixed)
    yield m


FAMILIES = [gelus, norms, embeddings, products, projected, multi_head, group_query, rotary, recurrent]


def main(folder, seed="1"):
    cases = 0
    for k, family in enumerate(FAMILIES):
        for m in family(np.random.default_rng([int(seed), k])):
            cases += m.write(folder)
    print(f"onnxruntime {onnxruntime.__version__}: {cases} cases")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Writes what LiteRT's reference kernels make of models beside the checkout, for inputs that a formula gives.

Usage: tflite_models.py MODELS OUT.json     (ai-edge-litert 2.3.0, numpy 2.4.6)

Element i of an input is made of the bits that noise() makes of i: v/2^24 in floats, v mod 256 - 128 in int8. Of long outputs every k-th element is
written, so that at most 300 are left.
"""
import json, pathlib, sys
import flatbuffers, numpy as np
from ai_edge_litert import schema_py_generated as S
from ai_edge_litert.interpreter import Interpreter, OpResolverType



def noise(n):
    v = np.arange(1, n + 1, dtype=np.uint32) * np.uint32(2654435761)
    v = (v ^ v >> np.uint32(15)) * np.uint32(2246822519)
    return (v ^ v >> np.uint32(13)) >> np.uint32(8)


def mended(path):
    """Old converters gave biases the axis of their weights, which newer interpreters refuse."""
    m = S.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    for g in m.subgraphs:
        for t in g.tensors:
            if t.quantization is not None and t.shape is not None and len(t.shape) == 1:
                t.quantization.quantizedDimension = 0
    b = flatbuffers.Builder(1 << 20)
    b.Finish(m.Pack(b), b"TFL3")
    return bytes(b.Output())


root, out = pathlib.Path(sys.argv[1]), []
for path in sorted(root.rglob("*.tflite")):
    for kind in (OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
        it = None
        try:
            it = Interpreter(model_content=mended(path), experimental_op_resolver_type=kind, num_threads=1)
            it.allocate_tensors()
            break
        except (RuntimeError, ValueError) as e:
            print(path.name, str(e)[:100])
            it = None
    if it is None:
        continue
    for d in it.get_input_details():
        v = noise(int(np.prod(d["shape"])))
        x = v.astype(np.float32) / np.float32(1 << 24) if d["dtype"] == np.float32 else (v.astype(np.int64) % 256 - 128).astype(d["dtype"])
        it.set_tensor(d["index"], x.reshape(d["shape"]))
    it.reset_all_variables()
    it.invoke()
    case = {"model": path.relative_to(root).as_posix(), "outputs": []}
    for d in it.get_output_details():
        y = it.get_tensor(d["index"])
        step = -(-y.size // 300)
        case["outputs"].append({"shape": list(y.shape), "step": step, "range": float(y.max()) - float(y.min()), "data": [float(f"{v:.9g}") for v in y.astype(np.float64).ravel()[::step]]})
    out.append(case)
pathlib.Path(sys.argv[2]).write_text("[\n" + ",\n".join(json.dumps(c) for c in out) + "\n]\n")

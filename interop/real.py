"""Judges octavo's runs of real models against ONNX Runtime without optimisation.

Usage: real.py FOLDER, with the cases of real_samples.py to which octavo has
added outputs.npz. Prints a line a case: the kind of the model, the worst
difference of an output in parts of its range, the same in steps where the output
is dequantized, and the verdict. Exits 1 if a case fails, has no outputs, or an
exception is no longer needed.
"""
import fnmatch
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort

import check

# Largest difference in parts of the output's range; integers also may be one step off.
BOUNDS = {"float32": 1e-4, "float16": 2e-3, "integer": 2e-3}
INTEGER = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "QLinearConv",
           "QLinearMatMul", "MatMulNBits", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"}
# Case → the bound that it has instead, and why.
EXCEPTIONS = {}


def kind(model):
    graphs = [model.graph]
    found = "float32"
    while graphs:
        g = graphs.pop()
        if any(t.data_type == onnx.TensorProto.FLOAT16 for t in g.initializer):
            found = "float16"
        for n in g.node:
            if n.op_type in INTEGER:
                return "integer"
            graphs += [a.g for a in n.attribute if a.HasField("g")]
            if n.op_type == "Cast" and any(a.i == onnx.TensorProto.FLOAT16 for a in n.attribute):
                found = "float16"
    return found


def steps(model):
    """The scales of the outputs that DequantizeLinear makes."""
    scales = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    made = {o: n for n in model.graph.node for o in n.output}
    out = {}
    for o in model.graph.output:
        n = made.get(o.name)
        if n is not None and n.op_type == "DequantizeLinear" and n.input[1] in scales:
            out[o.name] = float(scales[n.input[1]].max())
    return out


def span(x):
    """Of the finite numbers of x."""
    x = x[np.isfinite(x)].astype(np.float64)
    return float(x.max() - x.min()) or check.magnitude(x) if x.size else 0.0


def run(path, samples):
    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    o.log_severity_level = 4
    s = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
    names = [i.name for i in s.get_outputs()]
    taken = {i.name for i in s.get_inputs()}
    rows = [s.run(names, {k: v[i] for k, v in samples.items() if k in taken}) for i in range(len(next(iter(samples.values()))))]
    return {n: np.stack([r[i] for r in rows]) for i, n in enumerate(names)}


def judge(folder, name):
    """Returns the kind, the worst difference, the worst in steps (or None) and
    whether that is allowed."""
    path = os.path.join(folder, "mended.onnx")
    if not os.path.exists(path):
        path = os.path.join(folder, "model.onnx")
    model = onnx.load(path)
    ours = dict(np.load(os.path.join(folder, "outputs.npz")))
    theirs = run(path, dict(np.load(os.path.join(folder, "samples.npz"))))
    if set(ours) != set(theirs):
        raise AssertionError(f"outputs {sorted(ours)} here, {sorted(theirs)} in ONNX Runtime")
    k, scale = kind(model), steps(model)
    worst, most, passed = 0.0, None, True
    for n, want in theirs.items():
        if ours[n].shape != want.shape or ours[n].dtype != want.dtype:
            raise AssertionError(f"{n}: {ours[n].dtype}{ours[n].shape} here, {want.dtype}{want.shape} in ONNX Runtime")
        d = check.distance(ours[n], want)
        d = float(d.max()) if d.size else 0.0
        relative = d / max(span(want), 1e-30)
        worst = max(worst, relative)
        ok = relative <= BOUNDS[k]
        if n in scale:
            most = max(most or 0, d / scale[n])
            ok = ok or d <= 1.001 * scale[n]
        passed = passed and ok
    return k, worst, most, passed


def main(root):
    failed = 0
    cases = sorted(d for d in os.listdir(root) if os.path.exists(os.path.join(root, d, "model.onnx")))
    width = max(map(len, cases), default=0)
    for name in cases:
        exception = next((e for e in EXCEPTIONS if fnmatch.fnmatchcase(name, e)), None)
        try:
            k, worst, most, passed = judge(os.path.join(root, name), name)
        except Exception as e:  # one bad case must not hide the others
            failed += 1
            print(f"{name:{width}}  FAIL  {type(e).__name__}: {str(e)[:400]}")
            continue
        verdict = "ok"
        if exception and not passed:
            bound, why = EXCEPTIONS[exception]
            passed = worst <= bound
            verdict = f"exception: at most {bound:g}, {why}"
        if not passed:
            failed += 1
            verdict = "FAIL"
        print(f"{name:{width}}  {k:8} {worst:8.1e}  {'' if most is None else f'{most:.2f} steps':12} {verdict}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))

"""Checks models that octavo wrote against onnx.checker and ONNX Runtime.

Usage: check.py FOLDER. Each folder in it that has a case.json is a case;
README.md tells its layout. Prints a line a case; exits 1 if any case fails or
there is none.
"""
import functools
import json
import os
import sys

import numpy as np
import onnx
import onnx.checker
import onnx.shape_inference
import onnxruntime as ort

SATURATING = {"QLinearConv", "QLinearMatMul", "MatMulInteger", "ConvInteger", "QGemm", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "DynamicQuantizeLSTM"}
LEVELS = {"disabled": ort.GraphOptimizationLevel.ORT_DISABLE_ALL, "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL}
FIELDS = {"steps", "step", "share", "relative", "argmax", "exempt", "levels"}


def distance(a, b):
    """|a - b| element by element; 0 where both are NaN or the same infinity."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        return np.where(same, 0.0, np.abs(a - b))


def magnitude(x):
    x = np.abs(x.astype(np.float64))
    x = x[np.isfinite(x)]
    return float(x.max()) if x.size else 0.0


def compare(name, level, ours, theirs, case):
    """Returns what is said about one output, or raises AssertionError."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        raise AssertionError(f"{name}: {ours.dtype}{ours.shape} here, {theirs.dtype}{theirs.shape} in ONNX Runtime")
    d = distance(ours, theirs)
    largest = float(d.max()) if d.size else 0.0  # NaN stays NaN and is within no bound
    if case.get("step"):
        steps = np.round(largest / case["step"])
        share = float((~(d <= 1e-6 * magnitude(theirs) + 1e-12)).mean()) if d.size else 0.0
        said = f"{level} {steps:.0f} steps on {100 * share:.2f} %"
        if case.get("exempt"):
            return said + ", not judged"
        if not steps <= case["steps"] or not share <= case["share"]:
            raise AssertionError(f"{name} ({level}): off by {steps:.0f} steps on {100 * share:.2f} % of elements")
    else:
        relative = largest / max(magnitude(theirs), 1e-30)
        said = f"{level} {relative:.1e}"
        if not relative <= case["relative"]:
            raise AssertionError(f"{name} ({level}): off by {relative:.2e} of the output range")
    if case.get("argmax") and (ours.argmax(-1) != theirs.argmax(-1)).any():
        raise AssertionError(f"{name} ({level}): another answer")
    return said


@functools.cache
def saturates():
    """Whether ONNX Runtime's products of uint8 and int8 saturate at 16 bits, as
    they do on x86 without VNNI."""
    v = onnx.helper.make_tensor_value_info
    g = onnx.helper.make_graph([onnx.helper.make_node("MatMulInteger", ["a", "b"], ["y"])], "g",
                               [v("a", onnx.TensorProto.UINT8, [4, 64])], [v("y", onnx.TensorProto.INT32, None)],
                               [onnx.numpy_helper.from_array(np.full((64, 16), 127, np.int8), "b")])
    m = onnx.helper.make_model(g, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 13)])
    o = ort.SessionOptions()
    o.graph_optimization_level = LEVELS["disabled"]
    y, = ort.InferenceSession(m.SerializeToString(), o, providers=["CPUExecutionProvider"]).run(None, {"a": np.full((4, 64), 255, np.uint8)})
    return bool((y != 64 * 255 * 127).any())


def check(folder):
    with open(os.path.join(folder, "case.json")) as f:
        case = json.load(f)
    unknown = set(case) - FIELDS
    if unknown:
        raise ValueError(f"case.json has unknown fields {sorted(unknown)}")
    if not case["levels"]:
        raise ValueError("case.json names no optimisation level")
    path = os.path.join(folder, "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True, data_prop=True)
    inputs = dict(np.load(os.path.join(folder, "inputs.npz")))
    ours = dict(np.load(os.path.join(folder, "outputs.npz")))
    notes = []
    for level in case["levels"]:
        options = ort.SessionOptions()
        options.graph_optimization_level = LEVELS[level]
        options.log_severity_level = 3
        if saturates():  # then products of uint8 and uint8, which are exact, take their place
            if level == "disabled" and any(n.op_type in SATURATING for n in onnx.load(path).graph.node):
                notes.append("disabled: left out, products saturate on this processor")
                continue
            options.add_session_config_entry("session.x64quantprecision", "1")
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs()]
        if set(names) != set(ours):
            raise AssertionError(f"outputs {sorted(ours)} here, {sorted(names)} in ONNX Runtime")
        for name, theirs in zip(names, session.run(names, inputs)):
            notes.append(compare(name, level, ours[name], theirs, case))
    return "; ".join(notes)


def main(root):
    failed = 0
    cases = sorted(d for d in os.listdir(root) if os.path.exists(os.path.join(root, d, "case.json")))
    for name in cases:
        try:
            print(f"ok    {name}: {check(os.path.join(root, name))}")
        except Exception as e:  # one bad case must not hide the others
            failed += 1
            print(f"FAIL  {name}: {type(e).__name__}: {str(e)[:400]}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))

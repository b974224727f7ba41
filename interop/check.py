"""Checks models that octavo wrote against onnx.checker and ONNX Runtime.

Usage: check.py FOLDER. Each case is a folder with model.onnx, case.json,
inputs.npz and outputs.npz (what octavo's own engine computed). case.json:
  steps        outputs may differ by this many steps of size "step" ...
  step         ... (0: relative to the largest output magnitude by "relative")
  share        ... on at most this share of elements
  argmax       answers must be equal
  levels       ONNX Runtime optimisation levels to compare with: disabled, all
Prints a line a case; exits 1 if any case fails.
"""
import json
import os
import sys

import numpy as np
import onnx
import onnx.checker
import onnx.shape_inference
import onnxruntime as ort

LEVELS = {"disabled": ort.GraphOptimizationLevel.ORT_DISABLE_ALL, "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL}


def check(folder):
    with open(os.path.join(folder, "case.json")) as f:
        case = json.load(f)
    path = os.path.join(folder, "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    inputs = dict(np.load(os.path.join(folder, "inputs.npz")))
    ours = dict(np.load(os.path.join(folder, "outputs.npz")))
    notes = []
    for level in case["levels"]:
        options = ort.SessionOptions()
        options.graph_optimization_level = LEVELS[level]
        options.log_severity_level = 3
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs()]
        theirs = dict(zip(names, session.run(names, inputs)))
        for name in names:
            a, b = ours[name], theirs[name]
            if a.shape != b.shape or a.dtype != b.dtype:
                raise AssertionError(f"{name}: {a.dtype}{a.shape} here, {b.dtype}{b.shape} in ONNX Runtime")
            d = np.abs(a.astype(np.float64) - b.astype(np.float64))
            if case.get("step"):
                off = d > 1e-6 * np.abs(b).max() + 1e-12
                if case.get("exempt"):
                    notes.append(f"{level} {np.round((d / case['step']).max(), 1)} steps, not judged")
                    continue
                steps = np.round(d / case["step"]).max()
                share = off.mean()
                notes.append(f"{level} {steps:.0f} steps on {100 * share:.2f} %")
                if steps > case["steps"] or share > case["share"]:
                    raise AssertionError(f"{name} ({level}): off by {steps:.0f} steps on {100 * share:.2f} % of elements")
            else:
                rel = d.max() / max(np.abs(b).max(), 1e-30)
                notes.append(f"{level} {rel:.1e}")
                if not rel <= case["relative"]:
                    raise AssertionError(f"{name} ({level}): off by {rel:.2e} of the output range")
            if case.get("argmax") and (a.argmax(-1) != b.argmax(-1)).any():
                raise AssertionError(f"{name} ({level}): another answer")
    return "; ".join(notes)


def main():
    failed = 0
    root = sys.argv[1]
    cases = sorted(d for d in os.listdir(root) if os.path.exists(os.path.join(root, d, "case.json")))
    for name in cases:
        try:
            print(f"ok    {name}: {check(os.path.join(root, name))}")
        except Exception as e:  # one bad case must not hide the others
            failed += 1
            print(f"FAIL  {name}: {type(e).__name__}: {str(e)[:400]}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not cases else 0)


if __name__ == "__main__":
    main()

"""Shows that check.py passes what is right and finds what is wrong.

Usage: selftest.py. Writes small cases with onnx.helper, runs check.py on each
and exits 1 if one that should fail passes, or the reverse.
"""
import contextlib
import io
import json
import os
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper

import check

X = np.array([[1.0, -2.0, 3.0]], np.float32)
Y = np.array([[1.0, 0.0, 3.0]], np.float32)


def model(op="Relu", out=TensorProto.FLOAT, shape=(1, 3)):
    graph = helper.make_graph(
        [helper.make_node(op, ["x"], ["y"], name="n")], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", out, list(shape))])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def close(**more):
    return {"relative": 1e-4, "levels": ["disabled", "all"], **more}


def steps(**more):
    return {"steps": 1, "step": 0.5, "share": 0.4, "levels": ["disabled"], **more}


def case(x=X, y=Y, m=None, output="y", **expect):
    return m or model(), x, {output: y}, expect


nan = np.array([[np.nan, 0, 3]], np.float32)
# name → a case and what its line must hold; "" is for those that pass.
CASES = {
    "right": (case(**close()), ""),
    "right_steps": (case(y=Y + np.array([[0, 0, 0.5]], np.float32), **steps()), ""),
    "right_nan": (case(x=np.array([[np.nan, 0, 3]], np.float32), y=nan, **close()), ""),
    "right_exempt": (case(y=Y + np.float32(9), **steps(exempt=True)), ""),
    "off": (case(y=Y * np.float32(1.001), **close()), "of the output range"),
    "off_nan": (case(y=nan, **close()), "of the output range"),
    "off_nan_steps": (case(y=nan, **steps()), "steps"),
    "off_two_steps": (case(y=Y + np.array([[0, 0, 1]], np.float32), **steps()), "off by 2 steps"),
    "off_too_often": (case(y=Y + np.float32(0.5), **steps()), "100.00 %"),
    "other_answer": (case(x=X[:, ::-1].copy(), y=Y, **close(relative=2, argmax=True)), "another answer"),
    "other_shape": (case(y=Y[0], **close()), "in ONNX Runtime"),
    "other_type": (case(y=Y.astype(np.float64), **close()), "in ONNX Runtime"),
    "other_output": (case(output="z", **close()), "outputs"),
    "wrong_shape": (case(m=model(shape=(1, 4)), **close()), "Inference"),
    "wrong_type": (case(m=model(out=TensorProto.INT64), **close()), "Inference"),
    "unknown_operator": (case(m=model(op="Nothing"), **close()), "Nothing"),
    "unknown_field": (case(**close(tolerance=1)), "unknown fields"),
    "no_level": (case(**close(levels=[])), "no optimisation level"),
}


def main():
    wrong = 0
    for name, ((m, x, y, expect), want) in CASES.items():
        with tempfile.TemporaryDirectory() as root:
            folder = os.path.join(root, name)
            os.mkdir(folder)
            onnx.save(m, os.path.join(folder, "model.onnx"))
            np.savez(os.path.join(folder, "inputs.npz"), x=x)
            np.savez(os.path.join(folder, "outputs.npz"), **y)
            with open(os.path.join(folder, "case.json"), "w") as f:
                json.dump(expect, f)
            with contextlib.redirect_stdout(io.StringIO()) as out:
                status = check.main(root)
            line = out.getvalue().splitlines()[0]
        if status != bool(want) or want not in line:
            wrong += 1
            print(f"{name}: want {'FAIL with ' + want if want else 'ok'}, got {line}")
    with tempfile.TemporaryDirectory() as root, contextlib.redirect_stdout(io.StringIO()):
        if check.main(root) != 1:
            wrong += 1
            print("a folder without cases passes", file=sys.stderr)
    print(f"selftest: {len(CASES) + 1 - wrong} of {len(CASES) + 1} as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

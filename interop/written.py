"""Runs TensorFlow Lite files in LiteRT, with its reference kernels and with
those that it has by default.

Usage: written.py FOLDER. For each case of cases.json of which FOLDER has
NAME.tflite, it runs NAME.test.npy and NAME.noise.npy sample by sample and
writes NAME.PART.KERNELS.K.npy: output K of PART (test or noise) from KERNELS
(ref or default), samples on a new first axis; and NAME.facts.json: "floats",
the operators that read or write floats (but QUANTIZE and DEQUANTIZE, and those
that only move what the model is given) with their counts, "operators", all of
them, and "error" where LiteRT refuses the file.
"""
import collections
import json
import os
import sys

import numpy as np
from ai_edge_litert import schema_py_generated as s
from ai_edge_litert.interpreter import Interpreter, OpResolverType

NAMES = {v: k for k, v in vars(s.BuiltinOperator).items() if isinstance(v, int)}
KERNELS = {"ref": OpResolverType.BUILTIN_REF, "default": OpResolverType.AUTO}


def operators(content):
    """All operators of a file, and those on floats, by name."""
    model = s.ModelT.InitFromPackedBuf(content, 0)
    every, floats = collections.Counter(), collections.Counter()
    for graph in model.subgraphs:
        for o in graph.operators:
            code = model.operatorCodes[o.opcodeIndex]
            name = NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
            every[name] += 1
            types = {graph.tensors[i].type for i in [*o.inputs, *o.outputs] if i >= 0}
            moves = name in ("RESHAPE", "TRANSPOSE") and o.inputs[0] in graph.inputs
            if name not in ("QUANTIZE", "DEQUANTIZE") and not moves and s.TensorType.FLOAT32 in types:
                floats[name] += 1
    return dict(sorted(every.items())), dict(sorted(floats.items()))


def loaded(content, kernels, shape=None):
    it = Interpreter(model_content=content, experimental_op_resolver_type=KERNELS[kernels], num_threads=1)
    if shape is not None and tuple(it.get_input_details()[0]["shape"]) != tuple(shape):
        it.resize_tensor_input(it.get_input_details()[0]["index"], shape)
    it.allocate_tensors()
    return it


def run(it, x):
    """All outputs of samples stacked on axis 0, each stacked likewise."""
    given, outs = it.get_input_details()[0]["index"], [d["index"] for d in it.get_output_details()]
    rows = []
    for v in x:
        it.set_tensor(given, v)
        it.invoke()
        rows.append([it.get_tensor(i) for i in outs])
    return [np.stack(column) for column in zip(*rows)]


def judge(folder, name):
    stem = os.path.join(folder, name)
    with open(stem + ".tflite", "rb") as f:
        content = f.read()
    facts = {}
    facts["operators"], facts["floats"] = operators(content)
    for kernels in KERNELS:
        for part in ("test", "noise"):
            x = np.load(f"{stem}.{part}.npy")
            try:
                out = run(loaded(content, kernels, x.shape[1:]), x)
            except (RuntimeError, ValueError) as e:
                facts["error"] = f"{kernels}: {e}"[:500]
                break
            for k, y in enumerate(out):
                np.save(f"{stem}.{part}.{kernels}.{k}.npy", y)
    with open(stem + ".facts.json", "w") as f:
        json.dump(facts, f, indent=1)


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "cases.json")) as f:
        for name in json.load(f):
            if os.path.exists(os.path.join(folder, name + ".tflite")):
                judge(folder, name)


if __name__ == "__main__":
    main()

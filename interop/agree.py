"""How far a network's int8 forms agree: the ONNX file in ONNX Runtime and in
octavo, the .tflite in LiteRT's reference kernels and in its default ones.

    .venv/bin/python interop/agree.py ./octavo MODEL.onnx CALIBRATION.npz TEST.npz [SAMPLES]

One calibration gives both files: octavo writes the .tflite, and converts it to
ONNX with every integer, scale and zero point. SQNR is that of the first output,
the greatest score is compared along the last axis.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def lite(path, inputs, reference):
    kind = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    run = Interpreter(str(path), experimental_op_resolver_type=kind)
    details = run.get_input_details()
    for d in details:
        run.resize_tensor_input(d["index"], [1, *d["shape"][1:]])
    run.allocate_tensors()
    out = []
    for k in range(len(next(iter(inputs.values())))):
        for d in details:
            name = max((n for n in inputs if n in d["name"]), key=len)
            run.set_tensor(d["index"], inputs[name][k : k + 1].astype(d["dtype"]))
        run.invoke()
        out.append(run.get_tensor(run.get_output_details()[0]["index"]).copy())
    return np.concatenate(out)


def ort(path, inputs):
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.qdqisint8allowed", "1")  # x86 else computes int8 pairs on floats
    run = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    count = len(next(iter(inputs.values())))
    return np.concatenate([run.run(None, {n: x[k : k + 1] for n, x in inputs.items()})[0] for k in range(count)])


def own(octavo, path, data, folder, like):
    subprocess.run([octavo, "run", str(path), "--data", str(data), "-o", str(folder), "--quiet"], check=True)
    name = onnxruntime.InferenceSession(str(path)).get_outputs()[0].name
    files = sorted((folder / name).glob("*.npy"))
    return np.concatenate([np.load(f).reshape((1, *like.shape[1:])) for f in files])


def main():
    octavo, model, calibration, test = sys.argv[1:5]
    count = int(sys.argv[5]) if len(sys.argv) > 5 else 32
    inputs = {n: x[:count] for n, x in np.load(test).items()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        np.savez(folder / "test.npz", **inputs)
        small, same = folder / "int8.tflite", folder / "int8.onnx"
        subprocess.run([octavo, "quantize", model, "-o", str(small), "--data", calibration, "--quiet"], check=True)
        subprocess.run([octavo, "convert", str(small), str(same), "--quiet"], check=True)
        results = {"float": ort(model, inputs), "onnx": ort(same, inputs)}
        results["octavo"] = own(octavo, same, folder / "test.npz", folder / "out", results["onnx"])
        results["default"] = lite(small, inputs, False)
        results["reference"] = lite(small, inputs, True)
    print(f"{pathlib.Path(model).name}, {count} samples")
    pairs = [("float", "onnx"), ("float", "default"), ("float", "reference"), ("onnx", "default"), ("octavo", "default"), ("onnx", "reference"), ("default", "reference")]
    for a, b in pairs:
        x, y = results[a].astype(np.float64), results[b].astype(np.float64)
        noise = ((x - y) ** 2).sum()
        db = 10 * np.log10((x**2).sum() / noise) if noise > 0 else np.inf
        print(f"  {a:9} {b:9} {db:6.1f} dB, greatest score the same in {100 * (x.argmax(-1) == y.argmax(-1)).mean():.1f} %")


if __name__ == "__main__":
    main()

"""Quantizes the cases of lite_samples.py with TensorFlow's own converter, and
writes what came out to testdata/converter.json, which written_test.go reads.

Usage: converter.py SHARED SAMPLES OCTAVO [CASE...]. SAMPLES is a folder that
lite_samples.py wrote, OCTAVO the binary: it writes float models as TensorFlow
Lite, from which the networks are built anew in TensorFlow where there is no
SavedModel, and is timed. Needs requirements-converter.txt, which the suite does
not; run it by hand (README.md).

The converter has its own defaults for integers: DEFAULT optimizations,
TFLITE_BUILTINS_INT8, the calibration samples as the representative dataset,
floats as inputs and outputs. Its files run with LiteRT's reference kernels, as
octavo's do in the test; "error" says where they do not run. Times are of ROUNDS turns, one after the other: a whole
run of "octavo quantize", start of the process included, and the converter's
convert() alone, without the seconds that importing TensorFlow takes. Beside the
clock's, seconds of processors are recorded: other work on the machine does not
move those much.
"""
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import written

del sys.path[0]  # TensorFlow asks for a module litert, and must not be given the script beside this one

import numpy as np
import tensorflow as tf
import tf_keras  # noqa: F401: what SavedModels of Keras 2 hold of optimizers is of its classes
from ai_edge_litert import schema_py_generated as s

ROUNDS = 3
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "testdata", "converter.json")
ACTIVATIONS = {s.ActivationFunctionType.NONE: lambda x: x, s.ActivationFunctionType.RELU: tf.nn.relu, s.ActivationFunctionType.RELU6: tf.nn.relu6}
PADDING = {s.Padding.SAME: "SAME", s.Padding.VALID: "VALID"}
TYPES = {s.TensorType.FLOAT32: np.float32, s.TensorType.INT32: np.int32}


def pooled(pool):
    return lambda o, x: pool(x, (o.filterHeight, o.filterWidth), (o.strideH, o.strideW), PADDING[o.padding])


def convolved(o, x, w, b):
    return tf.nn.conv2d(x, tf.transpose(w, [1, 2, 3, 0]), (o.strideH, o.strideW), PADDING[o.padding]) + b


def depthwise(o, x, w, b):
    times = o.depthMultiplier or w.shape[3] // x.shape[3]
    return tf.nn.depthwise_conv2d(x, tf.reshape(w, [*w.shape[1:3], x.shape[3], times]), (1, o.strideH, o.strideW, 1), PADDING[o.padding]) + b


def connected(o, x, w, b=None):
    y = tf.matmul(tf.reshape(x, [-1, w.shape[1]]), w, transpose_b=True)
    return y if b is None else y + b


BUILD = {
    "ADD": lambda o, a, b: a + b,
    "AVERAGE_POOL_2D": pooled(tf.nn.avg_pool2d),
    "CONV_2D": convolved,
    "DEPTHWISE_CONV_2D": depthwise,
    "FULLY_CONNECTED": connected,
    "HARD_SWISH": lambda o, x: x * tf.nn.relu6(x + 3) * (1 / 6),
    "MAX_POOL_2D": pooled(tf.nn.max_pool2d),
    "MEAN": lambda o, x, axes: tf.reduce_mean(x, axes, o.keepDims),
    "PAD": lambda o, x, pads: tf.pad(x, pads),
    "RELU": lambda o, x: tf.nn.relu(x),
    "RESHAPE": lambda o, x, shape=None: tf.reshape(x, o.newShape if shape is None else shape),
    "SOFTMAX": lambda o, x: tf.nn.softmax(x),
    "TRANSPOSE": lambda o, x, perm: tf.transpose(x, perm),
}


def built(path):
    """The network of a float TensorFlow Lite file as a function of TensorFlow."""
    with open(path, "rb") as f:
        model = s.ModelT.InitFromPackedBuf(f.read(), 0)
    graph = model.subgraphs[0]
    constants = {}
    for i, t in enumerate(graph.tensors):
        data = model.buffers[t.buffer].data
        if data is not None:
            constants[i] = np.frombuffer(bytes(data), TYPES[t.type]).reshape(t.shape if t.shape is not None else ())

    def network(x):
        values = {i: tf.constant(c) for i, c in constants.items()}
        values[graph.inputs[0]] = x
        for o in graph.operators:
            code = model.operatorCodes[o.opcodeIndex]
            name = written.NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
            # Shapes and axes are read as numbers, not as tensors.
            args = [constants[i] if i in constants and constants[i].dtype == np.int32 else values[i] for i in o.inputs if i >= 0]
            y = BUILD[name](o.builtinOptions, *args)
            values[o.outputs[0]] = ACTIVATIONS[getattr(o.builtinOptions, "fusedActivationFunction", 0)](y)
        return [values[i] for i in graph.outputs]

    given = graph.tensors[graph.inputs[0]]
    return network, tf.TensorSpec([1, *given.shape[1:]], tf.float32, name="input")


def source(path, saved):
    """What makes a converter of the network, the network, and the shape of a sample."""
    if saved:
        f = tf.saved_model.load(saved).signatures["serving_default"]
        (name, spec), = f.structured_input_signature[1].items()
        return lambda: tf.lite.TFLiteConverter.from_saved_model(saved), lambda x: list(f(**{name: x}).values()), [1, *spec.shape[1:]]
    network, spec = built(path)
    f = tf.function(network, input_signature=[spec]).get_concrete_function()
    return lambda: tf.lite.TFLiteConverter.from_concrete_functions([f]), f, spec.shape


def converted(make, calib):
    def representative():
        for v in calib:
            yield [v]

    c = make()
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    c.representative_dataset = representative
    c.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return c.convert()


def square(x):
    return float((x.astype(np.float64) ** 2).sum())


def judged(content, f, test, labels):
    """How good a file is: error against the network over all outputs, answers, reconstruction."""
    want = [np.stack(col) for col in zip(*[[np.asarray(y) for y in f(tf.constant(v))] for v in test])]
    got = written.run(written.loaded(content, "ref", test.shape[1:]), test)
    # Outputs may stand in another order: those that are nearest belong together.
    left, noise = list(got), 0.0
    for w in want:
        k = min((k for k in range(len(left)) if left[k].size == w.size), key=lambda k: square(left[k].reshape(w.shape) - w))
        noise += square(left.pop(k).reshape(w.shape).astype(np.float64) - w)
    row = {"sqnr": round(10 * math.log10(sum(map(square, want)) / noise), 3), "samples": len(test)}
    if labels is not None:
        wrong = np.flatnonzero(got[0].reshape(len(labels), -1).argmax(1) != labels)
        row |= {"accuracy": round(1 - len(wrong) / len(labels), 5), "wrong": wrong.tolist()}
    if len(got) == 1 and got[0].size == test.size:
        row["mse"] = square(got[0].reshape(test.shape).astype(np.float64) - test) / test.size
    return row


def timed(f):
    """Seconds of the clock and of processors, children counted, and what f returns."""
    used = lambda: sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    start, before = time.monotonic(), used()
    out = f()
    return (time.monotonic() - start, used() - before), out


def main():
    shared, samples, octavo = sys.argv[1:4]
    with open(os.path.join(samples, "cases.json")) as f:
        cases = json.load(f)
    rows = {}
    if os.path.exists(OUT):
        with open(OUT) as f:
            rows = json.load(f)
    for name in sys.argv[4:] or cases:
        case = cases[name]
        load = lambda part: np.load(os.path.join(samples, f"{name}.{part}.npy")) if os.path.exists(os.path.join(samples, f"{name}.{part}.npy")) else None
        model = os.path.join(shared, case["model"])
        with tempfile.TemporaryDirectory() as folder:
            dims = ["--shape", f"{input_name(octavo, model)}={'x'.join(map(str, load('calib').shape[1:]))}"]
            path = os.path.join(folder, "float.tflite")
            if not case["saved"]:
                subprocess.run([octavo, "convert", model, path, "--quiet", *dims], check=True)
            make, f, shape = source(path, case["saved"] and os.path.join(shared, case["saved"]))
            # The SavedModels are channels-last, of one channel.
            calib, test = (load(part).reshape(-1, *shape) for part in ("calib", "test"))
            command = [octavo, "quantize", model, "-o", os.path.join(folder, "int8.tflite"), "--data", os.path.join(samples, name + ".calib.npy"), "--samples", "0", "--force", "--quiet", *dims]
            theirs, ours = [], []
            for _ in range(ROUNDS):
                seconds, _ = timed(lambda: subprocess.run(command, check=True, capture_output=True))
                ours.append(seconds)
                seconds, content = timed(lambda: converted(make, calib))
                theirs.append(seconds)
            _, floats = written.operators(content)
            row = {"bytes": len(content), "floats": floats, "calibration": case["calib"]}
            try:
                row |= judged(content, f, test, load("labels"))
            except RuntimeError as e:
                row["error"] = str(e)[:200]
            for what, times in (("", theirs), ("octavo_", ours)):
                clock, cpu = zip(*times)
                row |= {what + "seconds": round(statistics.median(clock), 3), what + "cpu_seconds": round(statistics.median(cpu), 3)}
            rows[name] = row
            with open(os.path.join(samples, name + ".converter.tflite"), "wb") as out:
                out.write(content)
        print(name, {k: v for k, v in row.items() if k != "wrong"}, flush=True)
        with open(OUT, "w") as out:
            out.write("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(rows[k])}" for k in sorted(rows)) + "\n}\n")


def input_name(octavo, model):
    out = subprocess.run([octavo, "inspect", model, "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)["inputs"][0]["name"]


if __name__ == "__main__":
    main()

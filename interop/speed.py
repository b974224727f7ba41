"""Times models in ONNX Runtime (.onnx) and LiteRT (.tflite), interleaved, and
prints min and median and the ratio to the first.

Usage: speed.py [--threads N] [--runs N] MODEL MODEL...  (one float32 image input)
"""
import argparse
import time

import numpy as np


def with_onnxruntime(path, threads):
    import onnxruntime as ort

    o = ort.SessionOptions()
    o.intra_op_num_threads = threads
    o.log_severity_level = 3
    s = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
    i = s.get_inputs()[0]
    feed = {i.name: image([d if isinstance(d, int) else 1 for d in i.shape])}
    return lambda: s.run(None, feed)


def with_litert(path, threads):
    from ai_edge_litert.interpreter import Interpreter

    s = Interpreter(path, num_threads=threads)
    i = s.get_input_details()[0]
    shape = [1, *i["shape"][1:]]
    s.resize_tensor_input(i["index"], shape)
    s.allocate_tensors()
    s.set_tensor(i["index"], image(shape))
    return s.invoke


def image(shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


p = argparse.ArgumentParser()
p.add_argument("--threads", type=int, default=1)
p.add_argument("--runs", type=int, default=15)
p.add_argument("models", nargs="+")
a = p.parse_args()
runs = {path: (with_litert if path.endswith(".tflite") else with_onnxruntime)(path, a.threads) for path in a.models}
times = {path: [] for path in a.models}
for _ in range(a.runs + 2):
    for path, run in runs.items():
        t = time.perf_counter()
        run()
        times[path].append(time.perf_counter() - t)
base = np.median(times[a.models[0]][2:])
for path in a.models:
    t = np.array(times[path][2:]) * 1e3
    print(f"{path}: min {t.min():.2f} ms, median {np.median(t):.2f} ms, {np.median(t) / (base * 1e3):.2f} of the first")

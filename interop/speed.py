"""Times models in ONNX Runtime, interleaved, and prints min and median and the ratio to the first.

Usage: speed.py [--threads N] [--runs N] MODEL MODEL...  (one float32 image input)
"""
import argparse
import time

import numpy as np
import onnxruntime as ort

p = argparse.ArgumentParser()
p.add_argument("--threads", type=int, default=1)
p.add_argument("--runs", type=int, default=15)
p.add_argument("models", nargs="+")
a = p.parse_args()
sessions = []
for path in a.models:
    o = ort.SessionOptions()
    o.intra_op_num_threads = a.threads
    o.log_severity_level = 3
    s = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
    i = s.get_inputs()[0]
    shape = [d if isinstance(d, int) else 1 for d in i.shape]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    sessions.append((path, s, {i.name: x}))
times = {path: [] for path in a.models}
for _ in range(a.runs + 2):
    for path, s, feed in sessions:
        t = time.perf_counter()
        s.run(None, feed)
        times[path].append(time.perf_counter() - t)
base = np.median(times[a.models[0]][2:])
for path in a.models:
    t = np.array(times[path][2:]) * 1e3
    print(f"{path}: min {t.min():.2f} ms, median {np.median(t):.2f} ms, {np.median(t) / (base * 1e3):.2f} of the first")

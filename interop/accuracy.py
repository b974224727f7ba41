"""Compares octavo's default int8 with ONNX Runtime's quantizers on labelled data.

Usage: accuracy.py FOLDER. Each subject is a folder with float.onnx, int8.onnx
(octavo's), calib.npy and test.npy (samples stacked on axis 0, each with the
model's batch of 1), labels.npy. ONNX Runtime quantizes float.onnx per channel,
uint8 activations and int8 weights, with MinMax, Entropy and Percentile on the
same calibration samples; all run in ONNX Runtime on the test samples. Fails if
octavo's accuracy is significantly lower (exact McNemar test, p < .05) than the
best of the three, or its output SQNR more than 0.5 dB below the best, or below
it on most subjects.
"""
import contextlib
import io
import logging
import math
import os
import sys
import tempfile

import numpy as np
import onnx
import onnx.version_converter
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

logging.disable(logging.WARNING)


class Reader(CalibrationDataReader):
    def __init__(self, name, samples):
        self.it = iter([{name: s} for s in samples])

    def get_next(self):
        return next(self.it, None)


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(path, samples):
    s = session(path)
    name = s.get_inputs()[0].name
    return np.concatenate([s.run(None, {name: x})[0].reshape(1, -1) for x in samples])


def sqnr(ref, out):
    noise = ((ref.astype(np.float64) - out) ** 2).sum()
    return math.inf if noise == 0 else 10 * math.log10((ref.astype(np.float64) ** 2).sum() / noise)


def mcnemar(lost, won):
    n = lost + won
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(lost, won) + 1)) / 2**n
    return min(1.0, 2 * tail)


def subject(folder):
    load = lambda n: np.load(os.path.join(folder, n))
    calib, test, labels = load("calib.npy"), load("test.npy"), load("labels.npy")
    path = os.path.join(folder, "float.onnx")
    ref = run(path, test)
    ours = run(os.path.join(folder, "int8.onnx"), test)
    right = lambda out: out.argmax(1) == labels
    print(f"{os.path.basename(folder)}: {len(test)} samples, float {100 * right(ref).mean():.2f} %")
    best = None
    with tempfile.TemporaryDirectory() as tmp:
        prep = os.path.join(tmp, "prep.onnx")
        source = path
        model = onnx.load(path)
        if next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) < 13:
            # Its per-channel form needs opset 13.
            source = os.path.join(tmp, "v13.onnx")
            onnx.save(onnx.version_converter.convert_version(model, 13), source)
        quant_pre_process(source, prep, skip_symbolic_shape=True)
        name = onnx.load(prep).graph.input[0].name
        for method in (CalibrationMethod.MinMax, CalibrationMethod.Entropy, CalibrationMethod.Percentile):
            q = os.path.join(tmp, "q.onnx")
            make = lambda **extra: quantize_static(
                prep, q, Reader(name, calib), quant_format=QuantFormat.QDQ, per_channel=True, extra_options=extra,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=method)
            with contextlib.redirect_stdout(io.StringIO()):
                try:
                    make()
                except ValueError:  # its bias adjustment fails on biases that are no vectors
                    make(QDQDisableWeightAdjustForInt32Bias=True)
            out = run(q, test)
            acc, db = right(out).mean(), sqnr(ref, out)
            print(f"  ONNX Runtime {method.name:10} {100 * acc:.2f} %  {db:.1f} dB")
            if best is None or acc > best[0]:
                best_out = out
            best = (max(acc, best[0]) if best else acc, max(db, best[1]) if best else db)
    acc, db = right(ours).mean(), sqnr(ref, ours)
    lost, won = int((right(best_out) & ~right(ours)).sum()), int((~right(best_out) & right(ours)).sum())
    p = mcnemar(lost, won)
    print(f"  octavo                  {100 * acc:.2f} %  {db:.1f} dB  (against the best: p = {p:.2f}, {db - best[1]:+.1f} dB)")
    return (p < 0.05 and lost > won, db - best[1])


def main():
    root = sys.argv[1]
    results = {d: subject(os.path.join(root, d)) for d in sorted(os.listdir(root))}
    bad = [d for d, (worse, gain) in results.items() if worse or gain < -0.5]
    above = sum(gain > 0 for _, gain in results.values())
    print(f"SQNR above ONNX Runtime's best on {above} of {len(results)}; too far below, or less accurate: {bad or 'none'}")
    sys.exit(1 if bad or 2 * above <= len(results) else 0)


if __name__ == "__main__":
    main()

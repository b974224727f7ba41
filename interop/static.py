"""Compares octavo's int8 with ONNX Runtime's static quantizer where there are no labels.

Usage: static.py FOLDER CASE..., with the cases of real_samples.py after octavo
has run and quantized them. ONNX Runtime quantizes the same file per channel,
uint8 activations and int8 weights, with MinMax on the same samples. Both are
measured against the float outputs on these samples, each with unoptimised
arithmetic. Fails if octavo's SQNR of an output is more than 0.5 dB lower.
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
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import real

logging.disable(logging.WARNING)
ort.set_default_logger_severity(3)


class Reader(CalibrationDataReader):
    def __init__(self, samples):
        n = len(next(iter(samples.values())))
        self.it = iter([{k: np.asarray(v[i]) for k, v in samples.items()} for i in range(n)])

    def get_next(self):
        return next(self.it, None)


def sqnr(ref, out):
    noise = ((ref.astype(np.float64) - out) ** 2).sum()
    return math.inf if noise == 0 else 10 * math.log10((ref.astype(np.float64) ** 2).sum() / noise)


def theirs(path, samples):
    """The outputs of ONNX Runtime's int8 form of a file."""
    with tempfile.TemporaryDirectory() as tmp:
        source, prep, q = (os.path.join(tmp, n) for n in ("v13.onnx", "prep.onnx", "q.onnx"))
        model = onnx.load(path)
        if next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) < 13:
            model = onnx.version_converter.convert_version(model, 13)  # per channel needs it
        onnx.save(model, source)
        quant_pre_process(source, prep, skip_symbolic_shape=True)
        with contextlib.redirect_stdout(io.StringIO()):
            quantize_static(prep, q, Reader(samples), quant_format=QuantFormat.QDQ, per_channel=True,
                            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        return real.run(onnx.load(q), samples)


def main(root, cases):
    worse = 0
    for case in cases:
        folder = os.path.join(root, case)
        load = lambda f: dict(np.load(os.path.join(f, "outputs.npz")))
        mended = os.path.join(folder, "mended.onnx")
        path = mended if os.path.exists(mended) else os.path.join(folder, "model.onnx")
        ref, ours = load(folder), load(folder + ".int8")
        other = theirs(path, dict(np.load(os.path.join(folder, "samples.npz"))))
        for name in sorted(ref):
            a, b = sqnr(ref[name], ours[name]), sqnr(ref[name], other[name])
            worse += not a >= b - 0.5
            print(f"{case} {name}: octavo {a:.1f} dB, ONNX Runtime {b:.1f} dB{'' if a >= b - 0.5 else '  FAIL'}")
    return 1 if worse or not cases else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))

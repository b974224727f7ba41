"""Compares octavo's dynamic int8 with ONNX Runtime's quantize_dynamic on the same samples.

Usage: dynamic.py SHARED FOLDER. FOLDER holds octavo's file of each subject that
SUBJECTS names. ONNX Runtime quantizes the float model once with one scale for a
weight and once with one for each channel; what is better of the two counts. All
run in ONNX Runtime: the digits and tokens with their labels, speech frame by
frame with the states of the float model; whether there is speech in a frame is
compared with the float model's answer. Fails if octavo answers significantly
more often wrongly (exact McNemar test, p < .05) or has an output SQNR more than
1 dB lower on any, or a higher one on fewer than 4.
"""
import contextlib
import io
import os
import sys
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

import accuracy
import real_samples

FRAMES = 1000  # of speech


def labelled(x, y, dtype=np.float32):
    """A set of the fixtures, the input's name left open, and its labels."""
    load = lambda n: np.load(os.path.join(real_samples.shared, "fixtures/data", n))
    return {"": load(x).astype(dtype)[:, None]}, load(y)


def digits(shape):
    samples, labels = labelled("test_x.npy", "test_y.npy")
    return {"": samples[""].reshape(-1, 1, *shape)}, labels


def speech(make, *args):
    """Frames of speech as make gives them, without labels."""
    return lambda path: (make(path, *args, frames=FRAMES), None)


# Name: the float model, its samples, and the output from which the answer is worked out.
SUBJECTS = {
    "digits_lstm": ("fixtures/digits_lstm/ort/digits_lstm.prep.onnx", lambda p: digits((8, 8)), None),
    "digits_gru": ("fixtures/digits_gru/ort/digits_gru.prep.onnx", lambda p: digits((8, 8)), None),
    "digits_vit": ("fixtures/digits_vit/ort/digits_vit.prep.onnx", lambda p: digits((1, 8, 8)), None),
    "tokens_transformer": ("fixtures/tokens_transformer/ort/tokens_transformer.prep.onnx",
                           lambda p: labelled("tokens_test_x.npy", "tokens_test_y.npy", np.int64), None),
    "silero-vad": ("models/silero-vad/silero_vad_16k_op15.onnx", speech(real_samples.silero, 16000), "output"),
    "dtln": ("models/dtln/model_1.onnx", speech(real_samples.dtln), None),
}


def run(path, samples, output):
    """The chosen or first output, a row a sample."""
    s = accuracy.session(path)
    names = [i.name for i in s.get_inputs()]
    samples = {names[0] if k == "" else k: v for k, v in samples.items()}
    count = len(samples[names[0]])
    out = [s.run([output or s.get_outputs()[0].name], {n: np.asarray(samples[n][i]) for n in names})[0] for i in range(count)]
    return np.stack(out).reshape(count, -1)


def subject(name, folder):
    """Prints the figures of a model; returns whether octavo is less accurate, and how many dB better."""
    path, make, output = SUBJECTS[name]
    path = os.path.join(real_samples.shared, path)
    samples, labels = make(path)
    ref = run(path, samples, output)
    if labels is None and ref.shape[1] == 1:
        right = lambda out: (out > 0.5).ravel() == (ref > 0.5).ravel()
    elif labels is not None:
        right = lambda out: out.argmax(1) == labels
    else:
        right = lambda out: np.ones(len(out), bool)
    said = lambda who, out: print(f"  {who:26} {100 * right(out).mean():6.2f} %  {accuracy.sqnr(ref, out):.1f} dB")
    print(f"{name}: {len(ref)} samples")
    ours = run(os.path.join(folder, name + ".onnx"), samples, output)
    theirs = []
    with tempfile.TemporaryDirectory() as tmp:
        prep, q = os.path.join(tmp, "prep.onnx"), os.path.join(tmp, "q.onnx")
        try:
            quant_pre_process(path, prep, skip_symbolic_shape=True)
        except Exception as e:
            print(f"  quant_pre_process fails ({str(e)[:80]}): the file as it is")
            prep = path
        for channels in (False, True):
            with contextlib.redirect_stdout(io.StringIO()):
                quantize_dynamic(prep, q, per_channel=channels, weight_type=QuantType.QInt8)
            try:
                theirs.append(run(q, samples, output))
            except Exception as e:
                print(f"  ONNX Runtime does not run its own file: {str(e)[:160]}")
                continue
            said(f"ONNX Runtime, per {'channel' if channels else 'tensor'}", theirs[-1])
    said("octavo", ours)
    most = max(theirs, key=lambda out: right(out).mean())
    lost, won = int((right(most) & ~right(ours)).sum()), int((~right(most) & right(ours)).sum())
    gain = accuracy.sqnr(ref, ours) - max(accuracy.sqnr(ref, out) for out in theirs)
    p = accuracy.mcnemar(lost, won)
    print(f"  p = {p:.2f}, {gain:+.1f} dB")
    return p < 0.05 and lost > won, gain


def main():
    real_samples.shared, folder = sys.argv[1:]
    real_samples.SAMPLES = FRAMES  # that streams keep
    results = {name: subject(name, folder) for name in SUBJECTS}
    bad = [n for n, (worse, gain) in results.items() if worse or gain < -1]
    above = sum(gain > 0 for _, gain in results.values())
    print(f"SQNR above ONNX Runtime's on {above} of {len(results)}; too far below, or less accurate: {bad or 'none'}")
    sys.exit(1 if bad or above < 4 else 0)


if __name__ == "__main__":
    main()

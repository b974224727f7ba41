"""Makes the samples that models are quantized with for LiteRT, and judged on.

Usage: lite_samples.py SHARED FOLDER. For each case the folder gets
NAME.calib.npy and NAME.test.npy, samples on a new first axis, NAME.noise.npy
(uniform over a quarter more than the range of the calibration samples),
NAME.labels.npy where the test samples have labels, and cases.json: the model
of each case, by its path in SHARED, and where SHARED holds it the SavedModel
of the same network. Samples are real data: the labelled splits of
../shared/models/README.md, windows of sound, crops of pictures.
"""
import csv
import gzip
import io
import json
import os
import sys
import tarfile
import wave

import numpy as np
import soxr
from PIL import Image

NOISE = 8
PICTURES = ["models/fastestdet/0.jpg", "models/fastestdet/1.jpg", "models/ultraface/satya.jpg"]
shared = ""


def split(x, every, labels=None):
    """Each every-th sample calibrates, the others test."""
    held = np.arange(len(x)) % every == 0
    return x[held], x[~held], None if labels is None else labels[~held]


def crops(side, scale):
    """Squares of three sizes out of the sample pictures, [N, 1, side, side, 3]."""
    out = []
    for name in PICTURES:
        with Image.open(os.path.join(shared, name)) as p:
            w, h = p.size
            for part in (0.9, 0.6, 0.35):
                edge = int(min(w, h) * part)
                for i in range(4):
                    for k in range(4):
                        x, y = (w - edge) * i // 3, (h - edge) * k // 3
                        out.append(np.asarray(p.convert("RGB").resize((side, side), Image.Resampling.BILINEAR, (x, y, x + edge, y + edge)), np.float32))
    return split(np.stack(out)[:, None] * np.float32(scale), 3)


def planar(parts):
    """Pictures with their channels first."""
    return *(np.ascontiguousarray(p.transpose(0, 1, 4, 2, 3)) for p in parts[:2]), parts[2]


def sound(path, rate):
    with wave.open(os.path.join(shared, path)) as w:
        x = np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768
        have = w.getframerate()
    return x if have == rate else soxr.resample(x, have, rate, quality="HQ").astype(np.float32)


def bands(rate, size, count):
    """Triangles of Slaney's mel scale, each of area 1: [count, size // 2 + 1]."""
    step, knee = 200 / 3, 15.0
    mel = np.linspace(0, knee + np.log(rate / 2 / 1000) / np.log(6.4) * 27, count + 2)
    f = np.where(mel < knee, mel * step, 1000 * np.exp((mel - knee) * np.log(6.4) / 27))
    at = np.arange(size // 2 + 1) * rate / size
    up, down = (at - f[:-2, None]) / np.diff(f)[:-1, None], (f[2:, None] - at) / np.diff(f)[1:, None]
    return np.maximum(0, np.minimum(up, down)) * (2 / (f[2:] - f[:-2]))[:, None]


def spectra():
    """What the anomaly detector reads: five frames of 128 mel bands in decibels."""
    rate, size, hop = 16000, 1024, 512
    rows = []
    for path in ("models/silero-vad/test.wav", "models/basic-pitch/vocadito_10.wav"):
        x = sound(path, rate)
        at = np.arange(0, len(x) - size, hop)[:, None] + np.arange(size)
        power = np.abs(np.fft.rfft(x[at] * np.hanning(size + 1)[:-1])) ** 2
        decibels = 10 * np.log10(power @ bands(rate, size, 128).T + np.finfo(np.float32).eps)
        rows += [decibels[i:i + 5].reshape(1, -1) for i in range(0, len(decibels) - 5, 2)]
    return split(np.stack(rows).astype(np.float32), 4)


def notes():
    x = sound("models/basic-pitch/vocadito_10.wav", 22050)
    rows = [x[i:i + 43844].reshape(1, 43844, 1) for i in range(0, len(x) - 43844, 15000)]
    test, calib, _ = split(np.stack(rows), 4)
    return calib[:12], test[:3], None


def keywords():
    with tarfile.open(os.path.join(shared, "models/mlperf-tiny/kws/kws01.tar.gz")) as t:
        files = {os.path.basename(m.name): t.extractfile(m).read() for m in t.getmembers() if m.isfile()}
    rows = [r for r in csv.reader(io.StringIO(files["y_labels.csv"].decode())) if r]
    q = np.stack([np.frombuffer(files[r[0]], np.int8) for r in rows]).astype(np.float32)
    return split(((q - 83) * np.float32(0.5847029089927673)).reshape(-1, 1, 1, 49, 10), 8, np.array([int(r[2]) for r in rows]))


def handwriting(*shape):
    with gzip.open(os.path.join(shared, "models/mnist/t10k-images-idx3-ubyte.gz")) as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 1, *shape)
    with gzip.open(os.path.join(shared, "models/mnist/t10k-labels-idx1-ubyte.gz")) as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8)
    return split(x.astype(np.float32) * np.float32(1 / 255), 40, y.astype(np.int64))


def digits(*shape):
    load = lambda n: np.load(os.path.join(shared, "fixtures/data", n))
    return load("calib_x.npy").reshape(-1, 1, *shape), load("test_x.npy").reshape(-1, 1, *shape), load("test_y.npy")


# Case: the model, its samples, and the SavedModel of the same network.
CASES = {
    "resnet8": ("models/derived/resnet8.onnx", lambda: planar(crops(32, 1)), None),
    "resnet8_tflite": ("models/mlperf-tiny/resnet8/pretrainedResnet.tflite", lambda: crops(32, 1), None),
    "vww": ("models/derived/vww.onnx", lambda: planar(crops(96, 1 / 255)), None),
    "vww_tflite": ("models/mlperf-tiny/vww/vww_96_float.tflite", lambda: crops(96, 1 / 255), None),
    "kws": ("models/derived/kws.onnx", keywords, "models/mlperf-tiny/kws/kws_ref_model"),
    "anomaly": ("models/derived/ad.onnx", spectra, None),
    "anomaly_tflite": ("models/mlperf-tiny/anomaly/ad01_fp32.tflite", spectra, None),
    "mnist": ("models/derived/mnist_conv_fc.onnx", lambda: handwriting(1, 28, 28), None),
    "mnist_tflite": ("models/mnist/conv_fc_mnist.tflite", lambda: handwriting(28, 28, 1), None),
    "basic_pitch": ("models/basic-pitch/nmp.onnx", notes, "models/basic-pitch/nmp"),
    "basic_pitch_tflite": ("models/basic-pitch/nmp.tflite", notes, "models/basic-pitch/nmp"),
    "digits_cnn": ("fixtures/digits_cnn/tflite/digits_cnn.float.tflite", lambda: digits(8, 8, 1), None),
    "digits_keras_mlp": ("fixtures/digits_keras_mlp/tflite/digits_keras_mlp.float.tflite", lambda: digits(8, 8, 1), None),
    "digits_mlp": ("fixtures/digits_mlp/digits_mlp.op13.onnx", lambda: digits(1, 8, 8), None),
    "digits_resnet": ("fixtures/digits_resnet/digits_resnet.op13.onnx", lambda: digits(1, 8, 8), None),
    "digits_mobilenet": ("fixtures/digits_mobilenet/digits_mobilenet.op13.onnx", lambda: digits(1, 8, 8), None),
}


def main():
    global shared
    shared, folder = sys.argv[1], sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(1)
    cases = {}
    for name, (model, samples, saved) in CASES.items():
        if not os.path.exists(os.path.join(shared, model)):
            continue
        calib, test, labels = samples()
        lo, hi = calib.min(), calib.max()
        room = (hi - lo) / 8
        noise = rng.uniform(lo - room, hi + room, (NOISE, *calib.shape[1:])).astype(np.float32)
        for part, x in dict(calib=calib, test=test, labels=labels, noise=noise).items():
            if x is not None:
                np.save(os.path.join(folder, f"{name}.{part}.npy"), x)
        cases[name] = dict(model=model, saved=saved, calib=len(calib), test=len(test))
    with open(os.path.join(folder, "cases.json"), "w") as f:
        json.dump(cases, f, indent=1)


if __name__ == "__main__":
    main()

"""Makes a folder of cases from every ONNX file of the real models and the fixtures.

Usage: real_samples.py SHARED FOLDER. A case is a folder with model.onnx, the
file as it is; mended.onnx where ONNX Runtime needs another (MEND);
recorded.npy, where ONNX Runtime's outputs were recorded with the file;
golden.npz, where the authors' are there;
samples.npz, one array for each input, the samples on a new first axis; and
about.json, which says whether octavo is to quantize the model. Samples are real data where there is
some, else seeded; states come from the model's own run in ONNX Runtime.
"""
import gzip
import json
import os
import pickle
import shutil
import sys
import tarfile
import wave
import zipfile

import numpy as np
import onnx
import onnxruntime as ort
import soxr
from PIL import Image

import real

SAMPLES = 8  # of a model; of a fixture as many times BATCH rows
BATCH = 4
shared = ""


def wav(path, rate):
    """Samples in −1..1; a file of twice the rate is halved by a windowed sinc."""
    with wave.open(os.path.join(shared, path)) as w:
        x = np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float64) / 32768
        have = w.getframerate()
    if have == 2 * rate:
        n = np.arange(-64, 65)
        x = np.convolve(x, np.sinc(n / 2) / 2 * np.hamming(129), "same")[::2]
    elif have != rate:
        raise ValueError(f"{path} has {have} Hz, {rate} are wanted")
    return x.astype(np.float32)


def pictures(width, height, mode="RGB"):
    """Crops of the sample pictures, (SAMPLES, height, width, channels) of 0..255."""
    out = []
    for i in range(SAMPLES):
        with Image.open(os.path.join(shared, ["models/fastestdet/0.jpg", "models/fastestdet/1.jpg", "models/ultraface/satya.jpg"][i % 3])) as p:
            w, h = p.size
            d = i // 3 / 8
            box = (int(w * d), int(h * d), int(w * (0.7 + d)), int(h * (0.7 + d)))
            a = np.asarray(p.convert(mode).resize((width, height), Image.Resampling.BILINEAR, box), np.float32)
        out.append(a.reshape(height, width, -1))
    return np.stack(out)


def planar(x):
    return x.transpose(0, 3, 1, 2)[:, None]


def digits(scale):
    with gzip.open(os.path.join(shared, "models/mnist/t10k-images-idx3-ubyte.gz")) as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    return x[:SAMPLES, None, None].astype(np.float32) * np.float32(scale)


def keywords():
    with tarfile.open(os.path.join(shared, "models/mlperf-tiny/kws/kws01.tar.gz")) as t:
        members = sorted((m for m in t.getmembers() if m.size == 490), key=lambda m: m.name)[:SAMPLES]
        x = np.stack([np.frombuffer(t.extractfile(m).read(), np.int8) for m in members])
    return ((x.astype(np.float32) - 83) * np.float32(0.5847029089927673)).reshape(-1, 1, 1, 49, 10)


def stream(path, name, frames, states, **fixed):
    """The inputs of a model over frames, each with the states that the last one left."""
    s = session(path)
    outputs, taken = [o.name for o in s.get_outputs()], [i.name for i in s.get_inputs()]
    held = {i: np.zeros(shape, np.float32) for i, (_, shape) in states.items()}
    rows = []
    for f in frames:
        row = {k: v for k, v in {name: f, **held, **fixed}.items() if k in taken}
        rows.append(row)
        got = dict(zip(outputs, s.run(outputs, row)))
        held = {i: got[o] for i, (o, _) in states.items()}
    rows = rows[len(rows) - SAMPLES:]
    return {k: np.stack([r[k] for r in rows]) for k in rows[0]}


def silero(path, rate, frames=60):
    x = wav("models/silero-vad/test.wav", 16000)[:: 16000 // rate]
    size, past, at = rate // 8000 * 256, rate // 8000 * 32, rate
    rows = [x[None, at + size * i - past: at + size * (i + 1)] for i in range(frames)]
    return stream(path, "input", rows, {"state": ("stateN", (2, 1, 128))}, sr=np.array(rate))


def dtln(path, frames=100):
    x = wav("models/silero-vad/test.wav", 16000)
    rows = [np.abs(np.fft.rfft(x[128 * i + 16000:][:512])).astype(np.float32).reshape(1, 1, 257) for i in range(frames)]
    return stream(path, "input_2", rows, {"input_3": ("tf_op_layer_stack_2", (1, 2, 128, 2))})


def windows():
    """What Basic Pitch's own script feeds: 2 s with 30 frames of 256 in common,
    after half of that in zeros."""
    with wave.open(os.path.join(shared, "models/basic-pitch/vocadito_10.wav")) as w:
        x = np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768
    x = soxr.resample(x, 44100, 22050, quality="HQ").astype(np.float32)
    hop, x = 43844 - 30 * 256, np.concatenate([np.zeros(15 * 256, np.float32), x])
    rows = [x[i:i + 43844] for i in range(0, len(x), hop)]
    return np.stack([np.pad(r, (0, 43844 - len(r))).reshape(1, 43844, 1) for r in rows])


class Arrays(pickle.Unpickler):
    """Reads a pickle of NumPy arrays and nothing else."""

    def find_class(self, module, name):
        if (module.replace("._core", ".core"), name) not in {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}:
            raise ValueError(f"{module}.{name} in a golden")
        return super().find_class(module, name)


def golden_notes():
    """The authors' outputs, by the names of the ONNX file's."""
    with zipfile.ZipFile(os.path.join(shared, "models/basic-pitch/model_output.npz")) as z, z.open("arr_0.npy") as f:
        np.lib.format.read_magic(f)
        np.lib.format.read_array_header_1_0(f)
        held = Arrays(f).load().item()
    return {f"StatefulPartitionedCall:{i}": held[k] for i, k in enumerate(["contour", "note", "onset"])}


def notes():
    x = wav("models/basic-pitch/vocadito_10.wav", 22050)
    return np.stack([x[i * 20000:][:43844].reshape(1, 43844, 1) for i in range(SAMPLES)])


# File → its samples, by input ("": the only one); a name after @ is another case of it.
REAL = {
    "mnist_conv_fc.onnx": lambda p: digits(1 / 255),
    "mnist-8_cntk.onnx": lambda p: digits(1),
    "kws.onnx": lambda p: keywords(),
    "resnet8.onnx": lambda p: planar(pictures(32, 32)),
    "resnet8_tf.onnx": lambda p: pictures(32, 32)[:, None],
    "vww.onnx": lambda p: planar(pictures(96, 96) / 255),
    "vww_tf.onnx": lambda p: pictures(96, 96)[:, None] / 255,
    "FastestDet.onnx": lambda p: planar(pictures(352, 352)[..., ::-1] / 255),
    "version-RFB-320.onnx": lambda p: planar((pictures(320, 240) - 127) / 128),
    "super_resolution.onnx": lambda p: planar(pictures(224, 224, "L") / 255),
    "silero_vad_16k_op15.onnx": lambda p: silero(p, 16000),
    "silero_vad_op18_ifless.onnx": lambda p: silero(p, 16000),
    "silero_vad_op18_ifless.onnx@8000": lambda p: silero(p, 8000),
    "silero_vad_op18_ifless.onnx@fixed": lambda p: silero(p, 16000),
    "model_1.onnx": dtln,
    "nmp.onnx": lambda p: notes(),
    "nmp.onnx@golden": lambda p: windows(),
}
# Outputs of the authors, frames in order, for the samples of a case.
GOLDEN = {"nmp.onnx@golden": golden_notes}
SHAPES = [(1, 1), (1, 7), (3, 24), (3, 7), (3, 1), (1, 24)]  # of the token model


def session(path):
    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    o.log_severity_level = 4
    return ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])


def fixture(name, rows, length=None):
    x = np.load(os.path.join(shared, "fixtures/data", name))[: SAMPLES * rows]
    return x.reshape(SAMPLES, rows, *x.shape[1:])[:, :, :length]


def seeded(s):
    """Normal numbers for inputs without data; free dimensions are 1."""
    r = np.random.default_rng(1)
    out = {}
    for i in s.get_inputs():
        if i.type != "tensor(float)":
            raise ValueError(f"{i.name}: no data for {i.type}")
        out[i.name] = r.standard_normal([SAMPLES] + [d if isinstance(d, int) else 1 for d in i.shape]).astype(np.float32)
    return out


def samples(base, path, label, given):
    if base + label in REAL:
        return REAL[base + label](path)
    if given is not None:
        return given[None]
    if base.startswith("tokens_"):
        rows, length = map(int, label[1:].split("x")) if label else (BATCH, 24)
        return fixture("tokens_test_x.npy", rows, length).astype(np.int64)
    s = session(path)
    if not base.startswith("digits_"):
        return seeded(s)
    x = fixture("test_x.npy", BATCH)
    rank = len(s.get_inputs()[0].shape)
    return x.reshape(SAMPLES, BATCH, 8, 8) if rank == 3 else x.reshape(SAMPLES, BATCH, -1) if rank == 2 else x


def mend_old(m):
    """IR version 1 has no opsets (opset 1 is meant) and no types of attributes;
    ONNX Runtime runs opset 7 and newer: Add broadcasts by shapes alone, Reshape
    takes its shape as an input."""
    m.ir_version = 8
    m.opset_import.append(onnx.helper.make_opsetid("", 13))
    kinds = {"f": "FLOAT", "i": "INT", "s": "STRING", "t": "TENSOR", "ints": "INTS", "floats": "FLOATS"}
    vectors = {t.name: t for t in m.graph.initializer if len(t.dims) == 1}
    weights = {t.name for t in m.graph.initializer}
    for i in [i for i in m.graph.input if i.name in weights]:
        m.graph.input.remove(i)
    for n in m.graph.node:
        attributes = list(n.attribute)
        for a in attributes:
            a.type = onnx.AttributeProto.AttributeType.Value(kinds[next(f.name for f, _ in a.ListFields() if f.name in kinds)])
        if n.op_type == "Add":
            del n.attribute[:]
            vectors[n.input[1]].dims.extend([1, 1])
        elif n.op_type == "Reshape":
            del n.attribute[:]
            shape = onnx.helper.make_tensor(n.output[0] + "_shape", onnx.TensorProto.INT64, [len(attributes[0].ints)], attributes[0].ints)
            m.graph.initializer.append(shape)
            n.input.append(shape.name)
    return m


# Files that ONNX Runtime does not load as they are, and what makes it load them.
MEND = {"super_resolution.onnx": mend_old}


def fix_rate(m):
    """The rate as a constant: which of its two networks runs is known then, and
    that one can be quantized."""
    m.graph.input.remove(next(i for i in m.graph.input if i.name == "sr"))
    m.graph.initializer.append(onnx.numpy_helper.from_array(np.array(16000), "sr"))
    return m


# Files that are changed for both, and then quantized.
CHANGE = {"silero_vad_op18_ifless.onnx@fixed": fix_rate}


def write(path, folder, label):
    os.makedirs(folder)
    base, target = os.path.basename(path), os.path.join(folder, "model.onnx")
    if base + label in CHANGE:
        onnx.save(CHANGE[base + label](onnx.load(path)), target)
    else:
        shutil.copyfile(path, target)
    if base in MEND:
        target = os.path.join(folder, "mended.onnx")
        onnx.save(MEND[base](onnx.load(path)), target)
    given = None
    if os.path.basename(os.path.dirname(path)) == "ort":
        # The rows that were given to ONNX Runtime when its outputs were recorded.
        given = np.load(os.path.join(os.path.dirname(path), "../inputs.npy"))
        recorded = path.removesuffix(".onnx") + ".disabled.npy"
        if os.path.exists(recorded):
            shutil.copyfile(recorded, os.path.join(folder, "recorded.npy"))
    x = samples(base, target, label, given)
    if not isinstance(x, dict):
        i = session(target).get_inputs()[0]
        x = {i.name: np.ascontiguousarray(x, np.float16 if i.type == "tensor(float16)" else None)}
    np.savez(os.path.join(folder, "samples.npz"), **x)
    if base + label in GOLDEN:
        np.savez(os.path.join(folder, "golden.npz"), **GOLDEN[base + label]())
    with open(os.path.join(folder, "about.json"), "w") as f:
        json.dump({"quantize": (not label and base + "@fixed" not in CHANGE or base + label in CHANGE) and real.kind(onnx.load(target)) == "float32"}, f)


def main(root, out):
    global shared
    shared = root
    n = 0
    for part in ("fixtures", "models"):
        for here, folders, files in os.walk(os.path.join(root, part)):
            folders.sort()
            for f in sorted(files):
                if not f.endswith(".onnx"):
                    continue
                labels = [""] + [k[len(f):] for k in REAL if k.startswith(f + "@")]
                if f.startswith("tokens_") and os.path.basename(here) == "tokens_transformer":
                    labels += [f"@{b}x{t}" for b, t in SHAPES]
                for label in labels:
                    case = os.path.relpath(os.path.join(here, f), root).replace(os.sep, "__") + label
                    write(os.path.join(here, f), os.path.join(out, case), label)
                    n += 1
    print(f"{n} cases")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])

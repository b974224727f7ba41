"""Compares octavo with ONNX Runtime and OpenVINO on this machine and writes docs/benchmarks.md.

  peers.py --octavo BINARY --engine BINARY --models DIR [-o FILE] [--only NAME,...] [--rounds N] [--quick] [--no-nncf]

All engines run the same models on the same inputs and threads, in rounds in which each has a turn; page.py makes the
table. make bench-peers builds what this needs. With --only the table is printed and no file is written.
"""
import argparse
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import engines
import page

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
FIXTURES = SHARED / "fixtures"


class Model:
    """A model and what is wanted of it: octavo's time over that of the better peer, by type."""

    def __init__(self, name, group, path=None, float32=1.05, int8=None, dims=(), transformer=False):
        self.name, self.group, self.path, self.dims, self.transformer = name, group, path, list(dims), transformer
        self.goal = {"float32": float32, "int8": int8}


def fixture(name):
    return FIXTURES / name / f"{name}.op13.onnx"


# The table of models; those without a path are written by bench/models.
MODELS = [
    Model("resnet18", "full-size", int8=1.0),
    Model("resnet50", "full-size", int8=1.0),
    Model("mobilenetv2", "full-size", int8=0.7),
    Model("efficientnet-b0", "full-size", int8=0.45),
    Model("bert-base", "full-size", int8=0.9, transformer=True),
    Model("vit-s16", "full-size", int8=0.9, transformer=True),
    Model("ultraface", "medium", SHARED / "models/ultraface/version-RFB-320.onnx"),
    Model("fastestdet", "medium", SHARED / "models/fastestdet/FastestDet.onnx"),
    Model("dtln", "medium", SHARED / "models/dtln/model_1.onnx"),
    Model("tiny-resnet8", "tiny", SHARED / "models/derived/resnet8.onnx", int8=0.5),
    Model("tiny-kws", "tiny", SHARED / "models/derived/kws.onnx", int8=0.5),
    Model("tiny-vww", "tiny", SHARED / "models/derived/vww.onnx", int8=0.5),
    Model("tiny-anomaly", "tiny", SHARED / "models/derived/ad.onnx", int8=0.5),
    Model("mnist-cnn", "tiny", SHARED / "models/derived/mnist_conv_fc.onnx", int8=0.5),
    Model("mnist-8", "tiny", SHARED / "models/mnist/mnist-8_cntk.onnx", int8=0.5),
    Model("digits-resnet", "tiny", fixture("digits_resnet"), int8=0.5),
    Model("digits-mobilenet", "tiny", fixture("digits_mobilenet"), int8=0.5),
    Model("digits-mlp", "tiny", fixture("digits_mlp"), int8=0.5),
]
THREADS = (1, 2)
PAUSE = 0.02  # until threads of the engine before have gone to sleep


class Turns:
    """How long the engines are timed."""

    def __init__(self, rounds, runs, seconds):
        self.rounds, self.runs, self.seconds = rounds, runs, seconds

    def take(self, field):
        """Times the engines in turn, each round beginning with another: a list of rounds of nanoseconds, by engine."""
        out = {e.name: [] for e in field}
        for r in range(self.rounds):
            for k in range(len(field)):
                e = field[(k + r) % len(field)]
                time.sleep(PAUSE)
                out[e.name].append(e.time(self.runs, self.seconds))
        return out


def compare(server, model, path, kind, threads, turns, nncf, folder):
    """Times one model of one type for one number of threads in all engines."""
    field, row = [], {"model": model.name, "group": model.group, "type": kind, "threads": threads,
                      "goal": model.goal.get(kind), "notes": []}
    own = engines.Octavo(server, model, path, threads, folder)
    try:
        field.append(own)
        row["isa"] = own.isa
        makers = [(engines.ORT, lambda: engines.OnnxRuntime(path, threads, own.inputs)),
                  (engines.OV, lambda: engines.OpenVino(path, threads, own.inputs))]
        if nncf:
            makers.append((engines.NNCF, lambda: engines.OpenVino(nncf, threads, own.inputs, engines.NNCF)))
        for name, make in makers:
            try:
                field.append(make())
            except Exception as e:  # a peer that lacks an operator is left out, and said
                row["notes"].append(f"{name}: {engines.reason(e)}")
        for e in field:
            if e.name == engines.ORT:
                row["cosine"] = engines.cosine(own.outputs, e.outputs)
        row["times"] = turns.take(field)
    finally:
        for e in field:
            e.close()
        field.clear()
        gc.collect()
    return row


def quantized(binary, model, path, folder):
    """Quantizes by octavo on seeded samples."""
    out = folder / f"{model.name}.int8.onnx"
    dims = [w for d in model.dims for w in ("--dim", d)]
    subprocess.run([binary, "quantize", str(path), "--data", "random", "--samples", "8", "-o", str(out), "--force", "--quiet", *dims],
                   check=True)
    return out


def own_form(model, path, folder, inputs):
    """OpenVINO's own int8 form, made once; None where its tool cannot."""
    to = folder / f"{model.name}.nncf.xml"
    try:
        if not to.exists() or to.stat().st_mtime < path.stat().st_mtime:
            engines.quantize(path, to, inputs, model.transformer)
        return to, None
    except Exception as e:
        return None, f"{engines.NNCF}: {engines.reason(e)}"


def footprint(binary, path, threads):
    """What octavo takes in a process of its own."""
    out = subprocess.run([binary, "bench", str(path), "--threads", str(threads), "--runs", "2", "--json", "--quiet"],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)["models"][0]["footprint"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--octavo", required=True, help="the command, which quantizes")
    p.add_argument("--engine", required=True, help="bench/peers, built")
    p.add_argument("--models", required=True, type=pathlib.Path, help="folder of bench/models, and of what is made here")
    p.add_argument("-o", "--output", type=pathlib.Path, help="file for the page")
    p.add_argument("--only", default="", help="names of models, with commas between")
    p.add_argument("--rounds", type=int, default=0, help="how many turns each engine has (7; 3 with --quick)")
    p.add_argument("--quick", action="store_true", help="shorter turns, fewer rounds")
    p.add_argument("--no-nncf", action="store_true", help="leave OpenVINO's own int8 form out")
    a = p.parse_args()
    turns = Turns(a.rounds or 3, 2, 0.04) if a.quick else Turns(a.rounds or 7, 3, 0.1)
    only = [n for n in a.only.split(",") if n]
    unknown = set(only) - {m.name for m in MODELS}
    if unknown:
        p.error(f"no model is called {', '.join(sorted(unknown))}; there are {', '.join(m.name for m in MODELS)}")
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"peers: the machine is busy (load {load:.1f}): what follows is rough", file=sys.stderr)
    started = time.time()
    result = {"rounds": turns.rounds, "seconds": turns.seconds, "rows": [], "empty": [], "left_out": [], "footprints": []}
    server = engines.Server(a.engine)
    try:
        with tempfile.TemporaryDirectory() as tmp:
            measure(a, server, turns, only, result, pathlib.Path(tmp))
    finally:
        server.close()
    result["took"] = time.time() - started
    (a.models / "benchmarks.json").write_text(json.dumps(result))
    text = page.write(result)
    if a.output and not only:
        a.output.write_text(text)
        print(f"-> {a.output}, {result['took']:.0f} s")
    else:
        print(text)
    wrong = page.disagreements(result)
    for w in wrong:
        print("peers:", w, file=sys.stderr)
    return 1 if wrong else 0


def measure(a, server, turns, only, result, tmp):
    for threads in THREADS:
        row = compare(server, Model("empty", "empty"), a.models / "empty.onnx", "float32", threads, turns, None, tmp / "empty")
        result["empty"].append(row)
    for model in MODELS:
        if only and model.name not in only:
            continue
        path = model.path or a.models / f"{model.name}.onnx"
        if not path.exists():
            result["left_out"].append(f"{model.name}: its file is not there")
            continue
        nncf = None
        try:
            forms = [("float32", path), ("int8", quantized(a.octavo, model, path, a.models))]
        except subprocess.CalledProcessError as e:
            result["left_out"].append(f"{model.name}: octavo quantize ended with exit code {e.returncode}")
            continue
        for kind, file in forms:
            for threads in THREADS:
                folder = tmp / f"{model.name}-{kind}"
                if kind == "int8" and not a.no_nncf and nncf is None:
                    own = engines.Octavo(server, model, path, 1, folder)
                    own.close()
                    nncf = own_form(model, path, a.models, own.inputs)
                try:
                    row = compare(server, model, file, kind, threads, turns, nncf[0] if kind == "int8" and nncf else None, folder)
                except RuntimeError as e:
                    result["left_out"].append(f"{model.name} {kind}: {engines.reason(e)}")
                    break
                if kind == "int8" and nncf and nncf[1]:
                    row["notes"].append(nncf[1])
                result["rows"].append(row)
                print(page.line(row, result["empty"]), flush=True)
            if model.group == "full-size":
                result["footprints"].append({"model": model.name, "type": kind, **footprint(a.octavo, file, 1)})


if __name__ == "__main__":
    sys.exit(main())

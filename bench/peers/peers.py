"""Compares octavo with ONNX Runtime, OpenVINO and LiteRT on this machine and writes a page of docs/benchmarks.

  peers.py --octavo BINARY --engine BINARY --models DIR [-o FILE] [--only NAME,...] [--rounds N] [--quick] [--types TYPE,...] [--threads N,...] [--no-own]

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


BF16 = "bfloat16"  # the float32 file, whose products are asked for in that type


class Model:
    """A model and what is wanted of it: octavo's time over that of the better peer, by type."""

    def __init__(self, name, group, path=None, float32=1.05, int8=None, dynamic=None, fix=None, transformer=False):
        self.name, self.group, self.path, self.transformer = name, group, path, transformer
        self.fix = fix  # words of octavo convert, by which the file is written anew for all engines; None: it is read as it is
        self.goal = {"float32": float32, "int8": int8, "dynamic": dynamic, BF16: 1.0 if group == "full-size" else None}


def fixture(name):
    return FIXTURES / name / f"{name}.op13.onnx"


SILERO = ["--dim", "batch=1", "--dim", "sequence=576", "--fill", "sr=16000"]

# The table of models; those without a path are written by bench/models.
MODELS = [
    Model("resnet18", "full-size", int8=1.0),
    Model("resnet50", "full-size", int8=1.0),
    Model("mobilenetv2", "full-size", int8=0.7),
    Model("efficientnet-b0", "full-size", int8=0.45),
    Model("bert-base", "full-size", int8=0.9, dynamic=0.85, transformer=True),
    Model("vit-s16", "full-size", int8=0.9, transformer=True),
    Model("ultraface", "medium", SHARED / "models/ultraface/version-RFB-320.onnx"),
    Model("fastestdet", "medium", SHARED / "models/fastestdet/FastestDet.onnx"),
    Model("super-resolution", "medium", SHARED / "models/super-resolution/super_resolution.onnx", fix=[]),
    Model("basic-pitch", "medium", SHARED / "models/basic-pitch/nmp.onnx"),
    Model("dtln", "streaming", SHARED / "models/dtln/model_1.onnx"),
    Model("silero-vad", "streaming", SHARED / "models/silero-vad/silero_vad_16k_op15.onnx", fix=SILERO),
    Model("silero-vad-gates", "streaming", SHARED / "models/silero-vad/silero_vad_op18_ifless.onnx", fix=SILERO),
    Model("stories260k", "streaming", fix=["--dim", "past=128"]),
    Model("lstm", "streaming", dynamic=0.85),
    Model("digits-lstm", "streaming", fixture("digits_lstm"), dynamic=0.85),
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


def compare(server, model, path, kind, threads, turns, others, folder):
    """Times one model of one type for one number of threads in all engines; others are their own forms of it."""
    field, row = [], {"model": model.name, "group": model.group, "type": kind, "threads": threads,
                      "goal": model.goal.get(kind), "notes": []}
    own = engines.Octavo(server, path, threads, folder, bf16=kind == BF16)
    try:
        field.append(own)
        row["isa"] = own.isa
        makers = [(engines.ORT, lambda: engines.OnnxRuntime(path, threads, own.inputs)),
                  (engines.OV, lambda: engines.OpenVino(path, threads, own.inputs))]
        if kind == BF16:  # ONNX Runtime has no such arithmetic, and says what is right
            floats = engines.OnnxRuntime(path, threads, own.inputs)
            row["cosine"] = engines.cosine(own.outputs, floats.outputs)
            floats.close()
            makers = [(engines.OV, lambda: engines.OpenVino(path, threads, own.inputs, precision="bf16"))]
        for name, engine in ((engines.NNCF, engines.OpenVino), (engines.DYNAMIC, engines.OnnxRuntime)):
            if name in others:
                makers.append((name, lambda engine=engine, name=name: engine(others[name], threads, own.inputs, name)))
        if engines.LITERT in others:
            makers.append((engines.LITERT, lambda: engines.LiteRt(others[engines.LITERT], threads, own.inputs)))
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


def fixed(binary, model, folder):
    """The file that all engines read."""
    path = model.path or folder / f"{model.name}.onnx"
    if model.fix is None or not path.exists():
        return path
    out = folder / f"{model.name}.fixed.onnx"
    subprocess.run([binary, "convert", str(path), str(out), "--force", "--quiet", *model.fix], check=True)
    return out


def quantized(binary, model, path, folder, kind):
    """Quantizes by octavo, on seeded samples where ranges are found beforehand."""
    out = folder / f"{model.name}.{kind}.onnx"
    words = ["--mode", "dynamic"] if kind == "dynamic" else ["--data", "random", "--samples", "8"]
    subprocess.run([binary, "quantize", str(path), *words, "-o", str(out), "--force", "--quiet"], check=True)
    return out


def own_forms(model, path, folder, kind, inputs):
    """The forms that the peers' own tools make, by engine, made once; and why there is none."""
    name, to, make = {
        "int8": (engines.NNCF, folder / f"{model.name}.nncf.xml", lambda to: engines.quantize(path, to, inputs, model.transformer)),
        "dynamic": (engines.DYNAMIC, folder / f"{model.name}.ort.onnx", lambda to: engines.quantize_dynamic(path, to)),
    }[kind]
    try:
        if not to.exists() or to.stat().st_mtime < path.stat().st_mtime:
            make(to)
        return {name: to}, None
    except Exception as e:
        return {}, f"{name}: {engines.reason(e)}"


def lite_form(binary, model, path, folder, kind):
    """octavo's TensorFlow Lite form of a model, and why there is none."""
    out = folder / f"{model.name}.{kind}.tflite"
    words = {"float32": ["convert", str(path), str(out)],
             "int8": ["quantize", str(path), "--data", "random", "--samples", "8", "-o", str(out)],
             "dynamic": ["quantize", str(path), "--mode", "dynamic", "-o", str(out)]}[kind]
    done = subprocess.run([binary, *words, "--force", "--quiet"], capture_output=True, text=True)
    if done.returncode == 0:
        return {engines.LITERT: out}, None
    problem = next((w.split("error: ")[1] for w in done.stderr.splitlines() if "error: " in w), f"exit code {done.returncode}")
    return {}, f"{engines.LITERT}: {engines.reason(problem)}"


def footprint(binary, path, threads, kind):
    """What octavo takes in a process of its own."""
    words = ["--arithmetic", BF16] if kind == BF16 else []
    out = subprocess.run([binary, "bench", str(path), "--threads", str(threads), "--runs", "2", "--json", "--quiet", *words],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)["models"][0]["footprint"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--octavo", required=True, help="the command, which quantizes")
    p.add_argument("--engine", required=True, help="bench/peers, built")
    p.add_argument("--models", required=True, type=pathlib.Path, help="folder of bench/models, and of what is made here")
    p.add_argument("-o", "--output", type=pathlib.Path, help="file for the page, or a folder where it is named by the instruction set that octavo used")
    p.add_argument("--only", default="", help="names of models, with commas between")
    p.add_argument("--rounds", type=int, default=0, help="how many turns each engine has (7; 3 with --quick)")
    p.add_argument("--quick", action="store_true", help="shorter turns, fewer rounds")
    p.add_argument("--threads", default="1,2", help="numbers of threads, with commas between")
    p.add_argument("--types", default="float32,int8,dynamic,bfloat16", help="which forms of the models, with commas between")
    p.add_argument("--no-own", action="store_true", help="leave the forms out that the peers' own tools make")
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
        out = a.output / f"{page.level(result)}.md" if a.output.is_dir() else a.output
        out.write_text(text)
        print(f"-> {out}, {result['took']:.0f} s")
    else:
        print(text)
    wrong = page.disagreements(result)
    for w in wrong:
        print("peers:", w, file=sys.stderr)
    return 1 if wrong else 0


def measure(a, server, turns, only, result, tmp):
    counts = [int(n) for n in a.threads.split(",")]
    for threads in counts:
        empty = Model("empty", "empty")
        lite, _ = lite_form(a.octavo, empty, a.models / "empty.onnx", a.models, "float32")
        row = compare(server, empty, a.models / "empty.onnx", "float32", threads, turns, lite, tmp / "empty")
        result["empty"].append(row)
    kinds = [k for k in a.types.split(",") if k]
    for model in MODELS:
        if only and model.name not in only:
            continue
        try:
            path = fixed(a.octavo, model, a.models)
            if not path.exists():
                result["left_out"].append(f"{model.name}: its file is not there")
                continue
            wanted = [k for k in kinds if k not in ("dynamic", BF16) or model.goal[k]]
            forms = [(k, path if k in ("float32", BF16) else quantized(a.octavo, model, path, a.models, k)) for k in wanted]
        except subprocess.CalledProcessError as e:
            result["left_out"].append(f"{model.name}: octavo {e.cmd[1]} ended with exit code {e.returncode}")
            continue
        for kind, file in forms:
            others, problems = None, []
            for threads in counts:
                folder = tmp / f"{model.name}-{kind}"
                if others is None and kind == BF16:
                    others = {}
                if others is None:
                    others, problem = lite_form(a.octavo, model, path, a.models, kind)
                    problems = [problem] if problem else []
                    if kind != "float32" and not a.no_own:
                        own = engines.Octavo(server, path, 1, folder)
                        own.close()
                        made, problem = own_forms(model, path, a.models, kind, own.inputs)
                        others.update(made)
                        problems += [problem] if problem else []
                try:
                    row = compare(server, model, file, kind, threads, turns, others, folder)
                except RuntimeError as e:
                    result["left_out"].append(f"{model.name} {kind}: {engines.reason(e)}")
                    break
                row["notes"] += problems
                result["rows"].append(row)
                print(page.line(row, result["empty"]), flush=True)
            if model.group == "full-size":
                result["footprints"].append({"model": model.name, "type": kind, **footprint(a.octavo, file, 1, kind)})


if __name__ == "__main__":
    sys.exit(main())

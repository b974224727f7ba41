"""Makes the page of peers.py's figures: what is measured stands there, what follows from it is worked out here."""
import math
import os
from importlib.metadata import PackageNotFoundError, version
from statistics import median

from engines import DYNAMIC, LITERT, NNCF, OCTAVO, ORT, OV

LEAST = 0.1  # of a time remains at least when the empty graph's is taken off
VAGUE = 0.5  # of a time: a model whose run takes hardly longer than the empty graph's cannot be judged
FEATURES = ["avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512vbmi", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16",
            "asimd", "asimddp", "i8mm"]


def machine():
    """The processor's features and how many may be used."""
    flags = set()
    try:
        with open("/proc/cpuinfo") as f:
            for line in f:
                if line.startswith(("flags", "Features")):
                    flags = set(line.split(":")[1].split())
                    break
    except OSError:
        pass
    have = [f for f in FEATURES if f in flags]
    lack = [f for f in ("avx512_vnni", "amx_int8") if f not in flags]
    return f"{len(os.sched_getaffinity(0))} processors; has {', '.join(have) or 'nothing known'}; lacks {', '.join(lack) or 'neither avx512_vnni nor amx_int8'}"


def figures(row, empties):
    """Milliseconds of each engine and octavo's ratios to the better peer."""
    empty = {}
    for e in empties:
        if e["threads"] == row["threads"]:
            empty = {n: (min(map(min, r)), median(t for x in r for t in x)) for n, r in e["times"].items()}
    empty[NNCF], empty[DYNAMIC] = empty.get(OV, (0, 0)), empty.get(ORT, (0, 0))

    def net(name, t, which):
        off = 0 if name == OCTAVO else empty.get(name, (0, 0))[which]
        return max(t - off, LEAST * t)

    out = {"ms": {}, "min_ms": {}, "vague": []}
    for name, rounds in row["times"].items():
        if name != OCTAVO and empty.get(name, (0, 0))[1] > VAGUE * median(t for r in rounds for t in r):
            out["vague"].append(name)
        out["ms"][name] = net(name, median(t for r in rounds for t in r), 1) / 1e6
        out["min_ms"][name] = net(name, min(map(min, rounds)), 0) / 1e6
    peers = [n for n in out["ms"] if n not in (OCTAVO, LITERT)]  # LiteRT runs another file, and is judged apart
    if peers:
        best = out["best"] = min(peers, key=out["ms"].get)
        pairs = zip(row["times"][OCTAVO], row["times"][best])
        out["ratio"] = median(median(o) / net(best, median(p), 1) for o, p in pairs)
        out["ratio_min"] = out["min_ms"][OCTAVO] / min(out["min_ms"][n] for n in peers)
    return out


def line(row, empties):
    """One row for whoever waits."""
    f = figures(row, empties)
    ms = ", ".join(f"{n} {t:.3f}" for n, t in f["ms"].items())
    ratio = f"ratio {f['ratio']:.2f} (min {f['ratio_min']:.2f})" if "ratio" in f else "no peer"
    return f"{row['model']} {row['type']} {row['threads']} threads: {ms} ms; {ratio}{''.join('; ' + n for n in row['notes'])}"


def disagreements(result):
    """Float models whose outputs differ from ONNX Runtime's: their times say nothing."""
    return [f"{r['model']} {r['type']}: cosine similarity of outputs {r['cosine']:.6f}, want 0.999"
            for r in result["rows"] if r["type"] in ("float32", "bfloat16") and r.get("cosine") is not None and r["cosine"] < 0.999]


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(r) + " |" for r in rows])


def number(v, form="{:.2f}"):
    return "" if v is None else form.format(v)


def ms(v):
    return number(v, "{:.1f}" if v and v >= 10 else "{:.3f}")


def versions():
    out = []
    for name in ("onnxruntime", "openvino", "nncf", "ai-edge-litert"):
        try:
            out.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            pass
    return ", ".join(out)


class Figures:
    """The figures by model, type and threads, in the order of measurement."""

    def __init__(self, result):
        self.rows = {(r["model"], r["type"], r["threads"]): r for r in result["rows"]}
        self.of = {k: figures(r, result["empty"]) for k, r in self.rows.items()}
        self.threads = sorted({t for _, _, t in self.rows})
        self.names = list(dict.fromkeys((m, k) for m, k, _ in self.rows))

    def get(self, model, kind, threads, *keys):
        v = self.of.get((model, kind, threads))
        for k in keys:
            v = v.get(k) if v else None
        return v

    def peer(self, model, kind, threads):
        """The better peer's milliseconds."""
        f = self.of.get((model, kind, threads))
        return f["ms"][f["best"]] if f and "best" in f else None

    def vague(self, model, kind, threads):
        """Whether the better peer's time is mostly that of an empty graph."""
        f = self.of.get((model, kind, threads))
        return bool(f) and f.get("best") in f["vague"]

    def own(self, model, kind, threads):
        return self.get(model, kind, threads, "ms", OCTAVO)


def ratios(f):
    rows = []
    for model, kind in f.names:
        cells = [model, kind]
        for t in f.threads:
            form = "({:.2f})" if f.vague(model, kind, t) else "{:.2f}"
            cells += [number(f.get(model, kind, t, "ratio"), form), number(f.get(model, kind, t, "ratio_min"), form)]
        goal = next(r["goal"] for k, r in f.rows.items() if k[:2] == (model, kind))
        rows.append(cells + [number(goal)])
    head = ["model", "type"] + [h for t in f.threads for h in (f"{t} thread{'s' * (t > 1)}: median", "min")] + ["goal"]
    return table(head, rows)


def times(f):
    rows = []
    for (model, kind, t), row in f.rows.items():
        ms_of = f.of[model, kind, t]["ms"]
        rows.append([model, kind, str(t)] + [ms(ms_of.get(n)) for n in (OCTAVO, ORT, OV, NNCF, DYNAMIC, LITERT)] + [number(row.get("cosine"), "{:.4f}")])
    return table(["model", "type", "threads", OCTAVO, ORT, OV, NNCF, DYNAMIC, LITERT, "cosine"], rows)


def means(f):
    rows = []
    groups = list(dict.fromkeys((r["group"], r["type"]) for r in f.rows.values()))
    for group, kind in sorted(groups, key=lambda g: (g[1] != "int8")):
        cells = [f"{group}, {kind}"]
        for t in f.threads:
            v = [f.of[k] for k, r in f.rows.items() if (r["group"], r["type"], k[2]) == (group, kind, t)
                 and "ratio" in f.of[k] and not f.vague(*k)]
            cells += [f"{geomean([x[which] for x in v]):.2f}" if v else "" for which in ("ratio", "ratio_min")] + [str(len(v))]
        rows.append(cells)
    return table(["models"] + [h for t in f.threads for h in (f"{t} thread{'s' * (t > 1)}: median", "min", "models")], rows)


def beside_litert(f):
    """octavo's time over that of LiteRT."""
    rows = []
    for model, kind in f.names:
        pairs = [(f.own(model, kind, t), f.get(model, kind, t, "ms", LITERT)) for t in f.threads]
        if any(b for _, b in pairs):
            rows.append([model, kind] + [number(a / b if a and b else None) for a, b in pairs])
    return table(["model", "type"] + [f"{t} thread{'s' * (t > 1)}" for t in f.threads], rows)


def gains(f, of):
    """Times over times for octavo and the better peer: of(model, kind) gives the keys of both."""
    rows = []
    for model, kind in f.names:
        for label, above, below in of(model, kind):
            cells = [model, label]
            for read in (f.own, f.peer):
                a, b = read(*above), read(*below)
                cells.append(number(a / b if a and b else None))
            if any(cells[2:]):
                rows.append(cells)
    return table(["model", "", "octavo", "better peer"], rows)


def level(result):
    """The instruction set that octavo used."""
    return next((r["isa"] for r in result["empty"] + result["rows"]), "unknown")


def write(result):
    """The page, as Markdown."""
    f = Figures(result)
    empty = table(["threads"] + list(result["empty"][0]["times"]) if result["empty"] else ["threads"],
                  [[str(e["threads"])] + [f"{median(t for r in x for t in r) / 1e3:.2f}" for x in e["times"].values()] for e in result["empty"]])
    foot = table(["model", "type", "load, ms", "first run, ms", "anonymous, MB", "mapped, MB"],
                 [[p["model"], p["type"], f"{1e3 * p['load_seconds']:.0f}", f"{1e3 * p['first_run_seconds']:.0f}",
                   f"{p['peak_anonymous_bytes'] / 1e6:.1f}", f"{p['mapped_bytes'] / 1e6:.1f}"] for p in result["footprints"]])
    notes = result["left_out"] + sorted({f"{r['model']} {r['type']}: {n}" for r in result["rows"] for n in r["notes"]})
    faster = gains(f, lambda m, k: [(f"{t} thread{'s' * (t > 1)}", (m, "float32", t), (m, "int8", t)) for t in f.threads] if k == "int8" else [])
    scaling = gains(f, lambda m, k: [(k, (m, k, f.threads[0]), (m, k, t)) for t in f.threads[1:]])
    return f"""# Benchmarks: {level(result)}

How fast octavo's engine runs models at batch 1, next to ONNX Runtime, OpenVINO and LiteRT. `make bench-peers` measures anew and writes this page; all figures are of one run on one machine.

Machine: {machine()}; octavo used {level(result)}.
Peers: {versions()}.

## octavo's time over that of the better peer

Below 1 octavo is faster. The median is that over {result['rounds']} rounds of the ratio of the medians of each round; min is the ratio of the least times. The goal is what this engine is built to reach. Figures in parentheses say little and are in no mean: most of the peer's time is that of an empty graph.

{ratios(f)}

Geometric means:

{means(f)}

## octavo's time over that of LiteRT

Medians. LiteRT runs octavo's TensorFlow Lite file of the same model with its default kernels (XNNPACK), octavo the ONNX file.

{beside_litert(f)}

## Milliseconds

Medians over all rounds; of the peers without the empty graph's time. The cosine is the least similarity of an output to ONNX Runtime's of the same file.

{times(f)}

## int8 over float32

How many times faster int8 is than float32 in the same engine; of the peers, the better one of each type.

{faster}

## Two threads over one

How many times faster two threads are.

{scaling}

## What octavo takes

In a process of its own, at one thread: `octavo bench`.

{foot}

## How it was measured

- Models: `full-size` are networks with the published layers and seeded weights (`bench/models`); the others are trained ones. Their int8 forms are octavo's own for ONNX Runtime's CPU, calibrated on seeded noise: uint8 activations, int8 weights by channel, as QuantizeLinear and DequantizeLinear. That is the form that ONNX Runtime runs fastest. OpenVINO is given the same file, and another that its own tool (NNCF) makes of the float model; the better one counts. `dynamic` is octavo's form with ranges found when the model runs, by which ONNX Runtime's own tool (quantize_dynamic) has one too. `bfloat16` is the float32 file with products in bfloat16: `--arithmetic bfloat16` here, bf16 as the precision of OpenVINO; ONNX Runtime has none, and its float32 outputs are what the cosine compares with.
- Every engine has the same inputs and number of threads. They take turns, each round beginning with another; a turn is one warm-up and at least {result['seconds']} s of runs. While one works the others are idle: ONNX Runtime's threads stop spinning when a run ends, and before each turn there is a pause in which all threads go to sleep.
- Inputs and outputs lie in memory that is bound once: an IOBinding in ONNX Runtime, tensors of one request in OpenVINO, RunInto in octavo. OpenVINO runs with the latency hint, one stream and float32 as its precision (but for bfloat16), as the other two compute in float32; all else is as the engines choose.
- The peers are called from Python. What an empty graph (one Relu of one number) takes is taken off their times, of which a tenth remains at least, and not off octavo's. In microseconds:

{empty}

- octavo runs in a process of its own that waits for its turn; its collector gets no more processors than the model has threads.
{"".join(f"- Left out: {n}." + chr(10) for n in notes)}"""

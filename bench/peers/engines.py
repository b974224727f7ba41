"""The engines that peers.py compares. Each is made for one model and one number of threads, and then times runs
when it is told to, over inputs and outputs that are in place; between that it is idle."""
import json
import re
import subprocess
import time

import numpy as np
import onnxruntime as ort
import openvino as ov
from ai_edge_litert.interpreter import Interpreter

ORT, OV, NNCF, DYNAMIC, OCTAVO = "ONNX Runtime", "OpenVINO", "OpenVINO (NNCF)", "ONNX Runtime (own)", "octavo"
LITERT = "LiteRT"


def timed(run, runs, seconds):
    """Times run() once to warm up, and then at least so often and so long: nanoseconds of each."""
    run()
    times = []
    start = time.perf_counter_ns()
    while len(times) < runs or time.perf_counter_ns() - start < seconds * 1e9:
        t = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - t)
    return times


class Server:
    """octavo's process, which answers a line of JSON with one."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("octavo's process ended")
        answer = json.loads(line)
        if answer.get("error"):
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Octavo:
    """A model in octavo's process; it draws the inputs that all engines take."""
    name = OCTAVO

    def __init__(self, server, path, threads, folder, bf16=False):
        self.server = server
        a = server.ask(do="load", name="model", path=str(path), threads=threads, bf16=bf16, arrays=str(folder))
        self.isa = a["isa"]
        self.inputs = {n: np.load(f) for n, f in a["inputs"].items()}
        self.outputs = {n: np.load(f) for n, f in a["outputs"].items()}

    def time(self, runs, seconds):
        return self.server.ask(do="run", name="model", runs=runs, seconds=seconds)["times_ns"]

    def close(self):
        self.server.ask(do="drop", name="model")


class OnnxRuntime:
    """A session with inputs and outputs bound once. Its threads stop spinning when a run ends."""

    def __init__(self, path, threads, inputs, name=ORT):
        self.name = name
        o = ort.SessionOptions()
        o.intra_op_num_threads = threads
        o.inter_op_num_threads = 1
        o.log_severity_level = 3
        o.add_session_config_entry("session.force_spinning_stop", "1")
        # Fixed as in OpenVINO.
        for n, size in dimensions(path, inputs).items():
            o.add_free_dimension_override_by_name(n, size)
        self.session = ort.InferenceSession(str(path), o, providers=["CPUExecutionProvider"])
        names = [v.name for v in self.session.get_outputs()]
        self.outputs = dict(zip(names, self.session.run(names, inputs)))
        self.binding = self.session.io_binding()
        self.values = {n: ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(x)) for n, x in inputs.items()}
        for n, v in self.values.items():
            self.binding.bind_ortvalue_input(n, v)
        self.results = {n: ort.OrtValue.ortvalue_from_numpy(y) for n, y in self.outputs.items()}
        for n, v in self.results.items():
            self.binding.bind_ortvalue_output(n, v)

    def time(self, runs, seconds):
        return timed(lambda: self.session.run_with_iobinding(self.binding), runs, seconds)

    def close(self):
        self.session = self.binding = self.values = self.results = None


def dimensions(path, inputs):
    """The sizes of the dynamic dimensions that have names."""
    session = ort.InferenceSession(str(path), quiet(), providers=["CPUExecutionProvider"])
    return {d: size for v in session.get_inputs() for d, size in zip(v.shape, inputs[v.name].shape) if isinstance(d, str)}


def quiet():
    """Options of a session that is read and not run."""
    o = ort.SessionOptions()
    o.log_severity_level = 3
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return o


core = ov.Core()


def array(v, inputs):
    """What is given for an input of OpenVINO, which may have several names."""
    return next(inputs[n] for n in v.names if n in inputs)


def read(path, inputs):
    """Reads a model for OpenVINO, its inputs fixed at the shapes that are given."""
    model = core.read_model(str(path))
    model.reshape({v: list(array(v, inputs).shape) for v in model.inputs})
    return model


def quantize(path, to, inputs, transformer):
    """Quantizes by OpenVINO's own tool, on what all engines run on: only the speed counts."""
    import nncf
    nncf.set_log_level(30)
    options = {"model_type": nncf.ModelType.TRANSFORMER} if transformer else {}
    model = nncf.quantize(read(path, inputs), nncf.Dataset([inputs]), subset_size=1, fast_bias_correction=True,
                          advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=True), **options)
    ov.save_model(model, str(to), compress_to_fp16=False)


def quantize_dynamic(path, to):
    """Quantizes by ONNX Runtime's own tool, with ranges found when the model runs."""
    import logging

    from onnxruntime.quantization import QuantType, quantize_dynamic as own
    logging.disable(logging.WARNING)
    own(str(path), str(to), weight_type=QuantType.QInt8)


class OpenVino:
    """A compiled model and one request, whose tensors are set once."""

    def __init__(self, path, threads, inputs, name=OV, precision="f32"):
        self.name = name
        compiled = core.compile_model(read(path, inputs), "CPU", {
            "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision})
        self.request = compiled.create_infer_request()
        self.tensors = [ov.Tensor(np.ascontiguousarray(array(v, inputs))) for v in compiled.inputs]
        for v, t in zip(compiled.inputs, self.tensors):
            self.request.set_tensor(v, t)
        self.results = [ov.Tensor(v.element_type, v.shape) if v.partial_shape.is_static else None for v in compiled.outputs]
        for v, t in zip(compiled.outputs, self.results):
            if t is not None:
                self.request.set_tensor(v, t)

    def time(self, runs, seconds):
        return timed(lambda: self.request.infer(share_outputs=True), runs, seconds)

    def close(self):
        self.request = self.tensors = self.results = None


class LiteRt:
    """An interpreter with its default kernels (XNNPACK), on octavo's TensorFlow Lite form of the model."""
    name = LITERT

    def __init__(self, path, threads, inputs):
        self.interpreter = Interpreter(str(path), num_threads=threads)
        names = {n: d["index"] for n, d in self.interpreter.get_signature_runner().get_input_details().items()}
        for n, index in names.items():
            self.interpreter.resize_tensor_input(index, inputs[n].shape)
        self.interpreter.allocate_tensors()
        for d in self.interpreter.get_input_details():
            n = next(n for n, index in names.items() if index == d["index"])
            self.interpreter.set_tensor(d["index"], inputs[n].astype(d["dtype"]))

    def time(self, runs, seconds):
        return timed(self.interpreter.invoke, runs, seconds)

    def close(self):
        self.interpreter = None


def reason(e):
    """An error in few words, without where files lie."""
    lines = [w for w in str(e).strip().splitlines() if not w.startswith(("Exception from", "Check ", "While"))] or [str(e).strip()]
    return re.sub(r"\S*/", "", lines[0])[:160].strip(" .:")


def cosine(a, b):
    """The least cosine similarity of outputs of the same name; None where nothing can be compared."""
    out = None
    for n, x in a.items():
        y = b.get(n)
        if y is None or x.shape != y.shape or x.dtype.kind != "f" or not x.size:
            continue
        x, y = x.astype(np.float64).ravel(), y.astype(np.float64).ravel()
        size = np.linalg.norm(x) * np.linalg.norm(y)
        c = float(x @ y / size) if size else float(np.array_equal(x, y))
        out = c if out is None else min(out, c)
    return out



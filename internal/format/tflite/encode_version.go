package tflite

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// written is an operator as its version depends on it.
type written struct {
	name    string
	options any
	in, out []*outTensor
}

// versions holds, for operators of which the types of the data decide alone,
// the versions for float32, int8 and int16 data; 0 where there is no kernel.
// Source: LiteRT, tools/versioning/op_version.cc.
var versions = map[string][3]int{
	"ADD": {1, 2, 3}, "AVERAGE_POOL_2D": {1, 2, 3}, "MAX_POOL_2D": {1, 2, 3}, "CONCATENATION": {1, 2, 3}, "PAD": {1, 2, 3}, "PADV2": {1, 2, 3},
	"MEAN": {1, 2, 3}, "REDUCE_MAX": {1, 2, 3}, "REDUCE_MIN": {1, 2, 3}, "MIRROR_PAD": {1, 2, 3}, "SOFTMAX": {1, 2, 3}, "LOGISTIC": {1, 2, 3},
	"TANH": {1, 2, 3}, "RELU": {1, 2, 3}, "RELU6": {1, 2, 3}, "RSQRT": {1, 2, 3}, "PACK": {1, 2, 3}, "BATCH_MATMUL": {1, 2, 3},
	"SUB": {1, 2, 5}, "MUL": {1, 2, 4}, "RESIZE_BILINEAR": {1, 2, 4}, "RESIZE_NEAREST_NEIGHBOR": {1, 2, 4},
	"SLICE": {1, 2, 4}, "GATHER": {1, 2, 4}, "SPLIT": {1, 2, 4}, "MAXIMUM": {1, 2, 4}, "MINIMUM": {1, 2, 4}, "TRANSPOSE": {1, 2, 5},
	"STRIDED_SLICE": {1, 2, 4}, "LEAKY_RELU": {1, 1, 2}, "SUM": {1, 2, 0}, "SQUARED_DIFFERENCE": {1, 2, 0}, "LOG_SOFTMAX": {1, 2, 0},
	"SPACE_TO_DEPTH": {1, 2, 0}, "DEPTH_TO_SPACE": {1, 2, 0}, "UNPACK": {1, 2, 0}, "SPLIT_V": {1, 2, 0}, "ARG_MAX": {1, 2, 0}, "ARG_MIN": {1, 2, 0},
	"GELU": {1, 2, 0}, "EXP": {1, 2, 2}, "LOG": {1, 2, 2}, "SQRT": {1, 2, 2}, "REDUCE_PROD": {1, 2, 2}, "L2_NORMALIZATION": {1, 2, 0},
	"TILE": {1, 3, 3}, "BROADCAST_TO": {2, 3, 3}, "EQUAL": {1, 2, 0}, "NOT_EQUAL": {1, 2, 0}, "GREATER": {1, 2, 0}, "GREATER_EQUAL": {1, 2, 0},
	"LESS": {1, 2, 0}, "LESS_EQUAL": {1, 2, 0}, "ABS": {1, 2, 3}, "SELECT_V2": {1, 1, 1},
}

// versionOf returns the version of an operator that a runtime must know.
func versionOf(w *written) int {
	x := w.in[0]
	if w.name == "SPLIT" {
		x = w.in[1]
	}
	kind := 0
	switch x.typ {
	case dtype.Int8, dtype.Uint8:
		kind = 1
	case dtype.Int16:
		kind = 2
	}
	switch w.name {
	case "CONV_2D":
		o := w.options.(conv2DOptions)
		return convVersion(w, kind, [3]int{1, 3, 3}, 2, 5, o.BiasType != 0, 8)
	case "DEPTHWISE_CONV_2D":
		o := w.options.(depthwiseOptions)
		v := convVersion(w, kind, [3]int{1, 3, 3}, 4, 6, false, 0)
		if v == 1 && (o.DilateW > 1 || o.DilateH > 1) {
			return 2
		}
		return v
	case "FULLY_CONNECTED":
		o := w.options.(fullyConnectedOptions)
		weights := w.in[1]
		switch {
		case kind == 2 && weights.typ == dtype.Int4:
			return 13
		case kind == 0 && weights.typ == dtype.Int8 && len(weights.scale) > 1:
			return 12
		case kind == 0 && weights.typ == dtype.Int8 && o.Asymmetric:
			return 9
		case kind == 0 && weights.typ == dtype.Int8:
			return 3
		case kind == 2:
			return 4
		case len(w.in) < 3 || w.in[2] == nil:
			return 6
		case o.KeepDims:
			return 5
		case weights.typ == dtype.Int4:
			return 10
		case kind == 1:
			return 4
		}
		return 1
	case "TRANSPOSE_CONV":
		o := w.options.(transposeConvOptions)
		data := w.in[2]
		switch {
		case o.Fused != fusedNone:
			return 4
		case len(w.in) > 3:
			return 3
		case data.typ == dtype.Int8:
			return 2
		case data.typ == dtype.Int16:
			return 3
		}
		return 1
	case "DEQUANTIZE":
		switch {
		case x.typ == dtype.Int4:
			return 6
		case len(x.scale) > 1:
			return 5
		case x.typ == dtype.Float16:
			return 3
		case x.typ == dtype.Int16:
			return 3
		}
		return 2
	case "QUANTIZE":
		switch y := w.out[0]; {
		case len(y.scale) > 1:
			return 3
		case x.typ == dtype.Int16 || y.typ == dtype.Int16:
			return 2
		}
		return 1
	case "UNIDIRECTIONAL_SEQUENCE_LSTM":
		switch o := w.options.(sequenceLSTMOptions); {
		case w.in[lstmWeights].typ != dtype.Int8:
			return 1
		case o.Asymmetric:
			return 3
		}
		return 2
	case "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR":
		if kind < 2 && centred(w.options) {
			return 3
		}
	case "DIV":
		if len(w.out[0].shape) > 4 {
			return 2
		}
		return 1
	case "SUB":
		if kind == 0 && len(w.out[0].shape) > 4 {
			return 3
		}
	case "MUL":
		if kind == 1 && rescales(w) {
			return 3
		}
	case "TRANSPOSE":
		switch n := len(x.shape); {
		case n > 5:
			return 6
		case n > 4 && kind < 2:
			return 4
		}
	case "SLICE":
		if len(x.shape) > 4 {
			return 5
		}
	case "STRIDED_SLICE":
		if len(x.shape) > 4 {
			return 4
		}
	case "BATCH_MATMUL":
		if kind == 0 && w.in[1].typ == dtype.Int8 {
			return 4
		}
	}
	if v := versions[w.name][kind]; v > 0 {
		return v
	}
	return 1
}

// convVersion is that of convolutions: for float32, int8 and int16 data, for
// hybrid kernels with one scale and with a scale for each channel.
func convVersion(w *written, kind int, plain [3]int, hybrid, channels int, biasType bool, typed int) int {
	weights := w.in[1]
	switch {
	case grouped(w):
		return 6
	case kind == 0 && weights.typ == dtype.Int8 && len(weights.scale) > 1:
		return channels
	case kind == 0 && weights.typ == dtype.Int8:
		return hybrid
	case kind == 2 && biasType:
		return typed
	case weights.typ == dtype.Int4:
		return 7
	}
	return plain[kind]
}

// grouped reports whether a CONV_2D has weights of fewer channels than its data.
func grouped(w *written) bool {
	if w.name != "CONV_2D" {
		return false
	}
	x, k := w.in[0].shape, w.in[1].shape
	a, ok := x[len(x)-1].Int()
	b, known := k[len(k)-1].Int()
	return ok && known && a != b
}

func centred(o any) bool {
	switch o := o.(type) {
	case resizeBilinearOptions:
		return o.AlignCorners || o.HalfPixel
	case resizeNearestOptions:
		return o.AlignCorners || o.HalfPixel
	}
	return false
}

// rescales reports whether a MUL multiplies by 1 or more.
func rescales(w *written) bool {
	a, b, y := w.in[0], w.in[1], w.out[0]
	if len(a.scale) == 0 || len(b.scale) == 0 || len(y.scale) == 0 {
		return false
	}
	return float64(a.scale[0])*float64(b.scale[0])/float64(y.scale[0]) >= 1
}

// runtimes is from which release on a runtime knows an operator's version; the
// first row is for those of version 1 that are not listed.
// Source: LiteRT, tools/versioning/runtime_version.cc.
var runtimes = map[string][]string{
	"":                             {"1.5.0", "1.14.0", "2.3.0", "2.5.0", "2.5.0", "2.5.0"},
	"CONV_2D":                      {"1.5.0", "1.14.0", "1.14.0", "2.3.0", "2.4.0", "2.9.0", "2.11.0", "2.15.0"},
	"DEPTHWISE_CONV_2D":            {"1.5.0", "1.12.0", "1.14.0", "2.2.0", "2.3.0", "2.4.0", "2.11.0"},
	"FULLY_CONNECTED":              {"1.5.0", "1.10.0", "1.14.0", "1.14.0", "2.0.0", "2.1.0", "2.3.0", "2.3.0", "2.3.0", "2.11.0", "2.15.0", "2.17.0", "2.18.0", "2.21.0"},
	"TRANSPOSE_CONV":               {"1.9.0", "2.2.0", "2.3.0", "2.13.0", "2.15.0"},
	"QUANTIZE":                     {"1.14.0", "1.15.0", "2.13.0"},
	"DEQUANTIZE":                   {"1.13.1", "1.14.0", "1.15.0", "2.2.0", "2.7.0", "2.18.0"},
	"ADD":                          {"1.5.0", "1.14.0", "2.4.0"},
	"MUL":                          {"1.5.0", "1.14.0", "1.15.0", "2.5.0"},
	"SUB":                          {"1.6.0", "1.14.0", "2.3.0", "2.4.0", "2.4.0"},
	"MEAN":                         {"1.6.0", "1.14.0", "2.4.0"},
	"BATCH_MATMUL":                 {"2.3.0", "2.3.0", "2.4.0", "2.5.0"},
	"HARD_SWISH":                   {"1.15.0"},
	"GELU":                         {"2.9.0", "2.10.0"},
	"PRELU":                        {"1.8.0"},
	"LEAKY_RELU":                   {"1.13.1", "2.3.0"},
	"TRANSPOSE":                    {"1.6.0", "1.14.0", "1.15.0", "2.3.0", "2.4.0", "2.12.0"},
	"BROADCAST_TO":                 {"2.5.0", "2.5.0", "2.5.0"},
	"RESIZE_BILINEAR":              {"1.7.0", "1.14.0", "2.2.0", "2.5.0"},
	"RSQRT":                        {"1.10.0", "2.5.0", "2.15.0"},
	"SQUARED_DIFFERENCE":           {"1.13.1", "2.5.0"},
	"STRIDED_SLICE":                {"1.6.0", "1.14.0", "2.1.0", "2.1.0"},
	"UNIDIRECTIONAL_SEQUENCE_LSTM": {"1.13.1", "1.14.0", "2.3.0"},
	"REVERSE_V2":                   {"1.14.0"},
	"EXPAND_DIMS":                  {"1.10.0"},
	"EXP":                          {"1.7.0", "2.12.0"},
	"LOG":                          {"1.14.0", "2.15.0"},
	"SQRT":                         {"1.10.0", "2.21.0"},
	"DIV":                          {"1.6.0", "2.3.0"},
	"EQUAL":                        {"1.14.0"},
	"GREATER":                      {"1.14.0"},
	"GREATER_EQUAL":                {"1.14.0"},
	"LESS":                         {"1.14.0"},
	"LESS_EQUAL":                   {"1.14.0"},
	"SELECT_V2":                    {"2.2.0"},
	"RESIZE_NEAREST_NEIGHBOR":      {"1.13.1", "1.14.0", "2.3.0", "2.4.0"},
}

// runtime returns the lowest release that knows all operators.
func (e *encoder) runtime() string {
	best := "1.5.0"
	for _, u := range e.used {
		list := runtimes[u.name]
		if list == nil {
			list = runtimes[""]
		}
		if v := list[min(u.version, len(list))-1]; newer(v, best) {
			best = v
		}
	}
	return best
}

// newer compares two releases, such as 1.14.0 and 2.3.0.
func newer(a, b string) bool {
	var x, y [3]int
	fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2])
	fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	return slices.Compare(x[:], y[:]) > 0
}

package onnx

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// needError says that something cannot be said at the opset that is written.
type needError struct {
	what          string
	opset, writes int
}

func (e *needError) Error() string {
	if e.opset > highestWritten {
		return fmt.Sprintf("%s needs opset %d; versions up to %d are written", e.what, e.opset, highestWritten)
	}
	return fmt.Sprintf("%s needs opset %d, and opset %d is written", e.what, e.opset, e.writes)
}

// need returns an error if the opset is below the one that what needs.
func (l *lowering) need(opset int, what string) error {
	if l.opset >= opset {
		return nil
	}
	return &needError{what, opset, l.opset}
}

// sinceOpset is the version that brought an operator, for those newer than
// lowestWritten (ONNX operator changelog, as the tables below).
var sinceOpset = map[string]int{
	"HardSwish": 14, "Trilu": 14, "Optional": 15, "OptionalGetElement": 15, "OptionalHasElement": 15,
	"Bernoulli": 15, "CastLike": 15, "GridSample": 16, "LayerNormalization": 17, "DFT": 17, "STFT": 17,
	"BlackmanWindow": 17, "HammingWindow": 17, "HannWindow": 17, "MelWeightMatrix": 17, "SequenceMap": 17,
	"BitwiseAnd": 18, "BitwiseNot": 18, "BitwiseOr": 18, "BitwiseXor": 18, "CenterCropPad": 18,
	"Col2Im": 18, "GroupNormalization": 18, "Mish": 18, "DeformConv": 19, "Gelu": 20, "AffineGrid": 20,
	"StringConcat": 20, "StringSplit": 20, "RegexFullMatch": 20, "ImageDecoder": 20,
	"Attention": 23, "RMSNormalization": 23, "RotaryEmbedding": 23, "Swish": 24, "TensorScatter": 24,
	"BitCast": 26, "CumProd": 26, "LinearAttention": 27, "CausalConvWithState": 27, "SwiGLU": 28,
}

// attributeSince is the version that brought an attribute, or a value of it.
var attributeSince = []struct {
	since int
	name  string
	value any // nil: any
	ops   []string
}{
	{14, "allowzero", nil, []string{"Reshape"}},
	{14, "layout", nil, []string{"RNN", "GRU", "LSTM"}},
	{14, "training_mode", nil, []string{"BatchNormalization"}},
	{16, "reduction", nil, []string{"ScatterElements", "ScatterND"}},
	{18, "reduction", "max", []string{"ScatterElements", "ScatterND"}},
	{18, "reduction", "min", []string{"ScatterElements", "ScatterND"}},
	{18, "antialias", nil, []string{"Resize"}},
	{18, "axes", nil, []string{"Resize"}},
	{18, "keep_aspect_ratio_policy", nil, []string{"Resize"}},
	{18, "ceil_mode", nil, []string{"LpPool"}},
	{18, "dilations", nil, []string{"LpPool"}},
	{19, "coordinate_transformation_mode", "half_pixel_symmetric", []string{"Resize"}},
	{19, "dilations", nil, []string{"AveragePool"}},
	{19, "mode", "wrap", []string{"Pad"}},
	{19, "saturate", nil, []string{"Cast", "CastLike"}},
	{21, "block_size", nil, []string{"QuantizeLinear", "DequantizeLinear"}},
	{23, "precision", nil, []string{"QuantizeLinear"}},
	{24, "round_mode", nil, []string{"Cast", "CastLike"}},
	{27, "stash_type", nil, []string{"Range"}},
	{28, "mode", nil, []string{"SpaceToDepth"}},
}

// typeSince is the version from which operators take element types that they
// did not take before.
var typeSince = []struct {
	since int
	types []dtype.Type
	ops   []string
}{
	{14, []dtype.Type{dtype.BFloat16}, []string{"BatchNormalization"}},
	{14, []dtype.Type{dtype.BFloat16, dtype.Float16}, []string{"CumSum"}},
	{14, []dtype.Type{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64}, []string{"Relu"}},
	{14, []dtype.Type{dtype.Int8, dtype.Int16, dtype.Uint8, dtype.Uint16}, []string{"Add", "Div", "Mul", "Sub"}},
	{16, []dtype.Type{dtype.BFloat16}, []string{"GreaterOrEqual", "LeakyRelu", "LessOrEqual", "PRelu", "Where"}},
	{19, []dtype.Type{dtype.BFloat16, dtype.Float16}, []string{"DequantizeLinear", "QuantizeLinear"}},
	{19, []dtype.Type{dtype.String}, []string{"Equal"}},
	{20, []dtype.Type{dtype.BFloat16, dtype.Float16}, []string{"IsInf"}},
	{20, []dtype.Type{dtype.BFloat16}, []string{"ConstantOfShape"}},
	{20, []dtype.Type{dtype.Bool}, []string{"ReduceMax", "ReduceMin"}},
	{21, []dtype.Type{dtype.BFloat16, dtype.Float16}, []string{"QLinearMatMul"}},
	{21, []dtype.Type{dtype.Int16, dtype.Uint16}, []string{"DequantizeLinear", "QuantizeLinear"}},
	{22, []dtype.Type{dtype.BFloat16}, []string{
		"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "AveragePool", "Bernoulli", "Conv", "ConvTranspose", "Cos",
		"Cosh", "DeformConv", "Det", "Elu", "EyeLike", "GRU", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "GridSample", "HardSigmoid",
		"HardSwish", "InstanceNormalization", "LSTM", "LpNormalization", "LpPool", "MaxPool", "MaxRoiPool",
		"MaxUnpool", "Mish", "Multinomial", "NegativeLogLikelihoodLoss", "RNN", "RandomNormal", "RandomNormalLike",
		"RandomUniform", "RandomUniformLike", "RoiAlign", "Round", "Selu", "Sin", "Sinh", "Softplus", "Softsign", "Tan", "ThresholdedRelu",
	}},
	{24, []dtype.Type{dtype.BFloat16}, []string{"TopK"}},
	{27, []dtype.Type{dtype.BFloat16, dtype.Float16}, []string{"Range"}},
	{28, []dtype.Type{dtype.BFloat16}, []string{"Compress", "Einsum", "OneHot", "ReverseSequence", "Unique"}},
	{28, []dtype.Type{dtype.BFloat16, dtype.Float16, dtype.Float64}, []string{"Celu"}},
	{28, []dtype.Type{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64}, []string{"BitShift"}},
}

// check returns an error if the written node r, made of n, needs a newer
// opset. Types are looked at where r is n itself, as expansions are made of
// operators that take them.
func (l *lowering) check(r *node, n *ir.Node) error {
	if r.domain != "" {
		return nil
	}
	if err := l.need(sinceOpset[r.op], r.op); err != nil {
		return err
	}
	for _, row := range attributeSince {
		if row.since <= l.opset || !slices.Contains(row.ops, r.op) {
			continue
		}
		v, ok := r.attribute(row.name)
		if !ok || row.value != nil && v != row.value {
			continue
		}
		return l.need(row.since, fmt.Sprintf("%s=%v of %s", row.name, v, r.op))
	}
	if _, custom := n.Op.(*op.Custom); custom || r.op != n.Op.Name() {
		return nil
	}
	for _, row := range typeSince {
		if row.since <= l.opset || !slices.Contains(row.ops, r.op) {
			continue
		}
		for _, v := range slices.Concat(n.In, n.Out) {
			if v != nil && slices.Contains(row.types, v.Type) {
				return l.need(row.since, fmt.Sprintf("%s of %v (value %q)", r.op, v.Type, v.Name))
			}
		}
	}
	return nil
}

// checkTypes returns an error if a value of g has a type that needs a newer
// opset.
func (l *lowering) checkTypes(g *ir.Graph) error {
	for _, v := range g.Values() {
		if err := l.need(minOpset[v.Type], fmt.Sprintf("%v (value %q)", v.Type, v.Name)); err != nil {
			return err
		}
		for f := v.Elem; f != nil; f = f.Elem {
			if err := l.need(minOpset[f.Type], fmt.Sprintf("%v (value %q)", f.Type, v.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// DynamicQuantize quantizes with the range of the data itself and returns the
// integers, the scale and the zero point. All steps are ONNX
// DynamicQuantizeLinear's, in float32: scale = (max−min)/(qmax−qmin), with min
// and max widened to hold 0, and 1 where they are equal; zero point =
// round(clamp(qmin − min/scale)).
type DynamicQuantize struct {
	Type dtype.Type `attr:"type,default=uint8"`
	// Symmetric takes ±max|x| as the range and the middle as zero point.
	Symmetric bool `attr:"symmetric,default=0"`
	// Axis is the axis that one range is taken over: -1 gives each row its
	// own. The scale then has x's shape with 1 along it, which
	// DequantizeLinear reads with block_size = dim. Unset: one range for all.
	Axis Opt[int] `attr:"axis"`
	// TFLite asks for the steps of LiteRT's hybrid kernels instead (to int8,
	// kernels/internal/reference/portable_tensor_utils.cc, SymmetricQuantizeFloats
	// and AsymmetricQuantizeFloats): scale and zero point in float64, each rounded
	// once, and q = round(x·Factor + zero point), halves away from zero.
	TFLite bool `attr:".tflite"`
}

// Name returns "DynamicQuantize".
func (o *DynamicQuantize) Name() string { return "DynamicQuantize" }

// Infer returns x's shape and those of the parameters.
func (o *DynamicQuantize) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if _, err := wantFloats(in[0]); err != nil {
		return nil, err
	}
	if !o.Type.IsInteger() || o.Type.Bits() > 16 {
		return nil, fmt.Errorf("quantization to %v", o.Type)
	}
	params := Known()
	if o.Axis.Set {
		if params = in[0].Shape.Clone(); params != nil {
			a, err := Axis(o.Axis.Value, len(params))
			if err != nil {
				return nil, err
			}
			params[a] = Size(1)
		}
	}
	return []Fact{TensorFact(o.Type, in[0].Shape.Clone()), TensorFact(dtype.Float32, params), TensorFact(o.Type, params)}, nil
}

// Eval quantizes. An empty range is that of zeros.
func (o *DynamicQuantize) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 3)
	if err != nil {
		return nil, err
	}
	x, err := Convert(arg(in, 0), dtype.Float32)
	if err != nil {
		return nil, err
	}
	shape, _ := out[1].Shape.Ints()
	count, _ := tensor.Count(shape)
	p := affine.Params{Type: o.Type, Scale: make([]float32, count), ZeroPoint: make([]int64, count), Axis: affine.PerTensorAxis}
	lanes, step := x.Len(), 1
	if o.Axis.Set {
		p.Axis, _ = Axis(o.Axis.Value, x.Rank())
		lanes, step = x.Shape()[p.Axis], inner(x.Shape(), p.Axis+1)
		p.BlockSize = max(lanes, 1)
	}
	data := tensor.Data[float32](x)
	var lite []float32
	if o.TFLite {
		lite = make([]float32, len(data))
	}
	for k := range count {
		base := k/step*step*lanes + k%step
		var lo, hi float32
		for i := range lanes {
			v := data[base+i*step]
			lo, hi = min(lo, v), max(hi, v)
		}
		p.Scale[k], p.ZeroPoint[k] = o.Params(lo, hi)
		if o.TFLite {
			factor, zero := o.Factor(lo, hi), float32(p.ZeroPoint[k])
			for i := range lanes {
				at := base + i*step
				lite[at] = float32(data[at]*factor) + zero
			}
		}
	}
	y := tensor.New(o.Type, x.Shape()...)
	switch {
	case o.TFLite:
		convert.QuantizeAway(tensor.Data[int8](y), lite, 1, convert.GridOf[int8](0))
	case x.Len() > 0:
		if y, err = affine.Quantize(x, p, affine.RoundHalfEven); err != nil {
			return nil, err
		}
	}
	return Of(y, tensor.FromSlice(p.Scale, shape...), tensor.FromInts(o.Type, p.ZeroPoint, shape...)), nil
}

// Params returns the parameters of a range that holds 0. A range without end
// counts as ending at the largest float32.
func (o *DynamicQuantize) Params(lo, hi float32) (float32, int64) {
	if o.TFLite {
		return o.paramsTFLite(float64(lo), float64(hi))
	}
	scheme := affine.Scheme{Type: o.Type, Symmetric: o.Symmetric}
	first, last := scheme.Range()
	if o.Symmetric {
		hi = max(-lo, hi)
		lo = -hi
	}
	scale := (hi - lo) / float32(last-first)
	if math.IsInf(float64(scale), 0) || scale != scale {
		scale, lo = math.MaxFloat32/float32(last-first), max(lo, -math.MaxFloat32)
	}
	if scale == 0 {
		scale = 1
	}
	if o.Symmetric {
		return scale, int64(math.RoundToEven(float64(first+last) / 2))
	}
	zero := float32(first) - lo/scale
	return scale, int64(math.RoundToEven(float64(max(float32(first), min(float32(last), zero)))))
}

func (o *DynamicQuantize) paramsTFLite(lo, hi float64) (float32, int64) {
	const first, last = math.MinInt8, math.MaxInt8
	lo, hi = max(lo, -math.MaxFloat32), min(hi, math.MaxFloat32)
	switch {
	case !(lo < hi):
		return 1, 0
	case o.Symmetric:
		return float32(max(-lo, hi)) / last, 0
	}
	scale := (hi - lo) / (last - first)
	zero := last - hi/scale
	if first+lo/scale > -last-hi/scale { // the nearer end says where zero lies
		zero = first - lo/scale
	}
	return float32(scale), int64(math.Round(max(first, min(last, zero))))
}

// Factor returns what a number is multiplied with where TFLite is set.
func (o *DynamicQuantize) Factor(lo, hi float32) float32 {
	lo, hi = max(lo, -math.MaxFloat32), min(hi, math.MaxFloat32)
	if o.Symmetric && lo < hi {
		return math.MaxInt8 / max(-lo, hi)
	}
	scale, _ := o.Params(lo, hi)
	return 1 / scale
}

// FakeQuantize stores what is left of x after quantization to int8, where TFLite
// is set.
func (o *DynamicQuantize) FakeQuantize(dst, x []float32) {
	var lo, hi float32
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	scale, zero := o.Params(lo, hi)
	factor, offset := o.Factor(lo, hi), float32(zero)
	var chunk [256]float32
	var codes [256]int8
	for len(x) > 0 {
		n := min(len(chunk), len(x))
		for i, v := range x[:n] {
			chunk[i] = float32(v*factor) + offset
		}
		convert.QuantizeAway(codes[:n], chunk[:n], 1, convert.GridOf[int8](0))
		convert.Dequantize(dst[:n], codes[:n], scale, int32(zero))
		dst, x = dst[n:], x[n:]
	}
}

// DynamicQuantizeLinear is DynamicQuantize to Uint8 with one range.
type DynamicQuantizeLinear struct{}

// Name returns "DynamicQuantizeLinear".
func (o *DynamicQuantizeLinear) Name() string { return "DynamicQuantizeLinear" }

var dynamicUint8 = &DynamicQuantize{Type: dtype.Uint8}

// Infer returns x's shape and two scalars.
func (o *DynamicQuantizeLinear) Infer(in []Fact, outs int) ([]Fact, error) {
	return dynamicUint8.Infer(in, outs)
}

// Eval quantizes.
func (o *DynamicQuantizeLinear) Eval(in []Datum) ([]Datum, error) { return dynamicUint8.Eval(in) }

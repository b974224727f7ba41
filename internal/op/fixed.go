package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// This table is the arithmetic of a Quantized with Fixed set, which is that of
// TensorFlow Lite's reference kernels (kernels/internal/reference and its
// integer_ops, kernels/*.cc: BUILTIN_REF). q, z and s are an operand's
// integers, zero point and scale, y's are the result's; F(x) is
// affine.FixedOf(x), F(x)·n its Of, or OfWide where n has 64 bits; clamp
// limits to the type and by affine's FixedBounds.
//
//	Conv, ConvTranspose   acc = Σ (qx−zx)(qw−zw) + bias; y = clamp(F(m)·acc + zy)
//	                      m = float64(sx)·sw/sy, a channel; uint8: float32(sx·sw)/sy
//	  of int16            acc has 64 bits
//	Gemm (int8, int16)    the sums of Conv; y = clamp(round(acc·m) + zy) in float64,
//	                      halves away from zero, m = float64(sx)·sw/sy
//	Gemm (uint8)          as Conv
//	MatMul                as Conv, m = float32(sa·sb)/sy; int16: 64 bits
//	  their bias          the integers as they are, whatever scale they carry
//	Add, Sub              n = F(sa/t)·((qa−za)·2ᵏ) ± F(sb/t)·((qb−zb)·2ᵏ), t = 2·max(sa, sb)
//	                      y = clamp(F(t/(2ᵏ·sy))·n + zy); k = 20, of int16 15
//	Mul                   y = clamp(F(float32 sa·sb/sy)·((qa−za)(qb−zb)) + zy)
//	Identity (QUANTIZE)   y = clamp(F(s/sy)·(q−z) + zy)
//	  with a Clamp (RELU) the same, the quotient being a float32
//	AveragePool           y = clamp(acc/n), acc = Σ q, halves away from zero: one scale
//	ReduceMean, ReduceSum acc = Σ q − n·z; F(s/sy) has its M times 2ᵉ divided by n and
//	                      its Shift lessened by e for the mean, e = ⌊log₂ n⌋
//	ReduceProd            acc = q−z of the first, then OfWide(acc·(q−z)), and once more at
//	                      the end, by F(s/ⁿ√sy), n being the number of elements
//	Sigmoid, Tanh, Gelu,  8 bits: y = clamp(round(f(s·(q−z))·(1/sy)) + zy) in float32, halves
//	Elu, Exp, Log         away from zero; int16: fixedSigmoid, fixedTanh, singleCurve
//	HardSwish             fixedHardSwish
//	LeakyRelu             F(float32 s/sy)·(q−z) + zy, or with alpha in the factor below z
//	PRelu (8 bits)        the same; below z F(float32 s·sα/sy)·((q−z)(qα−zα)) + zy
//	Abs                   F(float32 s/sy)·|q−z| + zy, without F where the scales are one
//	Sqrt                  trunc(√(s·(q−z))/sy) + zy in float32
//	ReciprocalSqrt        F(1/(√s·sy))·InverseRoot(q−z) + zy, with 20 fractional bits
//	                      between; int16: singleCurve
//	Div                   Quotient
//	SquaredDifference     Distance
//	Softmax, LogSoftmax,  FixedSoftmax, fixedLogSoftmax, fixedUnit
//	LpNormalization
//	Resize                weights of 10 bits, or (uint8) of float32: fixedResize
//	Concat                y = q where the parameters are y's, else
//	                      round(q·(s·(1/sy)) − z·(s·(1/sy))) + zy in float32
//
// An operator that copies or compares elements needs no row: with the same
// parameters on both sides its real meaning gives the same integers.

// FixedPoint reports whether the table of fixed.go, TensorFlow Lite's
// arithmetic, has a row for the operator with operands and results of these
// types. A bias that is a real number has none.
func (o *Quantized) FixedPoint() bool {
	x, y := input(o.In, 0), input(o.Out, 0)
	if len(o.Out) != 1 || !narrow(x) || !narrow(y) {
		return false
	}
	same := x.Type == y.Type
	switch inner := o.Inner.(type) {
	case *Conv:
		return same && o.weightFits(0)
	case *ConvTranspose:
		return same && o.weightFits(1)
	case *Gemm:
		axis := 1
		if inner.TransB {
			axis = 0
		}
		return same && inner.Alpha == 1 && inner.Beta == 1 && !inner.TransA && o.weightFits(axis)
	case *MatMul:
		b := input(o.In, 1)
		return same && narrow(b) && b.Type == x.Type
	case *Add, *Sub, *Mul, *PRelu, *Div:
		b := input(o.In, 1)
		_, slopes := o.Inner.(*PRelu)
		return same && narrow(b) && b.Type == x.Type && !(slopes && x.Type == dtype.Int16) // LiteRT's has floats beside it
	case *Identity:
		return true
	case *AveragePool:
		return same && x.Equal(y) && !inner.CountIncludePad
	case *SquaredDifference:
		return same && x.Type == dtype.Int8 && input(o.In, 1).Type == dtype.Int8 && narrow(input(o.In, 1))
	case *ReduceMean, *ReduceSum, *LeakyRelu:
		return same
	case *ReduceProd, *Abs, *Sqrt:
		return same && x.Type != dtype.Uint8
	case *Exp, *Log, *ReciprocalSqrt:
		return same && x.Type != dtype.Uint8 && (x.Type != dtype.Int16 || x.Symmetric() && y.Symmetric())
	case *Resize:
		return same && o.resizeFits(inner)
	case *LogSoftmax:
		return x.Type == dtype.Int8 && o.rowsFit(16.0/256, 127)
	case *LpNormalization:
		return x.Type == dtype.Int8 && inner.P == 2 && o.rowsFit(1.0/128, 0)
	case *Sigmoid, *Tanh:
		return same && (x.Type != dtype.Int16 || x.Symmetric() && y.Symmetric())
	case *Gelu, *Elu, *HardSwish:
		return same && x.Type != dtype.Int16
	case *Softmax:
		return o.softmaxFits()
	case *Concat:
		if o.Clamp != nil {
			return false
		}
		for _, p := range o.In {
			if !narrow(p) || p.Type != y.Type || p.Type == dtype.Int16 && !p.Equal(y) {
				return false
			}
		}
		return true
	}
	return false
}

// narrow reports whether p are the parameters of activations of 8 bits, or of
// 16 with a sign: one scale, which is positive.
func narrow(p affine.Params) bool {
	return p.IsPerTensor() && p.BlockSize == 0 && p.Scale[0] > 0 &&
		(p.Type == dtype.Int8 || p.Type == dtype.Uint8 || p.Type == dtype.Int16)
}

// weightFits reports whether operand 1 is a weight that TensorFlow Lite has with
// such an operand 0, its channels along the axis, and operand 2 its bias.
func (o *Quantized) weightFits(axis int) bool {
	x, w := o.In[0], input(o.In, 1)
	if !along(w, axis) || w.BlockSize != 0 {
		return false
	}
	if b := input(o.In, 2); b.Present() && b.Type != dtype.Int32 && (b.Type != dtype.Int64 || x.Type != dtype.Int16) {
		return false
	}
	switch w.Type {
	case dtype.Uint8:
		return x.Type == dtype.Uint8 && w.IsPerTensor()
	case dtype.Int8, dtype.Int4:
		return x.Type != dtype.Uint8 && w.Symmetric()
	}
	return false
}

// fixed computes result 0, whose shape is known, by TensorFlow Lite's arithmetic.
func (o *Quantized) fixed(in []Datum, shape []int) (*tensor.Tensor, error) {
	for i, p := range o.In {
		if t := arg(in, i); t != nil && !p.Present() && i == 2 {
			return nil, fmt.Errorf("a bias of %v, want integers", t.Type())
		}
	}
	switch inner := o.Inner.(type) {
	case *Conv:
		g, err := inner.Geometry(arg(in, 0).Shape(), arg(in, 1).Shape())
		if err != nil {
			return nil, err
		}
		return o.fixedConv(g, in)
	case *ConvTranspose:
		g, err := inner.Geometry(arg(in, 0).Shape(), arg(in, 1).Shape())
		if err != nil {
			return nil, err
		}
		return o.fixedConv(g, in)
	case *Gemm:
		return o.fixedGemm(inner, in, shape)
	case *MatMul:
		return o.fixedMatMul(in, shape)
	case *Add, *Sub:
		s := o.Addition()
		return o.fixedBinary(in, shape, s.Of)
	case *Mul:
		m := o.MulFactor()
		return o.fixedBinary(in, shape, func(a, b int32) int32 { return m.Of(a * b) })
	case *PRelu:
		return o.fixedPRelu(in, shape)
	case *Div:
		return o.fixedBinary(in, shape, o.Quotient())
	case *SquaredDifference:
		return o.fixedBinary(in, shape, o.Distance())
	case *Identity, *LeakyRelu, *HardSwish, *Sigmoid, *Tanh, *Gelu, *Elu, *Exp, *Log, *Abs, *Sqrt, *ReciprocalSqrt:
		return o.fixedMap(in), nil
	case *AveragePool:
		return o.fixedAveragePool(inner, in, shape)
	case *ReduceMean:
		return o.fixedMean(reduction(*inner), in, shape, true)
	case *ReduceSum:
		return o.fixedMean(reduction(*inner), in, shape, false)
	case *ReduceProd:
		return o.fixedProduct(reduction(*inner), in, shape)
	case *Resize:
		return o.fixedResize(inner, in, shape)
	case *Softmax, *LogSoftmax, *LpNormalization:
		return o.fixedRows(in)
	case *Concat:
		return o.fixedConcat(inner, in, shape)
	}
	return nil, fmt.Errorf("%s has no fixed-point arithmetic", o.Inner.Name())
}

// FixedLimits returns the integers that result 0 is limited to.
func (o *Quantized) FixedLimits() (qmin, qmax int64) {
	if o.Clamp == nil {
		return o.Out[0].Type.Range()
	}
	return o.Out[0].FixedBounds(o.Clamp.Lo, o.Clamp.Hi)
}

// limited returns v + zero point of result 0, which wraps, limited by lo and hi.
func limited(v, zero, lo, hi int32) int64 { return int64(min(max(v+zero, lo), hi)) }

// round32 rounds halves away from zero, and limits to what a zero point can be
// added to.
func round32(x float64) int32 {
	return int32(max(-1<<30, min(1<<30, math.Round(x))))
}

// Rescaler takes accumulators of a product to integers, as the table of fixed.go
// has it.
type Rescaler struct {
	// Factors and Reals hold one factor for all channels or one for each; Reals
	// is nil unless the product is one with float64 factors (Gemm).
	Factors []affine.Fixed
	Reals   []float64
	// Wide says that accumulators have 64 bits.
	Wide bool
	// Zero is the zero point of the result, Min and Max are its limits.
	Zero, Min, Max int32
}

// Rescaler returns how o, a product that FixedPoint accepts, rescales.
func (o *Quantized) Rescaler() Rescaler {
	x, w, y := o.In[0], o.In[1], o.Out[0]
	lo, hi := o.FixedLimits()
	r := Rescaler{Zero: int32(y.Zero(0)), Min: int32(lo), Max: int32(hi), Wide: x.Type == dtype.Int16}
	_, gemm := o.Inner.(*Gemm)
	_, pair := o.Inner.(*MatMul)
	for _, s := range w.Scale {
		m := float64(x.Scale[0]) * float64(s) / float64(y.Scale[0])
		if pair || x.Type == dtype.Uint8 {
			m = float64(x.Scale[0]*s) / float64(y.Scale[0])
		}
		r.Factors = append(r.Factors, affine.FixedOf(m))
		if gemm && x.Type != dtype.Uint8 {
			r.Reals = append(r.Reals, m)
		}
	}
	return r
}

// Of takes an accumulator of a channel to the integer of the result.
func (r *Rescaler) Of(acc int64, channel int) int32 {
	var v int32
	if !r.Wide {
		acc = int64(int32(acc))
	}
	switch {
	case r.Reals != nil:
		v = round32(float64(acc) * r.Reals[channel%len(r.Reals)])
	case r.Wide:
		v = r.Factors[channel%len(r.Factors)].OfWide(acc)
	default:
		v = r.Factors[channel%len(r.Factors)].Of(int32(acc))
	}
	return int32(limited(v, r.Zero, r.Min, r.Max))
}

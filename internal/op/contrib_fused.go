package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FusedMatMul is Alpha·A·B, the operands transposed first: TransA and TransB
// swap the last two axes, TransBatchA and TransBatchB before that move the
// first axis to the last but one place. Operands of rank 1 stay as they are
// (ONNX Runtime, com.microsoft).
type FusedMatMul struct {
	Alpha       float32 `attr:"alpha,default=1"`
	TransA      bool    `attr:"transA,default=0"`
	TransB      bool    `attr:"transB,default=0"`
	TransBatchA bool    `attr:"transBatchA,default=0"`
	TransBatchB bool    `attr:"transBatchB,default=0"`
}

// Name returns "FusedMatMul".
func (*FusedMatMul) Name() string { return "FusedMatMul" }

// Orders returns the axes of operands of the given ranks in the order in which
// they are multiplied, nil for an operand that stays as it is.
func (o *FusedMatMul) Orders(rankA, rankB int) (a, b []int) {
	return transposition(rankA, o.TransBatchA, o.TransA), transposition(rankB, o.TransBatchB, o.TransB)
}

func transposition(rank int, batch, last bool) []int {
	if rank < 2 || !batch && !last {
		return nil
	}
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	if batch {
		copy(perm, perm[1:rank-1])
		perm[rank-2] = 0
	}
	if last {
		perm[rank-2], perm[rank-1] = perm[rank-1], perm[rank-2]
	}
	return perm
}

// Infer broadcasts the leading axes.
func (o *FusedMatMul) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if _, err := wantFloats(in...); err != nil {
		return nil, err
	}
	a, b := o.Orders(len(in[0].Shape), len(in[1].Shape))
	turned := []Fact{TensorFact(in[0].Type, permuted(in[0].Shape, a)), TensorFact(in[1].Type, permuted(in[1].Shape, b))}
	return (&MatMul{}).Infer(turned, 1)
}

func permuted(s Shape, perm []int) Shape {
	if s == nil || perm == nil {
		return s
	}
	out := make(Shape, len(s))
	for i, p := range perm {
		out[i] = s[p]
	}
	return out
}

// Eval transposes, multiplies, and multiplies by Alpha, each step rounded.
func (o *FusedMatMul) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		a, b := in[0].Tensor, in[1].Tensor
		pa, pb := o.Orders(a.Rank(), b.Rank())
		if pa != nil {
			a = tensor.Permute(a, pa)
		}
		if pb != nil {
			b = tensor.Permute(b, pb)
		}
		y, err := compute(&MatMul{}, a, b)
		if err != nil {
			return nil, err
		}
		if y.Type() == dtype.Float64 {
			scaleBy(tensor.Data[float64](y), o.Alpha)
		} else {
			scaleBy(tensor.Data[float32](y), o.Alpha)
		}
		return Of(y), nil
	})
}

// Quantization tells the weight, of one output a column of B as it is
// multiplied. Each operand that is not constant is data.
func (o *FusedMatMul) Quantization() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis = []int{0, 1}, 1, -1
	if o.TransB {
		f.WeightAxis = -2
	}
	return f
}

// fusedActivation returns an operator's activation by name, nil for none.
// Clip's limits are its parameters.
func fusedActivation(name string, params []float32) (func(*tensor.Tensor) (*tensor.Tensor, error), error) {
	param := func(i int, def float32) float32 {
		if i < len(params) {
			return params[i]
		}
		return def
	}
	var e Evaluator
	switch name {
	case "":
		return nil, nil
	case "Relu":
		e = &Relu{}
	case "Sigmoid":
		e = &Sigmoid{}
	case "Tanh":
		e = &Tanh{}
	case "Softplus":
		e = &Softplus{}
	case "Softsign":
		e = &Softsign{}
	case "LeakyRelu":
		e = &LeakyRelu{Alpha: param(0, 0.01)}
	case "Elu":
		e = &Elu{Alpha: param(0, 1)}
	case "ThresholdedRelu":
		e = &ThresholdedRelu{Alpha: param(0, 1)}
	case "HardSigmoid":
		e = &HardSigmoid{Alpha: param(0, 0.2), Beta: param(1, 0.5)}
	case "Clip":
		if len(params) != 2 {
			return nil, fmt.Errorf("activation Clip with %d parameters, want 2", len(params))
		}
		return func(x *tensor.Tensor) (*tensor.Tensor, error) {
			return compute(&Clip{}, x, tensor.Scalar(params[0]), tensor.Scalar(params[1]))
		}, nil
	default:
		return nil, fmt.Errorf("activation %q is not known; Relu, Sigmoid, Tanh, LeakyRelu, Clip, HardSigmoid, Elu, Softplus, Softsign and ThresholdedRelu are", name)
	}
	return func(x *tensor.Tensor) (*tensor.Tensor, error) { return compute(e, x) }, nil
}

// FusedConv is Conv, plus an optional fourth operand of the result's shape,
// then an activation: Relu, Sigmoid, Tanh, LeakyRelu (alpha), Clip (min, max)
// or HardSigmoid (alpha, beta), whose numbers are ActivationParams (ONNX
// Runtime, com.microsoft).
type FusedConv struct {
	Activation       string    `attr:"activation"`
	ActivationParams []float32 `attr:"activation_params"`
	AutoPad          string    `attr:"auto_pad,default=NOTSET"`
	Dilations        []int     `attr:"dilations"`
	Group            int       `attr:"group,default=1"`
	KernelShape      []int     `attr:"kernel_shape"`
	Pads             []int     `attr:"pads"`
	Strides          []int     `attr:"strides"`
}

// Name returns "FusedConv".
func (*FusedConv) Name() string { return "FusedConv" }

func (o *FusedConv) conv() *Conv {
	c := New[Conv]()
	c.AutoPad, c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
	return c
}

// Infer returns the places of the windows.
func (o *FusedConv) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 4); err != nil {
		return nil, err
	}
	if _, err := wantFloats(in...); err != nil {
		return nil, err
	}
	if _, err := fusedActivation(o.Activation, o.ActivationParams); err != nil {
		return nil, err
	}
	out, err := o.conv().Infer(in[:min(len(in), 3)], 1)
	if err != nil {
		return nil, err
	}
	if z := input(in, 3).Shape; z != nil && out[0].Shape != nil {
		if out[0].Shape, err = Merge(out[0].Shape, z); err != nil {
			return nil, fmt.Errorf("operand Z: %w", err)
		}
	}
	return out, nil
}

// Eval convolves, adds and applies the activation, each step rounded.
func (o *FusedConv) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		y, err := compute(o.conv(), arg(in, 0), arg(in, 1), arg(in, 2))
		if err != nil {
			return nil, err
		}
		if y, err = addAll(y, arg(in, 3)); err != nil {
			return nil, err
		}
		return activated(y, o.Activation, o.ActivationParams)
	})
}

func activated(y *tensor.Tensor, name string, params []float32) ([]Datum, error) {
	f, err := fusedActivation(name, params)
	if err != nil {
		return nil, err
	}
	if f != nil {
		if y, err = f(y); err != nil {
			return nil, err
		}
	}
	return Of(y), nil
}

// Quantization tells the weight, of one filter an output channel, and the bias.
func (o *FusedConv) Quantization() Facts { return o.conv().Quantization() }

// FusedGemm is Gemm and an activation, whose numbers are ActivationAlpha and
// ActivationBeta (ONNX Runtime, com.microsoft).
type FusedGemm struct {
	Activation      string       `attr:"activation"`
	ActivationAlpha Opt[float32] `attr:"activation_alpha"`
	ActivationBeta  Opt[float32] `attr:"activation_beta"`
	Alpha           float32      `attr:"alpha,default=1"`
	Beta            float32      `attr:"beta,default=1"`
	TransA          bool         `attr:"transA,default=0"`
	TransB          bool         `attr:"transB,default=0"`
}

// Name returns "FusedGemm".
func (*FusedGemm) Name() string { return "FusedGemm" }

func (o *FusedGemm) gemm() *Gemm {
	return &Gemm{Alpha: o.Alpha, Beta: o.Beta, TransA: o.TransA, TransB: o.TransB}
}

func (o *FusedGemm) params() []float32 {
	var p []float32
	for _, v := range []Opt[float32]{o.ActivationAlpha, o.ActivationBeta} {
		if !v.Set {
			break
		}
		p = append(p, v.Value)
	}
	return slices.Clip(p)
}

// Infer takes the rows of A and the columns of B.
func (o *FusedGemm) Infer(in []Fact, _ int) ([]Fact, error) {
	if _, err := wantFloats(in...); err != nil {
		return nil, err
	}
	if _, err := fusedActivation(o.Activation, o.params()); err != nil {
		return nil, err
	}
	return o.gemm().Infer(in, 1)
}

// Eval multiplies, adds and applies the activation, each step rounded.
func (o *FusedGemm) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		y, err := compute(o.gemm(), arg(in, 0), arg(in, 1), arg(in, 2))
		if err != nil {
			return nil, err
		}
		return activated(y, o.Activation, o.params())
	})
}

// Quantization says what Gemm's does.
func (o *FusedGemm) Quantization() Facts { return o.gemm().Quantization() }

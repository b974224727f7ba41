package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// LpPool is the p-norm of each window.
type LpPool struct {
	AutoPad     string `attr:"auto_pad,default=NOTSET"`
	CeilMode    bool   `attr:"ceil_mode,default=0"`
	Dilations   []int  `attr:"dilations"`
	KernelShape []int  `attr:"kernel_shape"`
	P           int    `attr:"p,default=2"`
	Pads        []int  `attr:"pads"`
	Strides     []int  `attr:"strides"`
	Layout      Layout `attr:".layout"`
}

// Name returns "LpPool".
func (o *LpPool) Name() string { return "LpPool" }

func (o *LpPool) window() window {
	return window{o.AutoPad, o.KernelShape, o.Strides, o.Pads, o.Dilations, o.CeilMode}
}

// Geometry places the windows on data of shape x.
func (o *LpPool) Geometry(x []int) (Geometry, error) {
	return o.window().geometry(x, o.Layout)
}

// Infer returns the places of the windows.
func (o *LpPool) Infer(in []Fact, _ int) ([]Fact, error) {
	if o.P < 1 {
		return nil, fmt.Errorf("p %d, want 1 or more", o.P)
	}
	return inferFloatPool(in, o.window(), o.Layout)
}

// Eval takes the norms.
func (o *LpPool) Eval(in []Datum) ([]Datum, error) {
	return evalFloatPool(o, in, o.Geometry, func(Geometry) (func([]float32, int) float32, func([]float64, int) float64) {
		return func(v []float32, _ int) float32 { return norm(v, o.P) }, func(v []float64, _ int) float64 { return norm(v, o.P) }
	})
}

// Quantization says that the data is an activation.
func (o *LpPool) Quantization() Facts { return dataOnly() }

// norm returns the p-norm of x, which it overwrites. Powers other than 1 and 2
// are computed in float32.
func norm[T float32 | float64](x []T, p int) T {
	for i, v := range x {
		switch p {
		case 1:
			x[i] = T(math.Abs(float64(v)))
		case 2:
			x[i] = v * v
		default:
			x[i] = T(eltwise.Pow(float32(math.Abs(float64(v))), float32(p)))
		}
	}
	s := sum(x)
	switch p {
	case 1:
		return s
	case 2:
		return T(math.Sqrt(float64(s)))
	}
	return T(eltwise.Pow(float32(s), 1/float32(p)))
}

package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MaxPool is the greatest element of each window. The second output tells
// where it lies: an index into the data as if it were channels-first, row-major
// or, with StorageOrder 1, column-major in each channel; the first of equals. A
// window without any element of the input gives the least value of the type.
type MaxPool struct {
	AutoPad      string `attr:"auto_pad,default=NOTSET"`
	CeilMode     bool   `attr:"ceil_mode,default=0"`
	Dilations    []int  `attr:"dilations"`
	KernelShape  []int  `attr:"kernel_shape"`
	Pads         []int  `attr:"pads"`
	StorageOrder int    `attr:"storage_order,default=0"`
	Strides      []int  `attr:"strides"`
	Layout       Layout `attr:".layout"`
}

// Name returns "MaxPool".
func (o *MaxPool) Name() string { return "MaxPool" }

func (o *MaxPool) window() window {
	return window{o.AutoPad, o.KernelShape, o.Strides, o.Pads, o.Dilations, o.CeilMode}
}

// Geometry places the windows on data of shape x.
func (o *MaxPool) Geometry(x []int) (Geometry, error) {
	return o.window().geometry(x, o.Layout)
}

// Infer returns the places of the windows, twice.
func (o *MaxPool) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if t := in[0].Type; t != dtype.Invalid && !plainFloat(t) && t != dtype.Int8 && t != dtype.Uint8 {
		return nil, fmt.Errorf("element type %v, want a floating-point type, int8 or uint8", t)
	}
	if o.StorageOrder != 0 && o.StorageOrder != 1 {
		return nil, fmt.Errorf("storage_order %d", o.StorageOrder)
	}
	out, err := o.window().inferPool(in[0].Shape, o.Layout)
	if err != nil {
		return nil, err
	}
	return []Fact{TensorFact(in[0].Type, out), TensorFact(dtype.Int64, out.Clone())}, nil
}

// Eval takes the greatest elements.
func (o *MaxPool) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 2, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		g, err := o.Geometry(x.Shape())
		if err != nil {
			return nil, err
		}
		y, err := room(out[0], x.Type())
		if err != nil {
			return nil, err
		}
		where, err := room(out[1], dtype.Int64)
		if err != nil {
			return nil, err
		}
		at := tensor.Data[int64](where)
		switch x.Type() {
		case dtype.Float64:
			maxPool(o, tensor.Data[float64](y), tensor.Data[float64](x), at, g, math.Inf(-1))
		case dtype.Float32:
			maxPool(o, tensor.Data[float32](y), tensor.Data[float32](x), at, g, float32(math.Inf(-1)))
		case dtype.Int8:
			maxPool(o, tensor.Data[int8](y), tensor.Data[int8](x), at, g, math.MinInt8)
		default:
			maxPool(o, tensor.Data[uint8](y), tensor.Data[uint8](x), at, g, 0)
		}
		return Of(y, where), nil
	})
}

func maxPool[T reduce.Number](o *MaxPool, y, x []T, at []int64, g Geometry, least T) {
	area := inner(g.In, 0)
	in, out := plane{g.Channels, area, g.Layout}, plane{g.Channels, g.Places(), g.Layout}
	coords := make([]int, len(g.In))
	g.eachWindow(func(place int, from []int) {
		for n := range g.Batch {
			for c := range g.Channels {
				base, step := in.at(n, c, 0), in.step()
				best, top := -1, least
				for _, p := range from {
					v := x[base+p*step]
					if best < 0 || v > top || v != v && top == top {
						best = p
					}
					if best == p {
						top = v
					} else {
						top = max(top, v)
					}
				}
				i := out.at(n, c, place)
				y[i] = top
				if o.StorageOrder == 1 && best > 0 {
					unravel(coords, best, g.In)
					best = 0
					for k := len(coords) - 1; k >= 0; k-- {
						best = best*g.In[k] + coords[k]
					}
				}
				at[i] = int64((n*g.Channels+c)*area + max(best, 0))
			}
		}
	})
}

// Quantization says that every output is a copy of an input.
func (o *MaxPool) Quantization() Facts { return channelwise(moving()) }

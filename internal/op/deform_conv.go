package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// DeformConv is a convolution whose taps lie beside their places (Dai et al.,
// "Deformable Convolutional Networks", 2017, and Zhu et al., "Deformable
// ConvNets v2", 2018). Operands are the data [N, C, d…], the weight
// [M, C/group, k…], offsets [N, groups·taps·r, o…] for r spatial axes, an
// optional bias [M], and an optional mask [N, groups·taps, o…] of factors, for
// OffsetGroup groups of channels. The value between elements is linear in each
// direction, and 0 outside.
type DeformConv struct {
	Dilations   []int `attr:"dilations"`
	Group       int   `attr:"group,default=1"`
	KernelShape []int `attr:"kernel_shape"`
	OffsetGroup int   `attr:"offset_group,default=1"`
	Pads        []int `attr:"pads"`
	Strides     []int `attr:"strides"`
}

// maxDeformed bounds the spatial axes: a tap reads two elements for each, in
// every combination.
const maxDeformed = 8

// Name returns "DeformConv".
func (*DeformConv) Name() string { return "DeformConv" }

// plain is the convolution without offsets.
func (o *DeformConv) plain() *Conv {
	c := New[Conv]()
	c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides = o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
	return c
}

// Infer returns the places of the windows.
func (o *DeformConv) Infer(in []Fact, outs int) ([]Fact, error) {
	if err := need(in, 3, 5); err != nil {
		return nil, err
	}
	if _, err := wantFloats(in...); err != nil {
		return nil, err
	}
	conv := in[:2:2]
	if len(in) > 3 {
		conv = append(conv, in[3])
	}
	out, err := o.plain().Infer(conv, outs)
	if err != nil {
		return nil, err
	}
	if o.OffsetGroup < 1 || o.OffsetGroup > maxWindow {
		return nil, fmt.Errorf("offset_group %d", o.OffsetGroup)
	}
	y, x, w := out[0].Shape, in[0].Shape, in[1].Shape
	if y == nil {
		return out, nil
	}
	if x != nil {
		if c, ok := x[1].Int(); ok && c%o.OffsetGroup != 0 {
			return nil, fmt.Errorf("%d channels in %d offset groups", c, o.OffsetGroup)
		}
	}
	taps := Unknown
	if w != nil {
		taps = Shape(w[2:]).Count().Mul(Size(o.OffsetGroup))
	}
	rank := len(y) - 2
	if rank > maxDeformed {
		return nil, fmt.Errorf("%d spatial axes, want %d at most", rank, maxDeformed)
	}
	offsets, err := Merge(in[2].Shape, append(Shape{y[0], taps.Mul(Size(rank))}, y[2:]...))
	if err != nil {
		return nil, fmt.Errorf("offsets: %w", err)
	}
	if mask := input(in, 4); mask.Present() {
		if _, err := Merge(mask.Shape, append(Shape{y[0], taps}, offsets[2:]...)); err != nil {
			return nil, fmt.Errorf("mask: %w", err)
		}
	}
	copy(y[2:], offsets[2:])
	return out, nil
}

// Eval convolves.
func (o *DeformConv) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		x, w := arg(in, 0), arg(in, 1)
		g, err := o.plain().Geometry(x.Shape(), w.Shape())
		if err != nil {
			return nil, err
		}
		y, err := room(Fact{Shape: Known(g.Shape()...)}, x.Type())
		if err != nil {
			return nil, err
		}
		if x.Type() == dtype.Float64 {
			deform[float64](o, g, y, in)
		} else {
			deform[float32](o, g, y, in)
		}
		return Of(y), nil
	})
}

// deform samples the data of each image and group into columns, one for each
// place, and multiplies them by the weight as convolve does.
func deform[T float32 | float64](o *DeformConv, g Geometry, out *tensor.Tensor, in []Datum) {
	y, x, offset := tensor.Data[T](out), tensor.Data[T](arg(in, 0)), tensor.Data[T](arg(in, 2))
	bias, mask := elements[T](arg(in, 3)), elements[T](arg(in, 4))
	taps, places, area, rank := g.Taps(), g.Places(), inner(g.In, 0), len(g.In)
	cg, mg := g.Channels/g.Group, g.Filters/g.Group
	if len(y) == 0 {
		return
	}
	k := taps * cg
	weight := orderTaps(tensor.Data[T](arg(in, 1)), g, taps, cg, mg)
	col := make([]T, k*places)
	place, tap, at := make([]int, rank), make([]int, rank), make([]float64, rank)
	for n := range g.Batch {
		for gr := range g.Group {
			for t := range taps {
				unravel(tap, t, g.Kernel)
				for c := range cg {
					channel := gr*cg + c
					set := (n*o.OffsetGroup+channel/(g.Channels/o.OffsetGroup))*taps + t
					image := x[(n*g.Channels+channel)*area:][:area]
					dst := col[(t*cg+c)*places:][:places]
					for p := range dst {
						unravel(place, p, g.Out)
						for i := range at {
							at[i] = float64(place[i]*g.Strides[i]-g.Begin[i]+tap[i]*g.Dilations[i]) + float64(offset[(set*rank+i)*places+p])
						}
						v := between(image, g.In, at)
						if mask != nil {
							v *= float64(mask[set*places+p])
						}
						dst[p] = T(v)
					}
				}
			}
			multiply(y[(n*g.Filters+gr*mg)*places:], places, mg, places, k,
				matrix[T]{weight[gr*mg*k:], k, 1}, matrix[T]{col, places, 1})
		}
		for m, b := range bias {
			for p := range places {
				y[(n*g.Filters+m)*places+p] += b
			}
		}
	}
}

// between returns the value of x [dims…] at a place between its elements,
// linear in each direction and 0 outside.
func between[T float32 | float64](x []T, dims []int, at []float64) float64 {
	sum := 0.0
corners:
	for corner := range 1 << len(dims) {
		weight, off := 1.0, 0
		for i, n := range dims {
			if !(at[i] > -1 && at[i] < float64(n)) {
				return 0
			}
			low := math.Floor(at[i])
			e, w := int(low), 1-(at[i]-low)
			if corner>>i&1 != 0 {
				e, w = e+1, at[i]-low
			}
			if w == 0 || e < 0 || e >= n {
				continue corners
			}
			weight, off = weight*w, off*n+e
		}
		sum += float64(weight * float64(x[off]))
	}
	return sum
}

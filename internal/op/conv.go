package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Conv is a convolution over any number of spatial axes: data, weight [M,
// C/group, kernel…] and an optional bias [M]. The data lies as Layout says.
type Conv struct {
	AutoPad     string `attr:"auto_pad,default=NOTSET"`
	Dilations   []int  `attr:"dilations"`
	Group       int    `attr:"group,default=1"`
	KernelShape []int  `attr:"kernel_shape"`
	Pads        []int  `attr:"pads"`
	Strides     []int  `attr:"strides"`
	Layout      Layout `attr:".layout"`
}

// Name returns "Conv".
func (o *Conv) Name() string { return "Conv" }

// Geometry places the windows for data of shape x and a weight of shape w.
func (o *Conv) Geometry(x, w []int) (Geometry, error) {
	batch, channels, dims, err := o.Layout.spatial(x)
	if err != nil {
		return Geometry{}, err
	}
	if err := o.check(Known(x...), Known(w...)); err != nil {
		return Geometry{}, err
	}
	win, err := o.window(len(dims), Known(w...))
	if err != nil {
		return Geometry{}, err
	}
	g, err := win.lay(dims)
	g.Batch, g.Channels, g.Group, g.Layout = batch, channels, o.Group, o.Layout
	g.Filters = w[0]
	return g, err
}

// window resolves the attributes for a weight of which w is known.
func (o *Conv) window(rank int, w Shape) (window, error) {
	kernel, err := kernelOf(o.KernelShape, rank, w)
	if err != nil {
		return window{}, err
	}
	return window{autoPad: o.AutoPad, kernel: kernel, strides: o.Strides, pads: o.Pads, dilations: o.Dilations}.resolve(rank)
}

// kernelOf returns the sizes of a kernel from the attribute and the weight's
// shape, which must agree.
func kernelOf(attr []int, rank int, w Shape) ([]int, error) {
	if len(attr) != 0 && len(attr) != rank {
		return nil, fmt.Errorf("kernel_shape %v for %d spatial axes", attr, rank)
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = unknownKernel
		if len(attr) > 0 {
			out[i] = attr[i]
		}
		if w == nil {
			continue
		}
		k, ok := w[2+i].Int()
		if ok && len(attr) > 0 && k != attr[i] {
			return nil, fmt.Errorf("kernel_shape %v and a weight of shape %v", attr, w)
		}
		if ok {
			out[i] = k
		}
	}
	return out, nil
}

// check compares the shapes of data and weight as far as they are known.
func (o *Conv) check(x, w Shape) error {
	if w != nil && (len(w) < 3 || x != nil && len(w) != len(x)) {
		return fmt.Errorf("data of shape %v and a weight of shape %v", x, w)
	}
	if o.Group < 1 {
		return fmt.Errorf("group %d", o.Group)
	}
	if w == nil {
		return nil
	}
	if m, ok := w[0].Int(); ok && m%o.Group != 0 {
		return fmt.Errorf("%d filters in %d groups", m, o.Group)
	}
	if x == nil {
		return nil
	}
	c, ok := x[o.Layout.Channel(len(x))].Int()
	cg, known := w[1].Int()
	if ok && known && (cg > maxExtent || c != cg*o.Group) {
		return fmt.Errorf("%d channels, and a weight of %d channels in each of %d groups", c, cg, o.Group)
	}
	return nil
}

// Infer returns the places of the windows.
func (o *Conv) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferConvolution(in, o.Layout, o.check, func(w Shape) Dim { return w[0] }, func(rank int, w Shape) (sizes, error) {
		return o.window(rank, w)
	})
}

// sizes tells the output size on a spatial axis of size d.
type sizes interface {
	size(axis int, d Dim) (Dim, error)
}

// inferConvolution checks the operands of a convolution or its transpose, as
// far as they are known, and sizes the output.
func inferConvolution(in []Fact, l Layout, check func(x, w Shape) error, filtersOf func(w Shape) Dim, windows func(rank int, w Shape) (sizes, error)) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in...)
	if err != nil {
		return nil, err
	}
	x, w := in[0].Shape, in[1].Shape
	if err := check(x, w); err != nil {
		return nil, err
	}
	filters := Unknown
	if w != nil {
		filters = filtersOf(w)
	}
	if err := wantLength(input(in, 2), "bias", filters); err != nil {
		return nil, err
	}
	if x == nil && w == nil {
		return []Fact{TensorFact(typ, nil)}, nil
	}
	rank := max(len(x), len(w))
	if rank < 3 {
		return nil, fmt.Errorf("data of shape %v has no spatial axis", x)
	}
	win, err := windows(rank-2, w)
	if err != nil {
		return nil, err
	}
	out, err := inferWindows(win, x, rank, l, filters)
	return []Fact{TensorFact(typ, out)}, err
}

// inferWindows returns the output's shape for data of shape x, which may be
// nil, of the given rank.
func inferWindows(s sizes, x Shape, rank int, l Layout, filters Dim) (Shape, error) {
	out := OfRank(rank)
	out[l.Channel(rank)] = filters
	if x == nil {
		return out, nil
	}
	out[0] = x[0]
	for i := range rank - 2 {
		d, err := s.size(i, x[l.Spatial()+i])
		if err != nil {
			return nil, err
		}
		out[l.Spatial()+i] = d
	}
	return out, nil
}

// Eval convolves.
func (o *Conv) Eval(in []Datum) ([]Datum, error) {
	return evalConvolution(o, in, o.Geometry)
}

func evalConvolution(o Op, in []Datum, geometry func(x, w []int) (Geometry, error)) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		x, w, b := arg(in, 0), arg(in, 1), arg(in, 2)
		g, err := geometry(x.Shape(), w.Shape())
		if err != nil {
			return nil, err
		}
		y, err := room(Fact{Shape: Known(g.Shape()...)}, x.Type())
		if err != nil {
			return nil, err
		}
		if x.Type() == dtype.Float64 {
			convolve(tensor.Data[float64](y), tensor.Data[float64](x), tensor.Data[float64](w), elements[float64](b), g)
		} else {
			convolve(tensor.Data[float32](y), tensor.Data[float32](x), tensor.Data[float32](w), elements[float32](b), g)
		}
		return Of(y), nil
	})
}

// elements returns the data of an optional tensor, nil where it is absent.
func elements[T tensor.Element](t *tensor.Tensor) []T {
	if t == nil {
		return nil
	}
	return tensor.Data[T](t)
}

// Quantization tells the weight, of one filter a row, and the bias.
func (o *Conv) Quantization() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis, f.Bias = []int{0}, 1, 0, 2
	f.WeightInput, f.Groups, f.Channels = 1, o.Group, 1
	if o.Layout == ChannelsLast {
		f.Channels = -1
	}
	return f
}

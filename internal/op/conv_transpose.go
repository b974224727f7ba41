package op

import (
	"fmt"
	"math"
)

// NoAxis is the WeightAxis of a weight without an axis of output channels. It
// is outside every tensor, where [None] would mean the last axis.
const NoAxis = math.MinInt

// ConvTranspose is the transpose of a convolution, the gradient of [Conv] with
// respect to its data: data, weight [C, M/group, kernel…], an optional bias
// [M]. OutputShape, if given, lists the spatial sizes and decides the pads.
type ConvTranspose struct {
	AutoPad       string `attr:"auto_pad,default=NOTSET"`
	Dilations     []int  `attr:"dilations"`
	Group         int    `attr:"group,default=1"`
	KernelShape   []int  `attr:"kernel_shape"`
	OutputPadding []int  `attr:"output_padding"`
	OutputShape   []int  `attr:"output_shape"`
	Pads          []int  `attr:"pads"`
	Strides       []int  `attr:"strides"`
	Layout        Layout `attr:".layout"`
}

// Name returns "ConvTranspose".
func (o *ConvTranspose) Name() string { return "ConvTranspose" }

// deconvolution is a window together with what only a ConvTranspose has.
type deconvolution struct {
	window
	extra, output []int // output padding; output sizes or nil
}

func (o *ConvTranspose) resolve(rank int, w Shape) (deconvolution, error) {
	kernel, err := kernelOf(o.KernelShape, rank, w)
	if err != nil {
		return deconvolution{}, err
	}
	win, err := window{autoPad: o.AutoPad, kernel: kernel, strides: o.Strides, pads: o.Pads, dilations: o.Dilations}.resolve(rank)
	d := deconvolution{window: win, extra: o.OutputPadding, output: o.OutputShape}
	if len(d.extra) == 0 {
		d.extra = make([]int, rank)
	}
	if len(d.output) == 0 {
		d.output = nil
	}
	if len(d.output) == rank+2 { // some exporters list batch and channels too
		d.output = d.output[2:]
	}
	if err == nil && (len(d.extra) != rank || d.output != nil && len(d.output) != rank) {
		err = fmt.Errorf("output_padding %v, output_shape %v for %d spatial axes", o.OutputPadding, o.OutputShape, rank)
	}
	for _, v := range d.extra {
		if err == nil && (v < 0 || v > maxWindow) {
			err = fmt.Errorf("output_padding %v", d.extra)
		}
	}
	for _, v := range d.output {
		if err == nil && (v < 0 || v > maxExtent) {
			err = fmt.Errorf("output_shape %v", d.output)
		}
	}
	return d, err
}

// full returns the size of the output before padding is cut off.
func (d deconvolution) full(axis int, in Dim) (Dim, error) {
	if n, ok := in.Int(); ok && (n < 0 || n > maxExtent) {
		return Unknown, fmt.Errorf("spatial axis %d has %d elements", axis, n)
	}
	if d.kernel[axis] == unknownKernel {
		return Unknown, nil
	}
	return in.Sub(Size(1)).Mul(Size(d.strides[axis])).Add(Size(d.span(axis) + d.extra[axis])), nil
}

// size returns the output size on an axis.
func (d deconvolution) size(axis int, in Dim) (Dim, error) {
	if d.output != nil {
		return Size(d.output[axis]), nil
	}
	full, err := d.full(axis, in)
	if err != nil {
		return Unknown, err
	}
	if d.same() && d.kernel[axis] == unknownKernel {
		return Unknown, nil
	}
	if d.same() {
		// The stride times the input, or all there is where the kernel leaves
		// gaps.
		return full.Sub(Size(max(0, d.span(axis)+d.extra[axis]-d.strides[axis]))), nil
	}
	out := full.Sub(Size(d.pads[axis] + d.pads[len(d.kernel)+axis]))
	if n, ok := out.Int(); ok && n < 0 {
		return Unknown, fmt.Errorf("spatial axis %d: pads of %d and %d leave nothing of %v", axis, d.pads[axis], d.pads[len(d.kernel)+axis], full)
	}
	return out, nil
}

// Geometry places the windows for data of shape x and a weight of shape w.
func (o *ConvTranspose) Geometry(x, w []int) (Geometry, error) {
	batch, channels, dims, err := o.Layout.spatial(x)
	if err != nil {
		return Geometry{}, err
	}
	if err := o.check(Known(x...), Known(w...)); err != nil {
		return Geometry{}, err
	}
	d, err := o.resolve(len(dims), Known(w...))
	if err != nil {
		return Geometry{}, err
	}
	g := Geometry{Batch: batch, Group: o.Group, Channels: channels, Filters: w[1] * o.Group, In: dims, Layout: o.Layout,
		Kernel: d.kernel, Strides: d.strides, Dilations: d.dilations, Transposed: true}
	for i, n := range dims {
		size, err := d.size(i, Size(n))
		if err != nil {
			return Geometry{}, err
		}
		full, err := d.full(i, Size(n))
		if err != nil {
			return Geometry{}, err
		}
		out, _ := size.Int()
		total, _ := full.Int()
		begin, end := d.pads[i], d.pads[len(dims)+i]
		if d.output != nil || d.same() {
			begin, end = d.split(max(total-out, 0))
		}
		g.Out, g.Begin, g.End = append(g.Out, out), append(g.Begin, begin), append(g.End, end)
	}
	return g, nil
}

// check compares the shapes of data and weight as far as they are known.
func (o *ConvTranspose) check(x, w Shape) error {
	if w != nil && (len(w) < 3 || x != nil && len(w) != len(x)) {
		return fmt.Errorf("data of shape %v and a weight of shape %v", x, w)
	}
	if o.Group < 1 {
		return fmt.Errorf("group %d", o.Group)
	}
	if w == nil {
		return nil
	}
	if c, ok := w[0].Int(); ok && c%o.Group != 0 {
		return fmt.Errorf("%d channels in %d groups", c, o.Group)
	}
	if m, ok := w[1].Int(); ok && m > maxExtent {
		return fmt.Errorf("a weight of shape %v", w)
	}
	if o.Group > maxExtent {
		return fmt.Errorf("group %d", o.Group)
	}
	if x == nil {
		return nil
	}
	c, ok := x[o.Layout.Channel(len(x))].Int()
	if k, known := w[0].Int(); ok && known && c != k {
		return fmt.Errorf("%d channels, and a weight for %d", c, k)
	}
	return nil
}

// Infer returns the size of the spread data.
func (o *ConvTranspose) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferConvolution(in, o.Layout, o.check, func(w Shape) Dim { return w[1].Mul(Size(o.Group)) }, func(rank int, w Shape) (sizes, error) {
		return o.resolve(rank, w)
	})
}

// Eval gathers every output element from the data.
func (o *ConvTranspose) Eval(in []Datum) ([]Datum, error) {
	return evalConvolution(o, in, o.Geometry)
}

// Quantization tells the weight and the bias. With several groups the filters
// of one index in each group share axis 1, so no axis stands for the filters
// and WeightAxis is [NoAxis]: one scale for the whole weight.
func (o *ConvTranspose) Quantization() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis, f.Bias = []int{0}, 1, 1, 2
	if o.Group != 1 {
		f.WeightAxis = NoAxis
	}
	return f
}

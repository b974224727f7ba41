package op

import "fmt"

// maxWindow bounds kernels, strides, dilations and pads, maxExtent the sizes of
// spatial axes, so that no sum or product of them overflows.
const (
	maxWindow = 1 << 20
	maxExtent = 1 << 40
)

// Geometry is how the windows of a convolution or pool lie, in numbers. The
// slices have one element a spatial axis.
type Geometry struct {
	Batch, Group int
	Channels     int // of the input
	Filters      int // channels of the output
	In, Out      []int
	Kernel       []int
	Strides      []int
	Dilations    []int
	Begin, End   []int // padding, as the attributes or auto_pad say
	Layout       Layout
	// Transposed says that the windows lie over the output and the strides
	// over the input: a ConvTranspose.
	Transposed bool
}

// Taps returns the number of elements of a kernel.
func (g Geometry) Taps() int { return inner(g.Kernel, 0) }

// Places returns the number of windows of one image and channel.
func (g Geometry) Places() int { return inner(g.Out, 0) }

// Shape returns the output's shape.
func (g Geometry) Shape() []int { return g.Layout.arrange(g.Batch, g.Filters, g.Out) }

// arrange returns the shape of activations.
func (l Layout) arrange(batch, channels int, spatial []int) []int {
	if l == ChannelsLast {
		return append(append([]int{batch}, spatial...), channels)
	}
	return append([]int{batch, channels}, spatial...)
}

// Source returns the input coordinate along a spatial axis that tap t of the
// output coordinate o reads, and false where it reads padding.
func (g Geometry) Source(axis, o, t int) (int, bool) {
	var i int
	if g.Transposed {
		i = o + g.Begin[axis] - t*g.Dilations[axis]
		if i%g.Strides[axis] != 0 {
			return 0, false
		}
		i /= g.Strides[axis]
	} else {
		i = o*g.Strides[axis] - g.Begin[axis] + t*g.Dilations[axis]
	}
	return i, i >= 0 && i < g.In[axis]
}

// window holds the attributes of a sliding window.
type window struct {
	autoPad                          string
	kernel, strides, pads, dilations []int
	ceil                             bool
}

// unknownKernel stands for a kernel size that is not known yet.
const unknownKernel = -1

// resolve fills in the defaults for the given number of spatial axes and
// checks every number. The kernel must be given; unknownKernel is allowed.
func (w window) resolve(rank int) (window, error) {
	switch w.autoPad {
	case "", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER":
	default:
		return w, fmt.Errorf("auto_pad %q", w.autoPad)
	}
	if rank < 1 || rank > maxRank {
		return w, fmt.Errorf("%d spatial axes", rank)
	}
	var err error
	fill := func(name string, vals []int, n, def, least int) []int {
		if len(vals) == 0 {
			vals = make([]int, n)
			for i := range vals {
				vals[i] = def
			}
		}
		if len(vals) != n && err == nil {
			err = fmt.Errorf("%s: got %d numbers for %d spatial axes", name, len(vals), rank)
		}
		for _, v := range vals {
			if (v < least || v > maxWindow) && err == nil {
				err = fmt.Errorf("%s %v: %d is outside %d to %d", name, vals, v, least, maxWindow)
			}
		}
		return vals
	}
	if len(w.kernel) != rank {
		return w, fmt.Errorf("kernel_shape: got %d numbers for %d spatial axes", len(w.kernel), rank)
	}
	for _, k := range w.kernel {
		if k != unknownKernel && (k < 1 || k > maxWindow) {
			return w, fmt.Errorf("kernel_shape %v: %d is outside 1 to %d", w.kernel, k, maxWindow)
		}
	}
	w.strides = fill("strides", w.strides, rank, 1, 1)
	w.dilations = fill("dilations", w.dilations, rank, 1, 1)
	if !w.explicit() {
		w.pads = nil
	}
	w.pads = fill("pads", w.pads, 2*rank, 0, 0)
	return w, err
}

// explicit reports whether the pads are those of the attribute.
func (w window) explicit() bool { return w.autoPad == "" || w.autoPad == "NOTSET" }

func (w window) same() bool { return w.autoPad == "SAME_UPPER" || w.autoPad == "SAME_LOWER" }

// span returns the extent of the kernel on an axis, dilation included.
func (w window) span(axis int) int { return (w.kernel[axis]-1)*w.dilations[axis] + 1 }

// split divides padding between the two sides of an axis.
func (w window) split(total int) (begin, end int) {
	if w.autoPad == "SAME_UPPER" {
		return total / 2, total - total/2
	}
	return total - total/2, total / 2
}

// size returns the output size on an axis of size d.
func (w window) size(axis int, d Dim) (Dim, error) {
	n, known := d.Int()
	if known && (n < 0 || n > maxExtent) {
		return Unknown, fmt.Errorf("spatial axis %d has %d elements", axis, n)
	}
	stride := w.strides[axis]
	if w.same() {
		return d.CeilDiv(Size(stride)), nil
	}
	if w.kernel[axis] == unknownKernel {
		return Unknown, nil
	}
	begin, end := w.pads[axis], w.pads[len(w.kernel)+axis]
	free := d.Add(Size(begin + end - w.span(axis)))
	if f, ok := free.Int(); ok && f < 0 {
		return Unknown, fmt.Errorf("spatial axis %d has %d elements with padding, the kernel spans %d", axis, n+begin+end, w.span(axis))
	}
	if !w.ceil {
		return free.Div(Size(stride)).Add(Size(1)), nil
	}
	out := free.CeilDiv(Size(stride)).Add(Size(1))
	if known {
		// A window must not begin in the padding behind the input.
		if m, _ := out.Int(); (m-1)*stride >= n+begin {
			return Size(m - 1), nil
		}
		return out, nil
	}
	if end+stride > w.span(axis) {
		return Unknown, nil
	}
	return out, nil
}

// lay places the windows on all axes of the given sizes.
func (w window) lay(in []int) (Geometry, error) {
	g := Geometry{Group: 1, In: in, Kernel: w.kernel, Strides: w.strides, Dilations: w.dilations}
	for i, n := range in {
		d, err := w.size(i, Size(n))
		if err != nil {
			return Geometry{}, err
		}
		out, _ := d.Int()
		begin, end := w.pads[i], w.pads[len(in)+i]
		if w.same() {
			begin, end = w.split(max((out-1)*w.strides[i]+w.span(i)-n, 0))
		}
		g.Out, g.Begin, g.End = append(g.Out, out), append(g.Begin, begin), append(g.End, end)
	}
	return g, nil
}

// spatial splits a shape by layout; its rank must be 3 at least.
func (l Layout) spatial(s []int) (batch, channels int, dims []int, err error) {
	if len(s) < 3 {
		return 0, 0, nil, fmt.Errorf("data of shape %v has no spatial axis", s)
	}
	at := l.Spatial()
	return s[0], s[l.Channel(len(s))], s[at : at+len(s)-2], nil
}

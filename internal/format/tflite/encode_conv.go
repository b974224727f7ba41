package tflite

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// activation returns the fused activation of the node and the tensor that its
// result goes to. For floats that is the node behind it, if it is one.
func (e *encoder) activation() (byte, int32) {
	if e.q != nil {
		return e.clamped(), e.out(0)
	}
	v := e.n.Out[0]
	if uses := e.uses[v]; len(uses) == 1 && uses[0].Index == 0 && !e.g.IsOutput(v) {
		next := uses[0].Node
		if f, ok := e.fusedOf(next); ok {
			e.gone[next] = true
			return f, e.tensor(next.Out[0])
		}
	}
	return fusedNone, e.out(0)
}

// fusedOf returns the fused activation that stands for a node.
func (e *encoder) fusedOf(n *ir.Node) (byte, bool) {
	switch n.Op.(type) {
	case *op.Relu:
		return fusedRelu, true
	case *op.Clip:
		lo, hi, ok := e.limits(n)
		if !ok {
			return 0, false
		}
		return fusedLimit(lo, hi)
	}
	return 0, false
}

// limits returns the constant bounds of a Clip.
func (e *encoder) limits(n *ir.Node) (lo, hi float64, ok bool) {
	bounds := [2]float64{math.Inf(-1), math.Inf(1)}
	for i := range bounds {
		if i+1 >= len(n.In) || n.In[i+1] == nil {
			continue
		}
		c := n.In[i+1].Const
		if half := e.halves[n.In[i+1]]; half != nil {
			c, _ = op.Convert(half.Const, dtype.Float32)
		}
		if c == nil || c.Type() != dtype.Float32 || c.Len() != 1 {
			return 0, 0, false
		}
		bounds[i] = float64(tensor.Data[float32](c)[0])
	}
	return bounds[0], bounds[1], true
}

func fusedLimit(lo, hi float64) (byte, bool) {
	switch {
	case lo == 0 && math.IsInf(hi, 1):
		return fusedRelu, true
	case lo == 0 && hi == 6:
		return fusedRelu6, true
	case lo == -1 && hi == 1:
		return fusedReluN1To1, true
	}
	return 0, false
}

// clamped returns the fused activation that stands for the limits of a
// quantized operator. Those outside of what the integers can say limit nothing.
func (e *encoder) clamped() byte {
	if e.q.Clamp == nil {
		return fusedNone
	}
	lo, hi := e.q.Clamp.Lo, e.q.Clamp.Hi
	if f, ok := fusedLimit(lo, hi); ok {
		return f
	}
	least, most := span(e.q.Out[0])
	if lo <= least {
		lo = math.Inf(-1)
	}
	if hi >= most {
		hi = math.Inf(1)
	}
	switch {
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return fusedNone
	case lo == 0 && hi >= most:
		return fusedRelu
	case math.IsInf(lo, -1) && hi == 6 && least >= 0:
		return fusedRelu6
	}
	e.err = e.unsupported(e.n, fmt.Sprintf("with the limits %v to %v", e.q.Clamp.Lo, e.q.Clamp.Hi), "quantize the float model with --target litert")
	return fusedNone
}

// span returns the least and the greatest number that integers stand for.
func span(p affine.Params) (lo, hi float64) {
	least, most := affine.Scheme{Type: p.Type}.Range()
	s := float64(p.Scale[0])
	return s * float64(least-p.Zero(0)), s * float64(most-p.Zero(0))
}

// bias returns input k as the bias of a product: int32 beside int8 data, int64
// beside int16, or float; zeros of n elements where it is absent.
func (e *encoder) bias(k, n int) int32 {
	absent := k >= len(e.n.In) || e.n.In[k] == nil
	if e.q == nil {
		if absent {
			return e.given(tensor.New(dtype.Float32, n))
		}
		return e.flat(k)
	}
	wide := e.q.In[0].Type == dtype.Int16
	if absent {
		typ := dtype.Int32
		if wide {
			typ = dtype.Int64
		}
		p := e.sums(typ)
		x := &outTensor{name: e.n.Out[0].Name + "/bias", typ: typ, shape: op.Known(n), data: tensor.New(typ, n)}
		x.quantization, _, _ = quantizationFor(p)
		return e.add(x)
	}
	p := e.q.In[k]
	c := e.n.In[k].Const
	if !p.Present() || c == nil {
		e.err = e.unsupported(e.n, "with a float bias beside integers", "quantize the float model with --target litert")
		return -1
	}
	if !wide {
		return e.constant(e.n.In[k], p, nil)
	}
	vals, _ := tensor.Ints(c)
	x := &outTensor{name: e.n.In[k].Name, typ: dtype.Int64, shape: op.Known(len(vals)), data: tensor.FromInts(dtype.Int64, vals, len(vals))}
	x.quantization, _, _ = quantizationFor(p)
	return e.add(x)
}

// added is bias for a FULLY_CONNECTED, which does without where it is absent.
func (e *encoder) added(k, n int) int32 {
	if k >= len(e.n.In) || e.n.In[k] == nil {
		return -1
	}
	return e.bias(k, n)
}

// flat returns a float bias as a list; that of constant integers is computed.
func (e *encoder) flat(k int) int32 {
	v := e.n.In[k]
	c := v.Const
	if c == nil {
		c = e.folded(v)
	}
	if c == nil || c == v.Const && len(v.Shape) == 1 {
		return e.tensor(v)
	}
	c, err := c.Reshape(c.Len())
	if err != nil {
		e.err = err
		return -1
	}
	return e.given(c)
}

// sums are the parameters of a product's sums.
func (e *encoder) sums(typ dtype.Type) affine.Params {
	x, w := e.q.In[0], e.q.In[1]
	p := affine.Params{Type: typ, Axis: affine.PerTensorAxis}
	for _, s := range w.Scale {
		p.Scale = append(p.Scale, x.Scale[0]*s)
	}
	if len(p.Scale) > 1 {
		p.Axis = 0
	}
	return p
}

// windowed is a spatial operator's place on its data, in height and width.
type windowed struct {
	x                          int32
	kernel, strides, dilations [2]int
	padding                    byte
	flat                       bool // the data has one spatial axis, and got a height of 1
}

// window brings the operator's windows onto two axes: data of one spatial axis
// gets a height of 1, and pads that are not SAME's become a PAD with fill.
func (e *encoder) window(layout op.Layout, kernel, strides, dilations, pads []int, auto string, ceil bool, fill *float32) windowed {
	var w windowed
	x := e.n.In[0]
	w.x = e.in(0)
	rank := len(x.Shape)
	if layout != op.ChannelsLast && rank > 2 || rank < 3 || rank > 4 {
		e.err = e.unsupported(e.n, fmt.Sprintf("on data of %d dimensions", rank), "models of one or two spatial dimensions can be written")
		return w
	}
	n := rank - 2
	at := func(list []int, i, def int) int {
		if i < len(list) {
			return list[i]
		}
		return def
	}
	w.kernel, w.strides, w.dilations = [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1}
	var before, after [2]int
	for i := range n {
		k := 2 - n + i
		w.kernel[k], w.strides[k], w.dilations[k] = at(kernel, i, 1), at(strides, i, 1), at(dilations, i, 1)
		before[k], after[k] = at(pads, i, 0), at(pads, n+i, 0)
	}
	if n == 1 {
		w.flat = true
		shape := op.Shape{x.Shape[0], op.Size(1), x.Shape[1], x.Shape[2]}
		w.x = e.reshaped(w.x, shape)
	}
	if auto == "VALID" {
		before, after = [2]int{}, [2]int{}
	}
	if e.err != nil {
		return w
	}
	shape := e.tensors[w.x].shape
	sameAs, none := true, true
	for i := range 2 {
		d, ok := shape[1+i].Int()
		if auto == "SAME_UPPER" && !ok {
			continue
		}
		if auto == "SAME_UPPER" || auto == "SAME_LOWER" {
			a, b := same(d, w.kernel[i], w.strides[i], w.dilations[i])
			before[i], after[i] = a, b
			if auto == "SAME_LOWER" {
				before[i], after[i] = b, a
			}
		}
		if ok && ceil {
			reach := (w.kernel[i]-1)*w.dilations[i] + 1
			if rest := (d + before[i] + after[i] - reach) % w.strides[i]; rest > 0 && reach <= d+before[i]+after[i] {
				after[i] += w.strides[i] - rest
			}
		}
		if before[i] != 0 || after[i] != 0 {
			none = false
		}
		a, b := same(d, w.kernel[i], w.strides[i], w.dilations[i])
		if !ok && (before[i] != 0 || after[i] != 0 || w.kernel[i] != 1) || a != before[i] || b != after[i] {
			sameAs = false
		}
	}
	w.padding = paddingValid
	switch {
	case auto == "SAME_UPPER" || sameAs && !none:
		w.padding = paddingSame
	case !none:
		w.x = e.padded(w.x, []int{0, before[0], before[1], 0}, []int{0, after[0], after[1], 0}, fill)
	}
	return w
}

// reshaped appends a RESHAPE to a shape of which at most the first size is not
// known.
func (e *encoder) reshaped(x int32, shape op.Shape) int32 {
	y := e.like(x, shape)
	e.reshapeTo(x, y)
	return y
}

// reshapeTo appends a RESHAPE from x to y.
func (e *encoder) reshapeTo(x, y int32) {
	if x < 0 || y < 0 {
		return
	}
	to, free := make([]int, len(e.tensors[y].shape)), 0
	for i, d := range e.tensors[y].shape {
		n, ok := d.Int()
		if to[i] = n; !ok {
			to[i] = -1
			free++
		}
	}
	if free > 1 && e.err == nil {
		e.err = e.unsupported(e.n, fmt.Sprintf("to a shape of %v", e.tensors[y].shape), "fix the dynamic dimensions with --shape or --dim")
		return
	}
	e.emit("RESHAPE", reshapeOptions{to}, []int32{x, e.list(to...)}, y)
}

// padded appends a PAD, or a PADV2 with the number fill.
func (e *encoder) padded(x int32, before, after []int, fill *float32) int32 {
	if x < 0 {
		return -1
	}
	from := e.tensors[x]
	shape, list := from.shape.Clone(), []int{}
	for i := range shape {
		if n := before[i] + after[i]; n != 0 {
			shape[i] = shape[i].Add(op.Size(n))
		}
		list = append(list, before[i], after[i])
	}
	y := e.like(x, shape)
	pairs := e.array([]int{len(before), 2}, list...)
	if fill == nil {
		e.emit("PAD", nil, []int32{x, pairs}, y)
		return y
	}
	e.emit("PADV2", nil, []int32{x, pairs, e.number(x, *fill)}, y)
	return y
}

// number returns a constant of x's type and parameters; beyond what its integers
// can say it is their end.
func (e *encoder) number(x int32, v float32) int32 {
	from := e.tensors[x]
	if len(from.scale) == 0 {
		return e.scalar(v)
	}
	least, most := affine.Scheme{Type: from.typ}.Range()
	k := math.RoundToEven(float64(v)/float64(from.scale[0])) + float64(from.zero[0])
	i := e.owned(tensor.FromInts(from.typ, []int64{int64(max(min(k, float64(most)), float64(least)))}))
	e.tensors[i].quantization = from.quantization
	return i
}

// spread gives a result of one spatial axis its height back: it returns the
// tensor that the operator writes and, behind the operator, what is to be done.
func (e *encoder) spread(w windowed, y int32) (int32, func()) {
	if !w.flat || y < 0 {
		return y, func() {}
	}
	s := e.tensors[y].shape
	wide := e.like(y, op.Shape{s[0], op.Size(1), s[1], s[2]})
	return wide, func() { e.reshapeTo(wide, y) }
}

func encodeConv(e *encoder) {
	o := unwrap(e.n.Op).(*op.Conv)
	weights := e.n.In[1]
	k := e.sizes(weights)
	if e.err != nil {
		return
	}
	group := max(o.Group, 1)
	deep := group > 1 && k[1] == 1
	e.multiply(false, deep)
	e.bytes = deep // LiteRT 2.3 registers no version for int4
	w := e.window(o.Layout, k[2:], o.Strides, o.Dilations, o.Pads, o.AutoPad, false, nil)
	perm := []int{0, 2, 3, 1}
	switch {
	case deep && w.flat:
		perm = []int{1, 2, 0}
	case deep:
		perm = []int{1, 2, 3, 0}
	case w.flat:
		perm = []int{0, 2, 1}
	}
	filter := e.weight(1, perm...)
	if w.flat {
		filter = e.tall(filter, deep)
	}
	b := e.bias(2, k[0])
	f, y := e.activation()
	to, then := e.spread(w, y)
	if deep {
		e.emit("DEPTHWISE_CONV_2D", depthwiseOptions{Padding: w.padding, StrideH: int32(w.strides[0]), StrideW: int32(w.strides[1]), Multiplier: int32(k[0] / group), Fused: f,
			DilateH: int32(w.dilations[0]), DilateW: int32(w.dilations[1])}, []int32{w.x, filter, b}, to)
	} else {
		e.emit("CONV_2D", conv2DOptions{Padding: w.padding, StrideH: int32(w.strides[0]), StrideW: int32(w.strides[1]), Fused: f,
			DilateH: int32(w.dilations[0]), DilateW: int32(w.dilations[1])}, []int32{w.x, filter, b}, to)
	}
	then()
}

// tall gives weights of one spatial axis a height of 1: [out, width, in] or
// [1, width, channels].
func (e *encoder) tall(filter int32, deep bool) int32 {
	if filter < 0 {
		return filter
	}
	x := *e.tensors[filter]
	if x.data == nil { // computed, or widened
		s := x.shape
		return e.reshaped(filter, op.Shape{s[0], op.Size(1), s[1], s[2]})
	}
	s := x.data.Shape()
	shape := []int{s[0], 1, s[1], s[2]}
	data, err := x.data.Reshape(shape...)
	if err != nil {
		e.err = err
		return -1
	}
	if x.data, x.shape = data, op.Known(shape...); x.axis > 0 {
		x.axis++
	}
	return e.add(&x)
}

// encodeConvTranspose writes the transpose of the convolution whose padding
// gives the same places.
func encodeConvTranspose(e *encoder) {
	o := e.n.Op
	c := unwrap(o).(*op.ConvTranspose)
	k, in, out := e.sizes(e.n.In[1]), e.sizes(e.n.In[0]), e.sizes(e.n.Out[0])
	if e.err != nil {
		return
	}
	if len(in) != 4 || c.Layout != op.ChannelsLast || c.Group > 1 || slices.ContainsFunc(c.Dilations, func(d int) bool { return d > 1 }) {
		e.err = e.unsupported(e.n, "in groups, with dilations or of another rank than 4", "leave it out of the model, or write an ONNX model (.onnx)")
		return
	}
	strides := [2]int{1, 1}
	copy(strides[:], c.Strides)
	padding := byte(paddingSame)
	for i := range 2 {
		before := 0
		if len(c.Pads) == 4 {
			before = c.Pads[i]
		}
		a, _ := same(out[1+i], k[2+i], strides[i], 1)
		if fits := (out[1+i]+strides[i]-1)/strides[i] == in[1+i]; !fits || a != before {
			padding = paddingValid
		}
	}
	if padding == paddingValid {
		for i := range 2 {
			if len(c.Pads) == 4 && (c.Pads[i] != 0) {
				e.err = e.unsupported(e.n, fmt.Sprintf("with pads %v", c.Pads), "pads must be those of SAME, or none")
				return
			}
		}
	}
	e.bytes = true
	// Weights are [in, out, height, width] here, [out, height, width, in] there.
	filter := e.weight(1, 1, 2, 3, 0)
	b := e.bias(2, k[1])
	f, y := e.activation()
	e.emit("TRANSPOSE_CONV", transposeConvOptions{Padding: padding, StrideH: int32(strides[0]), StrideW: int32(strides[1]), Fused: f},
		[]int32{e.list(out...), filter, e.in(0), b}, y)
}

func encodeMaxPool(e *encoder) {
	o := unwrap(e.n.Op).(*op.MaxPool)
	lowest := float32(math.Inf(-1))
	if slices.ContainsFunc(o.Dilations, func(d int) bool { return d > 1 }) || len(e.n.Out) > 1 && e.n.Out[1] != nil {
		e.err = e.unsupported(e.n, "with dilations or indices", "write an ONNX model (.onnx)")
		return
	}
	if e.q == nil {
		lowest = -math.MaxFloat32
	}
	e.pool("MAX_POOL_2D", e.window(o.Layout, o.KernelShape, o.Strides, nil, o.Pads, o.AutoPad, o.CeilMode, &lowest))
}

func encodeAveragePool(e *encoder) {
	o := unwrap(e.n.Op).(*op.AveragePool)
	w := e.window(o.Layout, o.KernelShape, o.Strides, o.Dilations, o.Pads, o.AutoPad, o.CeilMode, nil)
	padded := slices.ContainsFunc(o.Pads, func(p int) bool { return p != 0 })
	if e.err == nil && padded && o.CountIncludePad == (w.padding == paddingSame) {
		e.err = e.unsupported(e.n, "whose means leave padding out, or count it, where the format does the opposite", "use pads of SAME without count_include_pad, or others with it")
		return
	}
	e.pool("AVERAGE_POOL_2D", w)
}

func (e *encoder) pool(name string, w windowed) {
	f, y := e.activation()
	to, then := e.spread(w, y)
	e.emit(name, pool2DOptions{Padding: w.padding, StrideH: int32(w.strides[0]), StrideW: int32(w.strides[1]),
		FilterH: int32(w.kernel[0]), FilterW: int32(w.kernel[1]), Fused: f}, []int32{w.x}, to)
	then()
}

// encodeGlobalAverage is a MEAN over the places.
func encodeGlobalAverage(e *encoder) { e.global("MEAN", unwrap(e.n.Op).(*op.GlobalAveragePool).Layout) }

func encodeGlobalMax(e *encoder) { e.global("REDUCE_MAX", unwrap(e.n.Op).(*op.GlobalMaxPool).Layout) }

func (e *encoder) global(name string, layout op.Layout) {
	var axes []int
	for i := range len(e.n.In[0].Shape) - 2 {
		axes = append(axes, layout.Spatial()+i)
	}
	e.emit(name, reducerOptions{KeepDims: true}, []int32{e.in(0), e.list(axes...)}, e.out(0))
}

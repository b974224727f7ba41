package tflite

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// encodeReshape is every operator that gives the same elements another shape.
func encodeReshape(e *encoder) {
	x, y := e.in(0), e.out(0)
	if x < 0 || y < 0 {
		return
	}
	free := 0
	for _, d := range e.tensors[y].shape {
		if _, ok := d.Int(); !ok {
			free++
		}
	}
	if _, ok := unwrap(e.n.Op).(*op.Reshape); ok && free > 1 {
		e.emit("RESHAPE", reshapeOptions{}, []int32{x, e.ints32(1)}, y)
		return
	}
	e.reshapeTo(x, y)
}

func encodeTranspose(e *encoder) {
	x := e.in(0)
	perm := unwrap(e.n.Op).(*op.Transpose).Perm
	if perm == nil {
		for i := range e.n.In[0].Shape {
			perm = append(perm, len(e.n.In[0].Shape)-1-i)
		}
	}
	e.emit("TRANSPOSE", nil, []int32{x, e.list(perm...)}, e.out(0))
}

func encodeConcat(e *encoder) {
	var in []int32
	for k := range e.n.In {
		in = append(in, e.in(k))
	}
	e.emit("CONCATENATION", concatenationOptions{Axis: int32(unwrap(e.n.Op).(*op.Concat).Axis)}, in, e.out(0))
}

func encodePad(e *encoder) {
	o := unwrap(e.n.Op).(*op.Pad)
	pads, axes := e.numbers(1, "pads"), e.numbers(3, "axes")
	rank := len(e.n.In[0].Shape)
	if axes == nil {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	if e.err != nil || len(pads) != 2*len(axes) {
		return
	}
	pairs, negative := make([]int, 2*rank), false
	for i, a := range axes {
		if a < 0 {
			a += rank
		}
		pairs[2*a], pairs[2*a+1] = pads[i], pads[len(axes)+i]
		negative = negative || pads[i] < 0 || pads[len(axes)+i] < 0
	}
	if negative || o.Mode != "constant" && o.Mode != "reflect" {
		e.err = e.unsupported(e.n, fmt.Sprintf("of mode %q with pads %v", o.Mode, pads), "pads from 0 up of modes constant and reflect can be written")
		return
	}
	x, list := e.in(0), e.array([]int{rank, 2}, pairs...)
	switch {
	case o.Mode == "reflect":
		e.emit("MIRROR_PAD", mirrorPadOptions{}, []int32{x, list}, e.out(0))
	case len(e.n.In) > 2 && e.n.In[2] != nil && !isZero(e.n.In[2].Const):
		e.emit("PADV2", nil, []int32{x, list, e.in(2)}, e.out(0))
	default:
		e.emit("PAD", nil, []int32{x, list}, e.out(0))
	}
}

func isZero(t *tensor.Tensor) bool {
	return t != nil && t.Type() == dtype.Float32 && t.Len() == 1 && tensor.Data[float32](t)[0] == 0
}

// encodeSlice is a STRIDED_SLICE with an entry for every axis. Entries that
// reach the end have the bit of the mask.
func encodeSlice(e *encoder) {
	starts, ends := e.numbers(1, "starts"), e.numbers(2, "ends")
	axes, steps := e.numbers(3, "axes"), e.numbers(4, "steps")
	rank := len(e.n.In[0].Shape)
	if e.err != nil {
		return
	}
	from, to, by := make([]int, rank), make([]int, rank), make([]int, rank)
	o := stridedSliceOptions{}
	for i := range rank {
		by[i] = 1
		o.BeginMask |= 1 << i
		o.EndMask |= 1 << i
	}
	for i := range starts {
		a, step := i, 1
		if axes != nil {
			a = axes[i]
		}
		if steps != nil {
			step = steps[i]
		}
		if a < 0 {
			a += rank
		}
		from[a], to[a], by[a] = starts[i], ends[i], step
		if !(step > 0 && starts[i] == 0 || step < 0 && starts[i] >= math.MaxInt32) {
			o.BeginMask &^= 1 << a
		}
		if !(step > 0 && ends[i] >= math.MaxInt32 || step < 0 && ends[i] <= math.MinInt32) {
			o.EndMask &^= 1 << a
		}
	}
	e.emit("STRIDED_SLICE", o, []int32{e.in(0), e.list(from...), e.list(to...), e.list(by...)}, e.out(0))
}

func encodeSplit(e *encoder) {
	o := unwrap(e.n.Op).(*op.Split)
	x := e.in(0)
	a, err := op.Axis(o.Axis, len(e.n.In[0].Shape))
	if err != nil || x < 0 {
		e.err = orError(e.err, err)
		return
	}
	given := []op.Fact{e.n.In[0].Fact}
	if len(e.n.In) > 1 && e.n.In[1] != nil {
		given = append(given, e.n.In[1].Fact)
	}
	facts, err := o.Infer(given, len(e.n.Out))
	if err != nil {
		e.err = err
		return
	}
	var out []int32
	var sizes []int
	even := true
	for k, f := range facts {
		var v *ir.Value
		shape := f.Shape
		if k < len(e.n.Out) && e.n.Out[k] != nil {
			v = e.n.Out[k]
			shape = v.Shape
		}
		if shape == nil {
			e.err = e.unsupported(e.n, "into parts of unknown sizes", "fix the dynamic dimensions with --shape or --dim")
			return
		}
		if v != nil {
			out = append(out, e.out(k))
		} else {
			out = append(out, e.like(x, shape)) // nothing reads it
		}
		even = even && shape[a].Same(e.tensors[max(out[0], 0)].shape[a])
		n, _ := shape[a].Int()
		sizes = append(sizes, n)
	}
	axis := e.given(tensor.Scalar(int32(a)))
	if even {
		e.emit("SPLIT", splitOptions{int32(len(out))}, []int32{axis, x}, out...)
		return
	}
	e.emit("SPLIT_V", splitOptions{int32(len(out))}, []int32{x, e.list(sizes...), axis}, out...)
}

func encodeGather(e *encoder) {
	o := unwrap(e.n.Op).(*op.Gather)
	x := e.n.In[0].Shape
	axis, err := op.Axis(o.Axis, len(x))
	if err != nil {
		e.err = err
		return
	}
	index := e.tensor(e.n.In[1])
	if at := e.n.In[1].Const; at != nil {
		index = e.places(at, func(int) op.Dim { return x[axis] })
	}
	e.emit("GATHER", gatherOptions{Axis: int32(o.Axis)}, []int32{e.in(0), index}, e.out(0))
}

// places returns constant indices, element i of which is along an axis of the
// size given, without negative ones, which the format has not.
func (e *encoder) places(at *tensor.Tensor, size func(i int) op.Dim) int32 {
	vals, _ := tensor.Ints(at)
	list := make([]int, len(vals))
	for i, v := range vals {
		if list[i] = int(v); v < 0 {
			n, _ := size(i).Int()
			list[i] += n
		}
	}
	return e.array(at.Shape(), list...)
}

// encodeGatherND reads slices at constant or computed places.
func encodeGatherND(e *encoder) {
	if unwrap(e.n.Op).(*op.GatherND).BatchDims != 0 {
		e.err = e.unsupported(e.n, "with batch_dims", "write an ONNX model (.onnx)")
		return
	}
	x := e.n.In[0].Shape
	var index int32
	if at := e.n.In[1].Const; at != nil {
		last := at.Shape()[at.Rank()-1]
		index = e.places(at, func(i int) op.Dim { return x[i%last] })
	} else {
		index = e.ints32(1)
	}
	e.emit("GATHER_ND", nil, []int32{e.in(0), index}, e.out(0))
}

func encodeTile(e *encoder) { e.emit("TILE", nil, []int32{e.in(0), e.ints32(1)}, e.out(0)) }

// encodeExpand broadcasts to the shape of its output, which ONNX lets be larger
// than what it is told: a size of 1 keeps that of the data. The format's kernel
// wants the output's sizes, so that those that are computed are raised to what
// is known of the output, or to the data's own.
func encodeExpand(e *encoder) {
	x, y := e.n.In[0], e.n.Out[0]
	if s, ok := dims(y); ok {
		e.emit("BROADCAST_TO", nil, []int32{e.in(0), e.list(s...)}, e.out(0))
		return
	}
	to := e.ints32(1)
	if n, ok := e.n.In[1].Shape.Count().Int(); !ok || n != len(y.Shape) {
		e.err = e.unsupported(e.n, fmt.Sprintf("to fewer sizes than the %d of the data", len(y.Shape)), "fix the dynamic dimensions with --shape or --dim")
	}
	if to < 0 || e.err != nil {
		return
	}
	least, own := make([]int, len(y.Shape)), false
	for i, d := range y.Shape {
		n, ok := d.Int()
		if least[i] = n; ok {
			continue
		}
		least[i] = 1
		k := i - len(y.Shape) + len(x.Shape)
		own = own || k >= 0 && !x.Shape[k].Is(1)
	}
	raise := func(by int32) {
		z := e.like(to, e.tensors[to].shape)
		e.emit("MAXIMUM", nil, []int32{to, by}, z)
		to = z
	}
	raise(e.list(least...))
	if own {
		if len(x.Shape) != len(y.Shape) {
			e.err = e.unsupported(e.n, fmt.Sprintf("from %v to %v", x.Shape, y.Shape), "fix the dynamic dimensions with --shape or --dim")
			return
		}
		shape := e.like(to, e.tensors[to].shape)
		e.emit("SHAPE", typeOptions{typeNumber(dtype.Int32)}, []int32{e.in(0)}, shape)
		raise(shape)
	}
	e.emit("BROADCAST_TO", nil, []int32{e.in(0), to}, e.out(0))
}

// encodeShape is a SHAPE, of which a STRIDED_SLICE takes some of the sizes.
func encodeShape(e *encoder) {
	rank := len(e.n.In[0].Shape)
	lo, hi := e.n.Op.(*op.ShapeOf).Span(rank)
	out, whole := e.out(0), lo == 0 && hi == rank
	all := out
	if !whole {
		all = e.like(out, op.Known(rank))
	}
	e.emit("SHAPE", typeOptions{typeNumber(dtype.Int64)}, []int32{e.in(0)}, all)
	if !whole {
		e.emit("STRIDED_SLICE", stridedSliceOptions{}, []int32{all, e.list(lo), e.list(hi), e.list(1)}, out)
	}
}

func encodeDepthToSpace(e *encoder) {
	o := unwrap(e.n.Op).(*op.DepthToSpace)
	if o.Mode != "DCR" || o.Layout != op.ChannelsLast {
		e.err = e.unsupported(e.n, "of mode "+o.Mode, "mode DCR can be written")
		return
	}
	e.emit("DEPTH_TO_SPACE", blockOptions{int32(o.BlockSize)}, []int32{e.in(0)}, e.out(0))
}

func encodeSpaceToDepth(e *encoder) {
	o := unwrap(e.n.Op).(*op.SpaceToDepth)
	if o.Layout != op.ChannelsLast {
		e.err = e.unsupported(e.n, "channels first", "")
		return
	}
	e.emit("SPACE_TO_DEPTH", blockOptions{int32(o.BlockSize)}, []int32{e.in(0)}, e.out(0))
}

// encodeResize is a resize of the two spatial axes of channels-last data.
func encodeResize(e *encoder) {
	o := unwrap(e.n.Op).(*op.Resize)
	in, out := e.sizes(e.n.In[0]), e.sizes(e.n.Out[0])
	if e.err != nil {
		return
	}
	ok := len(in) == 4 && in[0] == out[0] && in[3] == out[3] && !o.Antialias && o.AspectRatio == "stretch"
	half, align := o.Coordinates == "half_pixel" || o.Coordinates == "pytorch_half_pixel" && out[1] > 1 && out[2] > 1, o.Coordinates == "align_corners"
	ok = ok && (half || align || o.Coordinates == "asymmetric")
	size := e.list(out[max(len(out)-3, 0):max(len(out)-1, 0)]...)
	switch {
	case ok && o.Mode == "linear":
		e.emit("RESIZE_BILINEAR", resizeBilinearOptions{AlignCorners: align, HalfPixel: half}, []int32{e.in(0), size}, e.out(0))
	case ok && o.Mode == "nearest" && nearest(o, in, out, half, align):
		e.emit("RESIZE_NEAREST_NEIGHBOR", resizeNearestOptions{AlignCorners: align, HalfPixel: half}, []int32{e.in(0), size}, e.out(0))
	default:
		e.err = e.unsupported(e.n, fmt.Sprintf("of mode %s, %s coordinates and %s rounding from %v to %v", o.Mode, o.Coordinates, o.NearestMode, in, out),
			"bilinear and nearest resizes of height and width can be written")
	}
}

// nearest reports whether the format's kernel takes the same elements: it rounds
// down, or to the nearest and upwards from half. Where an image grows by whole
// numbers no place lies half-way, so that all ways of rounding to the nearest
// are one.
func nearest(o *op.Resize, in, out []int, half, align bool) bool {
	whole := true
	for i := 1; i < len(in)-1; i++ {
		whole = whole && in[i] > 0 && out[i]%in[i] == 0
	}
	switch o.NearestMode {
	case "floor":
		return !half && !align
	case "round_prefer_ceil":
		return half || align
	case "round_prefer_floor":
		return half && whole
	}
	return false
}

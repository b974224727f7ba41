package tflite

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Operators that put elements in other places.
var movers = []conversion{
	{"BATCH_TO_SPACE_ND", "BatchToSpaceNDOptions", 4, 3, 1, batchToSpace},
	{"BROADCAST_TO", "BroadcastToOptions", 3, 2, 1, func(s *scope) { s.set(0, s.node(op.New[op.Expand](), s.in(0), s.lengths(1))) }},
	{"CONCATENATION", "ConcatenationOptions", 5, 1, 1, concatenation},
	{"DEPTH_TO_SPACE", "DepthToSpaceOptions", 2, 1, 1, depthToSpace},
	{"DYNAMIC_UPDATE_SLICE", "DynamicUpdateSliceOptions", 4, 3, 1, dynamicUpdateSlice},
	{"GATHER", "GatherOptions", 7, 2, 1, gather},
	{"GATHER_ND", "GatherNdOptions", 5, 2, 1, func(s *scope) { s.set(0, s.node(op.New[op.GatherND](), s.in(0), s.lengths(1))) }},
	{"MIRROR_PAD", "MirrorPadOptions", 3, 2, 1, mirrorPad},
	{"PACK", "PackOptions", 4, 1, 1, pack},
	{"PAD", "PadOptions", 5, 2, 1, func(s *scope) { s.set(0, s.node(op.New[op.Pad](), s.in(0), s.paddings(1))) }},
	{"PADV2", "PadV2Options", 5, 3, 1, func(s *scope) { s.set(0, s.node(op.New[op.Pad](), s.in(0), s.paddings(1), s.in(2))) }},
	{"RESIZE_BILINEAR", "ResizeBilinearOptions", 4, 2, 1, resizeBilinear},
	{"RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions", 4, 2, 1, resizeNearest},
	{"REVERSE_SEQUENCE", "ReverseSequenceOptions", 1, 2, 1, reverseSequence},
	{"REVERSE_V2", "ReverseV2Options", 3, 2, 1, reverse},
	{"SCATTER_ND", "ScatterNdOptions", 1, 3, 1, scatterND},
	{"SPACE_TO_BATCH_ND", "SpaceToBatchNDOptions", 4, 3, 1, spaceToBatch},
	{"SPACE_TO_DEPTH", "SpaceToDepthOptions", 2, 1, 1, spaceToDepth},
	{"SPLIT", "SplitOptions", 4, 2, 1, split},
	{"SPLIT_V", "SplitVOptions", 2, 3, 1, splitV},
	{"TILE", "TileOptions", 3, 2, 1, func(s *scope) { s.set(0, s.node(op.New[op.Tile](), s.in(0), s.lengths(1))) }},
	{"TRANSPOSE", "TransposeOptions", 7, 2, 1, transpose},
	{"UNPACK", "UnpackOptions", 4, 1, 1, unpack},
}

// axis returns an option that names one of the axes of v.
func (s *scope) axis(a int, v *ir.Value) int {
	if v.Shape == nil {
		return a
	}
	out, err := op.Axis(a, len(v.Shape))
	if err != nil {
		s.fail("%w", err)
	}
	return out
}

// one returns input k, which must be one constant integer.
func (s *scope) one(k int, what string) int {
	n := s.numbers(k, what)
	if s.err == nil && len(n) != 1 {
		s.fail("%s: got %d numbers, want 1", what, len(n))
	}
	if len(n) != 1 {
		return 0
	}
	return n[0]
}

func concatenation(s *scope) {
	p := optionsOf[concatenationOptions](s.o)
	o := op.New[op.Concat]()
	o.Axis = int(p.Axis)
	var in []*ir.Value
	for k := range s.o.in {
		if s.has(k) {
			in = append(in, s.in(k))
		}
	}
	s.set(0, s.fused(s.node(o, in...), p.Fused))
}

func pack(s *scope) {
	o := op.New[op.Concat]()
	o.Axis = int(optionsOf[packOptions](s.o).Axis)
	axis := s.list(o.Axis)
	var in []*ir.Value
	for k := range s.o.in {
		if s.has(k) {
			in = append(in, s.node(op.New[op.Unsqueeze](), s.in(k), axis))
		}
	}
	s.set(0, s.node(o, in...))
}

func unpack(s *scope) {
	o := op.New[op.Split]()
	o.Axis = int(optionsOf[packOptions](s.o).Axis)
	o.NumOutputs = len(s.o.out)
	axis := s.list(o.Axis)
	for k, v := range s.nodes(o, len(s.o.out), s.in(0)) {
		s.set(k, s.node(op.New[op.Squeeze](), v, axis))
	}
}

func split(s *scope) {
	o := op.New[op.Split]()
	x := s.in(1)
	o.Axis, o.NumOutputs = s.axis(s.one(0, "an axis"), x), len(s.o.out)
	for k, v := range s.nodes(o, len(s.o.out), x) {
		s.set(k, v)
	}
}

// splitV may have one size of -1, for what is left.
func splitV(s *scope) {
	o := op.New[op.Split]()
	x := s.in(0)
	o.Axis = s.axis(s.one(2, "an axis"), x)
	sizes := s.lengths(1)
	if n, ok := sizes.Fact.Numbers(); ok && s.err == nil {
		rest, at := 0, -1
		if d, known := 0, false; o.Axis < len(x.Shape) {
			if d, known = x.Shape[o.Axis].Int(); known {
				rest = d
			}
		}
		for i, v := range n {
			if v < 0 {
				at = i
			} else {
				rest -= v
			}
		}
		if at >= 0 {
			n[at] = max(rest, 0)
			sizes = s.list(n...)
		}
	}
	for k, v := range s.nodes(o, len(s.o.out), x, sizes) {
		s.set(k, v)
	}
}

// gather takes whole slices, or, with batch dimensions, those of each batch.
func gather(s *scope) {
	p := optionsOf[gatherOptions](s.o)
	x, at := s.in(0), s.raw(1)
	axis, batch := s.axis(int(p.Axis), x), int(p.BatchDims)
	if batch < 0 {
		batch += len(at.Shape)
	}
	if batch == 0 {
		o := op.New[op.Gather]()
		o.Axis = axis
		s.set(0, s.node(o, x, at))
		return
	}
	if axis != batch {
		s.unsupported(fmt.Sprintf("along axis %d with %d batch dimensions", axis, batch), "gather along the first axis behind the batch")
		return
	}
	o := op.New[op.GatherND]()
	o.BatchDims = batch
	s.set(0, s.node(o, x, s.node(op.New[op.Unsqueeze](), s.lengths(1), s.list(-1))))
}

func transpose(s *scope) {
	o := op.New[op.Transpose]()
	o.Perm = s.numbers(1, "axes")
	s.set(0, s.node(o, s.in(0)))
}

// paddings returns pairs of amounts, one for each axis, as all those before and
// then all those behind.
func (s *scope) paddings(k int) *ir.Value {
	v := s.raw(k)
	if n, ok := v.Fact.Numbers(); ok && v.Const != nil {
		out := make([]int, len(n)/2*2)
		for i := range out {
			out[i%2*(len(n)/2)+i/2] = n[i]
		}
		return s.list(out...)
	}
	t := op.New[op.Transpose]()
	t.Perm = []int{1, 0}
	return s.node(op.New[op.Reshape](), s.node(t, s.lengths(k)), s.list(-1))
}

// mirrorPad has two modes: ONNX has the one that leaves the border out. The
// other one is made of turned slices.
func mirrorPad(s *scope) {
	x := s.in(0)
	if optionsOf[mirrorPadOptions](s.o).Mode == 0 {
		o := op.New[op.Pad]()
		o.Mode = "reflect"
		s.set(0, s.node(o, x, s.paddings(1)))
		return
	}
	n := s.numbers(1, "paddings")
	if len(n) != 2*len(x.Shape) && s.err == nil {
		s.fail("%d paddings for data of shape %v", len(n), x.Shape)
	}
	if s.err != nil {
		return
	}
	for a := range x.Shape {
		before, after := n[2*a], n[2*a+1]
		parts := []*ir.Value{x}
		if before > 0 {
			parts = append([]*ir.Value{s.slice(x, a, before-1, math.MinInt32, -1)}, x)
		}
		if after > 0 {
			parts = append(parts, s.slice(x, a, -1, -after-1, -1))
		}
		if len(parts) > 1 {
			o := op.New[op.Concat]()
			o.Axis = a
			x = s.node(o, parts...)
		}
	}
	s.set(0, x)
}

// slice takes elements along one axis.
func (s *scope) slice(x *ir.Value, axis, from, to, step int) *ir.Value {
	return s.node(op.New[op.Slice](), x, s.list(from), s.list(to), s.list(axis), s.list(step))
}

func (s *scope) resize(mode, coordinates, nearest string) {
	o := op.New[op.Resize]()
	o.Mode, o.Coordinates, o.NearestMode, o.Axes = mode, coordinates, nearest, []int{1, 2}
	s.set(0, s.node(o, s.in(0), nil, nil, s.lengths(1)))
}

func resizeBilinear(s *scope) {
	p := optionsOf[resizeBilinearOptions](s.o)
	s.resize("linear", coordinates(p.AlignCorners, p.HalfPixel), "round_prefer_floor")
}

// resizeNearest rounds down, but for aligned corners, where it rounds to the
// nearest. The half that half-pixel centres add is that of rounding.
func resizeNearest(s *scope) {
	p := optionsOf[resizeNearestOptions](s.o)
	mode := "floor"
	if p.AlignCorners || p.HalfPixel {
		mode = "round_prefer_ceil"
	}
	s.resize("nearest", coordinates(p.AlignCorners, p.HalfPixel), mode)
}

func coordinates(align, half bool) string {
	switch {
	case align:
		return "align_corners"
	case half:
		return "half_pixel"
	}
	return "asymmetric"
}

func depthToSpace(s *scope) {
	o := op.New[op.DepthToSpace]()
	o.BlockSize, o.Layout = int(optionsOf[blockOptions](s.o).BlockSize), op.ChannelsLast
	s.set(0, s.node(o, s.in(0)))
}

func spaceToDepth(s *scope) {
	o := op.New[op.SpaceToDepth]()
	o.BlockSize, o.Layout = int(optionsOf[blockOptions](s.o).BlockSize), op.ChannelsLast
	s.set(0, s.node(o, s.in(0)))
}

func reverse(s *scope) {
	x := s.in(0)
	for _, a := range s.numbers(1, "axes") {
		x = s.slice(x, a, -1, math.MinInt32, -1)
	}
	s.set(0, x)
}

// reverseSequence brings its two axes to the front, where ONNX has them.
func reverseSequence(s *scope) {
	p := optionsOf[reverseSequenceOptions](s.o)
	x := s.in(0)
	o := op.New[op.ReverseSequence]()
	batch, time := s.axis(int(p.BatchDim), x), s.axis(int(p.SequenceDim), x)
	if max(batch, time) == 1 || s.err != nil {
		o.BatchAxis, o.TimeAxis = batch, time
		s.set(0, s.node(o, x, s.lengths(1)))
		return
	}
	o.BatchAxis, o.TimeAxis = 0, 1
	there, back := op.New[op.Transpose](), op.New[op.Transpose]()
	there.Perm, back.Perm = []int{batch, time}, make([]int, len(x.Shape))
	for i := range x.Shape {
		if i != batch && i != time {
			there.Perm = append(there.Perm, i)
		}
	}
	for i, a := range there.Perm[:len(x.Shape)] {
		back.Perm[a] = i
	}
	s.set(0, s.node(back, s.node(o, s.node(there, x), s.lengths(1))))
}

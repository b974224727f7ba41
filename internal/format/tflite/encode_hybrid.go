package tflite

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// live is a value that is quantized by its own range while the model runs.
type live struct {
	x *ir.Value
	o *op.DynamicQuantize
}

// hybrid is a product of a live value and constant integers, which LiteRT's
// kernels compute from the floats and those integers.
type hybrid struct {
	x          *ir.Value
	w          *ir.Value
	params     affine.Params
	asymmetric bool
}

// multiply notes that the node is a hybrid product, if it is one. rows says that
// the kernel takes a range for each row, which FULLY_CONNECTED does, and
// convolutions do not. deep is for DEPTHWISE_CONV_2D.
func (e *encoder) multiply(rows, deep bool) {
	l, ok := e.live[e.n.In[0]]
	if !ok || e.q != nil || e.err != nil {
		return
	}
	e.h = nil
	d := e.made[e.n.In[1]]
	if d == nil || !dequantizes(d) || l.o.Type != dtype.Int8 || l.o.Axis.Set != rows {
		e.err = e.notHybrid(l)
		return
	}
	if a, err := op.Axis(l.o.Axis.Value, len(l.x.Shape)); rows && (err != nil || a != len(l.x.Shape)-1) {
		e.err = e.notHybrid(l)
		return
	}
	p, ok, err := ir.ParamsOf(d)
	if err != nil || !ok {
		e.err = orError(err, e.notHybrid(l))
		return
	}
	if q, typ, _ := quantizationFor(p); typ != dtype.Int8 && typ != dtype.Int4 || slices.ContainsFunc(q.zero, func(z int64) bool { return z != 0 }) {
		e.err = e.unsupported(e.n, fmt.Sprintf("with weights of %v and zero point %d", p.Type, p.Zero(0)), "hybrid kernels take int8 and int4 around 0: quantize the float model with --mode dynamic --target litert")
		return
	}
	if !rows {
		if p, ok = convolved(p, l.o.Symmetric, deep); !ok {
			e.err = e.notHybrid(l)
			return
		}
	}
	e.h = &hybrid{l.x, d.In[0], p, !l.o.Symmetric}
}

// convolved returns the parameters of a convolution's weights as LiteRT's hybrid
// kernels must find them, false where none does what is meant. CONV_2D takes the
// range of its data as it is where the scales of the channels differ, and a
// symmetric one where they do not (conv.cc, Prepare); DEPTHWISE_CONV_2D has only
// the former.
func convolved(p affine.Params, symmetric, deep bool) (affine.Params, bool) {
	same, last := slices.Max(p.Scale) == slices.Min(p.Scale), len(p.Scale)-1
	switch {
	case symmetric:
		p.Scale, p.ZeroPoint, p.Axis = p.Scale[:1], nil, affine.PerTensorAxis
		return p, same && !deep
	case last == 0:
		return p, false
	case same: // by one unit in the last place
		p.Scale = slices.Clone(p.Scale)
		p.Scale[last] = math.Nextafter32(p.Scale[last], math.MaxFloat32)
	}
	return p, true
}

// notHybrid is the error for a live value that no kernel quantizes so.
func (e *encoder) notHybrid(l live) error {
	how := fmt.Sprintf("to %v as a whole", l.o.Type)
	if l.o.Axis.Set {
		how = fmt.Sprintf("to %v in parts", l.o.Type)
	}
	return &diag.UnsupportedError{Where: e.n.Label(), What: fmt.Sprintf("%s of data that is quantized %s while a TensorFlow Lite model runs", unwrap(e.n.Op).Name(), how),
		Hint: "quantize the float model with --mode dynamic --target litert"}
}

// stored reports whether v is a constant that is stored in fewer bits: integers
// behind a DequantizeLinear, or float16 behind a Cast.
func (e *encoder) stored(v *ir.Value) bool {
	n := e.made[v]
	return e.halves[v] != nil || n != nil && dequantizes(n)
}

// widened returns such a constant as numbers, with its axes in the order perm:
// one DEQUANTIZE for all that read it so.
func (e *encoder) widened(v *ir.Value, perm []int) int32 {
	if slices.IsSorted(perm) {
		perm = nil
	}
	key := tensorKey{v: v}
	if perm != nil {
		key.form = fmt.Sprint(perm)
	}
	if i, ok := e.index[key]; ok {
		return i
	}
	var x int32
	if c := e.halves[v]; c != nil {
		x = e.constant(c, affine.Params{}, perm)
	} else {
		n := e.made[v]
		p, ok, err := ir.ParamsOf(n)
		if err != nil || !ok {
			e.err = orError(err, e.unsupported(n, "with computed parameters", "make them constants"))
			return -1
		}
		x = e.constant(n.In[0], p, perm)
	}
	if x < 0 {
		return -1
	}
	name := v.Name
	if perm != nil {
		name = fmt.Sprintf("%s/%d", name, len(e.tensors))
	}
	y := e.add(&outTensor{name: name, typ: dtype.Float32, shape: e.tensors[x].shape})
	e.index[key] = y
	e.emit("DEQUANTIZE", nil, []int32{x}, y)
	return y
}

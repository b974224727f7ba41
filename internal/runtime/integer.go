package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// hasIntegerKernel reports whether a quantized region runs on integers. 16-bit
// regions, and those of operators not listed, run as dequantized floats.
func hasIntegerKernel(r pass.Region) bool {
	integer := func(p affine.Params) bool { return p.Present() && p.Type.Bits() == 8 && p.Type.IsInteger() }
	in := func(i int) bool { return i < len(r.In) && integer(r.In[i]) && r.In[i].IsPerTensor() }
	out := len(r.Out) == 1 && integer(r.Out[0]) && r.Out[0].IsPerTensor()
	result := out || len(r.Out) == 1 && !r.Out[0].Present()
	bias := len(r.In) < 3 || r.Node.In[2] == nil || r.In[2].Type == dtype.Int32
	weight := len(r.In) > 1 && integer(r.In[1])
	switch o := r.Node.Op.(type) {
	case *op.Conv:
		return in(0) && weight && bias && result && r.Node.In[1] != nil
	case *op.Gemm:
		return in(0) && weight && bias && result && o.Alpha == 1 && o.Beta == 1 && !o.TransA
	case *op.MatMul:
		return in(0) && weight && result
	case *op.Add, *op.Mul:
		return in(0) && in(1) && out
	case *op.Concat:
		for i := range r.In {
			if !in(i) {
				return false
			}
		}
		return out
	case *op.MaxPool, *op.Reshape, *op.Flatten, *op.Transpose, *op.Squeeze, *op.Unsqueeze, *op.Slice, *op.Gather, *op.Expand, *op.Tile:
		return in(0) && out && r.Clamp == nil && r.In[0].Equal(r.Out[0])
	case *op.AveragePool, *op.GlobalAveragePool, *op.Sigmoid, *op.Tanh, *op.HardSwish, *op.HardSigmoid, *op.LeakyRelu, *op.Gelu, *op.Relu, *op.Softmax:
		return in(0) && out
	}
	return false
}

// dispatchQuantized chooses the integer kernel of a region. Regions without one
// here run by their reference meaning, on integers too.
func (pl *plan) dispatchQuantized(s *step, key *ir.Node, q *op.Quantized) error {
	switch o := q.Inner.(type) {
	case *op.Conv:
		return pl.dispatchQuantizedConv(s, key, q, o)
	case *op.Gemm:
		return pl.dispatchQuantizedGemm(s, key, q, o.TransB)
	case *op.MatMul:
		return pl.dispatchQuantizedGemm(s, key, q, false)
	case *op.Add:
		pl.dispatchQuantizedAdd(s, q)
	case *op.Mul:
		pl.dispatchQuantizedMul(s, q)
	case *op.MaxPool:
		pl.dispatchMaxPool(s, o)
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze:
		pl.dispatchView(s)
	}
	return nil
}

// weights reports whether operand 1 is a constant weight with zero points 0,
// whose sums with activations float32 holds exactly in stretches.
func (pl *plan) symmetricWeight(s *step, q *op.Quantized) bool {
	w := pl.values[s.in[1]].fixed
	return w != nil && w.Type() == dtype.Int8 && q.In[1].Symmetric() && q.In[1].BlockSize == 0
}

// finish describes how accumulators become results.
type finish struct {
	bias        []int32
	multipliers []float32 // one, or one a channel
	grid        convert.Grid
	typ         dtype.Type // of the result: Uint8, Int8 or Float32
	lo, hi      float32    // clamp of float results
}

// newFinish prepares the epilogue of a convolution or product.
func (pl *plan) newFinish(s *step, q *op.Quantized) (*finish, error) {
	e := &finish{typ: dtype.Float32, lo: -inf, hi: inf}
	units := affine.Units(q.In[0].Scale[0], q.In[1].Scale)
	if b := pl.constant(s, 2); b != nil {
		var err error
		if e.bias, err = affine.AccumulatorBias(b, q.In[2], 1, units); err != nil {
			return nil, err
		}
	}
	if out := q.Out[0]; out.Present() {
		e.typ = out.Type
		e.multipliers = affine.Multipliers(units, out.Scale[0])
		lo, hi := out.Type.Range()
		if q.Clamp != nil {
			lo, hi = out.Bounds(q.Clamp.Lo, q.Clamp.Hi)
		}
		e.grid = convert.Grid{ZeroPoint: int32(out.Zero(0)), QMin: int32(lo), QMax: int32(hi)}
		return e, nil
	}
	e.multipliers = units
	if q.Clamp != nil {
		e.lo, e.hi = float32(q.Clamp.Lo), float32(q.Clamp.Hi)
	}
	return e, nil
}

// row finishes sums of one channel into y at index at.
func (e *finish) row(y *tensor.Tensor, channel, at int, sums []int32) {
	m := e.multiplier(channel, sums)
	switch e.typ {
	case dtype.Uint8:
		convert.Requantize(tensor.Data[uint8](y)[at:at+len(sums)], sums, m, e.grid)
	case dtype.Int8:
		convert.Requantize(tensor.Data[int8](y)[at:at+len(sums)], sums, m, e.grid)
	default:
		e.floats(tensor.Data[float32](y)[at:at+len(sums)], sums, m)
	}
}

// floats finishes sums as real numbers.
func (e *finish) floats(dst []float32, sums []int32, m float32) {
	for i, v := range sums {
		dst[i] = min(max(float32(v)*m, e.lo), e.hi)
	}
}

// multiplier adds a channel's bias to its sums and returns what they are
// multiplied with.
func (e *finish) multiplier(channel int, sums []int32) float32 {
	if e.bias != nil {
		b := e.bias[channel]
		for i := range sums {
			sums[i] += b
		}
	}
	if len(e.multipliers) > 1 {
		return e.multipliers[channel]
	}
	return e.multipliers[0]
}

// tile finishes a tile of sums, rows channels from the given one on, into y
// from index at on; channels lie step apart there.
func (e *finish) tile(y *tensor.Tensor, step int, sums *[gemm.MR * gemm.NR]int32, channel, at, rows, count int) {
	q := gemm.Requantize{Bias: e.bias, Multiplier: e.multipliers, Grid: e.grid}
	switch e.typ {
	case dtype.Uint8:
		gemm.StoreBytes(tensor.Data[uint8](y)[at:], step, sums, channel, rows, count, &q)
	case dtype.Int8:
		gemm.StoreBytes(tensor.Data[int8](y)[at:], step, sums, channel, rows, count, &q)
	default:
		for r := range rows {
			e.row(y, channel+r, at+r*step, sums[r*gemm.NR:r*gemm.NR+count])
		}
	}
}

func (pl *plan) dispatchQuantizedConv(s *step, key *ir.Node, q *op.Quantized, o *op.Conv) error {
	x, w := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if x.shape == nil || !pl.symmetricWeight(s, q) || len(x.shape) > 5 || !q.In[1].IsPerTensor() && q.In[1].Axis != 0 {
		return nil
	}
	g, err := o.Geometry(x.shape, w.fixed.Shape())
	if err != nil {
		return err
	}
	if g.Layout != op.ChannelsFirst || !pl.place(s, 0) {
		return nil
	}
	k := planConv(g)
	e, err := pl.newFinish(s, q)
	if err != nil {
		return err
	}
	zero, signed := int(q.In[0].Zero(0)), x.typ == dtype.Int8
	if gemm.HasDot() && k.Bytes() {
		e.takeOff(unsigned(zero, signed), w.fixed, g.Filters, 0)
		packed := pl.p.weights.getBytes(key, "conv", k.WeightBytes(), func(dst []int8) {
			k.PackBytes(dst, tensor.Data[int8](w.fixed))
			w.fixed.Release()
		})
		size := k.ScratchBytes()
		pl.scratch = max(pl.scratch, size*pl.p.threads)
		s.share(k.Blocks(), k.MACs(), func(f *frame, s *step, slot, lo, hi int) {
			in, y := f.vals[s.in[0]], f.out(s)
			tile := func(sums *[gemm.MR * gemm.NR]int32, channel, at, rows, count int) {
				e.tile(y, k.OutPixels(), sums, channel, at, rows, count)
			}
			if signed {
				conv.RunBytes(k, tensor.Data[int8](in), zero, packed, lo, hi, f.bytes(slot, size), tile)
			} else {
				conv.RunBytes(k, tensor.Data[uint8](in), zero, packed, lo, hi, f.bytes(slot, size), tile)
			}
		})
		return nil
	}
	packed := pl.p.weights.get(key, "conv", k.WeightLen(), func(dst []float32) {
		src := tensor.Data[int8](w.fixed)
		k.Pack(dst, func(i int) float32 { return float32(src[i]) })
		w.fixed.Release()
	})
	size := k.ScratchLen()
	pl.scratch = max(pl.scratch, 4*size*pl.p.threads)
	s.share(k.Blocks(), k.MACs(), func(f *frame, s *step, slot, lo, hi int) {
		in, y := f.vals[s.in[0]], f.out(s)
		emit := func(channel, at int, sums []int32) { e.row(y, channel, at, sums) }
		if signed {
			conv.RunInt(k, tensor.Data[int8](in), zero, packed, lo, hi, f.floats(slot, size), emit)
		} else {
			conv.RunInt(k, tensor.Data[uint8](in), zero, packed, lo, hi, f.floats(slot, size), emit)
		}
	})
	return nil
}

// unsigned returns the zero point of the uint8 that stand for activations in
// panels of bytes.
func unsigned(zero int, signed bool) int32 {
	if signed {
		return int32(uint8(zero) ^ gemm.Flip[int8]())
	}
	return int32(zero)
}

// takeOff takes zero times the sum of a channel's weights off its bias. The
// channels lie along an axis of w.
func (e *finish) takeOff(zero int32, w *tensor.Tensor, channels, axis int) {
	bias := make([]int32, channels)
	copy(bias, e.bias)
	inner := 1
	for _, d := range w.Shape()[axis+1:] {
		inner *= d
	}
	for i, v := range tensor.Data[int8](w) {
		bias[i/inner%channels] -= zero * int32(v)
	}
	e.bias = bias
}

// dispatchQuantizedGemm runs a product with a constant matrix, all leading axes
// of the activation being rows.
func (pl *plan) dispatchQuantizedGemm(s *step, key *ir.Node, q *op.Quantized, transB bool) error {
	x := &pl.values[s.in[0]]
	if len(x.shape) < 2 || !pl.symmetricWeight(s, q) {
		return nil
	}
	w := pl.values[s.in[1]].fixed
	if w.Rank() != 2 {
		return nil
	}
	k, n, rs, cs, axis := w.Shape()[0], w.Shape()[1], w.Shape()[1], 1, 1
	if transB {
		k, n, rs, cs, axis = n, k, 1, n, 0
	}
	if !q.In[1].IsPerTensor() && q.In[1].Axis != axis || x.shape[len(x.shape)-1] != k || !pl.place(s, 0) {
		return nil
	}
	if transB {
		cs = k
	}
	m := 1
	for _, d := range x.shape[:len(x.shape)-1] {
		m *= d
	}
	if b := pl.constant(s, 2); b != nil && b.Len() != n {
		return nil
	}
	e, err := pl.newFinish(s, q)
	if err != nil {
		return err
	}
	signed, macs := x.typ == dtype.Int8, m*k*n
	// The product is computed transposed: rows are columns of the weight, so
	// that a row of results has one channel.
	blocks := (n + gemm.MR - 1) / gemm.MR
	if gemm.HasDot() {
		e.takeOff(unsigned(int(q.In[0].Zero(0)), signed), w, n, axis)
		packed := pl.p.weights.getBytes(key, "gemm", gemm.PackedBytesA(n, k), func(dst []int8) {
			gemm.PackBytesA(dst, tensor.Data[int8](w), n, k, cs, rs)
			w.Release()
		})
		size, groups := gemm.PackedBytesB(k, m), gemm.Groups(k)
		pl.scratch = max(pl.scratch, size)
		s.share(blocks, macs, func(f *frame, s *step, slot, lo, hi int) {
			in := f.bytes(0, size)
			e.columns(f.out(s), &f.tiles[slot], lo, hi, m, n, func(sums *[gemm.MR * gemm.NR]int32, b, j int) {
				gemm.MultiplyBytes(sums, groups, packed[b*gemm.MR*gemm.Group*groups:], in[j*gemm.Group*groups:])
			})
		})
		s.run = func(f *frame, s *step) error {
			in := f.bytes(0, size)
			if signed {
				gemm.PackBytesB(in, tensor.Data[int8](f.vals[s.in[0]]), k, m)
			} else {
				gemm.PackBytesB(in, tensor.Data[uint8](f.vals[s.in[0]]), k, m)
			}
			return nil
		}
		return nil
	}
	packed := pl.p.weights.get(key, "gemm", gemm.PackedA(n, k), func(dst []float32) {
		src := tensor.Data[int8](w)
		f := make([]float32, len(src))
		for i, v := range src {
			f[i] = float32(v)
		}
		gemm.PackA(dst, f, n, k, cs, rs)
		w.Release()
	})
	zero := float32(q.In[0].Zero(0))
	panel := gemm.PackedB(k, m)
	pl.scratch = max(pl.scratch, 4*(panel+m*k))
	s.share(blocks, macs, func(f *frame, s *step, slot, lo, hi int) {
		var t gemm.Tile
		in := f.floats(0, panel+m*k)
		e.columns(f.out(s), &f.tiles[slot], lo, hi, m, n, func(sums *[gemm.MR * gemm.NR]int32, b, j int) {
			gemm.MultiplyInt(sums, &t, k, gemm.StepSymmetric, packed[b*gemm.MR*k:], in[j*k:])
		})
	})
	s.run = func(f *frame, s *step) error {
		mem := f.floats(0, panel+m*k)
		in, flat := mem[:panel], mem[panel:]
		if signed {
			for i, v := range tensor.Data[int8](f.vals[s.in[0]]) {
				flat[i] = float32(v) - zero
			}
		} else {
			for i, v := range tensor.Data[uint8](f.vals[s.in[0]]) {
				flat[i] = float32(v) - zero
			}
		}
		gemm.PackB(in, flat, k, m, 1, k)
		return nil
	}
	return nil
}

// columns computes blocks lo to hi of MR result columns each; tile computes
// the sums of block b for the NR rows from row j on.
func (e *finish) columns(y *tensor.Tensor, sums *[gemm.MR * gemm.NR]int32, lo, hi, m, n int, tile func(sums *[gemm.MR * gemm.NR]int32, b, j int)) {
	var bytes [gemm.NR]uint8
	var ints [gemm.NR]int8
	var floats [gemm.NR]float32
	for b := lo; b < hi; b++ {
		for j := 0; j < m; j += gemm.NR {
			tile(sums, b, j)
			rows := min(gemm.NR, m-j)
			for r := range min(gemm.MR, n-b*gemm.MR) {
				channel := b*gemm.MR + r
				part := sums[r*gemm.NR : r*gemm.NR+rows]
				by := e.multiplier(channel, part)
				switch e.typ {
				case dtype.Uint8:
					convert.Requantize(bytes[:rows], part, by, e.grid)
					scatter(tensor.Data[uint8](y), bytes[:], j*n+channel, n, rows)
				case dtype.Int8:
					convert.Requantize(ints[:rows], part, by, e.grid)
					scatter(tensor.Data[int8](y), ints[:], j*n+channel, n, rows)
				default:
					e.floats(floats[:rows], part, by)
					scatter(tensor.Data[float32](y), floats[:], j*n+channel, n, rows)
				}
			}
		}
	}
}

// scatter writes count elements of src to dst, stride apart.
func scatter[T float32 | uint8 | int8](dst, src []T, at, stride, count int) {
	for i, v := range src[:count] {
		dst[at+i*stride] = v
	}
}

package op

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// accumulators are the sums of an integer operator and what they mean.
type accumulators struct {
	acc   []int32
	shape []int
	axis  int // of the channels
	// units of the channels, or one for all.
	units []float32
	// rows are the scales of A's rows where there is more than one: units are
	// then those of B alone.
	rows []float32
	// late is what is added to each channel of a float result.
	late []float32
}

// conv convolves integers.
func (o *Quantized) conv(c *Conv, in []Datum) (*tensor.Tensor, error) {
	x, w := arg(in, 0), arg(in, 1)
	g, err := c.Geometry(x.Shape(), w.Shape())
	if err != nil {
		return nil, err
	}
	acc, err := convolveInts(x, w, o.In[0], o.In[1], g)
	if err != nil {
		return nil, err
	}
	p := accumulators{acc: acc, shape: g.Shape(), axis: g.Layout.Channel(len(g.In) + 2), units: affine.Units(o.In[0].Scale[0], o.In[1].Scale)}
	if err := o.addBias(&p, arg(in, 2), 1); err != nil {
		return nil, err
	}
	return o.finish(p)
}

// matMul multiplies integer matrices; done is false where the scales lie along
// other axes than rows of A and columns of B.
func (o *Quantized) matMul(in []Datum, shape []int) (y *tensor.Tensor, done bool, err error) {
	a, b := arg(in, 0), arg(in, 1)
	rowwise := !o.In[0].IsPerTensor()
	if rowwise && !(a.Rank() >= 2 && b.Rank() >= 2 && along(o.In[0], a.Rank()-2)) || !o.In[1].IsPerTensor() && !(b.Rank() >= 2 && along(o.In[1], b.Rank()-1)) {
		return nil, false, nil
	}
	acc, err := multiplyInts(a, b, o.In[0], o.In[1], shape)
	if err != nil {
		return nil, true, err
	}
	p := accumulators{acc: acc, shape: shape, axis: len(shape) - 1, units: affine.Units(o.In[0].Scale[0], o.In[1].Scale)}
	if rowwise {
		p.rows, p.units = o.In[0].Scale, o.In[1].Scale
	}
	y, err = o.finish(p)
	return y, true, err
}

// multiplyInts returns the matrix product of elements minus their zero points.
func multiplyInts(a, b *tensor.Tensor, pa, pb affine.Params, shape []int) ([]int32, error) {
	x, err := centeredFloats(a, pa)
	if err != nil {
		return nil, err
	}
	w, err := centeredFloats(b, pb)
	if err != nil {
		return nil, err
	}
	count, _ := tensor.Count(shape)
	c := make([]int32, count)
	if count == 0 {
		return c, nil
	}
	wa, wb := asMatrix(Known(a.Shape()...), Known(b.Shape()...))
	sa, _ := wa.Ints()
	sb, _ := wb.Ints()
	ra, rb := len(sa)-2, len(sb)-2
	m, k, n := sa[ra], sa[ra+1], sb[rb+1]
	if inner(sb[:rb], 0) == 1 {
		// One matrix on the right: all rows on the left are one matrix.
		multiplyExact(c, n, count/n, n, k, matrix[float32]{x, k, 1}, matrix[float32]{w, n, 1})
		return c, nil
	}
	lead, err := Broadcast(Known(sa[:ra]...), Known(sb[:rb]...))
	if err != nil {
		return nil, err
	}
	dims, _ := lead.Ints()
	atA, atB := stacked(sa[:ra], dims), stacked(sb[:rb], dims)
	for i := range atA {
		multiplyExact(c[i*m*n:], n, m, n, k, matrix[float32]{x[atA[i]*m*k:], k, 1}, matrix[float32]{w[atB[i]*k*n:], n, 1})
	}
	return c, nil
}

// centeredFloats returns the elements of an integer tensor of at most 8 bits
// minus their zero points, as numbers of magnitude 255 or less.
func centeredFloats(q *tensor.Tensor, p affine.Params) ([]float32, error) {
	ints, err := affine.Center(q, p)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(ints))
	for i, v := range ints {
		out[i] = float32(v)
	}
	return out, nil
}

// gemm multiplies integer matrices and adds C where it is one number for each
// column; done is false where C or the scales lie otherwise.
func (o *Quantized) gemm(g *Gemm, in []Datum, shape []int) (y *tensor.Tensor, done bool, err error) {
	a, b, c := arg(in, 0), arg(in, 1), arg(in, 2)
	ra, cb := 0, 1
	if g.TransA {
		ra = 1
	}
	if g.TransB {
		cb = 0
	}
	m, n := shape[0], shape[1]
	rowwise := !o.In[0].IsPerTensor()
	if !along(o.In[0], ra) || !along(o.In[1], cb) || c != nil && (rowwise || c.Len() != 1 && (c.Len() != n || c.Shape()[c.Rank()-1] != n)) {
		return nil, false, nil
	}
	x, err := centeredFloats(a, o.In[0])
	if err != nil {
		return nil, true, err
	}
	w, err := centeredFloats(b, o.In[1])
	if err != nil {
		return nil, true, err
	}
	ma, mb := matrix[float32]{x, a.Shape()[1], 1}, matrix[float32]{w, b.Shape()[1], 1}
	if g.TransA {
		ma = ma.transposed()
	}
	if g.TransB {
		mb = mb.transposed()
	}
	p := accumulators{acc: make([]int32, m*n), shape: shape, axis: 1}
	if len(p.acc) > 0 {
		multiplyExact(p.acc, n, m, n, a.Shape()[1-ra], ma, mb)
	}
	if rowwise {
		p.rows, p.units = o.In[0].Scale, affine.Units(g.Alpha, o.In[1].Scale)
	} else {
		p.units = affine.Units(g.Alpha*o.In[0].Scale[0], o.In[1].Scale)
	}
	if err := o.addBias(&p, c, float64(g.Beta)); err != nil {
		return nil, true, err
	}
	y, err = o.finish(p)
	return y, true, err
}

// addBias adds operand 2, which has one element or one for each channel, to
// the accumulators, or keeps it for after the product where it and the result
// are real numbers.
func (o *Quantized) addBias(p *accumulators, bias *tensor.Tensor, factor float64) error {
	if bias == nil {
		return nil
	}
	channels := p.shape[p.axis]
	if bias.Len() != channels {
		e, err := expanded(bias, Known(channels))
		if err != nil {
			return err
		}
		bias = e
	} else if bias.Rank() != 1 {
		flat, err := bias.Reshape(channels)
		if err != nil {
			return err
		}
		bias = flat
	}
	params := input(o.In, 2)
	if !params.IsPerTensor() {
		params.Axis = 0
	}
	if !params.Present() && !input(o.Out, 0).Present() {
		f, err := Convert(bias, dtype.Float32)
		if err != nil {
			return err
		}
		p.late = slices.Clone(tensor.Data[float32](f))
		scaleBy(p.late, float32(factor))
		return nil
	}
	add, err := affine.AccumulatorBias(bias, params, factor, p.units)
	if err != nil {
		return err
	}
	step := inner(p.shape, p.axis+1)
	for i := range p.acc {
		p.acc[i] += add[i/step%channels]
	}
	return nil
}

// finish takes accumulators to the result.
func (o *Quantized) finish(p accumulators) (*tensor.Tensor, error) {
	if p.rows == nil {
		return o.finishPart(p)
	}
	n := p.shape[p.axis]
	typ := input(o.Out, 0).Type
	if !input(o.Out, 0).Present() {
		typ = dtype.Float32
	}
	out := tensor.New(typ, p.shape...)
	to := out.Bytes()
	for i := 0; i*n < len(p.acc); i++ {
		part := accumulators{acc: p.acc[i*n : (i+1)*n], shape: []int{n}, units: affine.Units(p.rows[i%len(p.rows)], p.units)}
		t, err := o.finishPart(part)
		if err != nil {
			return nil, err
		}
		to = to[copy(to, t.Bytes()):]
	}
	return out, nil
}

func (o *Quantized) finishPart(p accumulators) (*tensor.Tensor, error) {
	if y := input(o.Out, 0); y.Present() {
		return o.store(p, affine.Multipliers(p.units, y.Scale[0]))
	}
	return o.store(p, p.units)
}

// store multiplies accumulators and rounds and limits them as the result asks.
func (o *Quantized) store(p accumulators, multipliers []float32) (*tensor.Tensor, error) {
	if o.Sums() {
		return tensor.FromSlice(p.acc, p.shape...), nil
	}
	if y := input(o.Out, 0); y.Present() {
		qmin, qmax := o.bounds()
		return affine.Requantize(p.acc, p.shape, p.axis, multipliers, y, qmin, qmax)
	}
	t := affine.Rescale(p.acc, p.shape, p.axis, multipliers)
	if p.late != nil {
		d, step := tensor.Data[float32](t), inner(p.shape, p.axis+1)
		for i := range d {
			d[i] += p.late[i/step%len(p.late)]
		}
	}
	if o.Clamp != nil {
		t = limit(t, *o.Clamp)
	}
	return t, nil
}

// convolveInts returns the accumulators of a convolution of elements minus
// their zero points; padding is zeros.
func convolveInts(x, w *tensor.Tensor, px, pw affine.Params, g Geometry) ([]int32, error) {
	xs, err := centeredFloats(x, px)
	if err != nil {
		return nil, err
	}
	ws, err := centeredFloats(w, pw)
	if err != nil {
		return nil, err
	}
	c, err := canvasOf(dtype.Int32, g.Shape()...)
	if err != nil {
		return nil, err
	}
	y := tensor.Data[int32](c.done())
	if len(y) == 0 {
		return y, nil
	}
	taps, places := g.Taps(), g.Places()
	cg, mg := g.Channels/g.Group, g.Filters/g.Group
	k := cg * taps
	from, to := plane{g.Channels, inner(g.In, 0), g.Layout}, plane{g.Filters, places, g.Layout}
	block := min(places, max(16, (1<<18)/max(k, 1)/16*16))
	src, col := make([]int, taps*block), make([]float32, k*block)
	for at := 0; at < places; at += block {
		n := min(block, places-at)
		g.sources(src, at, n)
		for i := range g.Batch * g.Group {
			b, gr := i/g.Group, i%g.Group
			for r := range k {
				base, step := from.at(b, gr*cg+r/taps, 0), from.step()
				dst, t := col[r*n:(r+1)*n], r%taps
				for p, o := range src[t*n : (t+1)*n] {
					dst[p] = 0
					if o >= 0 {
						dst[p] = xs[base+o*step]
					}
				}
			}
			filters, patches := matrix[float32]{ws[gr*mg*k:], k, 1}, matrix[float32]{col, n, 1}
			out := y[to.at(b, gr*mg, at):]
			if g.Layout == ChannelsLast {
				multiplyExact(out, g.Filters, n, mg, k, patches.transposed(), filters.transposed())
			} else {
				multiplyExact(out, places, mg, n, k, filters, patches)
			}
		}
	}
	return y, nil
}

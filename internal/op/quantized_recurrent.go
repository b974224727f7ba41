package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// IntegerCell reports whether o is a recurrent operator whose products are of
// integers: its data have one scale and 8 or 16 bits, its weights 8 bits and one
// scale each or one a row of gates, with their zero points in the middle, and its
// other operands are real numbers. It reads time first.
func (o *Quantized) IntegerCell() bool {
	r, _, ok := o.cell()
	if !ok || r.batchFirst || len(o.In) < 3 {
		return false
	}
	for i, p := range o.In {
		switch {
		case i > 2:
			if p.Present() {
				return false
			}
		case !p.Present() || !p.Type.IsInteger() || p.Type.Bits() != 8 && (i > 0 || p.Type.Bits() != 16) || i == 0 && !p.IsPerTensor():
			return false
		case i > 0 && (!along(p, 1) || !middled(p)):
			return false
		}
	}
	for _, p := range o.Out {
		if p.Present() {
			return false
		}
	}
	return true
}

// middled reports whether zero points are those that leave an int8 for each
// element.
func middled(p affine.Params) bool {
	if p.Type == dtype.Int8 {
		return p.Symmetric()
	}
	for _, z := range p.ZeroPoint {
		if z != 128 {
			return false
		}
	}
	return len(p.ZeroPoint) > 0
}

// cell returns the recurrent operator inside and its step.
func (o *Quantized) cell() (recurrent, step, bool) {
	switch inner := o.Inner.(type) {
	case *LSTM:
		return inner.recurrent(), inner.step, true
	case *GRU:
		return inner.recurrent(), inner.step, true
	case *RNN:
		return inner.recurrent(), inner.step, true
	}
	return recurrent{}, nil, false
}

// recur runs the cells of an IntegerCell.
func (o *Quantized) recur(in []Datum) ([]Datum, error) {
	r, advance, _ := o.cell()
	x := arg(in, 0)
	real, err := affine.Dequantize(x, o.In[0], dtype.Float32)
	if err != nil {
		return nil, err
	}
	data, err := o.inBytes(x)
	if err != nil {
		return nil, err
	}
	gh, features, hidden := arg(in, 1).Shape()[1], arg(in, 1).Shape()[2], arg(in, 2).Shape()[2]
	var failed error
	note := func(err error) {
		if err != nil {
			failed = err
		}
	}
	type part struct{ d, row, count int }
	parts := map[part]quantizedMatrix{} // of the state's weights
	p := products{hidden,
		func(dst, _ []float32, d, rows int) {
			w, err := matrixOf(arg(in, 1), o.In[1], d, 0, gh)
			if note(err); err != nil {
				return
			}
			sum := make([]float32, len(dst))
			for i, part := range data {
				part.codes, err = part.codes.Reshape(rows, features)
				if note(err); err != nil {
					return
				}
				note(w.multiplyBy(sum, part))
				for k, v := range sum {
					if i == 0 {
						dst[k] = v
					} else {
						dst[k] += v
					}
				}
			}
		},
		func(dst, h []float32, d, batch, row, count int) {
			w, ok := parts[part{d, row, count}]
			if !ok {
				var err error
				w, err = matrixOf(arg(in, 2), o.In[2], d, row, count)
				if note(err); err != nil {
					return
				}
				parts[part{d, row, count}] = w
			}
			note(w.multiply(dst, h, batch))
		}}
	out, err := r.runAll(append([]Datum{{Tensor: real}}, in[1:]...), p, advance)
	if failed != nil {
		err = failed
	}
	return out, err
}

// inBytes returns the data x as integers of 8 bits: those of 16 are 256 times
// their high bytes plus their low ones, and so are their zero points.
func (o *Quantized) inBytes(x *tensor.Tensor) ([]quantizedOnce, error) {
	p := o.In[0]
	zero := int64(0)
	if len(p.ZeroPoint) > 0 {
		zero = p.ZeroPoint[0]
	}
	of := func(codes *tensor.Tensor, scale float32, zero int64) quantizedOnce {
		return quantizedOnce{codes, tensor.FromSlice([]float32{scale}), tensor.FromInts(codes.Type(), []int64{zero})}
	}
	if p.Type.Bits() == 8 {
		return []quantizedOnce{of(x, p.Scale[0], zero)}, nil
	}
	list, ok := tensor.Ints(x)
	if !ok {
		return nil, fmt.Errorf("data %v, want integers", x)
	}
	least, _ := p.Type.Range()
	high, low := make([]uint8, len(list)), make([]uint8, len(list))
	for i, q := range list {
		high[i], low[i] = uint8((q-least)>>8), uint8(q-least)
	}
	zero -= least
	return []quantizedOnce{
		of(tensor.FromSlice(high, len(high)), 256*p.Scale[0], zero>>8),
		of(tensor.FromSlice(low, len(low)), p.Scale[0], zero&255),
	}, nil
}

// matrixOf returns count rows, from row on, of direction d of a weight
// [directions, rows, columns], turned.
func matrixOf(t *tensor.Tensor, p affine.Params, d, row, count int) (quantizedMatrix, error) {
	rows, columns := t.Shape()[1], t.Shape()[2]
	flat, err := t.Reshape(t.Len())
	if err != nil {
		return quantizedMatrix{}, err
	}
	from := (d*rows + row) * columns
	own, err := flat.Slice(from, from+count*columns).Reshape(count, columns)
	if err != nil {
		return quantizedMatrix{}, err
	}
	scales, zero := p.Scale, int64(0)
	if len(scales) > 1 {
		scales = scales[row : row+count]
	}
	if len(p.ZeroPoint) > 0 {
		zero = p.ZeroPoint[0] // they are all the same
	}
	return quantizedMatrix{tensor.Permute(own, []int{1, 0}), tensor.FromSlice(scales, len(scales)), tensor.FromInts(p.Type, []int64{zero}, 1)}, nil
}

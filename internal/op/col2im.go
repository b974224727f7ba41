package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Col2Im adds columns of blocks [batch, channels·block, places] up to images
// of the shape in its second input; the third is the block's shape. It is the
// transpose of cutting the image into blocks.
type Col2Im struct {
	Dilations []int `attr:"dilations"`
	Pads      []int `attr:"pads"`
	Strides   []int `attr:"strides"`
}

// Name returns "Col2Im".
func (o *Col2Im) Name() string { return "Col2Im" }

// blockAxis is how blocks lie along one spatial axis.
type blockAxis struct{ image, block, places, stride, dilation, pad int }

// axes resolves the spatial axes; nil where a shape is not known.
func (o *Col2Im) axes(in []Fact) ([]blockAxis, error) {
	image, err := listAt(in, 1, "image shape")
	if err != nil {
		return nil, err
	}
	block, err := listAt(in, 2, "block shape")
	if err != nil {
		return nil, err
	}
	is, iok := image.numbers()
	bs, bok := block.numbers()
	if !iok || !bok {
		return nil, nil
	}
	n := len(is)
	if n == 0 || len(bs) != n || o.Dilations != nil && len(o.Dilations) != n || o.Strides != nil && len(o.Strides) != n ||
		o.Pads != nil && len(o.Pads) != 2*n {
		return nil, fmt.Errorf("image %v, block %v, dilations %v, strides %v and pads %v do not fit", is, bs, o.Dilations, o.Strides, o.Pads)
	}
	const limit = 1 << 30
	bad := func(v, least int) bool { return v < least || v > limit }
	out := make([]blockAxis, n)
	for i := range out {
		a := blockAxis{image: is[i], block: bs[i], stride: 1, dilation: 1}
		end := 0
		if o.Strides != nil {
			a.stride = o.Strides[i]
		}
		if o.Dilations != nil {
			a.dilation = o.Dilations[i]
		}
		if o.Pads != nil {
			a.pad, end = o.Pads[i], o.Pads[n+i]
		}
		if bad(a.image, 1) || bad(a.block, 1) || bad(a.stride, 1) || bad(a.dilation, 1) || bad(a.pad, 0) || bad(end, 0) ||
			a.block > limit/a.dilation {
			return nil, fmt.Errorf("image %v, block %v, dilations %v, strides %v, pads %v", is, bs, o.Dilations, o.Strides, o.Pads)
		}
		room := a.image + a.pad + end - (a.dilation*(a.block-1) + 1)
		if room < 0 {
			return nil, fmt.Errorf("a block of %d does not fit an image of %d", a.block, a.image)
		}
		a.places = room/a.stride + 1
		out[i] = a
	}
	return out, nil
}

// Infer divides the channels by the block.
func (o *Col2Im) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	axes, err := o.axes(in)
	if err != nil {
		return nil, err
	}
	x, err := Merge(in[0].Shape, OfRank(3))
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	var block, places []int
	image := Known()
	for _, a := range axes {
		block, places = append(block, a.block), append(places, a.places)
		image = append(image, Size(a.image))
	}
	b, bok := tensor.Count(block)
	p, pok := tensor.Count(places)
	if l, ok := x[2].Int(); !bok || !pok || ok && l != p {
		return nil, fmt.Errorf("%v places for data of shape %v", places, x)
	}
	if c, ok := x[1].Int(); ok && c%b != 0 {
		return nil, fmt.Errorf("%d channels for a block of %v", c, block)
	}
	return []Fact{TensorFact(in[0].Type, append(Shape{x[0], x[1].Div(Size(b))}, image...))}, nil
}

// Eval adds the blocks up, in the order of the block's elements.
func (o *Col2Im) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	axes, err := o.axes(factsOf(in))
	if err != nil {
		return nil, err
	}
	c, err := newCanvas(out[0])
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	switch typ := x.Type(); {
	case typ == dtype.Float32:
		addBlocks(tensor.Data[float32](c.t), tensor.Data[float32](x), axes)
	case typ == dtype.Float64:
		addBlocks(tensor.Data[float64](c.t), tensor.Data[float64](x), axes)
	case typ.IsInteger():
		v, _ := tensor.Ints(x)
		sum := make([]int64, c.len())
		addBlocks(sum, v, axes)
		return Of(tensor.FromInts(typ, sum, c.shape...)), nil
	case typ.IsFloat():
		return throughFloat32(typ, []*tensor.Tensor{x}, func(w []*tensor.Tensor) ([]Datum, error) {
			y := tensor.New(dtype.Float32, c.shape...)
			addBlocks(tensor.Data[float32](y), tensor.Data[float32](w[0]), axes)
			return Of(y), nil
		})
	default:
		return nil, fmt.Errorf("sums of type %v", typ)
	}
	return Of(c.t), nil
}

// addBlocks adds src [image, block…, place…] into dst [image, pixel…].
func addBlocks[T float32 | float64 | int64](dst, src []T, axes []blockAxis) {
	if len(dst) == 0 {
		return
	}
	image, block, places := make([]int, len(axes)), make([]int, len(axes)), make([]int, len(axes))
	for i, a := range axes {
		image[i], block[i], places[i] = a.image, a.block, a.places
	}
	strides := tensor.Strides(image)
	pixels, taps, columns := inner(image, 0), inner(block, 0), inner(places, 0)
	for tap := range taps {
		// at holds, for each column, which pixel this tap falls on.
		at := make([]int, columns)
		for col := range at {
			t, p := tap, col
			for i := len(axes) - 1; i >= 0; i-- {
				a := axes[i]
				pos := p%a.places*a.stride + t%a.block*a.dilation - a.pad
				t, p = t/a.block, p/a.places
				if pos < 0 || pos >= a.image || at[col] < 0 {
					at[col] = -1
					continue
				}
				at[col] += pos * strides[i]
			}
		}
		for img := range len(dst) / pixels {
			d := dst[img*pixels : (img+1)*pixels]
			for col, v := range src[(img*taps+tap)*columns:][:columns] {
				if p := at[col]; p >= 0 {
					d[p] += v
				}
			}
		}
	}
}

package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// DepthToSpace moves channels into blocks of BlockSize × BlockSize pixels.
// Mode DCR reads the channels as [row, column, channel], CRD as [channel, row,
// column].
type DepthToSpace struct {
	BlockSize int    `attr:"blocksize"`
	Mode      string `attr:"mode,default=DCR"`
	Layout    Layout `attr:".layout"`
}

// Name returns "DepthToSpace".
func (o *DepthToSpace) Name() string { return "DepthToSpace" }

// Infer divides the channels and multiplies the pixels.
func (o *DepthToSpace) Infer(in []Fact, _ int) ([]Fact, error) {
	x, err := imageShape(in, o.BlockSize, o.Mode)
	if err != nil {
		return nil, err
	}
	if in[0].Shape == nil {
		return []Fact{TensorFact(in[0].Type, x)}, nil
	}
	c, s, b := o.Layout.Channel(4), o.Layout.Spatial(), Size(o.BlockSize)
	if x[c], err = quotient(x[c], o.BlockSize*o.BlockSize); err != nil {
		return nil, err
	}
	for i := range 2 {
		if x[s+i], err = product(x[s+i], b); err != nil {
			return nil, err
		}
	}
	return []Fact{TensorFact(in[0].Type, x)}, nil
}

// imageShape checks the input, the block and the mode and returns a copy of the
// shape, of rank 4.
func imageShape(in []Fact, block int, mode string) (Shape, error) {
	if mode != "DCR" && mode != "CRD" {
		return nil, fmt.Errorf("mode %q", mode)
	}
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if block < 1 || block > 1<<15 {
		return nil, fmt.Errorf("a block size of %d", block)
	}
	return Merge(in[0].Shape, OfRank(4))
}

// quotient divides a dimension that must come out even.
func quotient(d Dim, by int) (Dim, error) {
	if n, ok := d.Int(); ok && n%by != 0 {
		return Unknown, fmt.Errorf("%d is not divisible by %d", n, by)
	}
	return d.Div(Size(by)), nil
}

// blocks are the lanes between an image of depth c·b·b and h × w pixels and
// one of depth c and h·b × w·b pixels: deep reads the first, wide the second.
func blocks(layout Layout, crd bool, n, c, h, w, b int) (deep, wide []int, size []int) {
	// The lanes run over [image, channel, row, block row, column, block column].
	size = []int{n, c, h, b, w, b}
	dims, out := []int{n, c * b * b, h, w}, []int{n, c, h * b, w * b}
	at := [4]int{0, 1, 2, 3} // where image, channel, row and column lie
	if layout == ChannelsLast {
		dims, out = []int{n, h, w, c * b * b}, []int{n, h * b, w * b, c}
		at = [4]int{0, 3, 1, 2}
	}
	d, o := tensor.Strides(dims), tensor.Strides(out)
	step := d[at[1]]
	channel, up, across := step, c*b*step, c*step
	if crd {
		channel, up, across = b*b*step, b*step, step
	}
	deep = []int{d[0], channel, d[at[2]], up, d[at[3]], across}
	wide = []int{o[0], o[at[1]], b * o[at[2]], o[at[2]], b * o[at[3]], o[at[3]]}
	return deep, wide, size
}

// drawBlocks copies between the two images in the order in which the output
// lies.
func drawBlocks(c *canvas, x *tensor.Tensor, layout Layout, size, to, from []int) {
	order := []int{0, 1, 2, 3, 4, 5}
	if layout == ChannelsLast {
		order = []int{0, 2, 3, 4, 5, 1}
	}
	lanes := make([]lane, len(order))
	for i, k := range order {
		lanes[i] = lane{n: size[k], to: to[k], from: from[k]}
	}
	c.draw(x, 0, 0, lanes...)
}

// Eval moves the elements.
func (o *DepthToSpace) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	s := in[0].Tensor.Shape()
	sp := o.Layout.Spatial()
	deep, wide, size := blocks(o.Layout, o.Mode == "CRD", s[0], c.shape[o.Layout.Channel(4)], s[sp], s[sp+1], o.BlockSize)
	drawBlocks(c, in[0].Tensor, o.Layout, size, wide, deep)
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *DepthToSpace) Quantization() Facts { return moving() }

// SpaceToDepth moves blocks of BlockSize × BlockSize pixels into channels: the
// inverse of [DepthToSpace] in the same mode.
type SpaceToDepth struct {
	BlockSize int    `attr:"blocksize"`
	Mode      string `attr:"mode,default=DCR"`
	Layout    Layout `attr:".layout"`
}

// Name returns "SpaceToDepth".
func (o *SpaceToDepth) Name() string { return "SpaceToDepth" }

// Infer multiplies the channels and divides the pixels.
func (o *SpaceToDepth) Infer(in []Fact, _ int) ([]Fact, error) {
	x, err := imageShape(in, o.BlockSize, o.Mode)
	if err != nil {
		return nil, err
	}
	if in[0].Shape == nil {
		return []Fact{TensorFact(in[0].Type, x)}, nil
	}
	c, s := o.Layout.Channel(4), o.Layout.Spatial()
	if x[c], err = product(x[c], Size(o.BlockSize*o.BlockSize)); err != nil {
		return nil, err
	}
	for i := range 2 {
		if x[s+i], err = quotient(x[s+i], o.BlockSize); err != nil {
			return nil, err
		}
	}
	return []Fact{TensorFact(in[0].Type, x)}, nil
}

// Eval moves the elements.
func (o *SpaceToDepth) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	s := in[0].Tensor.Shape()
	sp := o.Layout.Spatial()
	deep, wide, size := blocks(o.Layout, o.Mode == "CRD", s[0], s[o.Layout.Channel(4)], c.shape[sp], c.shape[sp+1], o.BlockSize)
	drawBlocks(c, in[0].Tensor, o.Layout, size, deep, wide)
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *SpaceToDepth) Quantization() Facts { return moving() }

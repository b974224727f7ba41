package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ImageDecoder decodes the bytes of a picture file: jpeg, png, gif, bmp, webp,
// tiff, pgm and ppm (package picture). The output is [height, width, channels] of
// bytes: red, green, blue (RGB), the other way round (BGR), or one
// channel (Grayscale), which is what Pillow's convert("L") makes of colours.
// EXIF orientation is applied. A file that cannot be decoded is an error, where
// ONNX has an empty picture.
type ImageDecoder struct {
	PixelFormat string `attr:"pixel_format,default=RGB"`
}

// Name returns "ImageDecoder".
func (*ImageDecoder) Name() string { return "ImageDecoder" }

// Infer returns bytes in three axes.
func (o *ImageDecoder) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if err := accept(func(t dtype.Type) bool { return t == dtype.Uint8 }, in[0]); err != nil {
		return nil, err
	}
	if _, err := Merge(in[0].Shape, OfRank(1)); err != nil {
		return nil, err
	}
	channels := 3
	switch o.PixelFormat {
	case "RGB", "BGR":
	case "Grayscale":
		channels = 1
	default:
		return nil, fmt.Errorf("pixel_format %q, want RGB, BGR or Grayscale", o.PixelFormat)
	}
	return []Fact{TensorFact(dtype.Uint8, Shape{Unknown, Unknown, Size(channels)})}, nil
}

// Eval decodes the picture.
func (o *ImageDecoder) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	p, err := picture.Decode(arg(in, 0).Bytes())
	if err != nil {
		return nil, err
	}
	channels, _ := out[0].Shape[2].Int()
	y := make([]uint8, 0, p.Width*p.Height*channels)
	for i := range p.Width * p.Height {
		r, g, b := p.Pix[i*p.Channels], p.Pix[i*p.Channels], p.Pix[i*p.Channels]
		if p.Channels == 3 {
			g, b = p.Pix[i*3+1], p.Pix[i*3+2]
		}
		switch o.PixelFormat {
		case "RGB":
			y = append(y, r, g, b)
		case "BGR":
			y = append(y, b, g, r)
		default:
			// Weights of ITU-R BT.601 in 16 bits, as Pillow has them.
			y = append(y, uint8((19595*uint32(r)+38470*uint32(g)+7471*uint32(b)+1<<15)>>16))
		}
	}
	return Of(tensor.FromSlice(y, p.Height, p.Width, channels)), nil
}

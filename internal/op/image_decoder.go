package op

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"strconv"

	"golang.org/x/image/tiff"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ImageDecoder decodes the bytes of a picture file: jpeg, png, gif, bmp, webp,
// tiff, and the binary forms of pgm and ppm. The output is [height, width,
// channels] of bytes: red, green, blue (RGB), the other way round (BGR), or one
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
	p, err := decodePicture(arg(in, 0).Bytes())
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

// maxPicture bounds the pixels of a tiff, as package picture bounds its own.
const maxPicture = 100_000_000

// decodePicture decodes what package picture does, and the formats that it
// leaves out because no data set has them.
func decodePicture(b []byte) (*picture.Picture, error) {
	switch {
	case bytes.HasPrefix(b, []byte("II*\x00")), bytes.HasPrefix(b, []byte("MM\x00*")):
		return decodeTIFF(b)
	case bytes.HasPrefix(b, []byte("P5")), bytes.HasPrefix(b, []byte("P6")):
		return decodePNM(b)
	}
	return picture.Decode(b)
}

func decodeTIFF(b []byte) (*picture.Picture, error) {
	c, err := tiff.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, &diag.FormatError{Where: "tiff", Msg: err.Error()}
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxPicture/c.Height {
		return nil, &diag.UnsupportedError{Where: "tiff", What: fmt.Sprintf("a picture of %d x %d pixels", c.Width, c.Height)}
	}
	img, err := tiff.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, &diag.FormatError{Where: "tiff", Msg: err.Error()}
	}
	p := &picture.Picture{Width: c.Width, Height: c.Height, Channels: 3, Pix: make([]uint8, 0, 3*c.Width*c.Height)}
	at := img.Bounds().Min
	for i := range c.Width * c.Height {
		v := straight(img, at.X+i%c.Width, at.Y+i/c.Width)
		p.Pix = append(p.Pix, v.R, v.G, v.B)
	}
	return p, nil
}

// straight returns a pixel with its transparency dropped, not blended.
func straight(img image.Image, x, y int) color.NRGBA {
	return color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
}

// decodePNM reads a pgm (P5) or ppm (P6) of one byte a sample (Netpbm, pgm(5)
// and ppm(5)).
func decodePNM(b []byte) (*picture.Picture, error) {
	p := &picture.Picture{Channels: 1}
	if b[1] == '6' {
		p.Channels = 3
	}
	var most int
	rest := b[2:]
	for _, dst := range []*int{&p.Width, &p.Height, &most} {
		var err error
		if *dst, rest, err = pnmNumber(rest); err != nil {
			return nil, err
		}
	}
	if most > 255 {
		return nil, &diag.UnsupportedError{Where: "pnm", What: fmt.Sprintf("samples up to %d", most), Hint: "255 is the most"}
	}
	if len(rest) == 0 || p.Width < 1 || p.Height < 1 || most < 1 || p.Width > len(rest)/p.Height/p.Channels {
		return nil, &diag.FormatError{Where: "pnm", Msg: fmt.Sprintf("%d x %d pixels of %d samples in %d bytes", p.Width, p.Height, p.Channels, len(rest))}
	}
	p.Pix = bytes.Clone(rest[1:])
	if n := p.Width * p.Height * p.Channels; len(p.Pix) < n {
		return nil, &diag.FormatError{Where: "pnm", Msg: "truncated: the file ends before the picture does"}
	}
	for i, v := range p.Pix {
		if most != 255 {
			p.Pix[i] = uint8(min((int(v)*255+most/2)/most, 255))
		}
	}
	return p, nil
}

// pnmNumber reads a decimal number behind white space and comments.
func pnmNumber(b []byte) (int, []byte, error) {
	for len(b) > 0 && (b[0] == '#' || b[0] == ' ' || b[0] >= '\t' && b[0] <= '\r') {
		if b[0] == '#' {
			if _, after, ok := bytes.Cut(b, []byte("\n")); ok {
				b = after
				continue
			}
			break
		}
		b = b[1:]
	}
	end := 0
	for end < len(b) && end < 9 && b[end] >= '0' && b[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(string(b[:end]))
	if err != nil {
		return 0, nil, &diag.FormatError{Where: "pnm", Msg: "a number of the header is missing"}
	}
	return n, b[end:], nil
}

package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"github.com/octavo-ml/octavo/internal/diag"
	"golang.org/x/image/bmp"
)

// deflateRatio is the most bytes that one byte of deflate makes: 258 for two
// bits of a match.
const deflateRatio = 1032

// decodePNG brings 16-bit samples to 8 as Pillow does: of colours and of grey
// with alpha it takes the upper byte; grey alone, which it reads as mode I;16,
// is cut off at 255.
func decodePNG(b []byte) (*Picture, error) {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, explainPNG(err)
	}
	// The header is checked by now: bits a sample and colour type follow the
	// signature, the chunk's head and the two sizes.
	bits, kind := int64(b[24]), b[25]
	samples := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
	if err := checkSize(c.Width, c.Height, int64(len(b))*deflateRatio*8/(bits*samples)); err != nil {
		return nil, err
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, explainPNG(err)
	}
	grey := kind == 0 || kind == 4
	if bits == 16 && kind == 0 {
		return saturated(m)
	}
	return fromImage(m, grey)
}

func saturated(m image.Image) (*Picture, error) {
	var pix []uint8
	var stride, pixel int
	switch m := m.(type) {
	case *image.Gray16:
		pix, stride, pixel = m.Pix, m.Stride, 2
	case *image.NRGBA64: // with a transparent level
		pix, stride, pixel = m.Pix, m.Stride, 8
	default:
		return nil, fmt.Errorf("decoded to %T", m)
	}
	size := m.Bounds().Size()
	p := &Picture{Width: size.X, Height: size.Y, Channels: 1, Pix: make([]uint8, size.X*size.Y)}
	for i := range p.Pix {
		at := pix[i/size.X*stride+i%size.X*pixel:]
		p.Pix[i] = uint8(min(binary.BigEndian.Uint16(at), 255))
	}
	return p, nil
}

func explainPNG(err error) error {
	if e, ok := err.(png.UnsupportedError); ok {
		return &diag.UnsupportedError{What: string(e)}
	}
	return err
}

func decodeBMP(b []byte) (*Picture, error) {
	c, err := bmp.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, explainBMP(err)
	}
	// Rows are not compressed.
	bits := int64(binary.LittleEndian.Uint16(b[28:]))
	if err := checkSize(c.Width, c.Height, int64(len(b))*8/bits); err != nil {
		return nil, err
	}
	m, err := bmp.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, explainBMP(err)
	}
	return fromImage(m, false)
}

func explainBMP(err error) error {
	if err == bmp.ErrUnsupported {
		return &diag.UnsupportedError{What: "this kind of bmp", Hint: "1, 2, 4, 8, 24 and 32 bits a pixel without compression are"}
	}
	return err
}

// fromImage copies what the decoders of png, bmp and webp make. grey asks for
// one channel of pictures whose three are the same.
func fromImage(m image.Image, grey bool) (*Picture, error) {
	size := m.Bounds().Size()
	p := &Picture{Width: size.X, Height: size.Y, Channels: 3}
	if grey {
		p.Channels = 1
	}
	p.Pix = make([]uint8, size.X*size.Y*p.Channels)
	switch m := m.(type) {
	case *image.Gray:
		p.copySamples(m.Pix, m.Stride, 1, 1)
	case *image.RGBA:
		p.copySamples(m.Pix, m.Stride, 1, 4)
	case *image.NRGBA:
		p.copySamples(m.Pix, m.Stride, 1, 4)
	case *image.RGBA64:
		p.copySamples(m.Pix, m.Stride, 2, 8)
	case *image.NRGBA64:
		p.copySamples(m.Pix, m.Stride, 2, 8)
	case *image.Paletted:
		table := colours(m.Palette)
		p.paint(m, &table)
	default:
		return nil, fmt.Errorf("decoded to %T", m)
	}
	return p, nil
}

// copySamples takes the first byte of each of a pixel's first Channels samples,
// from rows of stride bytes, with pixel bytes a pixel and sample bytes a sample.
func (p *Picture) copySamples(pix []uint8, stride, sample, pixel int) {
	out := p.Pix
	for y := range p.Height {
		row := pix[y*stride:]
		for x := range p.Width {
			for c := range p.Channels {
				out[c] = row[x*pixel+c*sample]
			}
			out = out[p.Channels:]
		}
	}
}

// colours returns m's palette without its transparency.
func colours(palette color.Palette) (table [256][3]uint8) {
	for i, c := range palette {
		switch c := c.(type) {
		case color.RGBA:
			table[i] = [3]uint8{c.R, c.G, c.B}
		case color.NRGBA:
			table[i] = [3]uint8{c.R, c.G, c.B}
		case color.RGBA64: // of a tiff
			table[i] = [3]uint8{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8)}
		}
	}
	return table
}

// paint puts the colours of table in place of m's indices, at m's place in p.
func (p *Picture) paint(m *image.Paletted, table *[256][3]uint8) {
	r := m.Rect
	for y := range r.Dy() {
		out := p.Pix[3*((r.Min.Y+y)*p.Width+r.Min.X):]
		for _, v := range m.Pix[y*m.Stride:][:r.Dx()] {
			out = out[copy(out, table[v][:]):]
		}
	}
}

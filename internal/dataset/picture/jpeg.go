package picture

import (
	"bytes"
	"image"
	"image/jpeg"

	"github.com/octavo-ml/octavo/internal/diag"
)

// jpegPixels is the most pixels that a byte of JPEG holds: 64 in a block, of
// which no bit less than one is coded in the scan of the DC values.
const jpegPixels = 64 * 8

func decodeJPEG(b []byte) (*Picture, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, explainJPEG(err)
	}
	if err := checkSize(c.Width, c.Height, int64(len(b))*jpegPixels); err != nil {
		return nil, err
	}
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, explainJPEG(err)
	}
	switch m := m.(type) {
	case *image.Gray:
		return fromImage(m, true)
	case *image.YCbCr:
		return fromYCbCr(m), nil
	case *image.CMYK:
		return fromCMYK(m), nil
	}
	return fromImage(m, false)
}

func explainJPEG(err error) error {
	if e, ok := err.(jpeg.UnsupportedError); ok {
		return &diag.UnsupportedError{What: string(e)}
	}
	return err
}

func fromYCbCr(m *image.YCbCr) *Picture {
	h, v := ratio(m.SubsampleRatio)
	size := m.Rect.Size()
	p := &Picture{Width: size.X, Height: size.Y, Channels: 3, Pix: make([]uint8, 3*size.X*size.Y)}
	chroma := plane{stride: m.CStride, width: (size.X + h - 1) / h, height: (size.Y + v - 1) / v}
	cb, cr := chroma, chroma
	cb.pix, cr.pix = m.Cb, m.Cr
	upCb, upCr := newUpsampler(cb, h, v), newUpsampler(cr, h, v)
	for y := range size.Y {
		yccRow(p.Pix[3*y*size.X:], m.Y[y*m.YStride:][:size.X], upCb.at(y), upCr.at(y))
	}
	return p
}

// ratio says how many columns and rows of pixels share a sample of chroma.
func ratio(r image.YCbCrSubsampleRatio) (h, v int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// fromCMYK multiplies inks with what black leaves, as Pillow does.
func fromCMYK(m *image.CMYK) *Picture {
	size := m.Rect.Size()
	p := &Picture{Width: size.X, Height: size.Y, Channels: 3, Pix: make([]uint8, 3*size.X*size.Y)}
	out := p.Pix
	for y := range size.Y {
		row := m.Pix[y*m.Stride:][:4*size.X]
		for ; len(row) > 0; row = row[4:] {
			light := 255 - int32(row[3])
			for c := range 3 {
				ink := int32(row[c])*light + 128
				out[c] = clamp(light - (ink>>8+ink)>>8)
			}
			out = out[3:]
		}
	}
	return p
}

package picture

import (
	"bytes"
	"fmt"
	"image"

	"github.com/octavo-ml/octavo/internal/diag"
	"golang.org/x/image/tiff"
)

func isTIFF(h []byte) bool {
	return hasPrefix(h, 0, "II*\x00") || hasPrefix(h, 0, "MM\x00*")
}

// decodeTIFF takes the first page, of 8 bits a sample or fewer. Deflate is what
// packs a pixel into the fewest bits of the codings that are likely; one that
// says more is refused.
func decodeTIFF(b []byte) (*Picture, error) {
	c, err := tiff.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, explainTIFF(err)
	}
	if err := checkSize(c.Width, c.Height, int64(len(b))*deflateRatio*8); err != nil {
		return nil, err
	}
	m, err := tiff.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, explainTIFF(err)
	}
	switch m.(type) {
	case *image.Gray:
		return fromImage(m, true)
	case *image.RGBA, *image.NRGBA, *image.Paletted:
		return fromImage(m, false)
	}
	return nil, &diag.UnsupportedError{What: fmt.Sprintf("pixels of a %T", m), Hint: "8 bits a sample of grey, red, green and blue, or a palette are"}
}

func explainTIFF(err error) error {
	if e, ok := err.(tiff.UnsupportedError); ok {
		return &diag.UnsupportedError{What: string(e)}
	}
	return err
}

// Package picture decodes photographs and drawings into 8-bit pixels, as the
// libraries that models are trained with decode them: the reference is what
// Pillow makes of a file with ImageOps.exif_transpose and convert("RGB").
//
// It knows no model and scales nothing. Start at [Decode].
package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
)

// Picture is decoded pixels, EXIF orientation applied: rows from the top,
// pixels from the left, Channels interleaved bytes a pixel.
type Picture struct {
	Width, Height int
	Channels      int // 1: grey, 3: red, green, blue
	Pix           []uint8
}

// SniffLen is how many bytes from the start of a file [Sniff] can use.
const SniffLen = 18

// Sniff says which format a file is by its first bytes: "jpeg", "png", "gif",
// "bmp", "webp", "tiff", or "pnm" for pgm and ppm. A format it names may still turn out to be broken.
func Sniff(head []byte) (format string, ok bool) {
	f := sniff(head)
	if f == nil {
		return "", false
	}
	return f.name, true
}

// format is what Decode needs to know of one format.
type format struct {
	name   string
	is     func(head []byte) bool
	decode func(b []byte) (*Picture, error)
	// exif returns the TIFF structure with the EXIF tags, or nil.
	exif func(b []byte) []byte
}

var formats = []format{
	{"jpeg", func(h []byte) bool { return hasPrefix(h, 0, "\xff\xd8\xff") }, decodeJPEG, exifOfJPEG},
	{"png", func(h []byte) bool { return hasPrefix(h, 0, pngSignature) }, decodePNG, exifOfPNG},
	{"gif", func(h []byte) bool { return hasPrefix(h, 0, "GIF87a") || hasPrefix(h, 0, "GIF89a") }, decodeGIF, nil},
	{"webp", func(h []byte) bool { return hasPrefix(h, 0, "RIFF") && hasPrefix(h, 8, "WEBP") }, decodeWebP, exifOfWebP},
	{"bmp", isBMP, decodeBMP, nil},
	{"tiff", isTIFF, decodeTIFF, func(b []byte) []byte { return b }},
	{"pnm", isPNM, decodePNM, nil},
}

func sniff(head []byte) *format {
	i := slices.IndexFunc(formats, func(f format) bool { return f.is(head) })
	if i < 0 {
		return nil
	}
	return &formats[i]
}

func hasPrefix(b []byte, at int, s string) bool {
	return len(b) >= at+len(s) && string(b[at:at+len(s)]) == s
}

// isBMP asks for the size of a known header too: two letters alone open many a
// text.
func isBMP(h []byte) bool {
	return hasPrefix(h, 0, "BM") && len(h) >= SniffLen &&
		slices.Contains([]uint32{12, 40, 52, 56, 64, 108, 124}, binary.LittleEndian.Uint32(h[14:]))
}

// Decode decodes the file b, whose format it finds by its content. Of several
// frames it takes the first. Transparency is dropped without blending, and
// grey stays one channel. Of 16-bit samples the upper byte stays, except that
// the grey of a png without alpha is cut off at 255: that is what Pillow does.
//
// A picture that is broken, truncated, or larger than its bytes can hold is a
// [diag.FormatError]; one of more than 100 Mpixel, or with a feature that is
// not handled, a [diag.UnsupportedError]. Both are found before the pixels are
// allocated where the header tells. Where is the format; the file's name is
// the caller's to add.
func Decode(b []byte) (*Picture, error) {
	f := sniff(b)
	if f == nil {
		if len(b) == 0 {
			return nil, &diag.FormatError{Msg: "the file is empty"}
		}
		return nil, &diag.FormatError{Msg: "the content is no jpeg, png, gif, bmp, webp, tiff, pgm or ppm"}
	}
	p, err := f.decode(b)
	if err != nil {
		return nil, f.explain(err)
	}
	if f.exif != nil {
		p = p.orient(orientation(f.exif(b)))
	}
	return p, nil
}

// explain turns the error of a decoder into one of the two of package diag.
func (f *format) explain(err error) error {
	var broken *diag.FormatError
	var unsupported *diag.UnsupportedError
	switch {
	case errors.As(err, &broken):
		broken.Where = f.name
		return broken
	case errors.As(err, &unsupported):
		unsupported.Where = f.name
		return unsupported
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), strings.HasSuffix(err.Error(), io.ErrUnexpectedEOF.Error()):
		return &diag.FormatError{Where: f.name, Msg: "truncated: the file ends before the picture does"}
	}
	msg := strings.TrimPrefix(err.Error(), f.name+": ")
	return &diag.FormatError{Where: f.name, Msg: strings.TrimPrefix(msg, "invalid format: ")}
}

// maxPixels is the size of the largest picture that is decoded.
const maxPixels = 100_000_000

// checkSize refuses a picture of more than maxPixels, and one of more pixels
// than capacity, which is how many its bytes can hold in its format.
func checkSize(width, height int, capacity int64) error {
	n := int64(width) * int64(height)
	switch {
	case width <= 0 || height <= 0:
		return &diag.FormatError{Msg: fmt.Sprintf("a picture of %d x %d pixels", width, height)}
	case n > maxPixels:
		return &diag.UnsupportedError{
			What: fmt.Sprintf("a picture of %d x %d pixels", width, height),
			Hint: fmt.Sprintf("%d Mpixel is the most", maxPixels/1_000_000),
		}
	case n > capacity:
		return &diag.FormatError{Msg: fmt.Sprintf("truncated: the header says %d x %d pixels, the bytes hold %d at most", width, height, capacity)}
	}
	return nil
}

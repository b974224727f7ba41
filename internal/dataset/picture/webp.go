package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"
	"iter"

	"github.com/octavo-ml/octavo/internal/diag"
	"golang.org/x/image/webp"
)

// A macroblock of VP8, 256 pixels, takes no less than 1.6 bits: the modes of
// luma and chroma have fixed odds. VP8L may spend no bit on a picture of one
// colour, so that a limit has to be set: a million pixels and so many a byte.
const (
	vp8Pixels  = 8 * 256
	vp8lPixels = 8192
	vp8lFree   = 1 << 20
)

func decodeWebP(b []byte) (*Picture, error) {
	if len(b) < 16 || uint64(binary.LittleEndian.Uint32(b[4:]))+8 > uint64(len(b)) {
		return nil, io.ErrUnexpectedEOF
	}
	capacity := int64(len(b)) * vp8Pixels
	for c := range riffChunks(b) {
		switch c.id {
		case "ANIM", "ANMF":
			return nil, &diag.UnsupportedError{What: "an animation", Hint: "still pictures are"}
		case "VP8L":
			capacity = int64(len(b))*vp8lPixels + vp8lFree
		}
	}
	c, err := webp.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if err := checkSize(c.Width, c.Height, capacity); err != nil {
		return nil, err
	}
	m, err := webp.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *image.YCbCr:
		return fromVP8(m), nil
	case *image.NYCbCrA:
		return fromVP8(&m.YCbCr), nil
	}
	return fromImage(m, false)
}

type riffChunk struct {
	id   string
	body []byte
}

// riffChunks yields the chunks of a RIFF file that are whole.
func riffChunks(b []byte) iter.Seq[riffChunk] {
	return func(yield func(riffChunk) bool) {
		for b := b[12:]; len(b) >= 8; {
			n := uint64(binary.LittleEndian.Uint32(b[4:]))
			if n > uint64(len(b)-8) {
				return
			}
			if !yield(riffChunk{string(b[:4]), b[8 : 8+n]}) {
				return
			}
			b = b[min(8+n+n&1, uint64(len(b))):]
		}
	}
}

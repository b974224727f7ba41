package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"io"

	"github.com/octavo-ml/octavo/internal/diag"
)

// lzwPixels is the most pixels that 12 bits, the longest code of GIF's LZW,
// make: a string grows by one with each of the 4096 codes.
const lzwPixels = 4096

// decodeGIF draws the first frame onto the screen. Around a smaller frame is
// the transparent colour, or colour 0 if there is none, as Pillow has it.
func decodeGIF(b []byte) (*Picture, error) {
	head, err := firstFrame(b)
	if err != nil {
		return nil, err
	}
	if err := checkSize(head.width, head.height, int64(len(b))*lzwPixels*8/12); err != nil {
		return nil, err
	}
	m, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	frame, ok := m.(*image.Paletted)
	if !ok {
		return nil, &diag.FormatError{Msg: "no palette"}
	}
	var table [256][3]uint8
	for i := range len(head.palette) / 3 {
		table[i] = [3]uint8(head.palette[3*i:])
	}
	p := &Picture{Width: head.width, Height: head.height, Channels: 3}
	p.Pix = make([]uint8, 3*p.Width*p.Height)
	if r := frame.Rect; r.Dx() < p.Width || r.Dy() < p.Height {
		for out := p.Pix; len(out) > 0; {
			out = out[copy(out, table[head.around][:]):]
		}
	}
	p.paint(frame, &table)
	return p, nil
}

// gifHead is what image/gif does not tell: colours of transparent indices are
// gone from its palette.
type gifHead struct {
	width, height int
	palette       []byte // red, green, blue
	around        uint8
}

// firstFrame reads up to the first frame. Source: GIF89a, sections 18 to 24.
func firstFrame(b []byte) (head gifHead, err error) {
	cut := io.ErrUnexpectedEOF
	if len(b) < 13 {
		return head, cut
	}
	head.width = int(binary.LittleEndian.Uint16(b[6:]))
	head.height = int(binary.LittleEndian.Uint16(b[8:]))
	flags := b[10]
	b = b[13:]
	if !head.takePalette(&b, flags) {
		return head, cut
	}
	for len(b) > 0 {
		switch {
		case b[0] == 0x2c: // image descriptor
			if len(b) < 10 {
				return head, cut
			}
			flags, b = b[9], b[10:]
			if !head.takePalette(&b, flags) {
				return head, cut
			}
			return head, nil
		case b[0] == 0x3b: // trailer
			return head, &diag.FormatError{Msg: "no frame"}
		case b[0] != 0x21 || len(b) < 3: // extension
			return head, &diag.FormatError{Msg: "a block that is neither extension nor frame"}
		}
		if b[1] == 0xf9 && b[2] >= 4 && len(b) >= 7 && b[3]&1 != 0 {
			head.around = b[6]
		}
		for b = b[2:]; ; {
			n := int(b[0]) + 1
			if n >= len(b) {
				return head, cut
			}
			b = b[n:]
			if n == 1 {
				break
			}
		}
	}
	return head, cut
}

// takePalette cuts a table of colours off b if flags announce one.
func (h *gifHead) takePalette(b *[]byte, flags byte) bool {
	if flags&0x80 == 0 {
		return true
	}
	n := 3 << (flags&7 + 1)
	if len(*b) < n {
		return false
	}
	h.palette, *b = (*b)[:n], (*b)[n:]
	return true
}

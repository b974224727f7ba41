package picture

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/octavo-ml/octavo/internal/diag"
)

// The decoder of JPEG (ITU-T T.81: sequential and progressive DCT, Huffman
// coded, 8 bits) is our own because results are compared with libjpeg's level
// by level: the standard library's inverse DCT rounds otherwise, and it does
// not interpolate chroma. Order of reading: jpeg_frame.go, jpeg_scan.go with
// jpeg_huffman.go, jpeg_progressive.go, jpeg_idct.go, jpeg_color.go.

// Markers of segments, ITU-T T.81 table B.1.
const (
	markerSOF0  = 0xc0 // baseline
	markerSOF1  = 0xc1 // extended sequential
	markerSOF2  = 0xc2 // progressive
	markerDHT   = 0xc4
	markerJPG   = 0xc8
	markerDAC   = 0xcc
	markerSOF15 = 0xcf
	markerRST0  = 0xd0
	markerRST7  = 0xd7
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerDQT   = 0xdb
	markerDRI   = 0xdd
	markerAPP0  = 0xe0
	markerAPP1  = 0xe1
	markerAPP14 = 0xee
)

// maxScans bounds the time that a small file can take: a scan passes all
// blocks, and may be a few bytes. Encoders make ten or so.
const maxScans = 500

// jpegDecoder holds what segments leave for later ones.
type jpegDecoder struct {
	b       []byte // what is not read yet
	frame   *jpegFrame
	quant   [4]*[64]int32 // in zigzag order
	huff    [2][4]*huffman
	restart int // MCUs between restart markers; 0: none
	scans   int

	jfif, adobe    bool
	adobeTransform uint8
}

// decodeJPEG gives grey pictures one channel; CMYK and YCCK, inverted as Adobe
// has them, become RGB as Pillow's convert does it.
func decodeJPEG(b []byte) (*Picture, error) {
	d := &jpegDecoder{b: b[2:]}
	for {
		marker, err := d.nextMarker()
		if err != nil {
			return nil, err
		}
		if marker == markerEOI {
			break
		}
		if marker == 0x01 || markerRST0 <= marker && marker <= markerRST7 {
			continue // without a length
		}
		if len(d.b) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int(binary.BigEndian.Uint16(d.b))
		if n < 2 {
			return nil, broken("segment %#x: length %d", marker, n)
		}
		if n > len(d.b) {
			return nil, io.ErrUnexpectedEOF
		}
		body := d.b[2:n]
		d.b = d.b[n:]
		if err := d.segment(marker, body); err != nil {
			return nil, err
		}
	}
	if d.frame == nil {
		return nil, broken("no picture between the markers")
	}
	if err := d.frame.finish(); err != nil {
		return nil, err
	}
	return d.picture(), nil
}

func broken(format string, args ...any) error {
	return &diag.FormatError{Msg: fmt.Sprintf(format, args...)}
}

// nextMarker skips what is left of a scan, as libjpeg does.
func (d *jpegDecoder) nextMarker() (byte, error) {
	for i := 0; i+1 < len(d.b); i++ {
		if m := d.b[i+1]; d.b[i] == 0xff && m != 0 && m != 0xff {
			d.b = d.b[i+2:]
			return m, nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}

func (d *jpegDecoder) segment(marker byte, body []byte) (err error) {
	switch {
	case marker == markerDHT:
		return d.takeHuffman(body)
	case marker == markerSOF0, marker == markerSOF1, marker == markerSOF2:
		if d.frame != nil {
			return broken("more than one frame")
		}
		d.frame, err = newFrame(body, marker == markerSOF2, len(d.b))
		return err
	case marker == markerDAC, markerSOF0 <= marker && marker <= markerSOF15 && marker != markerJPG:
		return &diag.UnsupportedError{
			What: fmt.Sprintf("jpeg coding process %d", marker-markerSOF0),
			Hint: "baseline, extended sequential and progressive with Huffman codes are",
		}
	case marker == markerSOS:
		if d.scans++; d.scans > maxScans {
			return broken("more than %d scans", maxScans)
		}
		return d.scan(body)
	case marker == markerDQT:
		return d.takeQuant(body)
	case marker == markerDRI:
		if len(body) != 2 {
			return broken("restart interval of %d bytes", len(body))
		}
		d.restart = int(binary.BigEndian.Uint16(body))
	case marker == markerAPP0:
		d.jfif = d.jfif || len(body) >= 12 && hasPrefix(body, 0, "JFIF\x00")
	case marker == markerAPP14:
		if len(body) >= 12 && hasPrefix(body, 0, "Adobe") {
			d.adobe, d.adobeTransform = true, body[11]
		}
	}
	return nil
}

// takeQuant reads quantization tables, T.81 B.2.4.1.
func (d *jpegDecoder) takeQuant(b []byte) error {
	for len(b) > 0 {
		wide, id := b[0]>>4, b[0]&15
		n := 64 << min(wide, 1)
		if wide > 1 || id > 3 || len(b) < 1+n {
			return broken("quantization table %#x of %d bytes", b[0], len(b)-1)
		}
		t := new([64]int32)
		for i := range t {
			if wide == 0 {
				t[i] = int32(b[1+i])
			} else {
				t[i] = int32(binary.BigEndian.Uint16(b[1+2*i:]))
			}
		}
		d.quant[id] = t
		b = b[1+n:]
	}
	return nil
}

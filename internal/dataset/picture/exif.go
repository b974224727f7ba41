package picture

import (
	"bytes"
	"encoding/binary"
)

const (
	pngSignature = "\x89PNG\r\n\x1a\n"
	exifPrefix   = "Exif\x00\x00"
)

// exifOfJPEG finds the first APP1 segment with EXIF before the scans.
func exifOfJPEG(b []byte) []byte {
	for b = b[2:]; len(b) >= 4; {
		if b[0] != 0xff {
			return nil
		}
		marker := b[1]
		if marker == 0xff { // fill byte
			b = b[1:]
			continue
		}
		if marker == markerSOS || marker == markerEOI {
			return nil
		}
		n := int(binary.BigEndian.Uint16(b[2:])) + 2
		if n < 4 || n > len(b) {
			return nil
		}
		if body := b[4:n]; marker == markerAPP1 && hasPrefix(body, 0, exifPrefix) {
			return body[len(exifPrefix):]
		}
		b = b[n:]
	}
	return nil
}

// exifOfPNG finds the eXIf chunk, before or after the pixels.
func exifOfPNG(b []byte) []byte {
	for b = b[len(pngSignature):]; len(b) >= 12; {
		n := uint64(binary.BigEndian.Uint32(b))
		if n+12 > uint64(len(b)) {
			return nil
		}
		if string(b[4:8]) == "eXIf" {
			return b[8 : 8+n]
		}
		b = b[n+12:]
	}
	return nil
}

// exifOfWebP finds the EXIF chunk.
func exifOfWebP(b []byte) []byte {
	for c := range riffChunks(b) {
		if c.id == "EXIF" {
			return c.body
		}
	}
	return nil
}

// orientation reads EXIF's tag Orientation (0x0112, one integer) of IFD0 from
// a TIFF structure; 1, "as stored", where there is none to be had. Source:
// EXIF 2.32, 4.6.4.
func orientation(tiff []byte) int {
	tiff = bytes.TrimPrefix(tiff, []byte(exifPrefix))
	var order binary.ByteOrder
	switch {
	case hasPrefix(tiff, 0, "II*\x00"):
		order = binary.LittleEndian
	case hasPrefix(tiff, 0, "MM\x00*"):
		order = binary.BigEndian
	default:
		return 1
	}
	if len(tiff) < 8 {
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		e := entries[:12]
		entries = entries[12:]
		if order.Uint16(e) != 0x0112 || order.Uint32(e[4:]) != 1 {
			continue
		}
		v := uint32(0)
		switch order.Uint16(e[2:]) {
		case 3: // SHORT
			v = uint32(order.Uint16(e[8:]))
		case 4: // LONG
			v = order.Uint32(e[8:])
		}
		if 1 <= v && v <= 8 {
			return int(v)
		}
		return 1
	}
	return 1
}

// orient returns p turned and mirrored as EXIF's orientation o asks: 2 to 4
// keep rows, 5 to 8 make them columns.
func (p *Picture) orient(o int) *Picture {
	if o <= 1 {
		return p
	}
	// out's pixel (x, y) is p's at start + x·dx + y·dy.
	w, h := p.Width, p.Height
	var start, dx, dy int
	switch o {
	case 2:
		start, dx, dy = w-1, -1, w
	case 3:
		start, dx, dy = w*h-1, -1, -w
	case 4:
		start, dx, dy = w*(h-1), 1, -w
	case 5:
		start, dx, dy = 0, w, 1
	case 6:
		start, dx, dy = w*(h-1), -w, 1
	case 7:
		start, dx, dy = w*h-1, -w, -1
	case 8:
		start, dx, dy = w-1, w, -1
	}
	out := &Picture{Width: w, Height: h, Channels: p.Channels, Pix: make([]uint8, len(p.Pix))}
	if o >= 5 {
		out.Width, out.Height = h, w
	}
	i := 0
	for y := range out.Height {
		for x := range out.Width {
			from := (start + x*dx + y*dy) * p.Channels
			i += copy(out.Pix[i:i+p.Channels], p.Pix[from:])
		}
	}
	return out
}

package picture

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/octavo-ml/octavo/internal/diag"
)

func isPNM(h []byte) bool {
	return (hasPrefix(h, 0, "P5") || hasPrefix(h, 0, "P6")) && len(h) > 2 && (isSpace(h[2]) || h[2] == '#')
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// decodePNM reads a pgm (P5) or ppm (P6) of one byte a sample: three numbers,
// one white space, and the samples (Netpbm, pgm(5) and ppm(5)). Samples are
// brought from the greatest that the header names to 255.
func decodePNM(b []byte) (*Picture, error) {
	p := &Picture{Channels: 1}
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
		return nil, &diag.UnsupportedError{What: fmt.Sprintf("samples up to %d", most), Hint: "255 is the most"}
	}
	if most < 1 || len(rest) == 0 || !isSpace(rest[0]) {
		return nil, &diag.FormatError{Msg: "the header does not end in the greatest sample and white space"}
	}
	rest = rest[1:]
	if err := checkSize(p.Width, p.Height, int64(len(rest)/p.Channels)); err != nil {
		return nil, err
	}
	p.Pix = bytes.Clone(rest[:p.Width*p.Height*p.Channels])
	if most < 255 {
		for i, v := range p.Pix {
			p.Pix[i] = uint8(min((int(v)*255+most/2)/most, 255))
		}
	}
	return p, nil
}

// pnmNumber reads a decimal number behind white space and comments.
func pnmNumber(b []byte) (int, []byte, error) {
	for len(b) > 0 && (isSpace(b[0]) || b[0] == '#') {
		if b[0] == '#' {
			_, b, _ = bytes.Cut(b, []byte("\n"))
			continue
		}
		b = b[1:]
	}
	end := 0
	for end < len(b) && end < 9 && b[end] >= '0' && b[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(string(b[:end]))
	if err != nil {
		return 0, nil, &diag.FormatError{Msg: "a number of the header is missing"}
	}
	return n, b[end:], nil
}

package picture_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// quadrants is 20 by 10 pixels in four colours.
func quadrants() *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, 20, 10), color.Palette{
		color.RGBA{200, 10, 20, 255}, color.RGBA{10, 200, 20, 255}, color.RGBA{10, 20, 200, 255}, color.RGBA{90, 90, 90, 255},
	})
	for y := range 10 {
		for x := range 20 {
			m.SetColorIndex(x, y, uint8(x/10+y/5*2))
		}
	}
	return m
}

func encoded(t *testing.T, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch m := quadrants(); format {
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	case "bmp":
		err = bmp.Encode(&b, m)
	case "tiff":
		err = tiff.Encode(&b, m, nil)
	case "pnm":
		b.WriteString("P6 # quadrants\n20 10\n255\n")
		for _, i := range m.Pix {
			c := m.Palette[i].(color.RGBA)
			b.Write([]byte{c.R, c.G, c.B})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeByContent(t *testing.T) {
	for _, format := range []string{"png", "gif", "bmp", "tiff", "pnm"} {
		b := encoded(t, format)
		if got, ok := picture.Sniff(b[:picture.SniffLen]); got != format || !ok {
			t.Errorf("Sniff: got %q, %v, want %q", got, ok, format)
		}
		p, err := picture.Decode(b)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		want := &picture.Picture{Width: 20, Height: 10, Channels: 3}
		m := quadrants()
		for _, i := range m.Pix {
			c := m.Palette[i].(color.RGBA)
			want.Pix = append(want.Pix, c.R, c.G, c.B)
		}
		if d := cmp.Diff(want, p); d != "" {
			t.Errorf("%s: %s", format, d)
		}
	}
}

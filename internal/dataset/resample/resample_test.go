package resample_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dataset/resample"
)

// picture is that of testdata/make/make.py.
func picture(s resample.Size, channels int, seed uint32) []uint8 {
	x := seed*2654435761 | 1
	out := make([]uint8, s.Width*s.Height*channels)
	for i := range out {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		out[i] = uint8(x >> 24)
		if i/29%3 == 1 {
			out[i] = 255 * (out[i] & 1)
		}
	}
	return out
}

type resizer = func([]uint8, resample.Size, resample.Size, int, resample.Filter) ([]uint8, error)

// tensorFlowBytes returns the float32 values in little endian, 0 for -0.
func tensorFlowBytes(src []uint8, from, to resample.Size, channels int, f resample.Filter) ([]uint8, error) {
	values, err := resample.TensorFlow(src, from, to, channels, f)
	var out []uint8
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v+0))
	}
	return out, err
}

func TestGoldens(t *testing.T) {
	var goldens []byte
	for _, name := range []string{"testdata/goldens.txt", "testdata/goldens_tf.txt"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		goldens = append(goldens, b...)
	}
	n := 0
	for line := range strings.Lines(string(goldens)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var channels int
		var from, to resample.Size
		var library, name, want string
		if _, err := fmt.Sscanf(line, "%s %d %dx%d %dx%d %s %s", &library, &channels, &from.Height, &from.Width, &to.Height, &to.Width, &name, &want); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		f := resample.Filter(slices.Index(resample.Names(), name))
		resize := resample.Pillow
		switch library {
		case "opencv":
			resize = resample.OpenCV
		case "tensorflow":
			resize = tensorFlowBytes
		}
		out, err := resize(picture(from, channels, uint32(from.Width+from.Height)), from, to, channels, f)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(out))[:32]; got != want {
			t.Errorf("%s, %d channels, %v to %v, %s: got %s, want %s", library, channels, from, to, name, got, want)
		}
		n++
	}
	if n != 2*7*7*(5+2+3) {
		t.Errorf("%d goldens", n)
	}
}

func TestRefusals(t *testing.T) {
	one := resample.Size{Width: 1, Height: 1}
	huge := resample.Size{Width: 1 << 30, Height: 1 << 30}
	for _, c := range []struct {
		name     string
		n        int
		from, to resample.Size
		channels int
		f        resample.Filter
	}{
		{"channels", 2, one, one, 2, resample.Box},
		{"too few bytes", 2, one, one, 3, resample.Box},
		{"no pixels", 0, resample.Size{}, one, 1, resample.Box},
		{"no result", 1, one, resample.Size{Width: 1}, 1, resample.Nearest},
		{"negative", 1, one, resample.Size{Width: -1, Height: -1}, 1, resample.Nearest},
		{"too large", 1, one, huge, 1, resample.Nearest},
		{"too long", 1, one, resample.Size{Width: 1<<18 + 1, Height: 1}, 1, resample.Box},
		{"too large between", 1 << 18, resample.Size{Width: 1, Height: 1 << 18}, resample.Size{Width: 1 << 18, Height: 1}, 1, resample.Box},
		{"filter", 1, one, resample.Size{Width: 2, Height: 2}, 1, resample.Lanczos + 1},
	} {
		for _, resize := range []resizer{resample.Pillow, resample.OpenCV, tensorFlowBytes} {
			if out, err := resize(make([]uint8, c.n), c.from, c.to, c.channels, c.f); err == nil {
				t.Errorf("%s: %d bytes came out", c.name, len(out))
			}
		}
	}
	if _, err := resample.OpenCV(make([]uint8, 1), one, one, 1, resample.Bicubic); err == nil {
		t.Error("OpenCV's bicubic is not built")
	}
}

// TestSameSizeIsACopy: the caller's pixels stay the caller's.
func TestSameSizeIsACopy(t *testing.T) {
	s := resample.Size{Width: 5, Height: 4}
	src := picture(s, 3, 1)
	for f := range resample.Names() {
		out, err := resample.Pillow(src, s, s, 3, resample.Filter(f))
		if err != nil || !slices.Equal(out, src) || &out[0] == &src[0] {
			t.Errorf("%v: %v", resample.Filter(f), err)
		}
	}
}

func FuzzResize(f *testing.F) {
	f.Add(uint16(3), uint16(5), uint16(7), uint16(2), uint8(4), true)
	f.Add(uint16(0), uint16(5), uint16(7), uint16(2), uint8(1), false)
	f.Fuzz(func(t *testing.T, w, h, tw, th uint16, filter uint8, color bool) {
		channels := 1
		if color {
			channels = 3
		}
		from, to := resample.Size{Width: int(w % 300), Height: int(h % 300)}, resample.Size{Width: int(tw % 300), Height: int(th % 300)}
		src := picture(from, channels, uint32(w))
		for i, resize := range []resizer{resample.Pillow, resample.OpenCV, tensorFlowBytes} {
			out, err := resize(src, from, to, channels, resample.Filter(filter%7))
			if err == nil && len(out) != to.Width*to.Height*channels*[]int{1, 1, 4}[i] {
				t.Errorf("%v to %v: %d bytes", from, to, len(out))
			}
			if err != nil && len(src) > 0 && to.Width*to.Height > 0 && filter%7 < 2 {
				t.Errorf("%v to %v: %v", from, to, err)
			}
		}
	})
}

package resample_test

import (
	"crypto/sha256"
	"fmt"
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

func TestPillowGoldens(t *testing.T) {
	goldens, err := os.ReadFile("testdata/goldens.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(goldens)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var channels int
		var from, to resample.Size
		var name, want string
		if _, err := fmt.Sscanf(line, "%d %dx%d %dx%d %s %s", &channels, &from.Height, &from.Width, &to.Height, &to.Width, &name, &want); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		f := resample.Filter(slices.Index(resample.Names(), name))
		out, err := resample.Pillow(picture(from, channels, uint32(from.Width+from.Height)), from, to, channels, f)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(out))[:32]; got != want {
			t.Errorf("%d channels, %v to %v, %s: got %s, want %s", channels, from, to, name, got, want)
		}
		n++
	}
	if n != 2*7*6*5 {
		t.Errorf("%d goldens", n)
	}
}

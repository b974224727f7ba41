package interop_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/dataset/resample"
)

type resamplePicture struct {
	Width    int `json:"width"`
	Height   int `json:"height"`
	Channels int `json:"channels"`
}

type resampleCase struct {
	Picture int    `json:"picture"`
	Library string `json:"library"`
	Filter  string `json:"filter"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
}

// drawn is noise over gradients with black and white bars, so that weights
// beyond 0 to 1 reach both ends of the clamp.
func drawn(r *rand.Rand, p resamplePicture) []uint8 {
	pix := make([]uint8, p.Width*p.Height*p.Channels)
	period := 2 + r.IntN(40)
	for i := range pix {
		x, y := i/p.Channels%p.Width, i/p.Channels/p.Width
		switch (x/period + y/period) % 3 {
		case 0:
			pix[i] = uint8(r.Uint32())
		case 1:
			pix[i] = uint8(x + 2*y + 50*(i%p.Channels))
		case 2:
			pix[i] = uint8(255 * (x / 2 % 2))
		}
	}
	return pix
}

// writeResampled resizes 64 pictures to 6 sizes each with every filter.
func writeResampled(t *testing.T, dir string) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var index struct {
		Pictures []resamplePicture `json:"pictures"`
		Cases    []resampleCase    `json:"cases"`
	}
	var sources, outputs []uint8
	for i := range 64 {
		p := resamplePicture{1 + r.IntN(300), 1 + r.IntN(300), 1 + i%2*2}
		index.Pictures = append(index.Pictures, p)
		pix := drawn(r, p)
		sources = append(sources, pix...)
		from := resample.Size{Width: p.Width, Height: p.Height}
		for _, to := range []resample.Size{{Width: 224, Height: 224}, {Width: 1, Height: 1}, {Width: 32, Height: 48},
			{Width: p.Width, Height: 100}, {Width: 77, Height: p.Height}, {Width: 1 + r.IntN(400), Height: 1 + r.IntN(400)}} {
			for _, l := range []struct {
				name    string
				resize  func([]uint8, resample.Size, resample.Size, int, resample.Filter) ([]uint8, error)
				filters []resample.Filter
			}{
				{"pillow", resample.Pillow, []resample.Filter{resample.Bilinear, resample.Bicubic, resample.Box, resample.Lanczos, resample.Nearest}},
				{"opencv", resample.OpenCV, []resample.Filter{resample.Bilinear, resample.Nearest}},
			} {
				for _, f := range l.filters {
					out, err := l.resize(pix, from, to, p.Channels, f)
					if err != nil {
						t.Fatal(err)
					}
					outputs = append(outputs, out...)
					index.Cases = append(index.Cases, resampleCase{i, l.name, f.String(), to.Width, to.Height})
				}
			}
		}
	}
	b, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"cases.json": b, "pictures.bin": sources, "outputs.bin": outputs} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestResampling compares with Pillow and OpenCV; then one byte is changed, and
// the comparison must see it.
func TestResampling(t *testing.T) {
	py := python(t)
	dir := t.TempDir()
	writeResampled(t, dir)
	out, err := exec.Command(py, "resample.py", dir).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "outputs.bin")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(py, "resample.py", dir).Run(); err == nil {
		t.Error("one changed byte went unseen")
	}
}

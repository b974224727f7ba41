package octavo

import (
	"context"
	"image"
	_ "image/jpeg"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// box is a detection in units of the picture's sides.
type box struct {
	x0, y0, x1, y1, score float64
	class                 int
}

// detector is a detection network, what it was trained to read and how its
// outputs become boxes, as its authors' own scripts have it.
type detector struct {
	name, file    string
	pictures      []string
	width, height int
	bgr           bool
	mean, scale   float64
	boxes         func(out map[string]*Tensor) []box
	grid          int // crops of a size along each side of a picture
}

var detectors = []detector{
	{
		"ultraface", "ultraface/version-RFB-320.onnx",
		[]string{"ultraface/satya.jpg"},
		320, 240, false, 127, 1.0 / 128, ultrafaceBoxes, 11,
	},
	{
		"fastestdet", "fastestdet/FastestDet.onnx",
		[]string{"fastestdet/0.jpg", "fastestdet/1.jpg", "ultraface/satya.jpg"},
		352, 352, true, 0, 1.0 / 255, fastestDetBoxes, 4,
	},
}

// TestDetectorsFindTheSameBoxes compares the boxes that a float detector and
// its int8 form find in crops of the sample pictures. Crops of other places
// calibrate.
func TestDetectorsFindTheSameBoxes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const needCrops, needBoxes, needShare = 64, 200, 0.95
	for _, d := range detectors {
		t.Run(d.name, func(t *testing.T) {
			path := filepath.Join(realModels, d.file)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("needs the real models: %v", err)
			}
			m := open(t, path)
			input := m.graph.Inputs[0].Name
			calib, test := d.crops(t, input)
			q, err := Quantize(context.Background(), m, Recipe{Mode: Static}, WithCalibration(inputsOf(calib)))
			if err != nil {
				t.Fatal(err)
			}
			var found, again, matched int
			float, int8 := compiled(t, m), compiled(t, q)
			for _, s := range test {
				a, b := d.find(t, float, s), d.find(t, int8, s)
				found, again = found+len(a), again+len(b)
				matched += countMatched(a, b)
			}
			share := 2 * float64(matched) / float64(found+again)
			t.Logf("%d crops: %d boxes float, %d int8, %d matched (%.1f %%)", len(test), found, again, matched, 100*share)
			if len(test) < needCrops || found < needBoxes {
				t.Errorf("%d crops with %d boxes say little; at least %d and %d are wanted", len(test), found, needCrops, needBoxes)
			}
			if share < needShare {
				t.Errorf("%.1f %% of the boxes match, at least %.0f %% are wanted", 100*share, 100*needShare)
			}
		})
	}
}

func compiled(t *testing.T, m *Model) *Program {
	t.Helper()
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (d *detector) find(t *testing.T, p *Program, s Sample) []box {
	t.Helper()
	out, err := p.Run(context.Background(), s.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	return suppress(d.boxes(out))
}

// crops returns samples of parts of the pictures in three sizes, on a grid: every
// eighth calibrates, the others test.
func (d *detector) crops(t *testing.T, input string) (calib, test []Sample) {
	t.Helper()
	n := 0
	for _, name := range d.pictures {
		f, err := os.Open(filepath.Join(realModels, name))
		if err != nil {
			t.Skipf("needs the pictures: %v", err)
		}
		img, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		r := img.Bounds()
		for _, part := range []float64{0.95, 0.8, 0.65} {
			w, h := int(part*float64(r.Dx())), int(part*float64(r.Dy()))
			for i := range d.grid {
				for j := range d.grid {
					x, y := r.Min.X+(r.Dx()-w)*i/(d.grid-1), r.Min.Y+(r.Dy()-h)*j/(d.grid-1)
					s := Sample{Inputs: Inputs{input: d.pixels(img, image.Rect(x, y, x+w, y+h))}, Label: -1}
					if n%8 == 0 {
						calib = append(calib, s)
					} else {
						test = append(test, s)
					}
					n++
				}
			}
		}
	}
	return calib, test
}

// pixels resizes part of a picture, bilinear at pixel centres, to the input.
func (d *detector) pixels(img image.Image, r image.Rectangle) *Tensor {
	out := make([]float32, 3*d.width*d.height)
	at := func(n, of, from, to int) (int, int, float64) {
		x := (float64(n)+0.5)*float64(to-from)/float64(of) - 0.5
		x = min(max(x, 0), float64(to-from-1))
		i := int(x)
		return from + i, min(from+i+1, to-1), x - float64(i)
	}
	for y := range d.height {
		y0, y1, fy := at(y, d.height, r.Min.Y, r.Max.Y)
		for x := range d.width {
			x0, x1, fx := at(x, d.width, r.Min.X, r.Max.X)
			c00, c01 := rgb(img, x0, y0), rgb(img, x1, y0)
			c10, c11 := rgb(img, x0, y1), rgb(img, x1, y1)
			for c := range 3 {
				v := (1-fy)*((1-fx)*c00[c]+fx*c01[c]) + fy*((1-fx)*c10[c]+fx*c11[c])
				to := c
				if d.bgr {
					to = 2 - c
				}
				out[(to*d.height+y)*d.width+x] = float32((v - d.mean) * d.scale)
			}
		}
	}
	return tensor.FromSlice(out, 1, 3, d.height, d.width)
}

func rgb(img image.Image, x, y int) [3]float64 {
	r, g, b, _ := img.At(x, y).RGBA()
	return [3]float64{float64(r >> 8), float64(g >> 8), float64(b >> 8)}
}

// ultrafaceBoxes reads "scores" [1,4420,2] and "boxes" [1,4420,4], corners.
func ultrafaceBoxes(out map[string]*Tensor) []box {
	scores, corners := Data[float32](out["scores"]), Data[float32](out["boxes"])
	var bs []box
	for i := range len(scores) / 2 {
		if s := float64(scores[2*i+1]); s > 0.7 {
			c := corners[4*i:]
			bs = append(bs, box{float64(c[0]), float64(c[1]), float64(c[2]), float64(c[3]), s, 0})
		}
	}
	return bs
}

// fastestDetBoxes reads [1,85,22,22]: for each cell objectness, two offsets,
// two sides and 80 classes.
func fastestDetBoxes(out map[string]*Tensor) []box {
	const side, cells, classes = 22, 22 * 22, 80
	var x []float32
	for _, t := range out {
		x = Data[float32](t)
	}
	logistic := func(v float32) float64 { return 1 / (1 + math.Exp(-float64(v))) }
	var bs []box
	for i := range cells {
		at := func(c int) float32 { return x[c*cells+i] }
		best := 0
		for c := range classes {
			if at(5+c) > at(5+best) {
				best = c
			}
		}
		score := math.Pow(float64(at(0)), 0.6) * math.Pow(float64(at(5+best)), 0.4)
		if score <= 0.65 {
			continue
		}
		cx := (float64(i%side) + math.Tanh(float64(at(1)))) / side
		cy := (float64(i/side) + math.Tanh(float64(at(2)))) / side
		w, h := logistic(at(3))/2, logistic(at(4))/2
		bs = append(bs, box{cx - w, cy - h, cx + w, cy + h, score, best})
	}
	return bs
}

// suppress keeps the best of boxes of a class that overlap by more than 0.45.
func suppress(bs []box) []box {
	slices.SortStableFunc(bs, func(a, b box) int {
		if a.score > b.score {
			return -1
		}
		return 1
	})
	var kept []box
	for _, b := range bs {
		if !slices.ContainsFunc(kept, func(k box) bool { return k.class == b.class && overlap(k, b) > 0.45 }) {
			kept = append(kept, b)
		}
	}
	return kept
}

// overlap is intersection over union.
func overlap(a, b box) float64 {
	w := min(a.x1, b.x1) - max(a.x0, b.x0)
	h := min(a.y1, b.y1) - max(a.y0, b.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	area := func(b box) float64 { return (b.x1 - b.x0) * (b.y1 - b.y0) }
	return w * h / (area(a) + area(b) - w*h)
}

// countMatched pairs boxes of a class that overlap by half, each at most once.
func countMatched(a, b []box) int {
	n := 0
	used := make([]bool, len(b))
	for _, x := range a {
		best, most := -1, 0.5
		for j, y := range b {
			if o := overlap(x, y); !used[j] && y.class == x.class && o >= most {
				best, most = j, o
			}
		}
		if best >= 0 {
			used[best] = true
			n++
		}
	}
	return n
}

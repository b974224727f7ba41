package octavo

import (
	"context"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// quantized opens a real model and calibrates it on samples of its only input.
func quantized(t *testing.T, name string, r Recipe, samples func(m *Model) (calib, test []Sample)) (float, int8 *Model, test []Sample) {
	t.Helper()
	path := filepath.Join(realModels, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the real models: %v", err)
	}
	float = open(t, path)
	calib, test := samples(float)
	int8, err := Quantize(context.Background(), float, r, WithCalibration(inputsOf(calib)))
	if err != nil {
		t.Fatal(err)
	}
	return float, int8, test
}

// outputsOf returns what a model makes of each sample, by output.
func outputsOf(t *testing.T, m *Model, samples []Sample) map[string][][]float32 {
	t.Helper()
	p, out := compiled(t, m), map[string][][]float32{}
	for _, s := range samples {
		y, err := p.Run(context.Background(), s.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		for name, x := range y {
			out[name] = append(out[name], Data[float32](x))
		}
	}
	return out
}

// TestSuperResolutionKeepsPictures enlarges crops of a sample picture with the
// float network and with its int8 form, which was calibrated on two others.
// Rounded plainly it has 32 dB: one input channel of the last convolution has
// weights a hundred times as large as those of the others, which 8 bits a filter
// leave one step, and the error is a shift of the mean.
func TestSuperResolutionKeepsPictures(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const side, want = 224, 38 // dB of a peak of 1
	float, int8, test := quantized(t, "super-resolution/super_resolution.onnx", Recipe{Mode: Static}, func(m *Model) (calib, test []Sample) {
		for k, name := range []string{"fastestdet/0.jpg", "fastestdet/1.jpg", "ultraface/satya.jpg"} {
			img := photograph(t, name)
			r := img.Bounds()
			const steps = 3
			for i := range steps * steps {
				x, y := r.Min.X+(r.Dx()-side)*(i%steps)/(steps-1), r.Min.Y+(r.Dy()-side)*(i/steps)/(steps-1)
				s := Sample{Inputs: Inputs{m.graph.Inputs[0].Name: luminance(img, x, y, side)}, Label: -1}
				if k == 1 {
					test = append(test, s)
				} else {
					calib = append(calib, s)
				}
			}
		}
		return calib, test
	})
	a, b := outputsOf(t, float, test), outputsOf(t, int8, test)
	for name := range a {
		var noise float64
		n := 0
		for i := range a[name] {
			for k, v := range a[name][i] {
				d := float64(b[name][i][k]) - float64(v)
				noise, n = noise+d*d, n+1
			}
		}
		db := -10 * math.Log10(noise/float64(n))
		t.Logf("%d pictures: PSNR %.1f dB", len(test), db)
		if !(db >= want) || len(test) < 3 {
			t.Errorf("PSNR %.1f dB of %d pictures, at least %d of 3 are wanted", db, len(test), want)
		}
	}
}

func photograph(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(filepath.Join(realModels, name))
	if err != nil {
		t.Skipf("needs the pictures: %v", err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// luminance is a square of a picture, in 0..1.
func luminance(img image.Image, x, y, side int) *Tensor {
	out := make([]float32, side*side)
	for i := range out {
		c := rgb(img, x+i%side, y+i/side)
		out[i] = float32((0.299*c[0] + 0.587*c[1] + 0.114*c[2]) / 255)
	}
	return tensor.FromSlice(out, 1, 1, side, side)
}

// TestPitchKeepsItsNotes transcribes a voice with Basic Pitch and with its int8
// form: every other window calibrates. The constant-Q transform at its head
// stays float, as a logarithm reads it (8 to 13 dB with it).
func TestPitchKeepsItsNotes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const window, want = 43844, 20 // samples at 22050 Hz; dB
	r := Recipe{Mode: Static}
	float, int8, test := quantized(t, "basic-pitch/nmp.onnx", r, func(m *Model) (calib, test []Sample) {
		x := halved(sound(t, "basic-pitch/vocadito_10.wav"))
		for i := 0; len(x) >= window; i++ {
			s := Sample{Inputs: Inputs{m.graph.Inputs[0].Name: tensor.FromSlice(x[:window:window], 1, window, 1)}, Label: -1}
			if i%2 == 0 {
				calib = append(calib, s)
			} else {
				test = append(test, s)
			}
			x = x[window/3:]
		}
		return calib, test
	})
	a, b := outputsOf(t, float, test), outputsOf(t, int8, test)
	for name := range a {
		db := signalToNoise(a[name], b[name])
		t.Logf("%s, %d windows: SQNR %.1f dB", name, len(test), db)
		if !(db >= want) {
			t.Errorf("%s: SQNR %.1f dB, at least %d are wanted", name, db, want)
		}
	}
}

// halved is x at half its rate, without what that cannot hold (a windowed sinc).
func halved(x []float32) []float32 {
	const reach = 64
	var taps [2*reach + 1]float64
	for i := range taps {
		n := float64(i - reach)
		taps[i] = 0.5 * (0.54 + 0.46*math.Cos(math.Pi*n/reach))
		if n != 0 {
			taps[i] *= math.Sin(math.Pi*n/2) / (math.Pi * n / 2)
		}
	}
	out := make([]float32, len(x)/2)
	for i := range out {
		var sum float64
		for k, w := range taps {
			if at := 2*i + k - reach; at >= 0 && at < len(x) {
				sum += w * float64(x[at])
			}
		}
		out[i] = float32(sum)
	}
	return out
}

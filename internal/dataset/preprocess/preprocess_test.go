package preprocess_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
	"github.com/octavo-ml/octavo/internal/dataset/resample"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func preset(t *testing.T, name string) *preprocess.Definition {
	t.Helper()
	d, ok := preprocess.Preset(name)
	if !ok {
		t.Fatalf("no preset %q", name)
	}
	return d
}

func ramp(h, w, c int) *picture.Picture {
	p := &picture.Picture{Width: w, Height: h, Channels: c, Pix: make([]uint8, h*w*c)}
	for i := range p.Pix {
		p.Pix[i] = uint8(i * 7)
	}
	return p
}

func floats(t *testing.T, d *preprocess.Definition, p *picture.Picture, shape ...int) []float32 {
	t.Helper()
	x, err := d.Apply(p, preprocess.Input{Type: dtype.Float32, Shape: shape})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float32](x)
}

// TestValues compares with the formulas that the presets are known by.
func TestValues(t *testing.T) {
	p := &picture.Picture{Width: 1, Height: 1, Channels: 3, Pix: []uint8{10, 100, 255}}
	for name, want := range map[string][]float32{
		"tf":    {float32(10/127.5) - 1, float32(100/127.5) - 1, 1},
		"caffe": {255 - float32(103.939), 100 - float32(116.779), 10 - float32(123.68)},
		"unit":  {float32(10) / 255, float32(100) / 255, 1},
		"raw":   {10, 100, 255},
	} {
		d := preset(t, name)
		d.Layout = "nchw"
		if got := floats(t, d, p, 1, 3, 1, 1); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	d := preset(t, "imagenet")
	d.Resize, d.Crop, d.Layout = "", "", "nchw"
	want := []float32{(float32(10)/255 - 0.485) / 0.229, (float32(100)/255 - 0.456) / 0.224, (float32(1) - 0.406) / 0.225}
	if got := floats(t, d, p, 3, 1, 1); !slices.Equal(got, want) {
		t.Errorf("imagenet: got %v, want %v", got, want)
	}
}

// TestUnitIsADivision: the product with 1/255 in float64 rounds to what
// dividing by 255 in float32 gives.
func TestUnitIsADivision(t *testing.T) {
	p := &picture.Picture{Width: 256, Height: 1, Channels: 1, Pix: make([]uint8, 256)}
	for i := range p.Pix {
		p.Pix[i] = uint8(i)
	}
	for i, got := range floats(t, preset(t, "unit"), p, 1, 1, 256) {
		if want := float32(i) / 255; got != want {
			t.Errorf("%d: got %v, want %v", i, got, want)
		}
	}
}

// TestResamplers: each goes its own way, and tf keeps fractions through
// letterbox and crop.
func TestResamplers(t *testing.T) {
	src := ramp(9, 13, 3)
	from, to := resample.Size{Width: 13, Height: 9}, resample.Size{Width: 6, Height: 4}
	raw := preset(t, "raw")
	raw.Resampler = "cv2"
	pix, err := resample.OpenCV(src.Pix, from, to, 3, resample.Bilinear)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range floats(t, raw, src, 4, 6, 3) {
		if v != float32(pix[i]) {
			t.Fatalf("cv2: element %d is %v, want %v", i, v, pix[i])
		}
	}
	want, err := resample.TensorFlow(src.Pix, from, to, 3, resample.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	raw.Resampler, raw.Interpolation = "tf", "bicubic"
	if got := floats(t, raw, src, 4, 6, 3); !slices.Equal(got, want) {
		t.Errorf("tf: got %v, want %v", got, want)
	}
	raw.Resize, raw.Crop = "letterbox:6x6@9", "4x6"
	if got := floats(t, raw, src, 4, 6, 3); !slices.Equal(got, want) {
		t.Errorf("tf, letterbox and crop: got %v, want %v", got, want)
	}
	if err := raw.Check(3, 4, 6, dtype.Uint8); err == nil || !strings.Contains(err.Error(), "fractions") {
		t.Errorf("tf into uint8: %v", err)
	}
}

func TestColorAndLayout(t *testing.T) {
	p := &picture.Picture{Width: 2, Height: 1, Channels: 3, Pix: []uint8{1, 2, 3, 4, 5, 6}}
	raw := preset(t, "raw")
	if got := floats(t, raw, p, 3, 1, 2); !slices.Equal(got, []float32{1, 4, 2, 5, 3, 6}) {
		t.Errorf("channels first: %v", got)
	}
	raw.Layout = "nhwc"
	if got := floats(t, raw, p, 1, 2, 3); !slices.Equal(got, []float32{1, 2, 3, 4, 5, 6}) {
		t.Errorf("channels last: %v", got)
	}
	raw.Color = "bgr"
	if got := floats(t, raw, p, 1, 2, 3); !slices.Equal(got, []float32{3, 2, 1, 6, 5, 4}) {
		t.Errorf("bgr: %v", got)
	}
	// L of Pillow for pure red, green and blue, and white.
	q := &picture.Picture{Width: 2, Height: 2, Channels: 3, Pix: []uint8{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}}
	if got := floats(t, preset(t, "raw"), q, 1, 2, 2); !slices.Equal(got, []float32{76, 150, 29, 255}) {
		t.Errorf("gray: %v", got)
	}
	g := &picture.Picture{Width: 1, Height: 1, Channels: 1, Pix: []uint8{9}}
	raw = preset(t, "raw")
	raw.Layout = "nchw"
	if got := floats(t, raw, g, 3, 1, 1); !slices.Equal(got, []float32{9, 9, 9}) {
		t.Errorf("from gray: %v", got)
	}
}

// TestCrop: 0.5 rounds to 0, 1.5 to 2 as Python's round; @floor rounds down;
// what is too small is padded with zeros.
func TestCrop(t *testing.T) {
	row := func(n int) *picture.Picture {
		p := &picture.Picture{Width: n, Height: 1, Channels: 1}
		for i := range n {
			p.Pix = append(p.Pix, uint8(i+1))
		}
		return p
	}
	one := 1.0
	for _, c := range []struct {
		n    int
		crop string
		want []float32
	}{
		{5, "1x4", []float32{1, 2, 3, 4}},
		{7, "1x4", []float32{3, 4, 5, 6}},
		{7, "1x4@floor", []float32{2, 3, 4, 5}},
		{9, "1x4", []float32{3, 4, 5, 6}},
		{1, "1x4", []float32{0, 1, 0, 0}},
		{1, "1x4@floor", []float32{0, 0, 1, 0}},
	} {
		d := preprocess.Definition{Crop: c.crop, Scale: &one}
		if got := floats(t, &d, row(c.n), 1, 1, 4); !slices.Equal(got, c.want) {
			t.Errorf("%d to %s: got %v, want %v", c.n, c.crop, got, c.want)
		}
	}
}

func TestResizeRules(t *testing.T) {
	for _, c := range []struct {
		resize     string
		h, w, H, W int
	}{
		{"256", 375, 500, 256, 341}, {"256", 500, 333, 384, 256}, {"20x30", 7, 9, 20, 30}, {"letterbox:64", 30, 50, 64, 64},
	} {
		d := preprocess.Definition{Resize: c.resize}
		x, err := d.Apply(ramp(c.h, c.w, 3), preprocess.Input{Type: dtype.Float32, Shape: []int{-1, 3, -1, -1}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x.Shape(), []int{1, 3, c.H, c.W}) {
			t.Errorf("%s of %dx%d: got %v", c.resize, c.h, c.w, x.Shape())
		}
	}
	one := 1.0
	box := preprocess.Definition{Resize: "letterbox:4x4@7", Scale: &one}
	p := &picture.Picture{Width: 4, Height: 1, Channels: 1, Pix: []uint8{1, 2, 3, 4}}
	if got := floats(t, &box, p, 1, 4, 4); !slices.Equal(got, []float32{7, 7, 7, 7, 1, 2, 3, 4, 7, 7, 7, 7, 7, 7, 7, 7}) {
		t.Errorf("letterbox: %v", got)
	}
	// The pixels between are those of the resampler.
	raw := preset(t, "raw")
	raw.Interpolation = "lanczos"
	src := ramp(9, 13, 3)
	want, err := resample.Pillow(src.Pix, resample.Size{Width: 13, Height: 9}, resample.Size{Width: 6, Height: 5}, 3, resample.Lanczos)
	if err != nil {
		t.Fatal(err)
	}
	x, err := raw.Apply(src, preprocess.Input{Type: dtype.Uint8, Shape: []int{5, 6, 3}})
	if err != nil || !slices.Equal(tensor.Data[uint8](x), want) {
		t.Errorf("resized: %v, %v", x, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		shape      []int
		typ        dtype.Type
		want       string // in the error or its notes
	}{
		{"key", "resise: 256", nil, dtype.Float32, "resize"},
		{"word", "interpolation: bilinaer", nil, dtype.Float32, "did you mean bilinear"},
		{"size", "resize: 25six", nil, dtype.Float32, "shorter side"},
		{"crop", "resize: 200\ncrop: 224", nil, dtype.Float32, "larger"},
		{"twice", "crop: 1\ncrop: 2", nil, dtype.Float32, "already defined"},
		{"number of means", "mean: [1, 2]", nil, dtype.Float32, "2 values"},
		{"means for gray", "mean: [1, 2, 3]", []int{1, 5, 5}, dtype.Float32, "1 channels"},
		{"std", "std: [0]", nil, dtype.Float32, "divided"},
		{"scale", "scale: .inf", nil, dtype.Float32, "factor"},
		{"other size", "crop: 5", []int{3, 4, 4}, dtype.Float32, "takes 4x4"},
		{"free size", "resize: input", []int{3, -1, -1}, dtype.Float32, "free"},
		{"color", "color: gray", []int{3, 4, 4}, dtype.Float32, "3 channels"},
		{"batch", "crop: 4", []int{2, 3, 4, 4}, dtype.Float32, "batches of 1"},
		{"layout", "crop: 3", []int{3, 3, 3}, dtype.Float32, "nchw or nhwc"},
		{"rank", "crop: 3", []int{3, 3}, dtype.Float32, "not for pictures"},
		{"integers", "crop: 4", []int{3, 4, 4}, dtype.Uint8, "raw"},
		{"int8", "crop: 4\nscale: 1", []int{3, 4, 4}, dtype.Int8, "mean 128"},
		{"type", "crop: 4", []int{3, 4, 4}, dtype.Int64, "float32"},
		{"cv2", "interpolation: lanczos\nresampler: cv2", nil, dtype.Float32, "nearest, bilinear"},
		{"documents", "crop: 4\n---\ncrop: 4", nil, dtype.Float32, "one document"},
		{"empty", "", nil, dtype.Float32, "keys"},
	} {
		d, err := preprocess.Parse([]byte(c.yaml))
		if err == nil && c.shape != nil {
			_, err = d.For(preprocess.Input{Type: c.typ, Shape: c.shape})
		}
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		if text := err.Error() + strings.Join(diag.Notes(err), " "); !strings.Contains(text, c.want) || diag.ExitCode(err) != 2 {
			t.Errorf("%s: %q does not say %q", c.name, text, c.want)
		}
	}
	if _, err := preset(t, "imagenet").Apply(&picture.Picture{Width: 2, Height: 2, Channels: 3, Pix: []uint8{1}}, preprocess.Input{Type: dtype.Float32, Shape: []int{3, 224, 224}}); err == nil {
		t.Error("a picture with too few pixels")
	}
	if _, err := preset(t, "imagenet").Apply(&picture.Picture{Channels: 3}, preprocess.Input{Type: dtype.Float32, Shape: []int{3, 224, 224}}); err == nil {
		t.Error("a picture without pixels")
	}
	long := &picture.Picture{Width: 1, Height: 1 << 18, Channels: 1, Pix: make([]uint8, 1<<18)}
	if _, err := preset(t, "imagenet").Apply(long, preprocess.Input{Type: dtype.Float32, Shape: []int{3, 224, 224}}); err == nil || !strings.Contains(err.Error(), "pixels") {
		t.Errorf("a picture that grows without bound: %v", err)
	}
	d, err := preprocess.Parse([]byte("{scale: 1, mean: [128]}"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := d.Apply(&picture.Picture{Width: 2, Height: 1, Channels: 1, Pix: []uint8{0, 255}}, preprocess.Input{Type: dtype.Int8, Shape: []int{1, 1, 2}})
	if err != nil || !slices.Equal(tensor.Data[int8](x), []int8{-128, 127}) {
		t.Errorf("int8: %v, %v", x, err)
	}
}

func TestEncodeIsInvertible(t *testing.T) {
	word := func(words ...string) *rapid.Generator[string] { return rapid.SampledFrom(append(words, "")) }
	number := rapid.Custom(func(r *rapid.T) float64 { return float64(rapid.Float32Range(0.001, 1e6).Draw(r, "v")) })
	list := rapid.OneOf(rapid.Just[[]float64](nil), rapid.SliceOfN(number, 1, 1), rapid.SliceOfN(number, 3, 3))
	rapid.Check(t, func(r *rapid.T) {
		d := &preprocess.Definition{
			Color: word("rgb", "bgr", "gray").Draw(r, "color"), Resize: word("256", "224x300", "input", "letterbox:640@114").Draw(r, "resize"),
			Crop: word("224", "8x9", "8@floor").Draw(r, "crop"), Interpolation: word("nearest", "bilinear").Draw(r, "interpolation"),
			Resampler: word("pil", "tf", "cv2").Draw(r, "resampler"), Mean: list.Draw(r, "mean"), Std: list.Draw(r, "std"), Layout: word("nchw", "nhwc").Draw(r, "layout"),
		}
		if rapid.Bool().Draw(r, "scaled") {
			v := number.Draw(r, "scale")
			d.Scale = &v
		}
		s, err := d.Encode()
		if err != nil {
			r.Fatal(err)
		}
		back, err := preprocess.Decode(s)
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(d, back); diff != "" || strings.Contains(s, "\n") {
			r.Fatal(s, diff)
		}
	})
}

func TestPresetsAreWhole(t *testing.T) {
	for _, name := range preprocess.Presets() {
		d := preset(t, name)
		if err := d.Check(3, 224, 224, dtype.Float32); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s := d.Describe(); strings.Contains(s, "\n") || !strings.Contains(s, "resize") {
			t.Errorf("%s: %q", name, s)
		}
	}
}

// TestCheckKnowsItsExtents: whatever the layout, and where a side could be
// taken for channels.
func TestCheckKnowsItsExtents(t *testing.T) {
	for _, layout := range []string{"", "nchw", "nhwc"} {
		d := preprocess.Definition{Resize: "5x3", Layout: layout}
		if err := d.Check(3, 5, 3, dtype.Float32); err != nil {
			t.Errorf("layout %q: %v", layout, err)
		}
		if err := d.Check(3, 3, 5, dtype.Float32); err == nil {
			t.Errorf("layout %q: height and width are not told apart", layout)
		}
	}
}

func TestNamed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, ok := preprocess.FindBeside(filepath.Join(dir, "m.onnx")); ok {
		t.Error("found what is not there")
	}
	hf := write("preprocessor_config.json", `{"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}`)
	if got, ok := preprocess.FindBeside(filepath.Join(dir, "m.onnx")); !ok || got != hf {
		t.Errorf("found %q", got)
	}
	for word, want := range map[string]string{hf: "32x32", write("a.yaml", "resize: 5x5"): "5x5", write("b.json", `{"resize":"6"}`): "6", "tf": "input"} {
		if d, err := preprocess.Named(word); err != nil || d.Resize != want {
			t.Errorf("%s: %v, %v", word, d, err)
		}
	}
	if _, err := preprocess.Named("imagnet"); err == nil || !strings.Contains(strings.Join(diag.Notes(err), " "), "imagenet") {
		t.Errorf("misspelt: %v", err)
	}
}

package preprocess_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
	"github.com/octavo-ml/octavo/internal/dtype"
)

// survives: whatever was read can be written, read back, described, and either
// refused for an input or applied.
func survives(t *testing.T, d *preprocess.Definition) {
	t.Helper()
	s, err := d.Encode()
	if err != nil {
		t.Fatalf("%+v was read and cannot be written: %v", d, err)
	}
	back, err := preprocess.Decode(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	if diff := cmp.Diff(d, back); diff != "" {
		t.Fatal(diff)
	}
	if d.Describe() == "" {
		t.Error("nothing to say")
	}
	in := preprocess.Input{Type: dtype.Float32, Shape: []int{1, 3, 12, 10}}
	pipe, err := d.For(in)
	if err != nil {
		return
	}
	if n, err := strconv.Atoi(d.Resize); err == nil && n > 500 {
		return // allowed, and slow
	}
	if x, err := pipe.Apply(ramp(3, 4, 3)); err == nil && x.Len() != 360 {
		t.Errorf("%s gave %v", s, x)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("resize: 12x10\nmean: [0.5, 0.5, 0.5]\nstd: [0.5]\ninterpolation: lanczos\n"))
	f.Add([]byte("{resize: letterbox:12x10@3, color: bgr, scale: 0.5, resampler: tf}"))
	f.Add([]byte("a: &a [*a]\n<<: {crop: 3}"))
	f.Add([]byte("resize: 12\ncrop: 12x10@floor\nresampler: cv2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := preprocess.Parse(b); err == nil {
			survives(t, d)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, name := range preprocess.Presets() {
		d, _ := preprocess.Preset(name)
		s, err := d.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := preprocess.Decode(s); err == nil {
			survives(t, d)
		}
	})
}

func FuzzHuggingFace(f *testing.F) {
	f.Add([]byte(`{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 12}, "crop_size": {"height": 12, "width": 10}}`))
	f.Add([]byte(`{"feature_extractor_type": "ConvNextFeatureExtractor", "size": 12, "crop_pct": 0.9, "image_mean": 0.5}`))
	f.Add([]byte(`{"size": [1], "resample": 2, "image_std": [1, 2, 3], "do_rescale": true, "rescale_factor": 1e300}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := preprocess.ParseHuggingFace(b); err == nil {
			survives(t, d)
		}
	})
}

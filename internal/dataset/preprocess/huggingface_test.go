package preprocess_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
	"github.com/octavo-ml/octavo/internal/diag"
)

func TestHuggingFace(t *testing.T) {
	half := []float64{0.5, 0.5, 0.5}
	clipMean, clipStd := []float64{0.48145466, 0.4578275, 0.40821073}, []float64{0.26862954, 0.26130258, 0.27577711}
	one := 1.0
	for _, c := range []struct {
		name, json string
		want       preprocess.Definition
	}{
		{"ViT as it is published", `{"do_normalize": true, "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
			"image_processor_type": "ViTImageProcessor", "image_std": [0.5, 0.5, 0.5], "resample": 2,
			"rescale_factor": 0.00392156862745098, "size": {"height": 224, "width": 224}}`,
			preprocess.Definition{Resize: "224x224", Interpolation: "bilinear", Mean: half, Std: half}},
		{"CLIP of the first releases", `{"crop_size": 224, "do_center_crop": true, "do_normalize": true, "do_resize": true,
			"feature_extractor_type": "CLIPFeatureExtractor", "resample": 3, "size": 224,
			"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}`,
			preprocess.Definition{Resize: "224", Crop: "224@floor", Interpolation: "bicubic", Mean: clipMean, Std: clipStd}},
		{"what a kind leaves out", `{"image_processor_type": "CLIPImageProcessorFast"}`,
			preprocess.Definition{Resize: "224", Crop: "224", Interpolation: "bicubic", Mean: clipMean, Std: clipStd}},
		{"ConvNext below 384", `{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}, "crop_pct": 0.875}`,
			preprocess.Definition{Resize: "256", Crop: "224@floor", Interpolation: "bilinear", Mean: half, Std: half}},
		{"ConvNext at 384", `{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}}`,
			preprocess.Definition{Resize: "384x384", Interpolation: "bilinear", Mean: half, Std: half}},
		{"Levit", `{"image_processor_type": "LevitImageProcessor", "image_mean": 0.5, "image_std": 0.5}`,
			preprocess.Definition{Resize: "256", Crop: "224@floor", Interpolation: "bicubic", Mean: half[:1], Std: half[:1]}},
		{"an unknown kind that says everything", `{"image_processor_type": "NewImageProcessor", "do_resize": true, "size": 32, "default_to_square": false,
			"resample": 1, "do_rescale": false, "do_normalize": false, "do_flip_channel_order": true, "do_center_crop": true, "crop_size": {"height": 20, "width": 30}}`,
			preprocess.Definition{Color: "bgr", Resize: "32", Crop: "20x30@floor", Interpolation: "lanczos", Scale: &one}},
		{"no resize", `{"do_resize": false, "do_normalize": false}`, preprocess.Definition{}},
	} {
		d, err := preprocess.ParseHuggingFace([]byte(c.json))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(&c.want, d); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestHuggingFaceRefuses(t *testing.T) {
	for json, want := range map[string]string{
		`{"image_processor_type": "ViTImageProcessor", "resample": 5}`:                            "resample 5",
		`{"image_processor_type": "DetrImageProcessor", "do_pad": true}`:                          "do_pad",
		`{"resample": 2, "size": {"shortest_edge": 8, "longest_edge": 9}, "do_normalize": false}`: "longest_edge",
		`{"image_processor_type": "EfficientNetImageProcessor"}`:                                  "EfficientNetImageProcessor",
		`{"size": 8, "do_normalize": false}`:                                                      "resample is missing",
		`{"resample": 2, "do_normalize": false}`:                                                  "size is missing",
		`{"resample": 2, "size": 8}`:                                                              "do_normalize is missing",
		`{"do_resize": false, "do_normalize": true}`:                                              "image_mean is missing",
		`{"image_processor_type": "ViTImageProcessor", "size": -1}`:                               "size is not understood",
		`{"image_processor_type": "ViTImageProcessor", "image_std": [0]}`:                         "divided",
		`{"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": 0}`:          "crop_pct",
		`[]`: "array",
	} {
		_, err := preprocess.ParseHuggingFace([]byte(json))
		if err == nil || !strings.Contains(err.Error(), want) || diag.ExitCode(err) != 2 {
			t.Errorf("%s: got %v, want %q", json, err, want)
		}
	}
}

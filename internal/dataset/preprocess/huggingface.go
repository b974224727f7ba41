package preprocess

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
)

// processor is what a kind of image processor of the transformers library does
// where its file says nothing; a size of 0 has no default.
type processor struct {
	size, crop  int
	shortest    bool // a bare size is the shorter side
	resample    int
	means, stds []float64
	crops       bool
}

var (
	halves       = []float64{0.5, 0.5, 0.5}
	imagenetMean = []float64{0.485, 0.456, 0.406}
	imagenetStd  = []float64{0.229, 0.224, 0.225}
	clipMean     = []float64{0.48145466, 0.4578275, 0.40821073}
	clipStd      = []float64{0.26862954, 0.26130258, 0.27577711}
)

var processors = []struct {
	name string
	processor
}{
	{"Bit", processor{224, 224, true, 3, clipMean, clipStd, true}},
	{"Blip", processor{384, 0, false, 3, clipMean, clipStd, false}},
	{"CLIP", processor{224, 224, true, 3, clipMean, clipStd, true}},
	{"ConvNext", processor{384, 0, true, 2, halves, halves, false}},
	{"DeiT", processor{256, 224, false, 3, halves, halves, true}},
	{"EfficientNet", processor{346, 289, false, 0, halves, halves, false}},
	{"Levit", processor{224, 224, true, 3, imagenetMean, imagenetStd, true}},
	{"MobileNetV1", processor{256, 224, true, 2, halves, halves, true}},
	{"MobileNetV2", processor{256, 224, true, 2, halves, halves, true}},
	{"Segformer", processor{512, 0, false, 2, imagenetMean, imagenetStd, false}},
	{"Siglip", processor{224, 0, false, 3, halves, halves, false}},
	{"ViT", processor{224, 0, false, 2, halves, halves, false}},
}

// hugging is the part of preprocessor_config.json that matters here; its other
// keys are left alone, as files carry many.
type hugging struct {
	ImageProcessor   string          `json:"image_processor_type"`
	FeatureExtractor string          `json:"feature_extractor_type"`
	DoResize         *bool           `json:"do_resize"`
	Size             json.RawMessage `json:"size"`
	DefaultToSquare  *bool           `json:"default_to_square"`
	Resample         *int            `json:"resample"`
	CropPct          *float64        `json:"crop_pct"`
	DoCenterCrop     *bool           `json:"do_center_crop"`
	CropSize         json.RawMessage `json:"crop_size"`
	DoRescale        *bool           `json:"do_rescale"`
	RescaleFactor    *float64        `json:"rescale_factor"`
	RescaleOffset    *bool           `json:"rescale_offset"`
	IncludeTop       *bool           `json:"include_top"`
	DoNormalize      *bool           `json:"do_normalize"`
	Mean             json.RawMessage `json:"image_mean"`
	Std              json.RawMessage `json:"image_std"`
	DoPad            *bool           `json:"do_pad"`
	Flip             *bool           `json:"do_flip_channel_order"`
	KeepAspectRatio  *bool           `json:"keep_aspect_ratio"`
}

// ParseHuggingFace reads a preprocessor_config.json. What such a file leaves
// out is filled in for the kinds of processors that are known, and asked for
// with the others; what this definition cannot say is refused.
func ParseHuggingFace(b []byte) (*Definition, error) {
	if len(b) > maxText {
		return nil, refuse("%d bytes; at most %d are read", len(b), maxText)
	}
	var h hugging
	if err := json.Unmarshal(b, &h); err != nil {
		return nil, refuse("%v", err)
	}
	kind := h.ImageProcessor
	if kind == "" {
		kind = h.FeatureExtractor
	}
	stem, fast := strings.CutSuffix(kind, "Fast")
	stem = strings.TrimSuffix(stem, "Pil")
	stem = strings.TrimSuffix(strings.TrimSuffix(stem, "ImageProcessor"), "FeatureExtractor")
	var def *processor
	for i := range processors {
		if processors[i].name == stem {
			def = &processors[i].processor
		}
	}
	for _, r := range []struct {
		key string
		set *bool
	}{{"do_pad", h.DoPad}, {"rescale_offset", h.RescaleOffset}, {"keep_aspect_ratio", h.KeepAspectRatio}} {
		if isTrue(r.set) {
			return nil, refuse("%s is true, which is not supported", r.key)
		}
	}
	if stem == "PoolFormer" || stem == "EfficientNet" && (h.IncludeTop == nil || *h.IncludeTop) && (h.DoNormalize == nil || *h.DoNormalize) {
		return nil, refuse("what %s does beyond resizing and normalizing is not supported", kind)
	}
	var d Definition
	if isTrue(h.Flip) {
		d.Color = "bgr"
	}
	if err := h.geometry(&d, def, stem, fast); err != nil {
		return nil, err
	}
	if err := h.numbers(&d, def); err != nil {
		return nil, err
	}
	if _, err := d.parse(); err != nil {
		return nil, fmt.Errorf("preprocessor_config.json: %w", err)
	}
	return &d, nil
}

func isTrue(b *bool) bool { return b != nil && *b }

func refuse(format string, args ...any) error {
	return diag.Usagef("preprocessor_config.json: "+format, args...).Note("say it with flags or in a YAML file: --preprocess FILE")
}

// geometry fills in what happens to sizes.
func (h *hugging) geometry(d *Definition, def *processor, stem string, fast bool) error {
	crop := def != nil && def.crops
	if h.DoCenterCrop != nil {
		crop = *h.DoCenterCrop
	}
	if h.DoResize == nil || *h.DoResize {
		code := h.Resample
		if code == nil && def != nil {
			code = &def.resample
		}
		// The codes of PIL.Image.Resampling; 5 is Hamming.
		words := []string{"nearest", "lanczos", "bilinear", "bicubic", "box"}
		if code == nil {
			return refuse("resample is missing, and the kind of processor is not known")
		}
		if *code < 0 || *code >= len(words) {
			return refuse("resample %d is not supported; 0 to 4 are", *code)
		}
		d.Interpolation = words[*code]
		height, width, err := edges("size", h.Size, h.shortest(def), def, func(p *processor) int { return p.size })
		if err != nil {
			return err
		}
		d.Resize = fmt.Sprintf("%dx%d", height, width)
		if height == 0 {
			d.Resize = fmt.Sprint(width)
			switch {
			case stem == "Levit":
				d.Resize = fmt.Sprint(width * 256 / 224)
			case stem == "ConvNext" && width < 384:
				pct := 224.0 / 256
				if h.CropPct != nil {
					pct = *h.CropPct
				}
				if !(pct > 0 && pct <= 1) {
					return refuse("crop_pct %v is not above 0 and at most 1", pct)
				}
				d.Resize = fmt.Sprint(int(float64(width) / pct))
				d.Crop = fmt.Sprint(width)
			case stem == "ConvNext":
				d.Resize = fmt.Sprintf("%dx%d", width, width)
			case h.CropPct != nil:
				return refuse("crop_pct with this kind of processor is not supported")
			}
		}
	}
	if crop {
		height, width, err := edges("crop_size", h.CropSize, false, def, func(p *processor) int { return p.crop })
		if err != nil {
			return err
		}
		if height == 0 {
			return refuse("crop_size has no height and width")
		}
		d.Crop = fmt.Sprintf("%dx%d", height, width)
		if height == width {
			d.Crop = fmt.Sprint(width)
		}
	}
	if d.Crop != "" && !fast {
		d.Crop += floorHalf
	}
	return nil
}

// shortest says whether a bare size is the shorter side.
func (h *hugging) shortest(def *processor) bool {
	if h.DefaultToSquare != nil {
		return !*h.DefaultToSquare
	}
	return def != nil && def.shortest
}

// edges reads a size: a number, {height, width}, or {shortest_edge}, for which
// the height is 0.
func edges(key string, raw json.RawMessage, shortest bool, def *processor, from func(*processor) int) (height, width int, err error) {
	var n int
	if len(raw) == 0 || string(raw) == "null" {
		if def == nil || from(def) == 0 {
			return 0, 0, refuse("%s is missing", key)
		}
		n = from(def)
	} else if json.Unmarshal(raw, &n) != nil {
		var s struct {
			Height   int  `json:"height"`
			Width    int  `json:"width"`
			Shortest int  `json:"shortest_edge"`
			Longest  *int `json:"longest_edge"`
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return 0, 0, refuse("%s: %v", key, err)
		}
		switch {
		case s.Longest != nil:
			return 0, 0, refuse("%s: longest_edge is not supported", key)
		case s.Height > 0 && s.Width > 0 && s.Height <= 1<<16 && s.Width <= 1<<16:
			return s.Height, s.Width, nil
		}
		n, shortest = s.Shortest, true
	}
	if n <= 0 || n > 1<<16 {
		return 0, 0, refuse("%s is not understood", key)
	}
	if shortest {
		return 0, n, nil
	}
	return n, n, nil
}

// numbers fills in what happens to values.
func (h *hugging) numbers(d *Definition, def *processor) error {
	if h.DoRescale != nil && !*h.DoRescale {
		d.Scale = scale(1)
	} else if h.RescaleFactor != nil && *h.RescaleFactor != 1.0/255 {
		d.Scale = scale(*h.RescaleFactor)
	}
	if h.DoNormalize != nil && !*h.DoNormalize {
		return nil
	}
	if h.DoNormalize == nil && def == nil {
		return refuse("do_normalize is missing, and the kind of processor is not known")
	}
	for _, l := range []struct {
		key string
		raw json.RawMessage
		to  *[]float64
		def func(*processor) []float64
	}{
		{"image_mean", h.Mean, &d.Mean, func(p *processor) []float64 { return p.means }},
		{"image_std", h.Std, &d.Std, func(p *processor) []float64 { return p.stds }},
	} {
		if len(l.raw) == 0 || string(l.raw) == "null" {
			if def == nil {
				return refuse("%s is missing", l.key)
			}
			*l.to = append([]float64(nil), l.def(def)...)
			continue
		}
		var one float64
		if json.Unmarshal(l.raw, &one) == nil {
			*l.to = []float64{one}
		} else if err := json.Unmarshal(l.raw, l.to); err != nil {
			return refuse("%s: %v", l.key, err)
		}
		*l.to = nilIfEmpty(*l.to)
	}
	return nil
}

package preprocess

import (
	"fmt"
	"slices"
	"strings"
)

var presets = []struct {
	name string
	make func() Definition
}{
	{"imagenet", func() Definition {
		return Definition{Resize: "256", Crop: "224", Interpolation: "bilinear",
			Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}
	}},
	{"tf", func() Definition { return Definition{Resize: toInput, Scale: scale(1 / 127.5), Mean: []float64{1}} }},
	{"caffe", func() Definition {
		return Definition{Color: "bgr", Resize: toInput, Scale: scale(1), Mean: []float64{103.939, 116.779, 123.68}}
	}},
	{"unit", func() Definition { return Definition{Resize: toInput} }},
	{"raw", func() Definition { return Definition{Resize: toInput, Scale: scale(1)} }},
}

func scale(v float64) *float64 { return &v }

// Presets returns the names of the presets: imagenet is torchvision's
// evaluation transform; tf gives −1 to 1, caffe BGR less the mean pixel, unit 0
// to 1, raw 0 to 255, all four at exactly the model's input size.
func Presets() []string {
	var out []string
	for _, p := range presets {
		out = append(out, p.name)
	}
	return out
}

// Preset returns the definition of that name.
func Preset(name string) (*Definition, bool) {
	for _, p := range presets {
		if p.name == name {
			d := p.make()
			return &d, true
		}
	}
	return nil, false
}

// Describe returns the definition in one line for people.
func (d *Definition) Describe() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if d.Color != "" {
		add("%s", d.Color)
	}
	if d.Resize != "" {
		interpolation, resampler := d.Interpolation, d.Resampler
		if interpolation == "" {
			interpolation = "bilinear"
		}
		if resampler == "" {
			resampler = "pil"
		}
		what := d.Resize
		if r, ok := parseResize(d.Resize); ok && r.shorter > 0 {
			what += " (shorter side)"
		} else if ok && r.input {
			what = "to the input's size"
		}
		add("resize %s, %s of %s", what, interpolation, resampler)
	}
	if d.Crop != "" {
		add("crop %s", d.Crop)
	}
	switch s := d.Scale; {
	case s == nil:
		add("pixel / 255")
	case *s != 1:
		add("pixel · %.7g", *s)
	default:
		add("pixel as it is")
	}
	if slices.ContainsFunc(d.Mean, func(v float64) bool { return v != 0 }) {
		add("mean %s", strings.Trim(fmt.Sprint(d.Mean), "[]"))
	}
	if slices.ContainsFunc(d.Std, func(v float64) bool { return v != 1 }) {
		add("std %s", strings.Trim(fmt.Sprint(d.Std), "[]"))
	}
	if d.Layout != "" {
		add("%s", d.Layout)
	}
	return "preprocessing: " + strings.Join(parts, ", ")
}

// Package preprocess turns decoded pictures into the tensors a model takes, by
// the one definition that is written into models, recipes and flags.
//
// It knows pixels and tensors; it opens no picture and knows no model. Start at
// [Definition], then [Definition.For].
package preprocess

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset/resample"
	"github.com/octavo-ml/octavo/internal/diag"
)

// Definition says how a picture becomes an input, in the order of the fields:
// colour, resize, crop, (pixel · Scale − Mean) / Std, layout. The zero value of
// a field leaves its step out, or means the default that its tag names. The
// comments of the fields are what docs/recipe.md says.
type Definition struct {
	// The order of the channels.
	Color string `yaml:"color,omitempty" json:"color,omitempty" default:"rgb for three channels, gray for one" example:"bgr"`
	// 256 (the shorter side), 224x224 (height by width, exact), input (exactly
	// the model's input), or letterbox:640@114 (fitted inside, the rest filled
	// with that value).
	Resize string `yaml:"resize,omitempty" json:"resize,omitempty" default:"none" example:"256"`
	// The side of the centred square, or HxW; halves of a pixel are rounded as
	// torchvision does, or down with @floor, as Pillow-backed processors of
	// Hugging Face do.
	Crop string `yaml:"crop,omitempty" json:"crop,omitempty" default:"none" example:"224"`
	// The filter of resize.
	Interpolation string `yaml:"interpolation,omitempty" json:"interpolation,omitempty" default:"bilinear" example:"bicubic"`
	// Whose arithmetic resizes.
	Resampler string `yaml:"resampler,omitempty" json:"resampler,omitempty" default:"pil" example:"cv2"`
	// What pixels are multiplied by.
	Scale *float64 `yaml:"scale,omitempty" json:"scale,omitempty" default:"1/255" example:"0.0078125"`
	// Taken away after scaling: one value, or one for each channel in the order
	// of color.
	Mean []float64 `yaml:"mean,omitempty,flow" json:"mean,omitempty" default:"0" example:"[0.485, 0.456, 0.406]"`
	// Divided by after that: one value, or one for each channel.
	Std []float64 `yaml:"std,omitempty,flow" json:"std,omitempty" default:"1" example:"[0.229, 0.224, 0.225]"`
	// The order of the axes of the input.
	Layout string `yaml:"layout,omitempty" json:"layout,omitempty" default:"by the shape of the input" example:"nhwc"`
}

// words is the table of the keys that take fixed words.
var words = []struct {
	key   string
	known []string
	of    func(*Definition) string
}{
	{"color", []string{"rgb", "bgr", "gray"}, func(d *Definition) string { return d.Color }},
	{"interpolation", resample.Names(), func(d *Definition) string { return d.Interpolation }},
	{"resampler", []string{"pil", "tf", "cv2"}, func(d *Definition) string { return d.Resampler }},
	{"layout", []string{"nchw", "nhwc"}, func(d *Definition) string { return d.Layout }},
}

// Words returns the words that a key takes, none where it takes no fixed ones.
func Words(key string) []string {
	for _, w := range words {
		if w.key == key {
			return w.known
		}
	}
	return nil
}

const (
	toInput   = "input"
	letterbox = "letterbox:"
	floorHalf = "@floor"
	// grey is what the usual detectors fill letterboxes with.
	grey = 114
)

// resizing is a parsed Resize.
type resizing struct {
	shorter   int // side, or 0
	exact     resample.Size
	input     bool
	letterbox bool
	fill      uint8
}

// cropping is a parsed Crop; no size leaves it out.
type cropping struct {
	size  resample.Size
	floor bool
}

// parsed is a definition whose words are known.
type parsed struct {
	resizing
	cropping
	filter resample.Filter
}

// parse checks everything that needs no input.
func (d *Definition) parse() (*parsed, error) {
	var p parsed
	for _, w := range words {
		if got := w.of(d); got != "" && !slices.Contains(w.known, got) {
			return nil, unknownWord("preprocessing: "+w.key, got, w.known)
		}
	}
	p.filter = resample.Bilinear
	if d.Interpolation != "" {
		p.filter = resample.Filter(slices.Index(resample.Names(), d.Interpolation))
	}
	if err := supported(d.Resampler, p.filter); err != nil {
		return nil, err
	}
	var ok bool
	if p.resizing, ok = parseResize(d.Resize); !ok {
		return nil, diag.Usagef("preprocessing: resize %q is not understood", d.Resize).
			Note(`256 is the shorter side, 224x224 height by width, "input" the model's own size, letterbox:640@114 fits inside and fills with 114`)
	}
	if p.cropping, ok = parseCrop(d.Crop); !ok {
		return nil, diag.Usagef("preprocessing: crop %q is not understood", d.Crop).
			Note("224 is the side of the centred square, 224x256 height by width; @floor after it rounds half pixels down")
	}
	if p.cropping.size.Width > 0 {
		have := p.exact
		if p.shorter > 0 {
			have = resample.Size{Width: p.shorter, Height: p.shorter}
		}
		side := p.cropping.size
		if p.shorter > 0 && max(side.Width, side.Height) != min(side.Width, side.Height) {
			// The longer side of the picture may be long enough.
			side = resample.Size{Width: min(side.Width, side.Height), Height: min(side.Width, side.Height)}
		}
		if have.Width > 0 && (side.Width > have.Width || side.Height > have.Height) {
			return nil, diag.Usagef("preprocessing: crop %s is larger than resize %s", d.Crop, d.Resize)
		}
	}
	return &p, d.checkNumbers()
}

func (d *Definition) checkNumbers() error {
	finite := func(v float64) bool { return !math.IsInf(float64(float32(v)), 0) && !math.IsNaN(v) }
	if d.Scale != nil && (!finite(*d.Scale) || *d.Scale == 0) {
		return diag.Usagef("preprocessing: scale %v is no factor", *d.Scale)
	}
	for _, v := range d.Mean {
		if !finite(v) {
			return diag.Usagef("preprocessing: mean %v is not finite", v)
		}
	}
	for _, v := range d.Std {
		if !finite(v) || float32(v) == 0 {
			return diag.Usagef("preprocessing: std %v cannot be divided by", v)
		}
	}
	for _, c := range []struct {
		key string
		n   int
	}{{"mean", len(d.Mean)}, {"std", len(d.Std)}} {
		if c.n != 0 && c.n != 1 && c.n != 3 {
			return diag.Usagef("preprocessing: %s has %d values, want one or one for each channel", c.key, c.n)
		}
	}
	return nil
}

func unknownWord(what, got string, known []string) error {
	return diag.Usagef("%s %q is not known", what, got).Suggest(got, known, "known")
}

func parseResize(s string) (resizing, bool) {
	switch {
	case s == "":
		return resizing{}, true
	case s == toInput:
		return resizing{input: true}, true
	case strings.HasPrefix(s, letterbox):
		r := resizing{letterbox: true, fill: grey}
		size, fill, given := strings.Cut(s[len(letterbox):], "@")
		if given {
			v, err := strconv.ParseUint(fill, 10, 8)
			if err != nil {
				return r, false
			}
			r.fill = uint8(v)
		}
		var ok bool
		r.exact, _, ok = parseSize(size)
		return r, ok
	}
	size, square, ok := parseSize(s)
	if square {
		return resizing{shorter: size.Width}, ok
	}
	return resizing{exact: size}, ok
}

func parseCrop(s string) (c cropping, ok bool) {
	if s == "" {
		return c, true
	}
	s, c.floor = strings.CutSuffix(s, floorHalf)
	c.size, _, ok = parseSize(s)
	return c, ok
}

// parseSize reads "HxW" or one number for both.
func parseSize(s string) (size resample.Size, single, ok bool) {
	h, w, two := strings.Cut(s, "x")
	if !two {
		w = h
	}
	// Sides of 16 bits keep every product within range.
	height, err1 := strconv.ParseUint(h, 10, 16)
	width, err2 := strconv.ParseUint(w, 10, 16)
	size = resample.Size{Width: int(width), Height: int(height)}
	return size, !two, err1 == nil && err2 == nil && height > 0 && width > 0 && height*width <= resample.MaxPixels
}

// supported refuses filters that a resampler does not have.
func supported(resampler string, f resample.Filter) error {
	var have []resample.Filter
	switch resampler {
	case "cv2":
		have = []resample.Filter{resample.Nearest, resample.Bilinear}
	case "tf":
		have = []resample.Filter{resample.Nearest, resample.Bilinear, resample.Bicubic}
	}
	if have == nil || slices.Contains(have, f) {
		return nil
	}
	var names []string
	for _, h := range have {
		names = append(names, h.String())
	}
	return diag.Usagef("preprocessing: interpolation %v is not supported with resampler %s", f, resampler).
		Note("with %s: %s; pil has them all", resampler, strings.Join(names, ", "))
}

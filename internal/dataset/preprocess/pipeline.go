package preprocess

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/dataset/resample"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Input is what the model takes: float32, uint8 or int8, of shape [C,H,W] or
// [H,W,C], with or without a batch of 1 before it. A negative height, width or
// batch is free.
type Input struct {
	Type  dtype.Type
	Shape []int
}

// Pipeline is a definition for one input; it may be used by many goroutines.
type Pipeline struct {
	parsed
	color, resampler        string
	channels, height, width int
	typ                     dtype.Type
	batch, last             bool // a batch of 1 comes first; channels come last
	scale                   float64
	mean, std               []float32      // one for each channel
	table                   [][256]float32 // what value gives, by channel and pixel
}

// Apply makes the input from one picture; see [Definition.For].
func (d *Definition) Apply(p *picture.Picture, in Input) (*tensor.Tensor, error) {
	pipe, err := d.For(in)
	if err != nil {
		return nil, err
	}
	return pipe.Apply(p)
}

// Check validates the definition for an input of these extents, of which
// height and width are negative where they are free. Errors are of wrong usage
// and name what would work.
func (d *Definition) Check(channels, height, width int, typ dtype.Type) error {
	c := *d
	c.Layout = "nchw"
	if _, err := d.parse(); err != nil {
		return err
	}
	_, err := c.For(Input{typ, []int{channels, height, width}})
	return err
}

// For checks the definition for an input and prepares it.
func (d *Definition) For(in Input) (*Pipeline, error) {
	words, err := d.parse()
	if err != nil {
		return nil, err
	}
	p := &Pipeline{parsed: *words, color: d.Color, resampler: d.Resampler, typ: in.Type}
	if err := p.place(in.Shape, d.Layout); err != nil {
		return nil, err
	}
	if err := p.checkColor(); err != nil {
		return nil, err
	}
	if err := p.checkSize(d); err != nil {
		return nil, err
	}
	return p, p.tabulate(d)
}

// place finds channels, height and width in the shape.
func (p *Pipeline) place(shape []int, layout string) error {
	s := shape
	if len(s) == 4 {
		if s[0] > 1 || s[0] == 0 {
			return diag.Usagef("preprocessing: input %v takes %d pictures at once; batches of 1 are supported", shape, s[0])
		}
		p.batch, s = true, s[1:]
	}
	if len(s) != 3 {
		return diag.Usagef("preprocessing: input %v is not for pictures: want channels, height and width, with or without a batch", shape)
	}
	first, last := s[0] == 1 || s[0] == 3, s[2] == 1 || s[2] == 3
	if layout == "" {
		switch {
		case first && last:
			return diag.Usagef("preprocessing: input %v may be channels first or last", shape).Note("say which: --layout nchw or nhwc")
		case last:
			layout = "nhwc"
		default:
			layout = "nchw"
		}
	}
	p.last = layout == "nhwc"
	p.channels, p.height, p.width = s[0], s[1], s[2]
	if p.last {
		p.channels, p.height, p.width = s[2], s[0], s[1]
	}
	if p.channels != 1 && p.channels != 3 {
		return diag.Usagef("preprocessing: input %v has no 1 or 3 channels as %s", shape, layout)
	}
	if p.height == 0 || p.width == 0 {
		return diag.Usagef("preprocessing: input %v is empty", shape)
	}
	return nil
}

func (p *Pipeline) checkColor() error {
	switch {
	case p.color == "" && p.channels == 1:
		p.color = "gray"
	case p.color == "":
		p.color = "rgb"
	case (p.color == "gray") != (p.channels == 1):
		return diag.Usagef("preprocessing: color %s for an input of %d channels", p.color, p.channels).Note("leave color out, or use gray for 1 channel, rgb or bgr for 3")
	}
	return nil
}

// checkSize compares the size that comes out, where it is known, with the
// input's.
func (p *Pipeline) checkSize(d *Definition) error {
	if p.input {
		if p.height < 0 || p.width < 0 {
			return diag.Usagef("preprocessing: the input leaves height or width free, so there is no size to resize to").Note("give one: --resize 224x224, or --resize 256 --crop 224")
		}
		p.exact = resample.Size{Width: p.width, Height: p.height}
	}
	out, word := p.exact, "resize "+d.Resize
	if p.cropping.size.Width > 0 {
		out, word = p.cropping.size, "crop "+d.Crop
		if have := p.exact; p.input && (out.Width > have.Width || out.Height > have.Height) {
			return diag.Usagef("preprocessing: crop %s is larger than resize %v", d.Crop, have)
		}
	}
	if out.Width == 0 {
		return nil // known with the picture
	}
	if p.height >= 0 && out.Height != p.height || p.width >= 0 && out.Width != p.width {
		return diag.Usagef("preprocessing: %s gives pictures of %v, the input takes %s", word, out, p.inputSize()).
			Note("--resize input resizes to exactly what the model takes")
	}
	return nil
}

func (p *Pipeline) inputSize() string {
	side := func(n int) string {
		if n < 0 {
			return "any"
		}
		return fmt.Sprint(n)
	}
	return side(p.height) + "x" + side(p.width)
}

// tabulate computes (v·scale − mean)/std for every pixel value v: the product is
// taken in float64 and rounded to float32, the rest is float32 throughout.
func (p *Pipeline) tabulate(d *Definition) error {
	for _, c := range []struct {
		key string
		n   int
	}{{"mean", len(d.Mean)}, {"std", len(d.Std)}} {
		if c.n > 1 && c.n != p.channels {
			return diag.Usagef("preprocessing: %s has %d values, the input has %d channels", c.key, c.n, p.channels).Note("want one value, or one for each channel")
		}
	}
	switch p.typ {
	case dtype.Float32, dtype.Uint8, dtype.Int8:
	default:
		return diag.Usagef("preprocessing: pictures into an input of %v are not supported", p.typ).Note("float32, uint8 and int8 are")
	}
	p.scale = 1.0 / 255
	if d.Scale != nil {
		p.scale = *d.Scale
	}
	p.mean, p.std = perChannel(d.Mean, 0, p.channels), perChannel(d.Std, 1, p.channels)
	p.table = make([][256]float32, p.channels)
	for c := range p.table {
		for v := range p.table[c] {
			p.table[c][v] = p.value(c, float32(v))
		}
	}
	if p.typ == dtype.Float32 {
		return nil
	}
	if p.resampler == "tf" && p.filter != resample.Nearest {
		return diag.Usagef("preprocessing: the input takes %v, and resampler tf gives fractions", p.typ).Note("pil and cv2 give whole numbers, and so does interpolation nearest")
	}
	lo, hi := p.typ.Range()
	for c := range p.table {
		for _, v := range p.table[c] {
			if v != float32(math.Trunc(float64(v))) || v < float32(lo) || v > float32(hi) {
				return diag.Usagef("preprocessing: the input takes %v, and pixels become other numbers", p.typ).
					Note("--preprocess raw gives uint8 pixels as they are; an int8 input needs scale 1 and mean 128")
			}
		}
	}
	return nil
}

// perChannel writes out a list of none, one, or n values.
func perChannel(list []float64, none float32, n int) []float32 {
	out := make([]float32, n)
	for c := range out {
		switch len(list) {
		case 0:
			out[c] = none
		case 1:
			out[c] = float32(list[0])
		default:
			out[c] = float32(list[c])
		}
	}
	return out
}

// value is (v·scale − mean)/std for channel c.
func (p *Pipeline) value(c int, v float32) float32 {
	return (float32(float64(v)*p.scale) - p.mean[c]) / p.std[c]
}

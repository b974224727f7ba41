package preprocess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// This file serves grey pictures of the input's own size until the definition
// has its own arithmetic; it goes away with that.

var presets = []struct {
	name string
	def  Definition
}{
	{"unit", Definition{}},
	{"raw", Definition{Scale: new(1.0)}},
}

// Presets returns the names of the known definitions.
func Presets() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// Preset returns the definition of that name.
func Preset(name string) (Definition, bool) {
	for _, p := range presets {
		if p.name == name {
			return p.def, true
		}
	}
	return Definition{}, false
}

// Parse reads the JSON form of a definition.
func Parse(b []byte) (Definition, error) {
	var d Definition
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	err := dec.Decode(&d)
	return d, err
}

// Check reports what the definition asks for and nothing here does.
func (d Definition) Check() error {
	if d.Resize != "" || d.Crop != "" || d.Mean != nil || d.Std != nil || d.Layout != "" || d.Interpolation != "" || d.Resampler != "" || d.Color != "" && d.Color != "gray" {
		return &diag.UnsupportedError{What: "this preprocessing", Hint: "scale of grey pictures is"}
	}
	return nil
}

func (d Definition) String() string {
	scale := "1/255"
	if d.Scale != nil {
		scale = fmt.Sprint(*d.Scale)
	}
	return strings.TrimSpace("scale " + scale)
}

// Apply makes an input of the given type and shape of a picture.
func (d Definition) Apply(p *picture.Picture, typ dtype.Type, shape []int) (*tensor.Tensor, error) {
	if len(shape) != 4 || p.Channels != 1 || shape[2] != p.Height || shape[3] != p.Width || typ != dtype.Float32 {
		return nil, diag.Usagef("a picture of %d x %d, %d channels does not fit an input of shape %v", p.Height, p.Width, p.Channels, shape)
	}
	scale := 1.0 / 255
	if d.Scale != nil {
		scale = *d.Scale
	}
	out := make([]float32, len(p.Pix))
	for i, v := range p.Pix {
		out[i] = float32(float64(v) * scale)
	}
	return tensor.FromSlice(out, 1, 1, p.Height, p.Width), nil
}

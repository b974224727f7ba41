package octavo

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// metaPreprocess is the key of a model's metadata under which the definition
// of its preprocessing stands.
const metaPreprocess = "octavo.preprocess"

// Preprocessing says how pictures become inputs. Its zero value takes what the
// model records, or the file beside it says.
type Preprocessing struct {
	// Name is a preset (see Presets), a file (YAML, or a Hugging Face
	// preprocessor_config.json), or a definition itself, which begins with {.
	Name string
	// The others change single steps of it; "" leaves a step as it is. Scale is
	// a number or a fraction such as 1/255; Mean and Std are numbers with commas
	// between.
	Color, Resize, Crop, Scale, Mean, Std, Interpolation, Resampler, Layout string
}

// Presets returns the names of the known ways of preprocessing.
func Presets() []string { return preprocess.Presets() }

// chosen is the preprocessing that counts, and where it comes from.
type chosen struct {
	def  *preprocess.Definition
	from string
}

// preprocessing finds the definition for pictures: what o names, else what m or
// one of others records, else the file beside m; single steps of o change it.
// It returns nil where nothing is chosen.
func (m *Model) preprocessing(o Preprocessing, others []*Model) (*chosen, []Warning, error) {
	recorded, err := recordedBy(append([]*Model{m}, others...))
	if err != nil {
		return nil, nil, err
	}
	var c *chosen
	switch {
	case o.Name != "":
		c, err = namedPreprocessing(o.Name)
	case recorded != nil:
		c = &chosen{recorded.def, recorded.from}
	default:
		c, err = m.besideModel()
	}
	if err != nil {
		return nil, nil, err
	}
	steps := o
	steps.Name = ""
	if steps != (Preprocessing{}) {
		if c == nil {
			c = &chosen{&preprocess.Definition{}, "flags"}
		} else {
			changed := *c.def
			c.def, c.from = &changed, c.from+", changed by flags"
		}
		if err := o.change(c.def); err != nil {
			return nil, nil, err
		}
	}
	if c == nil {
		return nil, nil, nil
	}
	var warn []Warning
	if recorded != nil && !reflect.DeepEqual(recorded.def, c.def) {
		warn = append(warn, Warning{ID: "OCT008", Msg: "preprocessing is not what the model records", Notes: []string{"recorded: " + describe(recorded.def), "used: " + describe(c.def)}})
	}
	return c, warn, nil
}

// recordedBy returns what the first model that records any says.
func recordedBy(models []*Model) (*chosen, error) {
	for _, m := range models {
		text, ok := m.graph.Meta[metaPreprocess]
		if !ok {
			continue
		}
		def, err := preprocess.Decode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: metadata %s: %w", m.Path, metaPreprocess, err)
		}
		return &chosen{def, "recorded in " + m.Path}, nil
	}
	return nil, nil
}

// namedPreprocessing returns a preset, what a file says, or a definition that
// is written out.
func namedPreprocessing(name string) (*chosen, error) {
	if strings.HasPrefix(name, "{") {
		def, err := preprocess.Decode(name)
		return &chosen{def, "given"}, err
	}
	def, err := preprocess.Named(name)
	return &chosen{def, name}, err
}

// besideModel returns what the file of Hugging Face beside m says, if there is
// one.
func (m *Model) besideModel() (*chosen, error) {
	path, ok := preprocess.FindBeside(m.Path)
	if !ok || !m.onDisk {
		return nil, nil
	}
	return namedPreprocessing(path)
}

// change applies single steps to a definition.
func (o Preprocessing) change(d *preprocess.Definition) error {
	for _, s := range []struct {
		dst   *string
		value string
	}{{&d.Color, o.Color}, {&d.Resize, o.Resize}, {&d.Crop, o.Crop}, {&d.Interpolation, o.Interpolation}, {&d.Resampler, o.Resampler}, {&d.Layout, o.Layout}} {
		if s.value != "" {
			*s.dst = s.value
		}
	}
	if o.Scale != "" {
		v, err := fraction(o.Scale)
		if err != nil {
			return diag.Usagef("--scale %s: %w", o.Scale, err)
		}
		d.Scale = &v
	}
	for _, s := range []struct {
		flag  string
		dst   *[]float64
		value string
	}{{"--mean", &d.Mean, o.Mean}, {"--std", &d.Std, o.Std}} {
		if s.value == "" {
			continue
		}
		*s.dst = nil
		for part := range strings.SplitSeq(s.value, ",") {
			v, err := fraction(strings.TrimSpace(part))
			if err != nil {
				return diag.Usagef("%s %s: %w", s.flag, s.value, err)
			}
			*s.dst = append(*s.dst, v)
		}
	}
	return nil
}

// fraction reads a number, or one divided by another.
func fraction(s string) (float64, error) {
	num, den, ok := strings.Cut(s, "/")
	v, err := strconv.ParseFloat(num, 64)
	if err == nil && ok {
		var by float64
		if by, err = strconv.ParseFloat(den, 64); err == nil {
			v /= by
		}
	}
	if err != nil || v-v != 0 {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return v, nil
}

// choosePreprocessing finds out how the pictures of d become inputs, if it has
// any.
func (d *Dataset) choosePreprocessing() error {
	in := d.d.Pictures()
	if len(in) == 0 {
		return nil
	}
	c, warn, err := d.model.preprocessing(d.options.Preprocess, d.options.Others)
	if err != nil {
		return err
	}
	if c == nil && !in[0].Type.IsInteger() {
		return nothingChosen(in[0])
	}
	d.chosen = c
	def := &preprocess.Definition{Scale: new(1.0)} // pixels as they are
	if c != nil {
		def = c.def
	}
	d.pipelines = map[string]*preprocess.Pipeline{}
	for _, in := range in {
		if d.pipelines[in.Name], err = def.For(preprocess.Input{Type: in.Type, Shape: in.Shape}); err != nil {
			return fmt.Errorf("input %q: %w", in.Name, err)
		}
	}
	d.d.Warn(warn...)
	return nil
}

// makePicture makes a sample of the file of a picture.
func (d *Dataset) makePicture(in dataset.Input, file []byte) (*tensor.Tensor, error) {
	pic, err := picture.Decode(file)
	if err != nil {
		return nil, err
	}
	return d.pipelines[in.Name].Apply(pic)
}

// describe is a definition in one line.
func describe(d *preprocess.Definition) string {
	return strings.TrimPrefix(d.Describe(), "preprocessing: ")
}

// nothingChosen is the error of pictures for a float input that nobody said
// how to make.
func nothingChosen(in dataset.Input) error {
	e := diag.Usagef("input %q is %v, and nothing says how pixels become its values", in.Name, in.Type)
	for _, n := range Presets() {
		def, _ := preprocess.Preset(n)
		e.Note("--preprocess %-9s %s", n, describe(def))
	}
	return e.Note("or --preprocess FILE, or single steps: --resize --crop --scale --mean --std")
}

// Preprocessing says in one line how pictures become inputs, and who says so;
// it is "" where the data holds no pictures.
func (d *Dataset) Preprocessing() string {
	switch {
	case len(d.d.Pictures()) == 0:
		return ""
	case d.chosen == nil:
		return "pixels as they are"
	}
	return describe(d.chosen.def) + " (" + d.chosen.from + ")"
}

// PreprocessingText returns the definition by which pictures become inputs, as
// Preprocessing.Name takes it; it is "" where there is none.
func (d *Dataset) PreprocessingText() string {
	if len(d.d.Pictures()) == 0 || d.chosen == nil {
		return ""
	}
	text, err := d.chosen.def.Encode()
	if err != nil {
		panic(err) // it was checked when the data was opened
	}
	return text
}

// RecordPreprocessing writes into the model's metadata how the pictures of d
// became inputs, so that others apply it too. Without pictures it does nothing.
func (m *Model) RecordPreprocessing(d *Dataset) {
	text := d.PreprocessingText()
	if text == "" {
		return
	}
	if m.graph.Meta == nil {
		m.graph.Meta = map[string]string{}
	}
	m.graph.Meta[metaPreprocess] = text
}

// Package quant conducts quantization: a recipe and a target say what is
// wanted, Place finds where the graph may be quantized, calibration observes
// the values that need ranges, MakePlan chooses parameters, and Apply writes
// them into the graph as QuantizeLinear and DequantizeLinear.
//
// It asks operators for facts and targets for rules; it knows no file format
// and no kernel. Observers live in observe/, the calibration run in
// calibrate/. Start at [Recipe], then [Place], [MakePlan] and [Apply].
package quant

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/target"
)

// Mode says when activations get their ranges.
type Mode string

// The modes.
const (
	Auto       Mode = "auto"
	Static     Mode = "static"
	Dynamic    Mode = "dynamic"
	WeightOnly Mode = "weight-only"
	Float16    Mode = "float16"
	BFloat16   Mode = "bfloat16"
)

// Recipe is everything that decides how a model is quantized: the YAML file.
// The zero value of a field means the target's or the tool's default. The
// comments of the fields, and what their tags say of defaults and examples,
// are what docs/recipe.md says: go test . -run Recipe -update writes it.
type Recipe struct {
	// The version of the form of this file; a release refuses those it does not
	// know.
	Version int `yaml:"version" default:"1" example:"1"`
	// What is quantized, and when activations get their ranges: static from
	// samples; auto is static where there is data; dynamic as the model runs;
	// weight-only and the types of 16 bits leave activations real numbers.
	Mode Mode `yaml:"mode,omitempty" default:"auto" example:"static"`
	// The runtime that the result is for. It decides types, symmetry,
	// granularity, and which operators are quantized.
	Target string `yaml:"target,omitempty" default:"onnxruntime-cpu" example:"tensorrt"`
	// The calibration samples.
	Data Data `yaml:"data,omitempty"`
	// How pictures become inputs: a preset, a file, or a definition written out.
	Preprocess Preprocess `yaml:"preprocess,omitempty" default:"what the model records" example:"imagenet"`
	// How activations are quantized.
	Activations Activations `yaml:"activations,omitempty"`
	// How weights are quantized.
	Weights Weights `yaml:"weights,omitempty"`
	// What wins back the accuracy that plain rounding loses: names of
	// algorithms, or none alone.
	Algorithms []string `yaml:"algorithms,omitempty" default:"by effort" example:"[\"equalize\", \"bias-correction\"]"`
	// How much is done for accuracy where algorithms are not named: 0 is plain
	// rounding, 3 all there is.
	Effort *int `yaml:"effort,omitempty" default:"2" example:"1"`
	// Patterns of the only nodes to quantize: name globs, in which * crosses /,
	// or op:TYPE.
	Only []string `yaml:"only,omitempty" default:"all nodes" example:"[\"op:Conv\", \"/head/*\"]"`
	// Patterns of nodes that stay float.
	Keep []string `yaml:"keep,omitempty" default:"none" example:"[\"op:Gemm\"]"`
	// Changes for some nodes; of several that match one, the last counts.
	Overrides []Override `yaml:"overrides,omitempty"`
	// Another tool, whose placement, ranges and rounding are taken exactly.
	Parity string `yaml:"parity,omitempty" default:"none" example:"onnxruntime"`
	// What becomes of a model that is quantized already: it is refused, keeps
	// its parameters while the rest is quantized, or is taken back to floats and
	// quantized anew.
	Existing string `yaml:"existing,omitempty" default:"error" example:"strip"`
	// How quantized operators are written in ONNX: pairs of QuantizeLinear and
	// DequantizeLinear around float ones, or QLinearConv and its like.
	OnnxForm string `yaml:"onnx-form,omitempty" default:"qdq" example:"qoperator"`
	// The ONNX opset of the result, 13 to 25.
	Opset int `yaml:"opset,omitempty" default:"the input's, at least 13" example:"17"`
	// The type of inputs and outputs of the result: float, or an integer type, a
	// word for all of them, or in=WORD, out=WORD, NAME=WORD with commas between.
	IO string `yaml:"io,omitempty" default:"float" example:"\"in=uint8,out=float\""`
	// The layout of inputs and outputs: keep, or channels-last; said as the type.
	IOLayout string `yaml:"io-layout,omitempty" default:"keep" example:"channels-last"`
	// 7-bit weights, against int16 saturation on x86 processors without VNNI.
	ReduceRange bool `yaml:"reduce-range,omitempty" default:"false" example:"true"`
	// Fail where a node stays float that was to be quantized.
	Strict bool `yaml:"strict,omitempty" default:"false" example:"true"`
	// How the result is judged: octavo validate --recipe reads it.
	Evaluate Evaluate `yaml:"evaluate,omitempty"`
}

// Evaluate is what octavo validate is given; quantizing does not read it.
type Evaluate struct {
	// The samples to validate with, which calibration should not have seen.
	Data string `yaml:"data,omitempty" default:"none" example:"test.npz"`
	// A file with the label of each sample, where the data holds none.
	Labels string `yaml:"labels,omitempty" default:"those of the data" example:"labels.csv"`
	// What is measured.
	Task string `yaml:"task,omitempty" default:"by the labels" example:"classification"`
	// The gate on the loss of the first metric: 0.01 is absolute, 1%rel relative
	// to the float model.
	MaxDrop string `yaml:"max-drop,omitempty" default:"no gate" example:"0.01"`
}

// Data names the calibration samples.
type Data struct {
	// A file or folder, relative to the recipe, or random for noise.
	Path string `yaml:"path,omitempty" default:"none" example:"calib.npz"`
	// How many samples are used, spread evenly over all.
	Samples int `yaml:"samples,omitempty" default:"256" example:"500"`
	// The seed of random samples.
	Seed uint64 `yaml:"seed,omitempty" default:"0" example:"7"`
}

// Activations says how activations are quantized.
type Activations struct {
	// The element type; targets take some of these each.
	DType string `yaml:"dtype,omitempty" default:"the target's first" example:"int8"`
	// Zero points in the middle of the type.
	Symmetric *bool `yaml:"symmetric,omitempty" default:"by target" example:"true"`
	// What shares a range in mode dynamic: the whole tensor, or each row of what a
	// product reads, where the target can do that.
	Granularity string `yaml:"granularity,omitempty" default:"tensor" example:"tensor"`
	// How ranges are chosen. percentile takes a share: percentile:99.9; auto
	// tries five methods on samples and takes the best.
	Observer string `yaml:"observer,omitempty" default:"auto" example:"\"percentile:99.9\""`
}

// Weights says how weights are quantized.
type Weights struct {
	// The element type; targets take some of these each.
	DType string `yaml:"dtype,omitempty" default:"the target's first" example:"uint8"`
	// Zero points of 0.
	Symmetric *bool `yaml:"symmetric,omitempty" default:"by type: signed ones are" example:"true"`
	// What shares a scale: a channel of the output, the whole weight, or N
	// weights of one channel, a power of two (mode weight-only).
	Granularity string `yaml:"granularity,omitempty" default:"by target; groups of 32 for weights of fewer than 8 bits in mode weight-only" example:"tensor"`
	// How weights find their integers in mode weight-only: rounded to nearest,
	// with the range of least error, or by half-quadratic quantization; gptq and
	// awq look at samples.
	Algorithm string `yaml:"algorithm,omitempty" default:"rtn" example:"hqq"`
}

// Override changes the treatment of the nodes that Match names.
type Override struct {
	// A name glob, in which * crosses /, or op:TYPE.
	Match string `yaml:"match" default:"must be given" example:"\"/head/*\""`
	// What the nodes compute on. w8a8 brings back nodes that keep or only
	// exclude; int8 is another word for it. w8a16 has activations of 16 bits;
	// w4a16:gN has weights of 4 bits in groups, and activations that stay real
	// numbers; dynamic and weight-only are those modes.
	Precision string `yaml:"precision,omitempty" default:"as the others" example:"float"`
	// How ranges of what the nodes compute are chosen.
	Observer string `yaml:"observer,omitempty" default:"as the others" example:"minmax"`
}

// DefaultSamples is the number of calibration samples.
const DefaultSamples = 256

// DefaultTarget is the runtime assumed for ONNX output.
const DefaultTarget = "onnxruntime-cpu"

// ParseRecipe decodes YAML strictly: an unknown key is an error that names the
// nearest known one.
func ParseRecipe(b []byte) (*Recipe, error) {
	var r Recipe
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		return nil, &diag.Error{Kind: diag.Usage, Msg: "recipe: " + yamlMessage(err), Notes: nearestKeys(err)}
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &diag.Error{Kind: diag.Usage, Msg: "recipe: a second document follows the first", Notes: []string{"a file holds one recipe: remove what stands behind ---"}}
	}
	if r.Version != 0 && r.Version != 1 {
		return nil, &diag.Error{Kind: diag.Usage, Msg: fmt.Sprintf("recipe: version %d is not known; this release reads version 1", r.Version)}
	}
	return &r, nil
}

// YAML returns the recipe as its file form.
func (r *Recipe) YAML() ([]byte, error) {
	c := *r
	c.Version = 1
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(c); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func yamlMessage(err error) string {
	var te *yaml.TypeError
	if errors.As(err, &te) {
		return strings.Join(te.Errors, "; ")
	}
	return strings.TrimPrefix(err.Error(), "yaml: ")
}

// nearestKeys suggests keys for "field x not found in type".
func nearestKeys(err error) []string {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return nil
	}
	var notes []string
	for _, msg := range te.Errors {
		_, rest, ok := strings.Cut(msg, "field ")
		word, _, ok2 := strings.Cut(rest, " not found")
		if !ok || !ok2 {
			continue
		}
		var names, within []string
		for _, path := range recipeKeys(reflect.TypeFor[Recipe](), "") {
			section, name, nested := strings.Cut(path, ".")
			if !nested {
				section, name = "the top", path
			}
			if names = append(names, name); name == word {
				within = append(within, section)
			}
		}
		if within != nil {
			notes = append(notes, fmt.Sprintf("%q is a key of %s", word, strings.Join(within, " and ")))
		} else if near := diag.Nearest(word, names); len(near) > 0 {
			notes = append(notes, fmt.Sprintf("%q: did you mean %s?", word, strings.Join(near, " or ")))
		}
	}
	return notes
}

// recipeKeys returns the paths of the keys of t, in order, below a path.
func recipeKeys(t reflect.Type, below string) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if keys = append(keys, below+name); inner.Kind() == reflect.Struct {
			keys = append(keys, recipeKeys(inner, below+name+".")...)
		}
	}
	return keys
}

// settings is a recipe with every default filled in.
type settings struct {
	recipe              *Recipe
	target              *target.Target
	activation, weight  dtype.Type
	symmetricActivation bool
	symmetricWeight     bool
	perChannel          bool
	perRow              bool // of activations that are quantized at run time
	parity              bool
	mode                Mode
	block               int // of weight-only, 0: none
	algorithm           string
	observer            observe.Method
	auto                bool
	algorithms          []string
	smooth              bool // in mode dynamic: normalizations, and the scales of few weights are searched for
	effort              int
}

// resolve fills in defaults and checks every name.
func (r *Recipe) resolve() (*settings, error) {
	s := &settings{recipe: r, parity: r.Parity == parityONNXRuntime}
	if err := r.checkWords(); err != nil {
		return nil, err
	}
	name := r.Target
	if name == "" {
		name = DefaultTarget
	}
	var err error
	if s.target, err = target.Load(name); err != nil {
		return nil, err
	}
	if s.activation, err = pick(r.Activations.DType, s.target.Activations.Types, "activations", name); err != nil {
		return nil, err
	}
	if s.mode = r.Mode; r.Mode == "" || r.Mode == Auto {
		s.mode = Static
	}
	weight := r.Weights.DType
	if m := s.target.Mode(string(s.mode)); m != nil && slices.Contains(m.Types, weight) {
		weight = "" // the type is that of the mode, not of static nodes
	}
	if s.weight, err = pick(weight, s.target.Weights.Types, "weights", name); err != nil {
		return nil, err
	}
	if s.algorithm = r.Weights.Algorithm; s.algorithm == "" {
		s.algorithm = RTN
	}
	share, block, err := granularity(r.Weights.Granularity)
	if err != nil {
		return nil, err
	}
	if s.block = block; block > 0 && s.mode != WeightOnly {
		return nil, diag.Usagef("granularity %s: only mode weight-only has groups", r.Weights.Granularity).Note("--mode weight-only, or --override PATTERN=w4a16:g%d for some nodes", block)
	}
	if err := s.resolveRows(); err != nil {
		return nil, err
	}
	s.symmetricActivation = s.symmetricIn(s.activation)
	s.symmetricWeight = s.weight.IsSigned()
	if r.Weights.Symmetric != nil {
		s.symmetricWeight = *r.Weights.Symmetric
	}
	if s.perChannel = share == perChannel; share == "" {
		s.perChannel = s.target.Weights.Granularity != perTensor
	}
	if s.perChannel = s.perChannel || share == perGroup; s.parity && s.mode == Dynamic && share == "" {
		s.perChannel = false // the peer's default
	}
	method := r.Activations.Observer
	if method == "" {
		method = DefaultObserver
		if s.parity {
			method = "minmax"
		}
	}
	if s.auto = method == AutoObserver; s.auto {
		method = candidates[0]
	}
	if s.observer, err = observe.ParseMethod(method); err != nil {
		return nil, err
	}
	if err := s.resolveAlgorithms(); err != nil {
		return nil, err
	}
	if _, _, err := s.edgeWords(); err != nil {
		return nil, err
	}
	whole, err := s.of(s.mode, false)
	if err != nil {
		return nil, err
	}
	if share == "" && s.mode == WeightOnly && whole.weight.Bits() < 8 && !s.target.Mode(string(s.mode)).Ungrouped {
		s.block = defaultGroup
	}
	for _, o := range r.Overrides {
		if o.Precision != "" {
			if _, err := s.overridePrecision(o); err != nil {
				return nil, err
			}
		}
		if o.Observer == AutoObserver {
			return nil, diag.Usagef("override %q: observer auto chooses for all nodes at once", o.Match).Note("known: %s", strings.Join(observe.Names(), ", "))
		}
		if o.Observer != "" {
			if _, err := observe.ParseMethod(o.Observer); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// NBits returns the widths of weights for which the target has MatMulNBits, nil
// where the recipe's form of ONNX has none.
func (r *Recipe) NBits() []int {
	s, err := r.resolve()
	if err != nil || r.OnnxForm == formQDQ {
		return nil
	}
	if m := s.target.Mode(string(WeightOnly)); m != nil {
		return m.NBits
	}
	return nil
}

// NeedsData reports whether the recipe's mode takes ranges from samples.
func (r *Recipe) NeedsData() bool { return r.Mode == "" || r.Mode == Auto || r.Mode == Static }

// Suffix returns the word that names a file of the recipe's results: int8,
// int4, float16.
func (r *Recipe) Suffix() string {
	s, err := r.resolve()
	if err != nil {
		return "int8"
	}
	switch p, _ := s.of(s.mode, false); s.mode {
	case WeightOnly:
		return p.weight.String()
	case Float16, BFloat16:
		return string(s.mode)
	}
	return "int8"
}

// Check returns an error of kind usage for a word that the recipe's target or
// this release does not take.
func (r *Recipe) Check() error {
	_, err := r.resolve()
	return err
}

// checkWords checks the keys that take fixed words, whatever the target.
func (r *Recipe) checkWords() error {
	if err := r.Mode.Check(); err != nil {
		return err
	}
	for _, w := range []struct{ key, what, word string }{
		{"parity", "parity", r.Parity}, {"weights.algorithm", "algorithm", r.Weights.Algorithm},
		{"existing", "existing", r.Existing}, {"activations.granularity", "granularity of activations", r.Activations.Granularity}, {"onnx-form", "onnx-form", r.OnnxForm},
	} {
		if err := checkWord(w.key, w.what, w.word); err != nil {
			return err
		}
	}
	for _, a := range r.Algorithms {
		if err := checkWord("algorithms", "algorithm", a); err != nil {
			return err
		}
	}
	return nil
}

// pick returns the type of weights or activations, the target's first where
// none is named.
func pick(name string, accepted []string, what, target string) (dtype.Type, error) {
	if name == "" {
		name = accepted[0]
	}
	if slices.Contains(accepted, name) {
		return dtype.Parse(name)
	}
	if w := WordsOf(what + ".dtype"); w.IsUnbuilt(name) {
		return 0, w.Check(what, name)
	}
	return 0, diag.Usagef("target %s takes no %s of type %s", target, what, name).Suggest(name, accepted, "accepted")
}

// NeedsHistogram reports whether the recipe's observers look at more than the
// extremes of values. It checks the recipe as Place does.
func NeedsHistogram(r *Recipe) (bool, error) {
	s, err := r.resolve()
	if err != nil {
		return false, err
	}
	need := s.auto || s.observer.NeedsHistogram()
	for _, o := range r.Overrides {
		if m, err := observe.ParseMethod(o.Observer); err == nil {
			need = need || m.NeedsHistogram()
		}
	}
	return need, nil
}

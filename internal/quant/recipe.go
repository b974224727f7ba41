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
	Auto   Mode = "auto"
	Static Mode = "static"
)

// Recipe is everything that decides how a model is quantized: the YAML file.
// The zero value of a field means the target's or the tool's default.
type Recipe struct {
	Version     int         `yaml:"version"`
	Mode        Mode        `yaml:"mode,omitempty"`
	Target      string      `yaml:"target,omitempty"`
	Data        Data        `yaml:"data,omitempty"`
	Preprocess  Preprocess  `yaml:"preprocess,omitempty"`
	Activations Activations `yaml:"activations,omitempty"`
	Weights     Weights     `yaml:"weights,omitempty"`
	Only        []string    `yaml:"only,omitempty"`
	Keep        []string    `yaml:"keep,omitempty"`
	Overrides   []Override  `yaml:"overrides,omitempty"`
	// Parity gives another tool's placement, ranges and rounding: "" or
	// "onnxruntime".
	Parity string `yaml:"parity,omitempty"`
	// Existing says what becomes of a model that is quantized already: "error",
	// "keep" or "strip".
	Existing string `yaml:"existing,omitempty"`
	// OnnxForm is "qdq" or "qoperator".
	OnnxForm string `yaml:"onnx-form,omitempty"`
	Opset    int    `yaml:"opset,omitempty"`
	// IO is the type of inputs and outputs, and IOLayout their layout: a word
	// for all of them, or in=WORD, out=WORD, NAME=WORD with commas between.
	IO       string `yaml:"io,omitempty"`
	IOLayout string `yaml:"io-layout,omitempty"`
	// ReduceRange quantizes weights to 7 bits.
	ReduceRange bool `yaml:"reduce-range,omitempty"`
	Strict      bool `yaml:"strict,omitempty"`
	// Evaluate says how the result is to be judged; quantizing does not read it.
	Evaluate Evaluate `yaml:"evaluate,omitempty"`
}

// Evaluate names what octavo validate is to be given.
type Evaluate struct {
	Data    string `yaml:"data,omitempty"`
	Labels  string `yaml:"labels,omitempty"`
	Task    string `yaml:"task,omitempty"`
	MaxDrop string `yaml:"max-drop,omitempty"`
}

// Data names the calibration samples.
type Data struct {
	Path    string `yaml:"path,omitempty"` // or "random"
	Samples int    `yaml:"samples,omitempty"`
	// Seed is that of random samples.
	Seed uint64 `yaml:"seed,omitempty"`
}

// Activations says how activations are quantized.
type Activations struct {
	DType     string `yaml:"dtype,omitempty"`
	Symmetric *bool  `yaml:"symmetric,omitempty"`
	// Observer is auto, minmax, moving-average, percentile[:P], entropy or mse.
	Observer string `yaml:"observer,omitempty"`
}

// Weights says how weights are quantized.
type Weights struct {
	DType string `yaml:"dtype,omitempty"`
	// Symmetric forces zero points to 0; the default follows the type.
	Symmetric *bool `yaml:"symmetric,omitempty"`
	// Granularity is "channel" or "tensor".
	Granularity string `yaml:"granularity,omitempty"`
}

// Override changes the treatment of the nodes that Match names.
type Override struct {
	// Match is a node name glob, in which * crosses /, or op:Type.
	Match string `yaml:"match"`
	// Precision is "float" or "int8" ("w8a8").
	Precision string `yaml:"precision,omitempty"`
	Observer  string `yaml:"observer,omitempty"`
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
		if near := diag.Nearest(word, recipeKeys(reflect.TypeFor[Recipe]())); len(near) > 0 {
			notes = append(notes, fmt.Sprintf("%q: did you mean %s?", word, strings.Join(near, " or ")))
		}
	}
	return notes
}

func recipeKeys(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		keys = append(keys, name)
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, recipeKeys(inner)...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// settings is a recipe with every default filled in.
type settings struct {
	recipe              *Recipe
	target              *target.Target
	activation, weight  dtype.Type
	symmetricActivation bool
	symmetricWeight     bool
	perChannel          bool
	parity              bool
	observer            observe.Method
	auto                bool
}

// parityONNXRuntime is the value of Recipe.Parity.
const parityONNXRuntime = "onnxruntime"

// resolve fills in defaults and checks every name.
func (r *Recipe) resolve() (*settings, error) {
	s := &settings{recipe: r, parity: r.Parity == parityONNXRuntime}
	usage := func(format string, args ...any) error {
		return &diag.Error{Kind: diag.Usage, Msg: fmt.Sprintf(format, args...)}
	}
	if r.Parity != "" && !s.parity {
		return nil, usage("parity %q is not known; known: %s", r.Parity, parityONNXRuntime)
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
	if s.weight, err = pick(r.Weights.DType, s.target.Weights.Types, "weights", name); err != nil {
		return nil, err
	}
	s.symmetricActivation = s.target.Activations.Symmetric
	if r.Activations.Symmetric != nil {
		s.symmetricActivation = *r.Activations.Symmetric
	}
	s.symmetricWeight = s.weight.IsSigned()
	if r.Weights.Symmetric != nil {
		s.symmetricWeight = *r.Weights.Symmetric
	}
	switch g := r.Weights.Granularity; g {
	case "channel", "tensor":
		s.perChannel = g == "channel"
	case "":
		s.perChannel = s.target.Weights.Granularity != "tensor"
	default:
		return nil, usage("granularity %q is not known; known: channel, tensor", g)
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
	if err := checkExisting(r.Existing); err != nil {
		return nil, err
	}
	if r.OnnxForm != "" && r.OnnxForm != "qdq" && r.OnnxForm != "qoperator" {
		return nil, usage("onnx-form %q is not known; known: qdq, qoperator", r.OnnxForm)
	}
	if _, _, err := s.edgeWords(); err != nil {
		return nil, err
	}
	for _, o := range r.Overrides {
		if !slices.Contains([]string{"", "float", "int8", "w8a8"}, o.Precision) {
			return nil, usage("precision %q of override %q is not known; known: float, w8a8", o.Precision, o.Match)
		}
		if o.Observer != "" {
			if _, err := observe.ParseMethod(o.Observer); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func pick(name string, accepted []string, what, target string) (dtype.Type, error) {
	if name == "" {
		name = accepted[0]
	}
	t, err := dtype.Parse(name)
	if err != nil || !slices.Contains(accepted, name) {
		return t, &diag.Error{Kind: diag.Usage, Msg: fmt.Sprintf("target %s takes no %s of type %s", target, what, name),
			Notes: []string{"accepted: " + strings.Join(accepted, ", ")}}
	}
	return t, nil
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

// AutoObserver tries the methods of candidates on calibration samples and
// takes the best for the network at hand.
const AutoObserver = "auto"

// DefaultObserver is the measured best (docs/numerics.md).
const DefaultObserver = AutoObserver

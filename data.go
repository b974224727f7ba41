package octavo

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/target"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Mode says when activations get their ranges.
type Mode = quant.Mode

// Defaults of a Recipe.
const (
	DefaultSamples  = quant.DefaultSamples
	DefaultTarget   = quant.DefaultTarget
	DefaultObserver = quant.DefaultObserver
)

// Targets returns the names of the known targets.
func Targets() []string { return target.Names() }

// Observers returns the names of the range methods.
func Observers() []string { return append([]string{quant.AutoObserver}, observe.Names()...) }

// Words returns the words that a key of a recipe takes, by its path, such as
// "overrides.precision".
func Words(key string) []string { return quant.WordsOf(key).Known }

// Dataset is a sequence of samples from files.
type Dataset struct {
	d       *dataset.Dataset
	model   *Model // that the samples fit
	given   *Model // that OpenData was asked for; model or what model is the SourceIO of
	options DataOptions
	states  []state
	chosen  *chosen // nil: nothing is chosen
	// pipelines make inputs of pictures, by input.
	pipelines map[string]*preprocess.Pipeline
	outputs   int // how many scores the model gives; 0: not known
	said      int // how many warnings of d the caller was given
}

// DataOptions says where samples come from and how they become inputs.
type DataOptions struct {
	// Paths are .npz archives with one array for each input (and maybe
	// "labels"), .npy arrays, .jsonl, .csv, pictures, folders of arrays or of
	// pictures, ONNX test data, @FILE for a list of those, or NAME=PATH for one
	// input.
	Paths []string
	// Fill holds NAME=VALUE constants for inputs that the data lacks.
	Fill []string
	// Pad holds NAME=VALUE: what fills short rows of an input.
	Pad []string
	// State holds INPUT=OUTPUT: an output that is the input of the next sample
	// of a sequence. Each path or file is one; states begin with zeros, or with
	// what Fill says.
	State []string
	// ClassNames is a file with the name of a class a line, which labels may
	// hold; "" is none.
	ClassNames string
	// LabelOffset is added to labels that are numbers.
	LabelOffset int
	// SkipBad leaves out pictures that are broken or lack a label, with a
	// warning.
	SkipBad bool
	// Preprocess says how pictures become inputs.
	Preprocess Preprocessing
	// Others are models that will run on the same samples: what they record of
	// preprocessing counts where the first records none.
	Others []*Model
	// Threads bounds how many samples are decoded at a time; 0 is one for each
	// processor. Results do not depend on it.
	Threads int
	// Warn, if set, is given what reading samples and labels leaves to say
	// after OpenData has returned.
	Warn func(...Warning)
}

// OpenData opens samples for m. Where m records that its inputs differ from
// those of the model it was made from, samples are what that model takes (see
// SourceIO), or, if the data does not fit that, what m itself takes:
// Dataset.Model tells.
func (m *Model) OpenData(o DataOptions) (*Dataset, error) {
	source, err := m.SourceIO()
	if err != nil {
		return nil, err
	}
	d, err := source.openData(o)
	if err == nil {
		d.given = m
	}
	if source == m || err == nil && d.fits() {
		return d, err
	}
	raw, rawErr := m.openData(o)
	if rawErr != nil || !raw.fits() {
		if rawErr == nil {
			raw.Close()
		}
		return d, err
	}
	if err == nil {
		d.Close()
	}
	return raw, nil
}

// fits reports whether the first sample has the types that the model takes. Of
// pictures anything can be made.
func (d *Dataset) fits() bool {
	if len(d.d.Pictures()) > 0 {
		return true
	}
	_, err := d.d.At(0)
	return err == nil
}

// Model returns the model that the samples fit: the one that they were opened
// for, or its SourceIO. Compile it to run on them.
func (d *Dataset) Model() *Model { return d.model }

func (m *Model) openData(o DataOptions) (*Dataset, error) {
	spec, err := m.dataSpec(&o)
	if err != nil {
		return nil, err
	}
	d := &Dataset{model: m, given: m, options: o, outputs: m.outputClasses()}
	if d.states, err = m.dataStates(&spec, o.State); err != nil {
		return nil, err
	}
	spec.Picture = d.makePicture
	var ps []dataset.Path
	for _, p := range o.Paths {
		ps = append(ps, dataset.ParsePath(p, spec))
	}
	if d.d, err = dataset.Open(ps, spec); err != nil {
		return nil, err
	}
	if err := d.choosePreprocessing(); err != nil {
		d.Close()
		return nil, err
	}
	d.checkLabels()
	d.said = len(d.d.Warnings())
	return d, nil
}

// dataSpec says what samples of m's inputs are.
func (m *Model) dataSpec(o *DataOptions) (dataset.Spec, error) {
	spec := dataset.Spec{Fill: map[string]*tensor.Tensor{}, Pad: map[string]float64{}, LabelOffset: int64(o.LabelOffset), SkipBad: o.SkipBad}
	for _, v := range m.graph.Inputs {
		in := dataset.Input{Name: v.Name, Type: v.Type}
		if v.Shape == nil {
			return spec, &diag.Error{Msg: fmt.Sprintf("%s: input %q has no known rank", m.Path, v.Name), Notes: []string{"export the model with the shapes of its inputs"}}
		}
		for _, d := range v.Shape {
			n, ok := d.Int()
			if !ok {
				n = -1
			}
			in.Shape = append(in.Shape, n)
		}
		spec.Inputs = append(spec.Inputs, in)
	}
	maps.Copy(spec.Fill, m.begin())
	for _, f := range o.Fill {
		in, value, err := inputValue("--fill", f, spec)
		if err != nil {
			return spec, err
		}
		if spec.Fill[in.Name], err = filled(in, value); err != nil {
			return spec, diag.Usagef("--fill %q: %w", f, err)
		}
	}
	for _, f := range o.Pad {
		in, value, err := inputValue("--pad", f, spec)
		if err != nil {
			return spec, err
		}
		if spec.Pad[in.Name], err = strconv.ParseFloat(value, 64); err != nil {
			return spec, diag.Usagef("--pad %q: %q is no number", f, value)
		}
	}
	if o.ClassNames != "" {
		var err error
		if spec.ClassNames, err = dataset.ReadClassNames(o.ClassNames); err != nil {
			return spec, err
		}
	}
	return spec, nil
}

// inputValue takes NAME=VALUE of a flag apart; NAME is an input.
func inputValue(flag, s string, spec dataset.Spec) (dataset.Input, string, error) {
	name, value, _ := strings.Cut(s, "=")
	for _, in := range spec.Inputs {
		if in.Name == name {
			return in, value, nil
		}
	}
	var names []string
	for _, in := range spec.Inputs {
		names = append(names, in.Name)
	}
	return dataset.Input{}, "", diag.Usagef("%s %q: the model has no input %q", flag, s, name).Suggest(name, names, "inputs")
}

// filled returns a tensor of one repeated value, free dimensions being 1.
func filled(in dataset.Input, value string) (*tensor.Tensor, error) {
	shape := slices.Clone(in.Shape)
	for i, d := range shape {
		shape[i] = max(d, 1)
		if d == 0 {
			shape[i] = 0
		}
	}
	n, _ := tensor.Count(shape)
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no number", value)
	}
	if in.Type == dtype.Float32 {
		return tensor.FromSlice(slices.Repeat([]float32{float32(v)}, n), shape...), nil
	}
	if !in.Type.IsInteger() && in.Type != dtype.Bool || v != float64(int64(v)) {
		return nil, fmt.Errorf("the input is %v", in.Type)
	}
	return tensor.FromInts(in.Type, slices.Repeat([]int64{int64(v)}, n), shape...), nil
}

// Len returns the number of samples.
func (d *Dataset) Len() int { return d.d.Len() }

// Labels returns a class for each sample, or nil.
func (d *Dataset) Labels() []int64 { return d.d.Labels() }

// Targets returns the numbers that each sample should give, or nil: labels
// that are floats.
func (d *Dataset) Targets() [][]float32 { return d.d.Targets() }

// Classes is Labels for a task that needs them: labels that are floats are an
// error, which names their source.
func (d *Dataset) Classes() ([]int64, error) { return d.d.Classes() }

// LoadLabels reads the labels of the samples from a file: .npy, or lines of
// JSON, of .csv, of "file label", or of a label alone. Whole numbers, and the
// names of DataOptions.ClassNames, are classes; floats are targets.
func (d *Dataset) LoadLabels(path string) error {
	if err := d.d.LoadLabels(path); err != nil {
		return err
	}
	d.checkLabels()
	if said := d.said; d.options.Warn != nil {
		d.said = len(d.d.Warnings())
		d.options.Warn(d.d.Warnings()[said:]...)
	}
	return nil
}

// checkLabels warns of labels that do not count the model's outputs.
func (d *Dataset) checkLabels() {
	if d.options.LabelOffset == 0 {
		d.d.CheckClasses(d.outputs)
	}
}

// outputClasses returns the length of the last axis of the first output, or 0.
func (m *Model) outputClasses() int {
	if len(m.graph.Outputs) == 0 || len(m.graph.Outputs[0].Shape) == 0 {
		return 0
	}
	shape := m.graph.Outputs[0].Shape
	n, _ := shape[len(shape)-1].Int()
	return n
}

// Warnings returns what opening the data left to say.
func (d *Dataset) Warnings() []Warning { return d.d.Warnings() }

// Close releases the files.
func (d *Dataset) Close() error { return d.d.Close() }

// Samples yields n samples spread evenly over all of them, in order; all of
// them where n is 0. Those that follow are read ahead by other goroutines, of
// which none is left when the loop ends. With DataOptions.State, the model runs
// over what lies between, to know the states.
func (d *Dataset) Samples(n int) iter.Seq2[Inputs, error] {
	return func(yield func(Inputs, error) bool) {
		for s, err := range d.samples(n) {
			if !yield(s.Inputs, err) || err != nil {
				return
			}
		}
	}
}

// samples is Samples with the index of each.
func (d *Dataset) samples(n int) iter.Seq2[dataset.Sample, error] {
	if len(d.states) == 0 {
		return d.each(d.d.Spread(n))
	}
	return func(yield func(dataset.Sample, error) bool) {
		p, err := d.model.Compile(Threads(d.options.Threads))
		if err != nil {
			yield(dataset.Sample{}, err)
			return
		}
		for r, err := range d.carried(context.Background(), p, n) {
			if !yield(r.Sample, err) || err != nil {
				return
			}
		}
	}
}

// each yields samples with these indices, states being as they begin.
func (d *Dataset) each(indices []int) iter.Seq2[dataset.Sample, error] {
	workers := d.options.Threads
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	samples := d.d.Each(indices, workers, func(w Warning) {
		if d.options.Warn != nil {
			d.options.Warn(w)
		}
	})
	if len(d.d.Pictures()) == 0 {
		return samples
	}
	return func(yield func(dataset.Sample, error) bool) {
		// Never touched, so it takes no memory; but it counts as heap, and keeps
		// the collector from running after every few pictures.
		floor := make([]byte, collectorFloor)
		defer runtime.KeepAlive(floor)
		samples(yield)
	}
}

// collectorFloor is what the heap counts at least while pictures are decoded.
const collectorFloor = 32 << 20

// ReadArray reads an .npy file.
func ReadArray(path string) (*Tensor, error) { return dataset.ReadArray(path) }

// WriteArray writes t as an .npy file.
func WriteArray(w io.Writer, t *Tensor) error { return dataset.WriteArray(w, t) }

// WroteFile reports whether the file at path is a model that octavo wrote.
func WroteFile(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	m, err := Load(path)
	if err != nil {
		return false
	}
	defer m.Close()
	_, ok := m.graph.Meta["octavo.version"]
	return ok
}

// Strict returns an error if a node stays float that was to be quantized: all
// but those that the recipe excludes (keep, only, an override with float) and
// those that read floats only because of that.
func (r *Report) Strict() error {
	e := &diag.Error{Kind: diag.Gate}
	for _, s := range r.Float {
		if !s.Wanted {
			continue
		}
		e.Notes = append(e.Notes, fmt.Sprintf("%s (%s): %s", s.Node, s.Op, s.Reason))
	}
	if len(e.Notes) == 0 {
		return nil
	}
	e.Msg = fmt.Sprintf("%d operators stay float, and strict was asked for; nothing was written", len(e.Notes))
	return e
}

// ModeLines lists how many operators each mode but static has, and what became
// of them, one line a mode and precision.
func (r *Report) ModeLines() []string {
	type row struct {
		mode, precision string
		n               int
	}
	var rows []row
	for _, m := range r.Modes {
		i := slices.IndexFunc(rows, func(x row) bool { return x.mode == string(m.Mode) && x.precision == m.Precision })
		if i < 0 {
			i = len(rows)
			rows = append(rows, row{string(m.Mode), m.Precision, 0})
		}
		rows[i].n++
	}
	var out []string
	for _, x := range rows {
		line := fmt.Sprintf("%-10s %d operators", x.mode, x.n)
		if x.precision != x.mode {
			line += ": " + x.precision
		}
		out = append(out, line)
	}
	return out
}

// FloatReasons lists why nodes stay float, one line a reason.
func (r *Report) FloatReasons() []string {
	type group struct {
		reason string
		nodes  []string
	}
	var groups []group
	for _, s := range r.Float {
		reason := s.Op + ": " + s.Reason
		i := slices.IndexFunc(groups, func(g group) bool { return g.reason == reason })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{reason: reason})
		}
		groups[i].nodes = append(groups[i].nodes, s.Node)
	}
	var out []string
	for _, g := range groups {
		shown := g.nodes
		more := ""
		if len(shown) > 2 {
			shown, more = shown[:2], fmt.Sprintf(" and %d more", len(g.nodes)-2)
		}
		out = append(out, fmt.Sprintf("%d %s [%s%s]", len(g.nodes), g.reason, strings.Join(shown, ", "), more))
	}
	return out
}

package octavo

import (
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset"
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

// Dataset is a sequence of samples from files.
type Dataset struct{ d *dataset.Dataset }

// DataOptions says where samples come from and how they become inputs.
type DataOptions struct {
	// Paths are .npz archives with one array for each input (and maybe
	// "labels"), .npy arrays, folders of either, or NAME=PATH for one input.
	Paths []string
	// Fill holds NAME=VALUE constants for inputs that the data lacks.
	Fill []string
}

// OpenData opens samples for m.
func (m *Model) OpenData(o DataOptions) (*Dataset, error) {
	spec := dataset.Spec{Fill: map[string]*tensor.Tensor{}}
	for _, v := range m.graph.Inputs {
		in := dataset.Input{Name: v.Name, Type: v.Type}
		if v.Shape == nil {
			return nil, &diag.Error{Msg: fmt.Sprintf("%s: input %q has no known rank", m.Path, v.Name), Notes: []string{"export the model with the shapes of its inputs"}}
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
	for _, f := range o.Fill {
		name, value, _ := strings.Cut(f, "=")
		i := slices.IndexFunc(spec.Inputs, func(in dataset.Input) bool { return in.Name == name })
		if i < 0 {
			e := diag.Usagef("--fill %q: the model has no input %q", f, name)
			for _, in := range spec.Inputs {
				e.Note("input: %s", in.Name)
			}
			return nil, e
		}
		t, err := filled(spec.Inputs[i], value)
		if err != nil {
			return nil, diag.Usagef("--fill %q: %w", f, err)
		}
		spec.Fill[name] = t
	}
	var ps []dataset.Path
	for _, p := range o.Paths {
		ps = append(ps, dataset.ParsePath(p, spec))
	}
	d, err := dataset.Open(ps, spec)
	if err != nil {
		return nil, err
	}
	return &Dataset{d}, nil
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

// LoadLabels reads the labels of the samples from a file: .npy, or text with
// one number a line. Integers are classes, floats are targets.
func (d *Dataset) LoadLabels(path string) error { return d.d.LoadLabels(path) }

// Warnings returns what opening the data left to say.
func (d *Dataset) Warnings() []Warning { return d.d.Warnings() }

// Close releases the files.
func (d *Dataset) Close() error { return d.d.Close() }

// Samples yields n samples spread evenly over all of them, in order; all of
// them where n is 0.
func (d *Dataset) Samples(n int) iter.Seq2[Inputs, error] {
	return func(yield func(Inputs, error) bool) {
		for _, i := range d.d.Spread(n) {
			in, err := d.d.At(i)
			if !yield(in, err) || err != nil {
				return
			}
		}
	}
}

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

// Strict returns an error if a node stays float that could have been
// quantized.
func (r *Report) Strict() error {
	e := &diag.Error{Kind: diag.Gate}
	for _, s := range r.Float {
		e.Notes = append(e.Notes, fmt.Sprintf("%s (%s): %s", s.Node, s.Op, s.Reason))
	}
	if len(e.Notes) == 0 {
		return nil
	}
	e.Msg = fmt.Sprintf("%d operators stay float, and strict was asked for; nothing was written", len(e.Notes))
	return e
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

package octavo

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	reports "github.com/octavo-ml/octavo/internal/report"
	engine "github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/validate"
)

// Verdict says what quantization cost and gained: Models[0] is the float
// model, the others are the candidates.
type Verdict struct{ validate.Verdict }

// Table returns the verdict as rows of cells: a head, then a row for each
// measure, with a column for each model.
func (v *Verdict) Table() [][]string { return reports.Table(&v.Verdict) }

// Conclusions returns the verdict in sentences, one for each candidate.
func (v *Verdict) Conclusions() []string { return reports.Conclusions(&v.Verdict) }

// WriteText writes the verdict for people.
func (v *Verdict) WriteText(w io.Writer) error { return reports.Text(w, &v.Verdict) }

// WriteFlips writes the samples whose answer changed as .csv: candidate,
// sample, label, the float model's answer, the candidate's.
func (v *Verdict) WriteFlips(w io.Writer) error { return reports.Flips(w, &v.Verdict) }

// ReportWriter returns what writes a verdict in the form that the ending of
// name asks for: .json, .md or .junit.xml.
func ReportWriter(name string) (func(io.Writer, *Verdict) error, error) {
	write, err := reports.File(name)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer, v *Verdict) error { return write(w, &v.Verdict) }, nil
}

// Footprint is what one model takes in a process of its own.
type Footprint = validate.Footprint

// Sample is one set of inputs with its class, -1 where there is none.
type Sample = struct {
	Inputs Inputs
	Label  int64
}

// ValidateOptions changes how models are judged.
type ValidateOptions struct {
	// Task is "classification", "binary", "regression", "reconstruction",
	// "embedding" or "none"; "" chooses by the labels.
	Task string
	// Output names the output to judge; "": the first.
	Output string
	// Axis is the output's axis that counts classes, from the end where it is
	// negative; nil is the last.
	Axis *int
	// Threshold is the probability from which task binary answers yes; 0 is
	// 0.5.
	Threshold float64
	// Positive is the class that task binary looks for; nil is 1.
	Positive *int
	// OutputsFrom are outputs that anything made of the same samples, each
	// judged as a candidate: a folder with NAME/00000.npy for each sample or
	// NAME.npy for all, as octavo run writes it, an .npz or an .npy.
	OutputsFrom []string
	// Samples is how many to use, spread evenly; 0 is all.
	Samples int
	Threads int
	// Compile are more options of the programs.
	Compile []CompileOption
	// Candidates are more options of the candidates' programs alone.
	Candidates []CompileOption
	// Seed is that of bootstrap intervals and exchange tests.
	Seed uint64
	// Force goes on where labels or preprocessing look wrong.
	Force    bool
	Progress func(done int)
	// Measure returns the footprint of the model at path; nil leaves it out.
	Measure func(path string) (Footprint, error)
}

// Validate runs the float model and the candidates over labelled samples.
//
// Models that record another type or layout of inputs and outputs than the
// model they were made from are judged by their SourceIO.
func Validate(ctx context.Context, float *Model, candidates []*Model, samples iter.Seq2[Sample, error], o ValidateOptions) (*Verdict, error) {
	float, err := float.SourceIO()
	if err != nil {
		return nil, err
	}
	seq := func(yield func(validate.Sample, error) bool) {
		n := 0
		for s, err := range samples {
			if !yield(validate.Sample{Index: n, Inputs: engine.Tensors(s.Inputs), Label: s.Label}, err) || err != nil {
				return
			}
			n++
		}
	}
	return judgeModels(ctx, float, candidates, seq, 0, o)
}

// judgeModels is Validate; n is how many samples there are, 0 if not known.
func judgeModels(ctx context.Context, float *Model, candidates []*Model, samples iter.Seq2[validate.Sample, error], n int, o ValidateOptions) (*Verdict, error) {
	all := append([]*Model{float}, candidates...)
	var models []validate.Model
	var programs []*Program
	for i, m := range all {
		// Figures are of what the samples are: floats, unless the first model
		// takes integers.
		m, err := m.like(float)
		if err != nil {
			return nil, err
		}
		options := append([]CompileOption{Threads(o.Threads)}, o.Compile...)
		if i > 0 {
			options = append(options, o.Candidates...)
		}
		p, err := m.Compile(options...)
		if err != nil {
			return nil, err
		}
		programs = append(programs, p)
		name := modelName(all, i)
		if in := arithmeticOf(o.Candidates); i > 0 && in != dtype.Float32.String() {
			name += " (" + in + ")"
		}
		models = append(models, validate.Model{Name: name, Program: p.p})
	}
	for _, path := range o.OutputsFrom {
		out, err := openOutputs(path, models[0].Program, o.Output, n)
		if err != nil {
			return nil, err
		}
		defer out.Close()
		models = append(models, validate.Model{Name: path, Outputs: out.at})
	}
	v, err := validate.Run(ctx, models, samples, validate.Options{Task: o.Task, Output: o.Output, Axis: o.Axis, Threshold: o.Threshold,
		Positive: o.Positive, Seed: o.Seed, Progress: o.Progress, Force: o.Force})
	if err != nil {
		return nil, err
	}
	for _, p := range programs {
		v.Warnings = append(v.Warnings, p.Warnings()...)
	}
	for i, m := range all {
		info, err := os.Stat(m.Path)
		if err != nil || m.src == nil {
			continue // a model that was not saved has no file
		}
		v.Models[i].Bytes = info.Size()
		if o.Measure != nil {
			f, err := o.Measure(m.Path)
			if err != nil {
				return nil, err
			}
			v.Models[i].Footprint = &f
		}
	}
	return &Verdict{*v}, nil
}

// modelName is the path of model i, without what all paths share.
func modelName(all []*Model, i int) string {
	if all[i].src == nil {
		return fmt.Sprintf("candidate %d", i)
	}
	return all[i].Path
}

// ValidateData is Validate over a dataset, with the labels or targets it has.
// Where samples carry states from one to the next, all models are given those
// of the float model.
func ValidateData(ctx context.Context, float *Model, candidates []*Model, d *Dataset, o ValidateOptions) (*Verdict, error) {
	labels, targets := d.Labels(), d.Targets()
	float, err := float.like(d.model)
	if err != nil {
		return nil, err
	}
	if o.Task == validate.Classification || o.Task == validate.Binary {
		if _, err := d.Classes(); err != nil {
			return nil, err
		}
	}
	seen := map[string]extent{}
	samples := func(yield func(validate.Sample, error) bool) {
		for r, err := range d.samples(o.Samples) {
			s := validate.Sample{Index: r.Index, Inputs: engine.Tensors(r.Inputs), Label: -1}
			if err == nil {
				err = finite(r.Index, r.Inputs)
				see(seen, r.Inputs)
			}
			if err == nil && targets != nil {
				s.Target = targets[r.Index]
			}
			if err == nil && labels != nil {
				if s.Label = labels[r.Index]; s.Label < 0 {
					err = diag.Usagef("sample %d: label %d is negative", r.Index, s.Label).Note("labels count from 0: --label-offset %d moves these up", -s.Label)
				}
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
	n := d.Len()
	if o.Samples > 0 {
		n = min(n, o.Samples)
	}
	v, err := judgeModels(ctx, float, candidates, samples, n, o)
	if err != nil {
		return nil, err
	}
	for _, c := range candidates {
		form, err := c.like(float)
		if err != nil {
			return nil, err
		}
		v.Warnings = append(v.Warnings, calibratedFor(form, c.Path, seen)...)
	}
	return v, nil
}

// finite returns an error that names the first NaN or infinity in a sample:
// what models answer to one says nothing about them.
func finite(sample int, in Inputs) error {
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if in[name].Type() != dtype.Float32 {
			continue
		}
		for i, v := range tensor.Data[float32](in[name]) {
			if v-v != 0 {
				return &diag.Error{Msg: fmt.Sprintf("sample %d: input %q holds %v at element %d", sample, name, v, i),
					Notes: []string{"remove the sample, or repair the data"}}
			}
		}
	}
	return nil
}

package octavo

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	engine "github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/validate"
)

// Verdict says what quantization cost and gained: Models[0] is the float
// model, the others are the candidates.
type Verdict struct{ validate.Verdict }

// MarshalJSON leaves out an SQNR that is no number: JSON has no infinity,
// which is that of outputs without any error.
func (v Verdict) MarshalJSON() ([]byte, error) {
	c := v.Verdict
	c.Models = slices.Clone(c.Models)
	for i := range c.Models {
		if s := c.Models[i].SQNR; s != nil && *s-*s != 0 {
			c.Models[i].SQNR = nil
		}
	}
	return json.Marshal(c)
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
	// Task is "classification" or "none"; "" chooses by whether there are
	// labels.
	Task string
	// Output names the output to judge; "": the first.
	Output string
	// Samples is how many to use, spread evenly; 0 is all.
	Samples  int
	Threads  int
	Progress func(done int)
	// Measure returns the footprint of the model at path; nil leaves it out.
	Measure func(path string) (Footprint, error)
}

// Validate runs the float model and the candidates over labelled samples.
func Validate(ctx context.Context, float *Model, candidates []*Model, samples iter.Seq2[Sample, error], o ValidateOptions) (*Verdict, error) {
	all := append([]*Model{float}, candidates...)
	var models []validate.Model
	for i, m := range all {
		p, err := m.Compile(Threads(o.Threads))
		if err != nil {
			return nil, err
		}
		models = append(models, validate.Model{Name: modelName(all, i), Program: p.p})
	}
	seq := func(yield func(validate.Sample, error) bool) {
		for s, err := range samples {
			if !yield(validate.Sample{Inputs: engine.Tensors(s.Inputs), Label: s.Label}, err) || err != nil {
				return
			}
		}
	}
	v, err := validate.Run(ctx, models, seq, validate.Options{Task: o.Task, Output: o.Output, Progress: o.Progress})
	if err != nil {
		return nil, err
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

// ValidateData is Validate over a dataset, with the labels it has.
func ValidateData(ctx context.Context, float *Model, candidates []*Model, d *Dataset, o ValidateOptions) (*Verdict, error) {
	labels, err := d.Classes()
	if err != nil && o.Task != validate.None {
		return nil, err
	}
	samples := func(yield func(Sample, error) bool) {
		for sample, err := range d.samples(o.Samples) {
			i, in := sample.Index, sample.Inputs
			if err == nil {
				err = finite(i, in)
			}
			s := Sample{Inputs: in, Label: -1}
			if labels != nil {
				if s.Label = labels[i]; s.Label < 0 && err == nil {
					err = diag.Usagef("sample %d: label %d is negative", i, s.Label).Note("labels count from 0")
				}
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
	return Validate(ctx, float, candidates, samples, o)
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

// Drop is a gate on the loss of accuracy.
type Drop struct {
	limit    float64
	relative bool
	set      bool
}

// ParseDrop reads "0.01" (absolute) or "1%rel" (of the float model's value);
// "" is no gate.
func ParseDrop(s string) (Drop, error) {
	if s == "" {
		return Drop{}, nil
	}
	num, rel := strings.CutSuffix(s, "%rel")
	v, err := strconv.ParseFloat(num, 64)
	if err != nil || v < 0 {
		return Drop{}, diag.Usagef("max-drop %q: want a number such as 0.01, or 1%%rel", s)
	}
	if rel {
		v /= 100
	} else if v >= 1 {
		return Drop{}, diag.Usagef("max-drop %q: accuracy is between 0 and 1; one point is 0.01", s)
	}
	return Drop{v, rel, true}, nil
}

// Check returns an error that names the candidates which lose more.
func (d Drop) Check(v *Verdict) error {
	if !d.set {
		return nil
	}
	if v.Task != validate.Classification {
		return diag.Usagef("max-drop needs a task with labels")
	}
	limit := d.limit
	if d.relative {
		limit *= v.Models[0].Accuracy.Value
	}
	e := &diag.Error{Kind: diag.Gate}
	for _, m := range v.Models[1:] {
		if m.Drop.Value > limit {
			e.Notes = append(e.Notes, fmt.Sprintf("%s: accuracy %.4f, drop %.4f", m.Name, m.Accuracy.Value, m.Drop.Value))
		}
	}
	if len(e.Notes) == 0 {
		return nil
	}
	e.Msg = fmt.Sprintf("accuracy drops by more than %.4f", limit)
	return e
}

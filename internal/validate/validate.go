// Package validate runs a float model and its quantized candidates over the
// same samples and says what quantization cost and gained.
//
// It sees programs and tensors; what a measure is, package metric says. It
// draws nothing and writes nothing. Start at [Run] and [Verdict].
package validate

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Model is one model to judge: a program, or outputs that something else made.
type Model struct {
	Name    string
	Program *runtime.Program
	// Outputs returns the judged output of the sample that is the done-th one
	// to be judged; set where there is no Program.
	Outputs func(done int) (*tensor.Tensor, error)
}

// Sample is one set of inputs and what is known of it.
type Sample struct {
	Index  int // which sample of the data it is
	Inputs runtime.Tensors
	Label  int64     // the class; -1 where there is none
	Target []float32 // the numbers that the output should give, or nil
}

// Options changes how Run works.
type Options struct {
	// Task is one of the tasks; "" chooses by the labels.
	Task string
	// Output names the output to judge; "": the first.
	Output string
	// Axis is the axis of the output that counts classes, from the end where it
	// is negative; nil is the last.
	Axis *int
	// Threshold is the probability from which Binary answers yes; 0 is 0.5.
	Threshold float64
	// Positive is the class that Binary looks for; nil is 1.
	Positive *int
	// Seed is that of resampling.
	Seed uint64
	// Progress is called after each sample.
	Progress func(done int)
	// Force goes on where labels or preprocessing look wrong.
	Force bool
}

// check returns an error for what is no option.
func (o *Options) check() error {
	if o.Task != "" {
		if err := Tasks.Check("task", o.Task); err != nil {
			return err
		}
	}
	if !(o.Threshold >= 0 && o.Threshold <= 1) {
		return diag.Usagef("threshold %v: want a probability between 0 and 1", o.Threshold)
	}
	if o.Threshold == 0 {
		o.Threshold = 0.5
	}
	if o.Positive != nil && *o.Positive < 0 {
		return diag.Usagef("positive %d: classes count from 0", *o.Positive)
	}
	return nil
}

// Run judges models[1:] against models[0] over the samples, which all run each
// sample in turn, so that their times can be compared.
func Run(ctx context.Context, models []Model, samples iter.Seq2[Sample, error], o Options) (*Verdict, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	output, err := outputName(models, o.Output)
	if err != nil {
		return nil, err
	}
	if err := sameInputs(models); err != nil {
		return nil, err
	}
	j := &judge{Options: o, task: o.Task, boards: make([]*board, len(models))}
	for i := range models {
		j.boards[i] = &board{}
	}
	for s, err := range samples {
		if err != nil {
			return nil, err
		}
		for i, m := range models {
			start := time.Now()
			out, err := m.output(ctx, s, output, j.n)
			if err != nil {
				return nil, fmt.Errorf("%s: sample %d: %w", m.Name, s.Index, err)
			}
			if m.Program != nil {
				j.boards[i].times = append(j.boards[i].times, time.Since(start))
			}
			if err := j.see(i, out, s); err != nil {
				return nil, fmt.Errorf("%s: sample %d: %w", m.Name, s.Index, err)
			}
		}
		j.inputs.see(s.Inputs)
		j.n++
		if o.Progress != nil {
			o.Progress(j.n)
		}
	}
	if j.n == 0 {
		return nil, &diag.Error{Msg: "the data holds no samples"}
	}
	return j.verdict(models, output)
}

// output returns what the model makes of s, which is the done-th sample.
func (m Model) output(ctx context.Context, s Sample, name string, done int) (*tensor.Tensor, error) {
	if m.Program == nil {
		return m.Outputs(done)
	}
	out, err := m.Program.Run(ctx, s.Inputs)
	if err != nil {
		return nil, err
	}
	return out[name], nil
}

func outputName(models []Model, asked string) (string, error) {
	var names []string
	for _, v := range models[0].Program.Outputs() {
		names = append(names, v.Name)
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%s has no outputs", models[0].Name)
	}
	if asked == "" {
		asked = names[0]
	}
	for _, m := range models {
		if m.Program != nil && !slices.ContainsFunc(m.Program.Outputs(), func(v *ir.Value) bool { return v.Name == asked }) {
			return "", diag.Usagef("%s has no output %q", m.Name, asked).Suggest(asked, names, "outputs of "+models[0].Name)
		}
	}
	return asked, nil
}

// sameInputs returns an error where a candidate takes other inputs than the
// float model, whose samples it could not be given.
func sameInputs(models []Model) error {
	want := models[0].Program.Inputs()
	for _, m := range models[1:] {
		if m.Program == nil {
			continue
		}
		got := m.Program.Inputs()
		for _, w := range want {
			i := slices.IndexFunc(got, func(v *ir.Value) bool { return v.Name == w.Name })
			if i < 0 || len(got) != len(want) || !compatible(w, got[i]) {
				e := diag.Usagef("%s takes other inputs than the float model", m.Name)
				return e.Note("%s: %s", models[0].Name, inputList(want)).Note("%s: %s", m.Name, inputList(got)).
					Note("candidates are judged on the float model's samples; outputs of any other form can be given with --outputs-from")
			}
		}
	}
	return nil
}

// compatible reports whether a sample for a can be one for b.
func compatible(a, b *ir.Value) bool {
	if a.Type != b.Type {
		return false
	}
	if a.Shape == nil || b.Shape == nil {
		return true
	}
	if len(a.Shape) != len(b.Shape) {
		return false
	}
	for i, d := range a.Shape {
		n, known := d.Int()
		m, also := b.Shape[i].Int()
		if known && also && n != m {
			return false
		}
	}
	return true
}

func inputList(vs []*ir.Value) string {
	s := ""
	for i, v := range vs {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %v%v", v.Name, v.Type, v.Shape)
	}
	return s
}

// floats returns a tensor's elements as float32.
func floats(t *tensor.Tensor) ([]float32, error) {
	if t == nil {
		return nil, fmt.Errorf("the output is not computed")
	}
	if t.Type() == dtype.Float32 {
		return tensor.Data[float32](t), nil
	}
	if v, ok := tensor.Ints(t); ok {
		out := make([]float32, len(v))
		for i, n := range v {
			out[i] = float32(n)
		}
		return out, nil
	}
	return nil, fmt.Errorf("%v outputs are not judged", t.Type())
}

// classRows returns the elements of t with the axis of classes last, and its
// length.
func classRows(t *tensor.Tensor, axis *int) ([]float32, int, error) {
	x, err := floats(t)
	if err != nil {
		return nil, 0, err
	}
	shape := t.Shape()
	if len(shape) == 0 {
		return x, 1, nil
	}
	a := len(shape) - 1
	if axis != nil {
		if a = *axis; a < 0 {
			a += len(shape)
		}
		if a < 0 || a >= len(shape) {
			return nil, 0, diag.Usagef("axis %d, but the output is %v", *axis, t)
		}
	}
	inner := 1
	for _, d := range shape[a+1:] {
		inner *= d
	}
	classes := shape[a]
	if len(x) == 0 {
		return nil, 0, fmt.Errorf("the output is empty")
	}
	if inner == 1 {
		return x, classes, nil
	}
	out := make([]float32, 0, len(x))
	for block := 0; block < len(x); block += classes * inner {
		for i := range inner {
			for c := range classes {
				out = append(out, x[block+c*inner+i])
			}
		}
	}
	return out, classes, nil
}

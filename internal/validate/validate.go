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
	"math"
	"slices"
	"time"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The tasks.
const (
	// Classification: the output's last axis holds a score for each class.
	Classification = "classification"
	// None: no labels; agreement and error against the float model.
	None = "none"
)

// Model is one model to judge.
type Model struct {
	Name    string
	Program *runtime.Program
}

// Sample is one set of inputs and its class, -1 where there is none.
type Sample struct {
	Inputs runtime.Tensors
	Label  int64
}

// Options changes how Run works.
type Options struct {
	// Task is Classification or None; "" chooses by whether there are labels.
	Task string
	// Output names the output to judge; "": the first.
	Output string
	// Progress is called after each sample.
	Progress func(done int)
	// Force goes on where labels or preprocessing look wrong.
	Force bool
}

// Result is what was measured of one model.
type Result struct {
	Name string `json:"name"`
	// Classification.
	Accuracy  *Rate    `json:"accuracy,omitempty"`
	Precision *float64 `json:"precision,omitempty"` // macro average
	Recall    *float64 `json:"recall,omitempty"`
	F1        *float64 `json:"f1,omitempty"`
	Top5      *float64 `json:"top5,omitempty"`
	// Against the float model; nil for it itself.
	Drop      *Change  `json:"drop,omitempty"`
	Agreement *float64 `json:"agreement,omitempty"`
	SQNR      *float64 `json:"sqnr_db,omitempty"`
	// Latency of one run in this engine, in seconds.
	P50 float64 `json:"latency_p50_s"`
	P90 float64 `json:"latency_p90_s"`
	// Filled in by the caller.
	Bytes     int64      `json:"bytes"`
	Footprint *Footprint `json:"footprint,omitempty"`
}

// Rate is a share of samples with its 95 % Wilson interval.
type Rate struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// Change is how much accuracy is lost against the float model: positive is
// worse.
type Change struct {
	Value float64 `json:"value"`
	// Lo and Hi bound it with 95 % confidence, the samples being paired.
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// P is the probability of a change at least this large by chance (exact
	// McNemar test on the samples whose answer changed).
	P float64 `json:"p"`
	// Noise says that the change is within what chance gives (P ≥ 0.05).
	Noise bool `json:"within_noise"`
}

// Footprint is what one model takes in a process of its own.
type Footprint struct {
	PeakAnonymous int64   `json:"peak_anonymous_bytes"`
	Mapped        int64   `json:"mapped_bytes"`
	LoadSeconds   float64 `json:"load_seconds"`
}

// Verdict is the outcome: Models[0] is the float model.
type Verdict struct {
	Schema   string         `json:"schema"`
	Task     string         `json:"task"`
	Output   string         `json:"output"`
	Samples  int            `json:"samples"`
	Classes  int            `json:"classes,omitempty"`
	Models   []Result       `json:"models"`
	Warnings []diag.Warning `json:"warnings"`
}

// minJudged and minChance decide when a float model is called suspicious.
const (
	minJudged = 50
	minChance = 3
)

// Run judges models[1:] against models[0] over the samples, which all run each
// sample in turn, so that their times can be compared.
func Run(ctx context.Context, models []Model, samples iter.Seq2[Sample, error], o Options) (*Verdict, error) {
	if o.Task != "" && o.Task != Classification && o.Task != None {
		return nil, diag.Usagef("task %q is not known", o.Task).Note("known: %s, %s", Classification, None)
	}
	output, err := outputName(models, o.Output)
	if err != nil {
		return nil, err
	}
	j := &judge{task: o.Task, boards: make([]*board, len(models))}
	for i := range models {
		j.boards[i] = &board{}
	}
	n := 0
	for s, err := range samples {
		if err != nil {
			return nil, err
		}
		if j.task == "" {
			j.task = None
			if s.Label >= 0 {
				j.task = Classification
			}
		}
		if j.task == Classification && s.Label < 0 {
			return nil, diag.Usagef("task classification needs labels").Note("give --labels FILE, or an array \"labels\" in the .npz")
		}
		for i, m := range models {
			start := time.Now()
			out, err := m.Program.Run(ctx, s.Inputs)
			if err != nil {
				return nil, fmt.Errorf("%s: sample %d: %w", m.Name, n, err)
			}
			j.boards[i].times = append(j.boards[i].times, time.Since(start))
			scores, err := floats(out[output])
			if err != nil {
				return nil, fmt.Errorf("%s: output %q: %w", m.Name, output, err)
			}
			if err := j.see(i, scores, classesOf(out[output]), s.Label); err != nil {
				return nil, fmt.Errorf("%s: sample %d: %w", m.Name, n, err)
			}
		}
		n++
		if o.Progress != nil {
			o.Progress(n)
		}
	}
	if n == 0 {
		return nil, &diag.Error{Msg: "the data holds no samples"}
	}
	v := &Verdict{Schema: "octavo.validate/1", Task: j.task, Output: output, Samples: n, Classes: j.classes, Warnings: []diag.Warning{}}
	for i, m := range models {
		v.Models = append(v.Models, j.result(i, m.Name))
	}
	if err := j.suspicious(v); err != nil && !o.Force {
		return nil, err
	}
	return v, nil
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
		if !slices.ContainsFunc(m.Program.Outputs(), func(v *ir.Value) bool { return v.Name == asked }) {
			return "", diag.Usagef("%s has no output %q", m.Name, asked).Note("outputs of %s: %v", models[0].Name, names)
		}
	}
	return asked, nil
}

// floats returns a tensor's elements as float32.
func floats(t *tensor.Tensor) ([]float32, error) {
	if t == nil {
		return nil, fmt.Errorf("it is not computed")
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

// classesOf returns the length of the last axis.
func classesOf(t *tensor.Tensor) int {
	if t.Rank() == 0 {
		return 1
	}
	return t.Shape()[t.Rank()-1]
}

// judge keeps score of all models.
type judge struct {
	task    string
	classes int
	boards  []*board
	float   []float32 // the float model's output for the current sample
}

// board is the score of one model.
type board struct {
	times   []time.Duration
	answers *metric.Confusion
	top5    metric.Rate
	same    metric.Rate  // answers equal to the float model's
	pairs   metric.Pairs // right answers of the float model and this one
	error   metric.Error // of the output against the float model's
}

func (j *judge) see(i int, scores []float32, classes int, label int64) error {
	b := j.boards[i]
	if i == 0 {
		j.float = append(j.float[:0], scores...)
	} else if len(scores) != len(j.float) {
		return fmt.Errorf("the output has %d elements, the float model's %d", len(scores), len(j.float))
	}
	b.error.Add(j.float, scores)
	if classes == 0 || len(scores) == 0 {
		return fmt.Errorf("the output is empty")
	}
	for r := 0; r+classes <= len(scores); r += classes {
		b.same.Add(metric.Best(scores[r:r+classes]) == metric.Best(j.float[r:r+classes]))
	}
	if j.task != Classification {
		return nil
	}
	if len(scores) != classes {
		return fmt.Errorf("one row of class scores a sample is needed, got %d elements in rows of %d", len(scores), classes)
	}
	if label >= int64(classes) {
		return diag.Usagef("label %d, but the output has %d classes", label, classes).Note("labels count from 0")
	}
	j.classes = classes
	if b.answers == nil {
		b.answers = metric.NewConfusion(classes)
	}
	answer := metric.Best(scores)
	if answer < 0 {
		return fmt.Errorf("all scores are NaN")
	}
	if err := b.answers.Add(int(label), answer); err != nil {
		return err
	}
	b.top5.Add(metric.InTop(scores, int(label), 5))
	b.pairs.Add(metric.Best(j.float) == int(label), answer == int(label))
	return nil
}

// suspicious returns an error where the float model is hardly better than
// chance.
func (j *judge) suspicious(v *Verdict) error {
	if j.task != Classification || v.Samples < minJudged || j.classes < 2 {
		return nil
	}
	chance := 1 / float64(j.classes)
	acc := v.Models[0].Accuracy.Value
	if acc >= math.Min(minChance*chance, 0.9) {
		return nil
	}
	return &diag.Error{Kind: diag.Failed, Msg: fmt.Sprintf("labels or preprocessing look wrong: the float model %s is right on %.1f %% of %d samples, and guessing would give %.1f %%", v.Models[0].Name, 100*acc, v.Samples, 100*chance),
		Notes: []string{"check that the inputs are scaled as in training (0..1 or 0..255, mean and deviation)", "check that labels count from 0 and stand in the order of the samples"}}
}

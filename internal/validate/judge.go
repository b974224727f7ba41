package validate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// judge keeps score of all models.
type judge struct {
	Options
	task    string
	n       int // samples seen by all models
	classes int
	labels  []int // of each sample, of tasks that have classes
	samples []int // index of each sample in the data
	boards  []*board
	float   []float32 // the float model's output for the current sample
	inputs  inputRange
	logits  bool // an output of the float model is no probability
}

// board is the score of one model: sums, and what each sample gave.
type board struct {
	times []time.Duration
	same  metric.Rate  // answers equal to the float model's
	error metric.Error // of the output against the float model's
	top5  metric.Rate
	// answers are classes; of Binary they follow when all is seen.
	answers []int
	raw     []float32 // Binary: the score of the positive class as it is
	soft    []float32 // and as a sigmoid or softmax makes it
	square  []float64 // Regression, Reconstruction: mean squared error
	abs     []float64 // and mean absolute error
	cosine  []float64 // Embedding
}

// see scores the output that model i gives for s. The float model comes first.
func (j *judge) see(i int, out *tensor.Tensor, s Sample) error {
	x, classes, err := classRows(out, j.Axis)
	if err != nil {
		return err
	}
	b := j.boards[i]
	if i == 0 {
		j.float = append(j.float[:0], x...)
		if j.task == "" {
			j.task = chooseTask(s, len(x))
		}
		j.samples = append(j.samples, s.Index)
	} else if len(x) != len(j.float) {
		return fmt.Errorf("the output has %d elements, the float model's %d", len(x), len(j.float))
	}
	b.error.Add(j.float, x)
	if classes > 1 && j.task != Binary {
		for r := 0; r+classes <= len(x); r += classes {
			b.same.Add(metric.Best(x[r:r+classes]) == metric.Best(j.float[r:r+classes]))
		}
	}
	switch j.task {
	case Classification:
		return j.seeClass(i, x, classes, s)
	case Binary:
		return j.seeBinary(i, x, s)
	case Regression:
		if s.Target == nil && s.Label >= 0 {
			s.Target = []float32{float32(s.Label)}
		}
		if s.Target == nil {
			return noLabels(Regression)
		}
		return b.distance(s.Target, x, "target")
	case Reconstruction:
		in, err := inputLike(s, len(x))
		if err != nil {
			return err
		}
		if i == 0 && s.Label >= 0 {
			j.labels = append(j.labels, int(min(s.Label, 2)))
		}
		return b.distance(in, x, "input")
	case Embedding:
		want := j.float
		if s.Target != nil {
			want = s.Target
		}
		if len(want) != len(x) {
			return lengths("target", want, x)
		}
		b.cosine = append(b.cosine, metric.Cosine(want, x))
	case None:
		if classes > 1 && len(x) == classes {
			b.answers = append(b.answers, metric.Best(x))
		}
	}
	return nil
}

func noLabels(task string) error {
	return diag.Usagef("task %s needs labels", task).Note("give --labels FILE, or an array \"labels\" in the .npz")
}

func (j *judge) seeClass(i int, x []float32, classes int, s Sample) error {
	if s.Label < 0 {
		return noLabels(Classification)
	}
	if len(x) != classes {
		return fmt.Errorf("one row of class scores a sample is needed, got %d elements in rows of %d", len(x), classes)
	}
	if s.Label >= int64(classes) {
		return diag.Usagef("label %d, but the output has %d classes", s.Label, classes).Note("labels count from 0").
			Note("--label-offset -1 where they count from 1")
	}
	j.classes = classes
	answer := metric.Best(x)
	if answer < 0 {
		return fmt.Errorf("all scores are NaN")
	}
	if i == 0 {
		j.labels = append(j.labels, int(s.Label))
	}
	b := j.boards[i]
	b.answers = append(b.answers, answer)
	b.top5.Add(metric.InTop(x, int(s.Label), 5))
	return nil
}

// seeBinary notes the score of the positive class both as it is and as a
// probability made of a logit; which of them counts shows at the end.
func (j *judge) seeBinary(i int, x []float32, s Sample) error {
	if s.Label < 0 {
		return noLabels(Binary)
	}
	positive := 1
	if j.Positive != nil {
		positive = *j.Positive
	}
	b := j.boards[i]
	if i == 0 {
		label := 0
		if s.Label == int64(positive) {
			label = 1
		}
		j.labels = append(j.labels, label)
		sum := float32(0)
		for _, v := range x {
			sum += v
			if v < 0 || v > 1 {
				j.logits = true
			}
		}
		if len(x) > 1 && max(sum-1, 1-sum) > 0.02 {
			j.logits = true
		}
	}
	if slices.ContainsFunc(x, func(v float32) bool { return v != v }) {
		return fmt.Errorf("a score is NaN")
	}
	j.classes = max(len(x), 2)
	if len(x) == 1 {
		b.raw = append(b.raw, x[0])
		b.soft = append(b.soft, eltwise.Sigmoid(x[0]))
		return nil
	}
	if positive >= len(x) {
		return diag.Usagef("positive class %d, but the output has %d scores", positive, len(x)).Note("--positive names the class that counts as yes, from 0")
	}
	top, sum := slices.Max(x), float32(0)
	for _, v := range x {
		sum += eltwise.Exp(v - top)
	}
	b.raw = append(b.raw, x[positive])
	b.soft = append(b.soft, eltwise.Exp(x[positive]-top)/sum)
	return nil
}

// lengths says that the output is not as long as what was wanted. A single
// number for each sample is mostly a class that was written as a float.
func lengths(what string, want, got []float32) error {
	e := diag.Usagef("the %s is of length %d, the output of length %d", what, len(want), len(got))
	if what == "target" && len(want) == 1 {
		e.Note("labels that are floats are targets of a regression; classes are whole numbers, such as 3 and not 3.0")
	}
	return e
}

// distance adds the errors of one sample against what was wanted.
func (b *board) distance(want, got []float32, what string) error {
	if len(want) != len(got) {
		return lengths(what, want, got)
	}
	var e metric.Error
	e.Add(want, got)
	b.square, b.abs = append(b.square, e.MSE()), append(b.abs, e.MAE())
	return nil
}

// inputLike returns the input that a reconstruction of n elements is of: the
// first by name that has as many.
func inputLike(s Sample, n int) ([]float32, error) {
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		if t := s.Inputs[name]; t.Len() == n {
			return floats(t)
		}
	}
	return nil, diag.Usagef("task reconstruction compares input and output, but no input has the output's %d elements", n).
		Note("--output names another output")
}

// inputRange is what float inputs lie in.
type inputRange struct {
	low, high float32
	seen      bool
	fraction  bool // some value is not whole
}

func (r *inputRange) see(in map[string]*tensor.Tensor) {
	for _, t := range in {
		if t.Type() != dtype.Float32 {
			continue
		}
		for _, v := range tensor.Data[float32](t) {
			if !r.seen {
				r.low, r.high, r.seen = v, v, true
			}
			r.low, r.high = min(r.low, v), max(r.high, v)
			if !(v >= -1e9 && v <= 1e9) || v != float32(int64(v)) {
				r.fraction = true
			}
		}
	}
}

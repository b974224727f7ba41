package validate

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/metric"
)

// rounds is how many resamples an interval and a test take.
const rounds = 1000

// level is the p-value below which a change is no noise.
const level = 0.05

// measure is one figure of a task: a statistic of chosen samples, where pick
// says which model's result of a sample counts.
type measure struct {
	name   string
	higher bool // higher is better
	// of returns the statistic of the samples at these positions, the k-th of
	// them as board pick(k) has it.
	of func(sample []int, pick func(k int) *board) float64
}

// verdict sums up all boards.
func (j *judge) verdict(models []Model, output string) (*Verdict, error) {
	v := &Verdict{Schema: Schema, Task: j.task, Output: output, Samples: j.n, Classes: j.classes, Seed: j.Seed, Rounds: rounds}
	if err := j.settle(v); err != nil {
		return nil, err
	}
	ms := j.measures()
	if len(ms) > 0 {
		v.Metric = ms[0].name
	}
	for i, m := range models {
		v.Models = append(v.Models, j.result(i, m, ms))
		if i > 0 {
			j.flips(v, i, m.Name)
		}
	}
	if err := j.suspicious(v); err != nil {
		return nil, err
	}
	if v.Warnings == nil {
		v.Warnings = []diag.Warning{}
	}
	return v, nil
}

// settle decides what can be known only when all samples were seen.
func (j *judge) settle(v *Verdict) error {
	switch j.task {
	case Binary:
		if j.logits {
			how := "a sigmoid"
			if len(j.float) > 1 {
				how = "a softmax"
			}
			v.Notes = append(v.Notes, "the output holds no probabilities: "+how+" is applied")
		}
		for _, b := range j.boards {
			if j.logits {
				b.raw = b.soft
			}
			for k, p := range b.raw {
				answer := 0
				if float64(p) >= j.Threshold {
					answer = 1
				}
				b.answers = append(b.answers, answer)
				b.same.Add(answer == j.boards[0].answers[k])
			}
		}
	case Reconstruction:
		if len(j.labels) > 0 && len(j.labels) != j.n {
			return noLabels("reconstruction with labels")
		}
		if slices.Contains(j.labels, 2) {
			return diag.Usagef("task reconstruction takes labels 0 and 1").Note("samples of class 1 are those that should be badly reconstructed")
		}
	}
	return nil
}

// measures returns the figures of the task, the first one first.
func (j *judge) measures() []measure {
	mean := func(name string, higher bool, f func(b *board) []float64) measure {
		return measure{name, higher, func(sample []int, pick func(int) *board) float64 {
			sum := 0.0
			for k, s := range sample {
				sum += f(pick(k))[s]
			}
			return sum / float64(len(sample))
		}}
	}
	auc := func(score func(b *board, s int) float32) measure {
		return measure{"auc", true, func(sample []int, pick func(int) *board) float64 {
			var r metric.Ranking
			for k, s := range sample {
				r.Add(score(pick(k), s), j.labels[s] == 1)
			}
			return r.AUC()
		}}
	}
	square := func(b *board) []float64 { return b.square }
	abs := func(b *board) []float64 { return b.abs }
	mse, mae := mean("mse", false, square), mean("mae", false, abs)
	rmse := measure{"rmse", false, func(sample []int, pick func(int) *board) float64 { return math.Sqrt(mse.of(sample, pick)) }}
	switch j.task {
	case Classification:
		return []measure{j.accuracy(), j.f1(j.classes)}
	case Binary:
		return []measure{j.accuracy(), auc(func(b *board, s int) float32 { return b.raw[s] }), j.f1(2)}
	case Regression:
		return []measure{mae, rmse}
	case Reconstruction:
		if len(j.labels) > 0 {
			return []measure{auc(func(b *board, s int) float32 { return float32(b.square[s]) }), mse, mae}
		}
		return []measure{mse, mae}
	case Embedding:
		return []measure{mean("cosine", true, func(b *board) []float64 { return b.cosine })}
	}
	return nil
}

func (j *judge) accuracy() measure {
	return measure{"accuracy", true, func(sample []int, pick func(int) *board) float64 {
		hits := 0
		for k, s := range sample {
			if pick(k).answers[s] == j.labels[s] {
				hits++
			}
		}
		return float64(hits) / float64(len(sample))
	}}
}

// f1 is the macro average, of two classes the score of class 1.
func (j *judge) f1(classes int) measure {
	t := metric.NewTally(classes)
	return measure{"f1", true, func(sample []int, pick func(int) *board) float64 {
		t.Reset()
		for k, s := range sample {
			t.Add(j.labels[s], pick(k).answers[s])
		}
		if j.task == Binary {
			return t.Score(1).F1
		}
		return t.Macro().F1
	}}
}

// result sums up the board of model i.
func (j *judge) result(i int, m Model, ms []measure) Result {
	b := j.boards[i]
	r := Result{Name: m.Name, Outputs: m.Program == nil}
	q := metric.Latencies(b.times)
	r.P50, r.P90 = q.P50.Seconds(), q.P90.Seconds()
	if i > 0 {
		sqnr := b.error.SQNR()
		r.SQNR = &sqnr
		if b.same.Total > 0 {
			same := b.same.Value()
			r.Agreement = &same
		}
	}
	all := make([]int, j.n)
	for s := range all {
		all[s] = s
	}
	for _, f := range ms {
		r.Metrics = append(r.Metrics, j.figure(f, b, all))
	}
	if j.task == Classification || j.task == Binary {
		j.classFigures(i, &r)
	}
	if i > 0 && len(ms) > 0 {
		r.Drop = j.change(i, ms[0], all)
	}
	return r
}

func (j *judge) figure(f measure, b *board, all []int) Figure {
	own := func(int) *board { return b }
	out := Figure{Name: f.name, Value: f.of(all, own), Interval: "bootstrap", Better: "lower"}
	if f.higher {
		out.Better = "higher"
	}
	var iv metric.Interval
	if f.name == "accuracy" {
		out.Interval = "wilson"
		iv = j.hits(b).Wilson(metric.Z95)
	} else {
		iv = metric.Bootstrap(j.n, rounds, 1-level, j.Seed, func(sample []int) float64 { return f.of(sample, own) })
	}
	out.Lo, out.Hi = iv.Low, iv.High
	return out
}

func (j *judge) hits(b *board) metric.Rate {
	var r metric.Rate
	for s, a := range b.answers {
		r.Add(a == j.labels[s])
	}
	return r
}

// change compares the first figure of model i with the float model's.
func (j *judge) change(i int, f measure, all []int) *Change {
	first, second := j.boards[0], j.boards[i]
	if f.name == "accuracy" {
		var p metric.Pairs
		for s, l := range j.labels {
			p.Add(first.answers[s] == l, second.answers[s] == l)
		}
		iv := p.ChangeInterval(metric.Z95)
		pv := p.McNemar()
		return &Change{Value: 0 - p.Change(), Lo: -iv.High, Hi: -iv.Low, P: pv, Test: "mcnemar", Noise: pv >= level}
	}
	sign := 1.0
	if f.higher {
		sign = -1
	}
	loss := func(sample []int, swap []bool) float64 {
		a := f.of(sample, func(k int) *board {
			if swap != nil && swap[k] {
				return second
			}
			return first
		})
		b := f.of(sample, func(k int) *board {
			if swap != nil && swap[k] {
				return first
			}
			return second
		})
		return float64(sign * (b - a))
	}
	iv := metric.Bootstrap(j.n, rounds, 1-level, j.Seed, func(sample []int) float64 { return loss(sample, nil) })
	p := metric.ExchangeTest(j.n, rounds-1, j.Seed, func(swap []bool) float64 { return loss(all, swap) })
	return &Change{Value: loss(all, nil) + 0, Lo: iv.Low, Hi: iv.High, P: p, Test: "exchange", Noise: p >= level}
}

// classFigures fills in what is counted by class.
func (j *judge) classFigures(i int, r *Result) {
	b := j.boards[i]
	a := r.Metrics[0]
	r.Accuracy = &Rate{a.Value, a.Lo, a.Hi}
	classes := j.classes
	if j.task == Binary {
		classes = 2
	}
	t := metric.NewTally(classes)
	for s, l := range j.labels {
		t.Add(l, b.answers[s])
	}
	m := t.Macro()
	if j.task == Binary {
		m = t.Score(1)
	} else if classes > 5 {
		top := b.top5.Value()
		r.Top5 = &top
	}
	r.Precision, r.Recall, r.F1 = &m.Precision, &m.Recall, &m.F1
	for c := range classes {
		if s := t.Score(c); s.Support > 0 || s.Precision > 0 {
			r.PerClass = append(r.PerClass, ClassScore{c, s.Support, s.Precision, s.Recall, s.F1})
		}
	}
	if i == 0 || j.task == Binary {
		return
	}
	f := metric.NewTally(classes)
	for s, l := range j.labels {
		f.Add(l, j.boards[0].answers[s])
	}
	for c := range classes {
		was, is := f.Score(c), t.Score(c)
		if is.Recall < was.Recall {
			r.Worst = append(r.Worst, ClassChange{c, is.Support, was.Recall, is.Recall})
		}
	}
	slices.SortStableFunc(r.Worst, func(a, b ClassChange) int {
		x, y := a.Float-a.Recall, b.Float-b.Recall
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	r.Worst = r.Worst[:min(len(r.Worst), 5)]
}

// flips lists the samples that model i answers in another way.
func (j *judge) flips(v *Verdict, i int, name string) {
	if len(j.boards[i].answers) != j.n || len(j.boards[0].answers) != j.n {
		return // some outputs had no answer
	}
	for s, a := range j.boards[i].answers {
		f := j.boards[0].answers[s]
		if a == f {
			continue
		}
		label := int64(-1)
		if s < len(j.labels) {
			label = int64(j.labels[s])
		}
		v.Flips = append(v.Flips, Flip{name, j.samples[s], label, f, a})
	}
}

package validate

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/metric"
)

// confidence is the normal quantile of two-sided 95 % intervals.
const confidence = 1.96

// result sums up the board of model i.
func (j *judge) result(i int, name string) Result {
	b := j.boards[i]
	r := Result{Name: name}
	q := metric.Latencies(b.times)
	r.P50, r.P90 = q.P50.Seconds(), q.P90.Seconds()
	if i > 0 {
		same, sqnr := b.same.Value(), b.error.SQNR()
		r.Agreement, r.SQNR = &same, &sqnr
	}
	if j.task != Classification {
		return r
	}
	acc := b.answers.Accuracy()
	iv := acc.Wilson(confidence)
	r.Accuracy = &Rate{acc.Value(), iv.Low, iv.High}
	m := b.answers.Macro()
	r.Precision, r.Recall, r.F1 = &m.Precision, &m.Recall, &m.F1
	if j.classes > 5 {
		top := b.top5.Value()
		r.Top5 = &top
	}
	if i > 0 {
		p := b.pairs.McNemar()
		iv := b.pairs.ChangeInterval(confidence)
		r.Drop = &Change{Value: 0 - b.pairs.Change(), Lo: -iv.High, Hi: -iv.Low, P: p, Noise: p >= 0.05}
	}
	return r
}

// Table returns the verdict as rows of cells: a head, then a row for each
// measure, with a column for each model.
func (v *Verdict) Table() [][]string {
	head := []string{""}
	for i, m := range v.Models {
		if i == 0 {
			head = append(head, "float: "+m.Name)
		} else {
			head = append(head, m.Name)
		}
	}
	rows := [][]string{head}
	add := func(name string, cell func(Result) string) {
		row, any := []string{name}, false
		for _, m := range v.Models {
			c := cell(m)
			any = any || c != ""
			row = append(row, c)
		}
		if any {
			rows = append(rows, row)
		}
	}
	percent := func(p *float64) string {
		if p == nil {
			return ""
		}
		return fmt.Sprintf("%.2f %%", 100**p)
	}
	add("accuracy", func(r Result) string {
		if r.Accuracy == nil {
			return ""
		}
		return fmt.Sprintf("%.2f %% [%.1f, %.1f]", 100*r.Accuracy.Value, 100*r.Accuracy.Lo, 100*r.Accuracy.Hi)
	})
	add("drop", func(r Result) string {
		if r.Drop == nil {
			return ""
		}
		s := fmt.Sprintf("%+.2f points", 100*r.Drop.Value)
		if r.Drop.Noise {
			s += " (within noise)"
		}
		return s
	})
	add("precision", func(r Result) string { return percent(r.Precision) })
	add("recall", func(r Result) string { return percent(r.Recall) })
	add("F1", func(r Result) string { return percent(r.F1) })
	add("top-5", func(r Result) string { return percent(r.Top5) })
	add("agreement", func(r Result) string { return percent(r.Agreement) })
	add("output SQNR", func(r Result) string {
		if r.SQNR == nil {
			return ""
		}
		return fmt.Sprintf("%.1f dB", *r.SQNR)
	})
	add("size", func(r Result) string {
		if r.Bytes == 0 {
			return ""
		}
		return fmt.Sprintf("%.1f KB", float64(r.Bytes)/1e3)
	})
	add("latency p50 / p90 (octavo engine, this CPU)", func(r Result) string { return fmt.Sprintf("%.3f / %.3f ms", 1e3*r.P50, 1e3*r.P90) })
	add("memory (anonymous + mapped)", func(r Result) string {
		if r.Footprint == nil {
			return ""
		}
		return fmt.Sprintf("%.1f + %.1f MB", float64(r.Footprint.PeakAnonymous)/1e6, float64(r.Footprint.Mapped)/1e6)
	})
	add("load time", func(r Result) string {
		if r.Footprint == nil {
			return ""
		}
		return fmt.Sprintf("%.1f ms", 1e3*r.Footprint.LoadSeconds)
	})
	return rows
}

// Conclusions returns the verdict in sentences, one for each candidate.
func (v *Verdict) Conclusions() []string {
	var out []string
	for _, m := range v.Models[1:] {
		s := m.Name + ":"
		if m.Bytes > 0 && v.Models[0].Bytes > 0 {
			s += fmt.Sprintf(" %.2fx smaller,", float64(v.Models[0].Bytes)/float64(m.Bytes))
		}
		s += fmt.Sprintf(" %.2fx the float model's speed in this engine", v.Models[0].P50/m.P50)
		switch {
		case m.Drop == nil:
			s += fmt.Sprintf(", same answer on %.1f %% of %d samples", 100**m.Agreement, v.Samples)
		case m.Drop.Noise:
			s += fmt.Sprintf(", accuracy %+.2f points on %d samples, which is within noise (p = %.2f)", 0-float64(100*m.Drop.Value), v.Samples, m.Drop.P)
		default:
			s += fmt.Sprintf(", accuracy %+.2f points on %d samples (p = %.4f)", 0-float64(100*m.Drop.Value), v.Samples, m.Drop.P)
		}
		out = append(out, s)
	}
	return out
}

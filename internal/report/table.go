package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/validate"
)

// titles are the words for figures where they differ from the name in JSON.
var titles = map[string]string{"auc": "AUC", "f1": "F1", "mse": "MSE", "mae": "MAE", "rmse": "RMSE", "cosine": "cosine similarity"}

func title(name string) string {
	if t, ok := titles[name]; ok {
		return t
	}
	return name
}

// rate reports whether a figure is a share, which is written in percent.
func rate(name string) bool { return name == "accuracy" || name == "f1" }

// number writes a figure that is no share.
func number(v float64) string {
	if v-v != 0 {
		return "none"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func figure(f validate.Figure) string {
	if rate(f.Name) {
		return fmt.Sprintf("%.2f %% [%.1f, %.1f]", 100*f.Value, 100*f.Lo, 100*f.Hi)
	}
	if f.Value-f.Value != 0 {
		return "none"
	}
	return fmt.Sprintf("%s [%s, %s]", number(f.Value), number(f.Lo), number(f.Hi))
}

func drop(metric string, c *validate.Change) string {
	s := number(c.Value)
	if rate(metric) {
		s = fmt.Sprintf("%+.2f points", 100*c.Value)
	}
	if c.Noise {
		s += " (within noise)"
	}
	return s
}

func percent(p *float64) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%.2f %%", 100**p)
}

// Table returns the verdict as rows of cells: a head, then a row for each
// measure, with a column for each model. Rows without any figure are left out.
func Table(v *validate.Verdict) [][]string {
	rows := [][]string{append([]string{""}, names(v)...)}
	add := func(name string, cell func(validate.Result) string) {
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
	for i, f := range v.Models[0].Metrics {
		if f.Name != "f1" {
			add(title(f.Name), func(r validate.Result) string { return figure(r.Metrics[i]) })
		}
		if i == 0 {
			add("drop", func(r validate.Result) string {
				if r.Drop == nil {
					return ""
				}
				return drop(v.Metric, r.Drop)
			})
		}
	}
	add("precision", func(r validate.Result) string { return percent(r.Precision) })
	add("recall", func(r validate.Result) string { return percent(r.Recall) })
	for i, f := range v.Models[0].Metrics {
		if f.Name == "f1" {
			add("F1", func(r validate.Result) string { return figure(r.Metrics[i]) })
		}
	}
	add("top-5", func(r validate.Result) string { return percent(r.Top5) })
	add("agreement", func(r validate.Result) string { return percent(r.Agreement) })
	add("output SQNR", func(r validate.Result) string {
		if r.SQNR == nil {
			return ""
		}
		return fmt.Sprintf("%.1f dB", *r.SQNR)
	})
	add("size", func(r validate.Result) string {
		if r.Bytes == 0 {
			return ""
		}
		return fmt.Sprintf("%.1f KB", float64(r.Bytes)/1e3)
	})
	add("latency p50 / p90 (octavo engine, this CPU)", func(r validate.Result) string {
		if r.Outputs {
			return ""
		}
		return fmt.Sprintf("%.3f / %.3f ms", 1e3*r.P50, 1e3*r.P90)
	})
	add("memory (anonymous + mapped)", func(r validate.Result) string {
		if r.Footprint == nil {
			return ""
		}
		return fmt.Sprintf("%.1f + %.1f MB", float64(r.Footprint.PeakAnonymous)/1e6, float64(r.Footprint.Mapped)/1e6)
	})
	add("load time", func(r validate.Result) string {
		if r.Footprint == nil {
			return ""
		}
		return fmt.Sprintf("%.1f ms", 1e3*r.Footprint.LoadSeconds)
	})
	return rows
}

// Conclusions returns the verdict in sentences, one for each candidate.
func Conclusions(v *validate.Verdict) []string {
	var out []string
	short := names(v)
	for i, m := range v.Models[1:] {
		var parts []string
		if m.Bytes > 0 && v.Models[0].Bytes > 0 {
			parts = append(parts, fmt.Sprintf("%.2fx smaller", float64(v.Models[0].Bytes)/float64(m.Bytes)))
		}
		if m.P50 > 0 {
			parts = append(parts, fmt.Sprintf("%.2fx the float model's speed in this engine", v.Models[0].P50/m.P50))
		}
		if m.Drop != nil {
			parts = append(parts, changed(v, m.Drop))
		} else if m.Agreement != nil {
			parts = append(parts, fmt.Sprintf("same answer on %.1f %% of %d samples", 100**m.Agreement, v.Samples))
		}
		if len(parts) == 0 {
			parts = []string{fmt.Sprintf("compared on %d samples", v.Samples)}
		}
		out = append(out, short[i+1]+": "+strings.Join(parts, ", "))
	}
	return out
}

// changed says what became of the first metric, signed as the metric is.
func changed(v *validate.Verdict, c *validate.Change) string {
	value := c.Value
	if v.Models[0].Metrics[0].Better == "higher" {
		value = 0 - value
	}
	s := fmt.Sprintf("%s %+.4g on %d samples", title(v.Metric), value, v.Samples)
	if rate(v.Metric) {
		s = fmt.Sprintf("%s %+.2f points on %d samples", v.Metric, 100*value, v.Samples)
	}
	if c.Noise {
		return s + fmt.Sprintf(", which is within noise (p = %.2f)", c.P)
	}
	return s + fmt.Sprintf(" (p = %.4f)", c.P)
}

// worst returns the classes that lost most, one line a candidate.
func worst(v *validate.Verdict) []string {
	var out []string
	short := names(v)
	for i, m := range v.Models[1:] {
		var parts []string
		for _, c := range m.Worst {
			parts = append(parts, fmt.Sprintf("class %d %.1f -> %.1f %% of %d", c.Class, 100*c.Float, 100*c.Recall, c.Support))
		}
		if len(parts) > 0 {
			out = append(out, "worst changes of recall, "+short[i+1]+": "+strings.Join(parts, ", "))
		}
	}
	return out
}

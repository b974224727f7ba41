package octavo

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/validate"
)

// GateOptions are demands on candidates, as flags give them.
type GateOptions struct {
	MaxDrop    string   // of the task's first metric: "0.01" or "1%rel"; "" is none
	Min        []string // NAME=VALUE: a figure of the verdict and its least value
	MinSpeedup float64  // times the float model's p50 latency; 0 is none
	MaxSize    string   // "1MB", "500KB", "1048576"; "" is none
}

// Gates are demands on candidates.
type Gates struct {
	drop    Drop
	min     []least
	speedup float64
	size    int64
	o       GateOptions
}

type least struct {
	name  string
	value float64
}

// gated are the figures that a least value may be asked of.
var gated = []string{"accuracy", "auc", "f1", "cosine", "precision", "recall", "top5", "agreement", "sqnr_db"}

// ParseGates reads demands.
func ParseGates(o GateOptions) (*Gates, error) {
	g := &Gates{speedup: o.MinSpeedup, o: o}
	var err error
	if g.drop, err = ParseDrop(o.MaxDrop); err != nil {
		return nil, err
	}
	for _, s := range o.Min {
		name, value, ok := strings.Cut(s, "=")
		v, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil || v-v != 0 {
			return nil, diag.Usagef("min %q: want NAME=VALUE such as accuracy=0.9", s)
		}
		if !slices.Contains(gated, name) {
			return nil, diag.Usagef("min %q: %q is no figure that is better high", s, name).Suggest(name, gated, "known")
		}
		g.min = append(g.min, least{name, v})
	}
	if !(o.MinSpeedup >= 0) || math.IsInf(o.MinSpeedup, 0) {
		return nil, diag.Usagef("min-speedup %v: want a number such as 1.5", o.MinSpeedup)
	}
	g.size, err = parseSize(o.MaxSize)
	return g, err
}

// parseSize reads a number of bytes with a decimal or binary unit; "" is 0.
func parseSize(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	num, factor := s, 1.0
	for _, u := range []struct {
		name   string
		factor float64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			num, factor = strings.TrimSpace(rest), u.factor
			break
		}
	}
	v, err := strconv.ParseFloat(num, 64)
	if v *= factor; err != nil || !(v >= 1 && v < 1<<62) {
		return 0, diag.Usagef("max-size %q: want a size such as 1MB or 500KiB", s)
	}
	return int64(v), nil
}

// NeedsTask reports whether a demand is about a metric, which tasks without
// labels may lack.
func (g *Gates) NeedsTask() bool { return g.drop.set }

// Check writes into v how each candidate meets each demand, and returns an
// error of kind gate that names those which miss one.
func (g *Gates) Check(v *Verdict) error {
	v.Gates = nil
	add := func(name string, m *validate.Result, ok bool, format string, args ...any) {
		v.Gates = append(v.Gates, validate.Gate{Name: name, Candidate: m.Name, Passed: ok, Message: fmt.Sprintf(format, args...)})
	}
	float := &v.Models[0]
	for i := range v.Models[1:] {
		m := &v.Models[i+1]
		if g.drop.set {
			limit, err := g.drop.of(v)
			if err != nil {
				return err
			}
			add("max-drop "+g.o.MaxDrop, m, m.Drop.Value <= limit, "%s %.4f, drop %.4f", v.Metric, m.Metrics[0].Value, m.Drop.Value)
		}
		for _, l := range g.min {
			value, ok := figureOf(m, l.name)
			if !ok {
				return diag.Usagef("min %s: task %s has no such figure", l.name, v.Task)
			}
			add(fmt.Sprintf("min %s=%v", l.name, l.value), m, value >= l.value, "%s %.4f", l.name, value)
		}
		if g.speedup > 0 {
			if m.Outputs {
				return diag.Usagef("min-speedup: the outputs of %s were read, not computed: there is no latency", m.Name)
			}
			s := float.P50 / m.P50
			add(fmt.Sprintf("min-speedup %v", g.speedup), m, s >= g.speedup, "%.2fx the float model's speed", s)
		}
		if g.size > 0 {
			if m.Bytes == 0 {
				return diag.Usagef("max-size: %s has no file", m.Name)
			}
			add("max-size "+g.o.MaxSize, m, m.Bytes <= g.size, "%d bytes", m.Bytes)
		}
	}
	e := &diag.Error{Kind: diag.Gate}
	var missed []string
	for _, r := range v.Gates {
		if r.Passed {
			continue
		}
		e.Notes = append(e.Notes, fmt.Sprintf("%s: %s", r.Candidate, r.Message))
		if !slices.Contains(missed, r.Name) {
			missed = append(missed, r.Name)
		}
	}
	if missed == nil {
		return nil
	}
	e.Msg = "gates are missed: " + strings.Join(missed, ", ")
	if only := missed[0]; len(missed) == 1 && strings.HasPrefix(only, "max-drop") {
		limit, _ := g.drop.of(v)
		e.Msg = fmt.Sprintf("%s drops by more than %.4f", v.Metric, limit)
	}
	return e
}

// figureOf returns a figure by its name in JSON.
func figureOf(m *validate.Result, name string) (float64, bool) {
	for _, f := range []struct {
		name  string
		value *float64
	}{{"precision", m.Precision}, {"recall", m.Recall}, {"top5", m.Top5}, {"agreement", m.Agreement}, {"sqnr_db", m.SQNR}} {
		if f.name == name && f.value != nil {
			return *f.value, true
		}
	}
	for _, f := range m.Metrics {
		if f.Name == name {
			return f.Value, true
		}
	}
	return 0, false
}

// Drop is a gate on the loss of the task's first metric.
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
	if err != nil || !(v >= 0) || math.IsInf(v, 0) {
		return Drop{}, diag.Usagef("max-drop %q: want a number such as 0.01, or 1%%rel", s)
	}
	if rel {
		v /= 100
	}
	return Drop{v, rel, true}, nil
}

// of returns the greatest drop that is allowed.
func (d Drop) of(v *Verdict) (float64, error) {
	if v.Metric == "" {
		return 0, diag.Usagef("max-drop needs a task with labels")
	}
	// Only errors grow without bound; of the others a drop of 1 allows all.
	if !d.relative && d.limit >= 1 && v.Models[0].Metrics[0].Better == "higher" {
		return 0, diag.Usagef("max-drop %v: %s is between 0 and 1; one point is 0.01", d.limit, v.Metric)
	}
	if d.relative {
		return d.limit * v.Models[0].Metrics[0].Value, nil
	}
	return d.limit, nil
}

// Check returns an error that names the candidates which lose more.
func (d Drop) Check(v *Verdict) error {
	if !d.set {
		return nil
	}
	return (&Gates{drop: d}).Check(v)
}

package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/report"
	"github.com/octavo-ml/octavo/internal/validate"
)

// verdict has a value for every field, some of which are no numbers.
func verdict() *validate.Verdict {
	inf, one := math.Inf(1), 0.5
	m := validate.Result{Name: "runs/a/very/long/folder/for/all/of/them/model.onnx",
		Metrics:  []validate.Figure{{Name: "accuracy", Value: 0.5, Lo: 0.4, Hi: 0.6, Interval: "wilson", Better: "higher"}, {Name: "auc", Value: math.NaN(), Lo: inf, Hi: inf, Interval: "bootstrap", Better: "higher"}},
		Accuracy: &validate.Rate{Value: 0.5, Lo: 0.4, Hi: 0.6}, Precision: &one, Recall: &one, F1: &one, Top5: &one,
		PerClass: []validate.ClassScore{{Class: 0, Support: 3, Precision: 1, Recall: 1, F1: 1}}, P50: 0.001, P90: 0.002, Bytes: 1000, Footprint: &validate.Footprint{}}
	c := m
	c.Name = "runs/a/very/long/folder/for/all/of/them/a|b<c>\x01.onnx"
	c.Worst = []validate.ClassChange{{Class: 3, Support: 4, Float: 1, Recall: 0.5}}
	c.Drop = &validate.Change{Value: 0.1, Lo: math.Inf(-1), Hi: 0.2, P: 0.3, Test: "mcnemar", Noise: true}
	c.Agreement, c.SQNR, c.Outputs = &one, &inf, true
	return &validate.Verdict{Schema: validate.Schema, Task: "binary", Output: "y", Samples: 7, Classes: 2, Metric: "accuracy", Rounds: 1000,
		Models: []validate.Result{m, c}, Gates: []validate.Gate{{Name: "min accuracy=0.9", Candidate: c.Name, Message: "accuracy 0.5"}},
		Notes: []string{"a note"}, Warnings: []diag.Warning{{ID: "OCT011", Msg: "off"}}, Flips: []validate.Flip{{Candidate: c.Name, Sample: 2, Label: -1, Float: 1, Answer: 0}}}
}

// keys are all names of octavo.validate/1, by where they stand. None may
// vanish; docs/validate.md says what they mean.
const keys = `classes gates gates.candidate gates.message gates.name gates.passed metric models models.accuracy models.accuracy.hi models.accuracy.lo models.accuracy.value models.agreement models.bytes models.drop models.drop.hi models.drop.lo models.drop.p models.drop.test models.drop.value models.drop.within_noise models.f1 models.footprint models.footprint.first_run_seconds models.footprint.load_seconds models.footprint.mapped_bytes models.footprint.peak_anonymous_bytes models.latency_p50_s models.latency_p90_s models.metrics models.metrics.better models.metrics.hi models.metrics.interval models.metrics.lo models.metrics.name models.metrics.value models.name models.outputs_from_file models.per_class models.per_class.class models.per_class.f1 models.per_class.precision models.per_class.recall models.per_class.support models.precision models.recall models.top5 models.worst_classes models.worst_classes.class models.worst_classes.float_recall models.worst_classes.recall models.worst_classes.support notes output resamples samples schema seed task warnings warnings.id warnings.message`

func TestKeysOfJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.JSON(&b, verdict()); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(prefix, e)
			}
		case map[string]any:
			for k, e := range v {
				seen[prefix+k] = true
				walk(prefix+k+".", e)
			}
		}
	}
	walk("", v)
	if got := strings.Join(slices.Sorted(maps.Keys(seen)), " "); got != keys {
		t.Errorf("keys\n%s\nwant\n%s", got, keys)
	}
}

func TestFormsHoldTogether(t *testing.T) {
	v := verdict()
	for _, name := range []string{"a.json", "b.md", "c.junit.xml"} {
		write, err := report.File(name)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := write(&b, v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"a.html", "junit", "b.xml"} {
		if _, err := report.File(name); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	var b bytes.Buffer
	if err := report.JUnit(&b, v); err != nil {
		t.Fatal(err)
	}
	failures := 0
	for d := xml.NewDecoder(&b); ; {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := tok.(xml.StartElement); ok && s.Name.Local == "failure" {
			failures++
		}
	}
	if failures != 1 {
		t.Errorf("%d failures, want 1", failures)
	}
	head := report.Table(v)[0]
	if head[1] != "float: model.onnx" || !strings.HasPrefix(head[2], "a|b") {
		t.Errorf("head %q", head)
	}
	b.Reset()
	if err := report.Markdown(&b, v); err != nil || !strings.Contains(b.String(), `a\|b&lt;c>`) {
		t.Errorf("markdown: %v\n%s", err, b.String())
	}
	b.Reset()
	if err := report.Flips(&b, v); err != nil || !strings.Contains(b.String(), ",2,,1,0\n") {
		t.Errorf("flips: %v\n%s", err, b.String())
	}
}

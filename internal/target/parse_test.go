package target

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestEverythingHasASource breaks a target in one place after the other.
func TestEverythingHasASource(t *testing.T) {
	b, err := files.ReadFile("onnxruntime-cpu.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*Target)
		want  string
	}{
		{"nothing", func(*Target) {}, ""},
		{"opset without", func(t *Target) { t.MaxOpsetSource = "" }, `max_opset: source "" is not listed`},
		{"activations without", func(t *Target) { t.Activations.Source = "" }, `activations: source "" is not listed`},
		{"weights unknown", func(t *Target) { t.Weights.Source = "hearsay" }, `weights: source "hearsay" is not listed`},
		{"bias without", func(t *Target) { t.BiasSource = "" }, `bias: source "" is not listed`},
		{"domain without", func(t *Target) { t.Domains[0].Source = "" }, `domain com.microsoft: source "" is not listed`},
		{"rule without", func(t *Target) { t.Operators[0].Source = "" }, `Conv: source "" is not listed`},
		{"no date", func(t *Target) { t.Sources[0].Date = "" }, `source "ort-quant": want what it is, and a date`},
		{"no such day", func(t *Target) { t.Sources[0].Date = "2026-02-30" }, `source "ort-quant": want what it is, and a date`},
		{"says nothing", func(t *Target) { t.Sources[0].What = "" }, `source "ort-quant": want what it is, and a date`},
		{"unused", func(t *Target) { t.Sources = append(t.Sources, Source{"more", "a book", "2026-01-01"}) }, `source "more" is used by nothing`},
		{"twice", func(t *Target) { t.Sources = append(t.Sources, t.Sources[0]) }, `source "ort-quant" is listed twice`},
		{"rule twice", func(t *Target) { t.Operators = append(t.Operators, t.Operators[0]) }, `two rules for Conv`},
		{"unknown kind", func(t *Target) { t.Operators[0].Kind = "guess" }, `Conv: unknown kind "guess"`},
	} {
		var tg Target
		if err := json.Unmarshal(b, &tg); err != nil {
			t.Fatal(err)
		}
		c.spoil(&tg)
		spoiled, err := json.Marshal(tg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parse(spoiled)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

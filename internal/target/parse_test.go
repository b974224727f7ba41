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
		{"rest without", func(t *Target) { t.Rest = &Rest{Where: "the CPU", Cost: "slow"} }, `rest: source "" is not listed`},
		{"symmetric type that it has not", func(t *Target) { t.Activations.SymmetricTypes = []string{"int32"} }, `symmetric type "int32" is not among the types`},
		{"fixed scale of 0", func(t *Target) { t.Operators[0].Fixed = &Fixed{ZeroPoint: map[string]int64{"int8": 0}} }, `Conv: a fixed output is for kind compute, with a scale above 0`},
		{"fixed output of what is shared", func(t *Target) {
			t.Operators[0].Kind, t.Operators[0].Fixed = Share, &Fixed{Scale: 1, ZeroPoint: map[string]int64{"int8": 0}}
		}, `Conv: a fixed output is for kind compute`},
		{"zero point outside", func(t *Target) {
			t.Operators[0].Fixed = &Fixed{Scale: 1, ZeroPoint: map[string]int64{"int8": 128}}
		}, `Conv: zero point 128 is outside int8`},
		{"scale without zero point", func(t *Target) {
			t.Operators[0].Fixed = &Fixed{Scale: 1, ZeroPoint: map[string]int64{"int8": 0}, Scales: map[string]float64{"int16": 1}}
		}, `Conv: scale 1 of int16: want one above 0, of a type with a zero point`},
		{"no value of an attribute", func(t *Target) { t.Operators[0].Where = map[string][]string{"mode": {}} }, `Conv: attribute mode has no value with which it runs`},
		{"no such type", func(t *Target) { t.Operators[0].Types = []string{"int5"} }, `int5`},
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

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/validate"
)

func TestIgnoredFlags(t *testing.T) {
	verdict := func(task, metric string) *octavo.Verdict {
		return &octavo.Verdict{Verdict: validate.Verdict{Task: task, Metric: metric}}
	}
	for _, c := range []struct {
		name, command, given string
		facts                facts
		want                 []string // the start of each warning
	}{
		{"print-recipe", "quantize", "out keep data seed shape color", facts{printRecipe: true, paths: 1}, []string{"--out is ignored: a recipe", "--shape is ignored: a recipe", "--color is ignored: a recipe"}},
		{"print-recipe of two paths", "quantize", "data preprocess", facts{printRecipe: true, paths: 2}, []string{"--data is ignored: a recipe holds one path"}},
		{"ranges", "quantize", "ranges data seed observer cache mean keep weights", facts{ranges: true, fromData: true}, []string{"--data is ignored: --ranges", "--mean is ignored: --ranges", "--seed is ignored: --ranges", "--observer is ignored: --ranges", "--cache is ignored: --ranges"}},
		{"random", "quantize", "data seed samples pad skip-bad preprocess cache observer", facts{random: true}, []string{"--pad is ignored: --data random", "--skip-bad is ignored: --data random", "--preprocess is ignored: --data random"}},
		{"samples", "quantize", "data seed samples", facts{fromData: true}, []string{"--seed is ignored: only --data random"}},
		{"a seed of the recipe", "quantize", "data", facts{fromData: true, recipe: []string{"seed"}}, []string{"--seed is ignored: only --data random"}},
		{"symmetric target", "quantize", "symmetric", facts{symmetric: "tensorrt"}, []string{"--symmetric is ignored: activations are symmetric on target tensorrt"}},
		{"another target", "quantize", "symmetric", facts{}, nil},
		{"more samples than there are", "run", "samples", facts{asked: 50, available: 40}, []string{"--samples is ignored: the data holds 40, and all are used"}},
		{"as many samples", "run", "samples", facts{asked: 40, available: 40}, nil},
		{"the default of samples", "quantize", "", facts{asked: 256, available: 40}, nil},
		{"arrays", "run", "input samples fill layout out", facts{arrays: true}, []string{"--fill is ignored: --input", "--layout is ignored: --input", "--samples is ignored: --input"}},
		{"no task yet", "validate", "threshold positive seed labels", facts{}, nil},
		{"binary", "validate", "threshold positive seed labels", facts{verdict: verdict("binary", "accuracy"), classes: true}, nil},
		{"classification", "validate", "threshold positive seed labels", facts{verdict: verdict("classification", "accuracy"), classes: true},
			[]string{"--threshold is ignored: only task binary uses it, and the task is classification", "--positive is ignored"}},
		{"none", "validate", "seed labels", facts{verdict: verdict("none", ""), classes: true}, []string{"--seed is ignored: the task is none", "--labels is ignored: the task is none"}},
		{"embedding with classes", "validate", "seed labels", facts{verdict: verdict("embedding", "cosine"), classes: true}, []string{"--labels is ignored: the task is embedding"}},
		{"embedding with targets", "validate", "labels", facts{verdict: verdict("embedding", "cosine"), targets: true}, nil},
		{"bench on random inputs", "bench", "seed samples pad skip-bad mean class-names", facts{random: true, alone: true},
			[]string{"--pad is ignored: random inputs", "--skip-bad is ignored: random inputs", "--mean is ignored: random inputs", "--class-names is ignored: speed"}},
		{"bench of one model on data", "bench", "data seed samples pad mean label-offset", facts{fromData: true, alone: true, asked: 8, available: 5},
			[]string{"--samples is ignored: the data holds 5", "--label-offset is ignored: speed", "--seed is ignored: only random inputs"}},
		{"bench of two models on data", "bench", "data seed samples", facts{fromData: true, asked: 8, available: 8}, nil},
		{"inspect", "inspect", "tensors", facts{json: true}, []string{"--tensors is ignored: the JSON object"}},
		{"another command", "check", "json strict", facts{json: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := func(flag string) bool { return slices.Contains(strings.Fields(c.given), flag) }
			got := ignoredFlags(c.command, given, &c.facts)
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %q", got, c.want)
			}
			for i, w := range got {
				if w.ID != "OCT007" || !strings.HasPrefix(w.Msg, c.want[i]) {
					t.Errorf("got %v, want OCT007: %s", w, c.want[i])
				}
			}
		})
	}
}

// TestIgnoredNamesFlags: each row names commands and flags that there are.
func TestIgnoredNamesFlags(t *testing.T) {
	root := newRoot(&cli{})
	for _, row := range ignored {
		for _, name := range row.commands {
			cmd, _, err := root.Find([]string{name})
			if err != nil || cmd.Name() != name {
				t.Errorf("there is no command %s: %v", name, err)
				continue
			}
			for _, flag := range row.flags {
				if cmd.Flags().Lookup(flag) == nil && cmd.InheritedFlags().Lookup(flag) == nil {
					t.Errorf("%s has no flag --%s", name, flag)
				}
			}
		}
	}
	var steps []string
	for _, s := range (&dataFlags{}).steps() {
		steps = append(steps, s.flag)
	}
	slices.Sort(steps)
	if names := slices.Sorted(slices.Values(pictureFlagNames)); !slices.Equal(names, steps) {
		t.Errorf("the steps of preprocessing are %v, the table names %v", steps, names)
	}
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
)

// facts are what a command knows of its run when it asks which flags the run
// ignores. The zero value of a field says nothing.
type facts struct {
	printRecipe              bool
	ranges, random, fromData bool            // where quantize gets its ranges from
	paths                    int             // of --data
	alone                    bool            // one model is timed
	symmetric                string          // the target, if its activations are
	arrays                   bool            // run --input
	asked, available         int             // samples
	verdict                  *octavo.Verdict // of validate
	classes, targets         bool            // the data has labels of that kind
	json                     bool
	lite                     bool     // a .tflite file is written
	recipe                   []string // flags whose values a recipe gives
}

// Flags that belong together.
var (
	dataFlagNames    = strings.Fields("data fill pad state skip-bad class-names label-offset")
	pictureFlagNames = strings.Fields("preprocess color resize crop scale mean std interpolation layout resampler")
)

// ignored is the table of the flags that some runs do not use: of which
// commands, when and why ("" where the run uses them). The first row that
// holds for a flag is the one that is told. What some data has no use for,
// octavo.Dataset says.
var ignored = []struct {
	commands, flags []string
	why             func(f *facts) string
}{
	{quantizes, slices.Concat(strings.Fields("out force external-data ranges save-ranges cache shape dim fill pad state skip-bad class-names label-offset"), pictureFlagNames[1:]), func(f *facts) string {
		return when(f.printRecipe, "a recipe does not hold it, and --print-recipe stops there")
	}},
	{[]string{"quantize", "convert"}, []string{"opset"}, liteHasNone},
	{quantizes, []string{"onnx-form"}, liteHasNone},
	{quantizes, []string{"data"}, func(f *facts) string {
		return when(f.printRecipe && f.paths > 1, "a recipe holds one path of data")
	}},
	{quantizes, slices.Concat(dataFlagNames, pictureFlagNames, strings.Fields("samples seed observer cache")), func(f *facts) string {
		return when(f.ranges, "--ranges says what calibration found")
	}},
	{quantizes, slices.Concat(strings.Fields("pad state skip-bad class-names label-offset"), pictureFlagNames), func(f *facts) string {
		return when(f.random, "--data random makes all inputs as the model takes them")
	}},
	{quantizes, []string{"seed"}, func(f *facts) string { return when(f.fromData, "only --data random uses it") }},
	{quantizes, []string{"symmetric"}, func(f *facts) string {
		return when(f.symmetric != "", "activations are symmetric on target "+f.symmetric)
	}},
	{strings.Fields("quantize run validate explain bench"), []string{"samples"}, func(f *facts) string {
		return when(f.available > 0 && f.asked > f.available, fmt.Sprintf("the data holds %d, and all are used", f.available))
	}},
	{[]string{"run"}, slices.Concat(dataFlagNames, pictureFlagNames, []string{"samples"}), func(f *facts) string {
		return when(f.arrays, "--input gives arrays, which are run as they are")
	}},
	{benches, slices.Concat(strings.Fields("fill pad state skip-bad"), pictureFlagNames), func(f *facts) string {
		return when(f.random, "random inputs are made as the model takes them; --data gives others")
	}},
	{benches, strings.Fields("class-names label-offset"), func(*facts) string { return "speed does not depend on labels" }},
	{benches, []string{"seed"}, func(f *facts) string {
		return when(f.fromData && f.alone, "only random inputs and comparisons of models use it")
	}},
	{validates, []string{"threshold", "positive"}, func(f *facts) string {
		return when(f.verdict != nil && f.verdict.Task != "binary", "only task binary uses it, and "+task(f))
	}},
	{validates, []string{"seed"}, func(f *facts) string {
		return when(f.verdict != nil && f.verdict.Metric == "", task(f)+", whose figures need no resampling")
	}},
	{validates, []string{"labels"}, func(f *facts) string {
		unread := f.verdict != nil && (f.verdict.Task == "none" || f.verdict.Task == "embedding" && !f.targets)
		return when(unread && (f.classes || f.targets), task(f)+", which does not use them")
	}},
	{[]string{"inspect"}, []string{"tensors"}, func(f *facts) string { return when(f.json, "the JSON object lists the nodes always") }},
}

func liteHasNone(f *facts) string {
	return when(f.lite, "a TensorFlow Lite model has neither opsets nor forms; each of its operators has a version, which follows from what it reads")
}

var quantizes, validates, benches = []string{"quantize"}, []string{"validate"}, []string{"bench"}

func when(holds bool, why string) string {
	if holds {
		return why
	}
	return ""
}

func task(f *facts) string {
	if f.verdict == nil {
		return ""
	}
	return "the task is " + f.verdict.Task
}

// ignoredFlags returns a warning for each given flag that the run ignores.
func ignoredFlags(command string, given func(flag string) bool, f *facts) []octavo.Warning {
	var out []octavo.Warning
	var said []string
	for _, row := range ignored {
		if !slices.Contains(row.commands, command) {
			continue
		}
		why := row.why(f)
		for _, flag := range row.flags {
			if why == "" || slices.Contains(said, flag) || !given(flag) && !slices.Contains(f.recipe, flag) {
				continue
			}
			said = append(said, flag)
			out = append(out, octavo.Warning{ID: "OCT007", Msg: fmt.Sprintf("--%s is ignored: %s", flag, why)})
		}
	}
	return out
}

// warnIgnored says which flags the run ignores.
func (c *cli) warnIgnored(cmd *cobra.Command, f facts) {
	f.json = c.json
	c.warnings.Warn(ignoredFlags(cmd.Name(), cmd.Flags().Changed, &f)...)
}

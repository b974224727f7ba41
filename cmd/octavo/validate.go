package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

type validateFlags struct {
	dataFlags
	octavo.ValidateOptions
	fixed     shapeFlags
	packs     packFlags
	in        arithmetic
	gates     octavo.GateOptions
	recipe    string
	labels    string
	axis      int
	positive  int
	flips     string
	reports   []string
	noMeasure bool
}

// runArgs are the flags with which run does what was judged.
func (f *validateFlags) runArgs() []string {
	if f.in == float32Arithmetic {
		return f.args()
	}
	return append(f.args(), "--arithmetic", f.in.String())
}

func newValidate(c *cli) *cobra.Command {
	f := &validateFlags{}
	cmd := &cobra.Command{
		Use:   "validate FLOAT CANDIDATE...",
		Short: "Judge quantized models against the float one on your data",
		Example: `  octavo validate model.onnx model.int8.onnx --data test.npz
  octavo validate model.onnx model.int8.onnx --data test.npy --labels labels.txt --max-drop 0.01`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) < 2 && len(f.OutputsFrom) == 0 {
				return diag.Usagef("validate takes the float model and at least one candidate").Note("octavo validate model.onnx model.int8.onnx --data test.npz")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.validate(cmd, args, f) },
	}
	s := cmd.Flags()
	f.add(s, "samples")
	f.fixed.add(s)
	f.packs.add(s)
	f.in.add(s, "of the candidates: float32, or bfloat16: faster and less exact, on processors with AVX512_BF16")
	s.StringVar(&f.recipe, "recipe", "", "YAML file whose evaluate and preprocess say what these flags leave open")
	s.StringVar(&f.labels, "labels", "", "label of each sample: .npy, .csv, .jsonl, or text with one a line; floats are targets")
	s.StringVar(&f.Task, "task", "", "classification, binary, regression, reconstruction, embedding or none (default: by the labels)")
	s.StringVar(&f.Output, "output", "", "the output to judge (default: the first)")
	s.IntVar(&f.axis, "axis", -1, "the output's axis that counts classes")
	s.Float64Var(&f.Threshold, "threshold", 0.5, "task binary: the probability from which the answer is yes")
	s.IntVar(&f.positive, "positive", 1, "task binary: the class that counts as yes")
	s.StringArrayVar(&f.OutputsFrom, "outputs-from", nil, "judge outputs that anything made: folder as run writes it, .npz or .npy")
	s.StringVar(&f.gates.MaxDrop, "max-drop", "", "exit 3 if a candidate loses more of the first metric: 0.01 is absolute, 1%rel relative to the float model")
	s.StringArrayVar(&f.gates.Min, "min", nil, "exit 3 if a figure is lower: accuracy=0.9")
	s.Float64Var(&f.gates.MinSpeedup, "min-speedup", 0, "exit 3 if a candidate is slower than this many times the float model's speed")
	s.StringVar(&f.gates.MaxSize, "max-size", "", "exit 3 if a candidate's file is larger: 1MB")
	s.StringVar(&f.flips, "flips", "", "write the samples whose answer changed to this .csv file")
	s.StringArrayVar(&f.reports, "report", nil, "write the verdict to this file: .json, .md or .junit.xml")
	s.IntVar(&f.Samples, "samples", 0, "how many samples to use, spread evenly; 0 is all")
	s.Uint64Var(&f.Seed, "seed", 0, "seed of bootstrap intervals")
	s.BoolVar(&f.Force, "force", false, "go on where labels or preprocessing look wrong")
	s.BoolVar(&f.noMeasure, "no-memory", false, "do not start a process for each model to measure its memory")
	return cmd
}

// takeRecipe fills in from the recipe what no flag says. Labels belong to their
// data: those of the recipe do not go with other data.
func (f *validateFlags) takeRecipe(cmd *cobra.Command) error {
	if f.recipe == "" {
		return nil
	}
	r, err := readRecipe(f.recipe)
	if err != nil {
		return err
	}
	given, e := cmd.Flags().Changed, r.Evaluate
	if !given("data") && e.Data != "" {
		f.Paths = []string{e.Data}
		if !given("labels") {
			f.labels = e.Labels
		}
	}
	for _, v := range []struct {
		flag  string
		dst   *string
		value string
	}{{"task", &f.Task, e.Task}, {"max-drop", &f.gates.MaxDrop, e.MaxDrop}, {"preprocess", &f.Preprocess.Name, string(r.Preprocess)}} {
		if !given(v.flag) {
			*v.dst = v.value
		}
	}
	return nil
}

func (c *cli) validate(cmd *cobra.Command, paths []string, f *validateFlags) error {
	if err := f.takeRecipe(cmd); err != nil {
		return err
	}
	if len(f.Paths) == 0 {
		return diag.Usagef("no data is given").Note("octavo validate %s --data test.npz", strings.Join(paths, " "))
	}
	gates, err := octavo.ParseGates(f.gates)
	if err != nil {
		return err
	}
	used := append(f.files(), append(paths, f.labels)...)
	var writers []func(io.Writer, *octavo.Verdict) error
	for _, r := range f.reports {
		w, err := octavo.ReportWriter(r)
		if err != nil {
			return err
		}
		if err := checkPlace("report", r, used...); err != nil {
			return err
		}
		used = append(used, r)
		writers = append(writers, w)
	}
	if err := checkPlace("flips", f.flips, used...); err != nil {
		return err
	}
	var models []*octavo.Model
	for _, p := range paths {
		m, err := c.load(p)
		if err != nil {
			return err
		}
		defer m.Close()
		models = append(models, m)
	}
	if err := octavo.FixAll(models, f.fixed.shapes, f.fixed.dims); err != nil {
		return err
	}
	d, err := c.open(models[0], &f.dataFlags, models[1:]...)
	if err != nil {
		return err
	}
	defer d.Close()
	if f.labels != "" {
		if err := d.LoadLabels(f.labels); err != nil {
			return err
		}
	}
	c.warnings.Warn(d.Unused(true)...)
	unlabelled := f.Task == "" && d.Labels() == nil && d.Targets() == nil
	if gates.NeedsTask() && (unlabelled || f.Task == "none") {
		return diag.Usagef("--max-drop needs a task with labels").Note("give --labels FILE, or an array \"labels\" in the .npz")
	}
	o := f.ValidateOptions
	o.Threads = c.threads
	o.Compile, o.Candidates = f.packs.options(c.threads), f.in.options()
	if cmd.Flags().Changed("axis") {
		o.Axis = &f.axis
	}
	if cmd.Flags().Changed("positive") {
		o.Positive = &f.positive
	}
	n := d.Len()
	if f.Samples > 0 {
		n = min(n, f.Samples)
	}
	o.Progress = c.progress("validating", n).step
	if !f.noMeasure {
		o.Measure = func(path string) (octavo.Footprint, error) {
			m := models[slices.Index(paths, path)]
			fits, err := m.TakesSamplesOf(models[0])
			if err != nil {
				return octavo.Footprint{}, err
			}
			if !fits { // noise of its own types takes as much memory
				return c.measure(cmd.Context(), path, &dataFlags{}, m.FixedBy())
			}
			args := append(f.args(), m.FixedBy()...)
			if path != paths[0] {
				args = append(args, "--arithmetic", f.in.String())
			}
			return c.measure(cmd.Context(), path, &f.dataFlags, args)
		}
	}
	v, err := octavo.ValidateData(cmd.Context(), models[0], models[1:], d, o)
	if err != nil {
		return err
	}
	c.warnings.Warn(v.Warnings...)
	c.warnIgnored(cmd, facts{asked: f.Samples, available: d.Len(), verdict: v, classes: d.Labels() != nil, targets: d.Targets() != nil})
	missed := gates.Check(v)
	if missed != nil && diag.ExitCode(missed) != diag.Gate.ExitCode() {
		return missed
	}
	for i, write := range writers {
		if err := writeFile(f.reports[i], func(w io.Writer) error { return write(w, v) }); err != nil {
			return err
		}
	}
	if f.flips != "" {
		if err := writeFile(f.flips, v.WriteFlips); err != nil {
			return err
		}
	}
	if c.json {
		if err := printJSON(cmd.OutOrStdout(), v); err != nil {
			return err
		}
	} else if !c.quiet {
		if err := v.WriteText(cmd.OutOrStdout()); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "next: octavo run %s %s -o outputs\n", paths[len(paths)-1], commandLine(append(f.runArgs(), models[len(models)-1].FixedBy()...)))
	}
	return missed
}

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

type validateFlags struct {
	dataFlags
	labels, task string
	output       string
	maxDrop      string
	samples      int
	noMeasure    bool
}

func newValidate(c *cli) *cobra.Command {
	f := &validateFlags{}
	cmd := &cobra.Command{
		Use:   "validate FLOAT CANDIDATE...",
		Short: "Judge quantized models against the float one on your data",
		Example: `  octavo validate model.onnx model.int8.onnx --data test.npz
  octavo validate model.onnx model.int8.onnx --data test.npy --labels labels.txt --max-drop 0.01`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return diag.Usagef("validate takes the float model and at least one candidate").Note("octavo validate model.onnx model.int8.onnx --data test.npz")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.validate(cmd, args, f) },
	}
	s := cmd.Flags()
	f.add(s, "samples")
	s.StringVar(&f.labels, "labels", "", "class of each sample: .npy, or text with one number a line")
	s.StringVar(&f.task, "task", "", "classification (default with labels) or none (agreement and SQNR)")
	s.StringVar(&f.output, "output", "", "the output to judge (default: the first)")
	s.StringVar(&f.maxDrop, "max-drop", "", "exit 3 if a candidate loses more: 0.01 is absolute, 1%rel relative to the float model")
	s.IntVar(&f.samples, "samples", 0, "how many samples to use, spread evenly; 0 is all")
	s.BoolVar(&f.noMeasure, "no-memory", false, "do not start a process for each model to measure its memory")
	return cmd
}

func (c *cli) validate(cmd *cobra.Command, paths []string, f *validateFlags) error {
	if len(f.Paths) == 0 {
		return diag.Usagef("no data is given").Note("octavo validate %s --data test.npz", strings.Join(paths, " "))
	}
	gate, err := octavo.ParseDrop(f.maxDrop)
	if err != nil {
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
	if f.maxDrop != "" && (d.Labels() == nil || f.task == "none") {
		return diag.Usagef("--max-drop needs a task with labels").Note("give --labels FILE, or an array \"labels\" in the .npz")
	}
	o := octavo.ValidateOptions{Task: f.task, Output: f.output, Samples: f.samples, Threads: c.threads}
	n := d.Len()
	if f.samples > 0 {
		n = min(n, f.samples)
	}
	o.Progress = c.progress("validating", n).step
	if !f.noMeasure {
		o.Measure = func(path string) (octavo.Footprint, error) { return c.measure(cmd.Context(), path, &f.dataFlags) }
	}
	v, err := octavo.ValidateData(cmd.Context(), models[0], models[1:], d, o)
	if err != nil {
		return err
	}
	c.warnings.Warn(v.Warnings...)
	if c.json {
		if err := printJSON(cmd.OutOrStdout(), v); err != nil {
			return err
		}
	} else if !c.quiet {
		printVerdict(cmd.OutOrStdout(), v)
		fmt.Fprintf(cmd.OutOrStdout(), "next: octavo run %s %s -o outputs\n", paths[len(paths)-1], strings.Join(f.args(), " "))
	}
	return gate.Check(v)
}

// printVerdict writes one table: a row for each measure, a column for each
// model.
func printVerdict(w io.Writer, v *octavo.Verdict) {
	fmt.Fprintf(w, "%d samples, task %s\n", v.Samples, v.Task)
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	for _, row := range v.Table() {
		fmt.Fprintf(tw, "  %s\n", strings.Join(row, "\t"))
	}
	tw.Flush()
	for _, line := range v.Conclusions() {
		fmt.Fprintln(w, line)
	}
}

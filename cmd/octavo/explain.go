package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

type explainFlags struct {
	dataFlags
	octavo.ExplainOptions
	fixed shapeFlags
	csv   string
}

func newExplain(c *cli) *cobra.Command {
	f := &explainFlags{}
	cmd := &cobra.Command{
		Use:   "explain FLOAT QUANTIZED",
		Short: "Show which layers of a quantized model its error comes from",
		Example: `  octavo explain model.onnx model.int8.onnx --data test.npz
  octavo explain model.onnx model.int8.onnx --data test.npz --sort order --csv layers.csv`,
		Args: exactly(2, "the float model and the quantized one"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.explain(cmd, args, f) },
	}
	s := cmd.Flags()
	f.add(s, "samples")
	f.fixed.add(s)
	s.IntVar(&f.Samples, "samples", octavo.DefaultExplainSamples, "how many samples to use, spread evenly; 0 is all")
	s.StringVar(&f.Sort, "sort", "cause", "cause, alone or accumulated (the worst first), or order (that of the model)")
	s.IntVar(&f.Top, "top", 0, "show this many layers; 0 is all")
	s.StringVar(&f.csv, "csv", "", "write the layers to this .csv file")
	return cmd
}

func (c *cli) explain(cmd *cobra.Command, args []string, f *explainFlags) error {
	if len(f.Paths) == 0 {
		return diag.Usagef("no data is given").Note("octavo explain %s --data test.npz", commandLine(args))
	}
	if err := checkPlace("csv", f.csv, append(f.files(), args...)...); err != nil {
		return err
	}
	float, err := c.load(args[0])
	if err != nil {
		return err
	}
	defer float.Close()
	quantized, err := c.load(args[1])
	if err != nil {
		return err
	}
	defer quantized.Close()
	models := []*octavo.Model{float, quantized}
	if err := octavo.FixAll(models, f.fixed.shapes, f.fixed.dims); err != nil {
		return err
	}
	d, err := c.open(float, &f.dataFlags, quantized)
	if err != nil {
		return err
	}
	defer d.Close()
	c.warnings.Warn(d.Unused(false)...)
	n := d.Len()
	if f.Samples > 0 {
		n = min(n, f.Samples)
	}
	o := f.ExplainOptions
	o.Threads, o.Progress = c.threads, c.progress("explaining", n).step
	e, err := octavo.Explain(cmd.Context(), float, quantized, d, o)
	if err != nil {
		return err
	}
	c.warnIgnored(cmd, facts{asked: f.Samples, available: d.Len()})
	if f.csv != "" {
		if err := writeFile(f.csv, e.WriteCSV); err != nil {
			return err
		}
	}
	w := cmd.OutOrStdout()
	if c.json {
		return printJSON(w, e)
	}
	if err := e.WriteText(w); err != nil || c.quiet {
		return err
	}
	if name := e.Worst(); name != "" {
		data := commandLine(f.args())
		fmt.Fprintf(w, "next: octavo quantize %s --data calib.npz --keep %s -o kept.onnx\n", commandLine(args[:1]), commandLine([]string{name}))
		_, err = fmt.Fprintf(w, "next: octavo validate %s kept.onnx %s\n", commandLine(args), data)
	}
	return err
}

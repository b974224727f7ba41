package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/atomicfile"
	"github.com/octavo-ml/octavo/internal/diag"
)

type runFlags struct {
	dataFlags
	fixed   shapeFlags
	packs   packFlags
	in      arithmetic
	input   []string
	samples int
	out     string
}

func newRun(c *cli) *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run MODEL",
		Short: "Run a model and write its outputs as .npy files",
		Example: `  octavo run model.onnx --data test.npz -o outputs
  octavo run model.onnx --input input=sample.npy -o outputs`,
		Args: exactly(1, "one model"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0], f) },
	}
	s := cmd.Flags()
	f.add(s, "samples")
	f.fixed.add(s)
	f.packs.add(s)
	f.in.add(s, arithmeticUsage)
	s.StringArrayVar(&f.input, "input", nil, "NAME=FILE: one .npy array for an input, run once as it is")
	s.IntVar(&f.samples, "samples", 0, "how many samples to run, spread evenly; 0 is all")
	s.StringVarP(&f.out, "out", "o", "", "folder for the outputs: NAME.npy for --input, NAME/00000.npy for --data")
	return cmd
}

func (c *cli) run(cmd *cobra.Command, path string, f *runFlags) error {
	if f.out == "" || (len(f.Paths) == 0) == (len(f.input) == 0) {
		return diag.Usagef("give -o DIR, and either --data or --input").Note("octavo run %s --data test.npz -o outputs", path)
	}
	m, err := c.loadFixed(path, &f.fixed)
	if err != nil {
		return err
	}
	defer m.Close()
	if len(f.input) > 0 {
		c.warnIgnored(cmd, facts{arrays: true})
		in := octavo.Inputs{}
		for _, s := range f.input {
			name, file, ok := strings.Cut(s, "=")
			if !ok {
				return diag.Usagef("--input %q: want NAME=FILE", s)
			}
			if in[name], err = octavo.ReadArray(file); err != nil {
				return err
			}
		}
		form, err := m.FormFor(in)
		if err != nil {
			return err
		}
		lines, err := m.Conversions(form)
		if err != nil {
			return err
		}
		c.sayConverted(lines)
		p, err := form.Compile(append(f.packs.options(c.threads), f.in.options()...)...)
		if err != nil {
			return err
		}
		out, err := p.Run(cmd.Context(), in)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		c.warnings.Warn(p.Warnings()...)
		if err := c.writeOutputs(f.out, out, func(name string) string { return octavo.OutputFile(name) + ".npy" }); err != nil {
			return err
		}
		return c.ran(cmd.OutOrStdout(), path, f.out, 1)
	}
	d, err := c.open(m, &f.dataFlags)
	if err != nil {
		return err
	}
	defer d.Close()
	p, err := d.Model().Compile(append(f.packs.options(c.threads), f.in.options()...)...)
	if err != nil {
		return err
	}
	c.warnings.Warn(d.Unused(false)...)
	c.warnIgnored(cmd, facts{asked: f.samples, available: d.Len()})
	i := 0
	n := d.Len()
	if f.samples > 0 {
		n = min(n, f.samples)
	}
	bar := c.progress("running", n)
	for out, err := range d.Run(cmd.Context(), p, f.samples) {
		if err != nil {
			return err
		}
		if err := c.writeOutputs(f.out, out, func(name string) string { return filepath.Join(octavo.OutputFile(name), fmt.Sprintf("%05d.npy", i)) }); err != nil {
			return err
		}
		i++
		bar.step(i)
	}
	c.warnings.Warn(p.Warnings()...)
	return c.ran(cmd.OutOrStdout(), path, f.out, i)
}

// ran says how many samples were run and where the outputs are.
func (c *cli) ran(w io.Writer, model, dir string, samples int) error {
	if c.json {
		return printJSON(w, map[string]any{"schema": "octavo.run/1", "model": model, "samples": samples, "output": dir})
	}
	if c.quiet {
		return nil
	}
	_, err := fmt.Fprintf(w, "%d samples -> %s\n", samples, dir)
	return err
}

func (c *cli) writeOutputs(dir string, out octavo.Inputs, file func(string) string) error {
	for name, t := range out {
		path := filepath.Join(dir, file(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := writeFile(path, func(w io.Writer) error { return octavo.WriteArray(w, t) }); err != nil {
			return err
		}
	}
	return nil
}

// writeFile replaces a file as a whole.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := write(f); err != nil {
		return err
	}
	return f.Commit()
}

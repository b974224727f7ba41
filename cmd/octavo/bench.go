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

type benchFlags struct {
	inputFlags
	runs     int
	seconds  float64
	noMemory bool
}

// maxBatch is the largest batch that can be asked for.
const maxBatch = 1 << 20

func newBench(c *cli) *cobra.Command {
	f := &benchFlags{}
	cmd := &cobra.Command{
		Use:   "bench MODEL...",
		Short: "Time models in octavo's engine: latency, throughput, memory, load time",
		Example: `  octavo bench model.onnx model.int8.onnx
  octavo bench model.int8.onnx --data test.npz --threads 1 --batch 4 --seconds 1`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return diag.Usagef("bench takes at least one model").Note("octavo bench model.onnx model.int8.onnx")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.bench(cmd, args, f) },
	}
	s := cmd.Flags()
	f.add(s)
	s.IntVar(&f.runs, "runs", 0, "run each model so many times, instead of --seconds")
	s.Float64Var(&f.seconds, "seconds", 2, "time each model for so long")
	s.BoolVar(&f.noMemory, "no-memory", false, "do not start a process for each model to measure its memory, load time and first run")
	return cmd
}

func (f *benchFlags) check(cmd *cobra.Command) error {
	switch {
	case f.batch < 1 || f.batch > maxBatch:
		return diag.Usagef("--batch %d: want a number from 1 to %d", f.batch, maxBatch)
	case f.runs < 0 || cmd.Flags().Changed("runs") && f.runs == 0:
		return diag.Usagef("--runs %d: want a number from 1 up", f.runs)
	case !(f.seconds > 0 && f.seconds <= 1e6):
		return diag.Usagef("--seconds %v: want a number above 0", f.seconds)
	case cmd.Flags().Changed("runs") && cmd.Flags().Changed("seconds"):
		return diag.Usagef("--runs and --seconds both say how long models are timed").Note("give one of them")
	}
	return nil
}

func (c *cli) bench(cmd *cobra.Command, paths []string, f *benchFlags) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	var models []*octavo.Model
	for _, p := range paths {
		m, err := c.loadFixed(p, &f.fixed)
		if err != nil {
			return err
		}
		defer m.Close()
		models = append(models, m)
	}
	var subjects []octavo.Subject
	for _, m := range models {
		fit, samples, done, err := c.inputs(m, &f.inputFlags, models...)
		if err != nil {
			return err
		}
		defer done()
		s := octavo.Subject{Model: fit}
		for in, err := range samples {
			if err != nil {
				return err
			}
			s.Inputs = append(s.Inputs, in)
		}
		if len(s.Inputs) == 0 {
			return diag.Usagef("%s: the data holds fewer samples than a batch of %d", m.Path, f.batch).Note("give a smaller --batch, or more --data")
		}
		subjects = append(subjects, s)
	}
	const steps = 1000
	bar := c.progress("timing", steps)
	o := octavo.BenchOptions{Threads: c.threads, Batch: f.batch, Runs: f.runs, Seconds: f.seconds, Seed: f.seed, PackCache: f.packs.dir, Compile: f.in.options(),
		Progress: func(done float64) { bar.step(int(steps * done)) }}
	if !f.noMemory {
		o.Measure = func(path string) (octavo.Footprint, error) {
			r, err := c.measure(cmd.Context(), path, &f.dataFlags, f.args())
			if err != nil || f.packs.dir == "" {
				return r, err
			}
			cached, err := c.measure(cmd.Context(), path, &f.dataFlags, append(f.args(), "--pack-cache", f.packs.dir))
			r.Cached = &cached
			return r, err
		}
	}
	r, err := octavo.Bench(cmd.Context(), subjects, o)
	if err != nil {
		return err
	}
	c.warnings.Warn(r.Warnings...)
	random := len(f.Paths) == 0
	c.warnIgnored(cmd, facts{random: random, fromData: !random, alone: len(models) == 1, asked: f.samples * f.batch, available: f.available})
	if c.json {
		return printJSON(cmd.OutOrStdout(), r)
	}
	if c.quiet {
		return nil
	}
	if err := printBench(cmd.OutOrStdout(), r, f); err != nil {
		return err
	}
	next, err := afterBench(models, f)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), "next:", next)
	return err
}

// printBench writes a row for each model.
func printBench(w io.Writer, r *octavo.BenchResult, f *benchFlags) error {
	inputs := strings.Join(f.Paths, ", ")
	if inputs == "" {
		inputs = fmt.Sprintf("random inputs (seed %d)", f.seed)
	}
	engine := r.ISA
	if r.Arithmetic != string(float32Arithmetic) {
		engine += ", " + r.Arithmetic
	}
	fmt.Fprintf(w, "threads %d, batch %d, %s, %d rounds; octavo engine, %s, times in ms\n", r.Threads, r.Batch, inputs, r.Rounds, engine)
	head := []string{"model", "size", "min", "p50", "p90", "p99", "samples/s"}
	if len(r.Models) > 1 {
		head = append(head, "of the first [95 %]")
	}
	if !f.noMemory {
		head = append(head, "load", "first run", "memory (anonymous + mapped)")
		if f.packs.dir != "" {
			head = append(head, "cached: load", "first run", "memory")
		}
	}
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintf(tw, "  %s\n", strings.Join(head, "\t"))
	for _, m := range r.Models {
		row := []string{m.Name, size(m.Bytes), ms(m.Min), ms(m.P50), ms(m.P90), ms(m.P99), fmt.Sprintf("%.4g", m.PerSecond)}
		if m.Ratio != nil {
			row = append(row, fmt.Sprintf("%.3f [%.3f, %.3f]", m.Ratio.Median, m.Ratio.Lo, m.Ratio.Hi))
		} else if len(r.Models) > 1 {
			row = append(row, "1")
		}
		for p := m.Footprint; p != nil; p = p.Cached {
			row = append(row, ms(p.LoadSeconds), ms(p.FirstSeconds), fmt.Sprintf("%s + %s", size(p.PeakAnonymous), size(p.Mapped)))
		}
		fmt.Fprintf(tw, "  %s\n", strings.Join(row, "\t"))
	}
	return tw.Flush()
}

// ms writes seconds as milliseconds, to a microsecond or four digits.
func ms(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.3f", 1e3*seconds)
	}
	return fmt.Sprintf("%.0f", 1e3*seconds)
}

// afterBench returns the command that follows: to judge the first candidate, or
// to make one.
func afterBench(models []*octavo.Model, f *benchFlags) (string, error) {
	data := strings.Join(f.dataFlags.args(), " ")
	for i, m := range models {
		info, err := m.Inspect()
		if err != nil {
			return "", err
		}
		switch {
		case !quantized(info):
			continue
		case i == 0:
			return "octavo inspect " + m.Path, nil
		case data == "":
			data = "--data test.npz"
		}
		return fmt.Sprintf("octavo validate %s %s %s", models[0].Path, m.Path, data), nil
	}
	if data == "" {
		data = "--data calib.npz"
	}
	return fmt.Sprintf("octavo quantize %s %s", models[0].Path, data), nil
}

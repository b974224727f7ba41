package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
)

// inputFlags say what a model is run on where only its speed counts.
type inputFlags struct {
	dataFlags
	fixed   shapeFlags
	packs   packFlags
	in      arithmetic
	samples int
	batch   int
	seed    uint64
	// available is how many samples the data was found to hold.
	available int
}

func (f *inputFlags) add(s *pflag.FlagSet) {
	f.dataFlags.add(s, "samples (default: random ones)")
	f.fixed.add(s)
	f.packs.add(s)
	f.in.add(s, arithmeticUsage)
	s.IntVar(&f.samples, "samples", 8, "how many samples to go around, spread evenly; 0 is all of the data")
	s.IntVar(&f.batch, "batch", 1, "how many samples one run takes")
	s.Uint64Var(&f.seed, "seed", 0, "seed of random samples")
}

// args returns the flags for the child process that measures a model.
func (f *inputFlags) args() []string {
	out := append(f.dataFlags.args(), "--samples", fmt.Sprint(f.samples), "--batch", fmt.Sprint(f.batch), "--seed", fmt.Sprint(f.seed), "--arithmetic", f.in.String())
	for _, s := range f.fixed.shapes {
		out = append(out, "--shape", s)
	}
	for _, d := range f.fixed.dims {
		out = append(out, "--dim", d)
	}
	return out
}

// inputs yields what m is run on, and returns the model that takes it, m itself
// or its SourceIO, and what releases it.
func (c *cli) inputs(m *octavo.Model, f *inputFlags, others ...*octavo.Model) (fit *octavo.Model, samples iter.Seq2[octavo.Inputs, error], done func() error, err error) {
	fit, done = m, func() error { return nil }
	if len(f.Paths) == 0 {
		if samples, err = m.RandomSamples(max(f.samples, 1)*f.batch, f.seed); err != nil {
			return nil, nil, nil, err
		}
	} else {
		d, err := c.open(m, &f.dataFlags, others...)
		if err != nil {
			return nil, nil, nil, err
		}
		if len(others) == 0 || m == others[0] {
			c.warnings.Warn(d.Unused(false)...)
			f.available = d.Len()
		}
		fit, samples, done = d.Model(), d.Samples(f.samples*f.batch), d.Close
	}
	if samples, err = fit.Batches(samples, f.batch); err != nil {
		done()
		return nil, nil, nil, err
	}
	return fit, samples, done, nil
}

// newMeasure is the hidden command that validate and bench start as a child
// process, so that memory, load time and the first run's are those of one model
// alone.
func newMeasure(c *cli) *cobra.Command {
	f := &inputFlags{}
	cmd := &cobra.Command{
		Use:     "measure MODEL",
		Short:   "Load and run one model, and print its memory and load time as JSON",
		Example: "  octavo measure model.onnx --data test.npz --samples 8\n  octavo measure model.onnx --data test/",
		Hidden:  true,
		Args:    exactly(1, "one model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.json = true // nothing but the object
			start := time.Now()
			m, err := c.loadFixed(args[0], &f.fixed)
			if err != nil {
				return err
			}
			defer m.Close()
			read := time.Since(start)
			fit, samples, done, err := c.inputs(m, f)
			if err != nil {
				return err
			}
			defer done()
			start = time.Now()
			p, err := fit.Compile(append(f.packs.options(c.threads), f.in.options()...)...)
			if err != nil {
				return err
			}
			r := octavo.Footprint{LoadSeconds: (read + time.Since(start)).Seconds()}
			for in, err := range samples {
				if err != nil {
					return err
				}
				start := time.Now()
				if _, err := p.Run(cmd.Context(), in); err != nil {
					return err
				}
				if r.FirstSeconds == 0 {
					r.FirstSeconds = time.Since(start).Seconds()
				}
			}
			r.PeakAnonymous, r.Mapped = octavo.PeakMemory(), octavo.MappedMemory()
			return printJSON(cmd.OutOrStdout(), r)
		},
	}
	f.add(cmd.Flags())
	return cmd
}

// measure runs the model in a child process, on inputs that the arguments give.
func (c *cli) measure(ctx context.Context, path string, data *dataFlags, args []string) (octavo.Footprint, error) {
	var r octavo.Footprint
	exe, err := os.Executable()
	if err != nil {
		return r, err
	}
	args = append([]string{"measure", path, "--quiet", "--threads", fmt.Sprint(c.threads)}, args...)
	if data.effective != "" {
		// Another model may have recorded it.
		args = append(args, "--preprocess", data.effective)
	}
	out, err := exec.CommandContext(ctx, exe, args...).Output()
	if err != nil {
		return r, fmt.Errorf("measuring %s in a process of its own: %w", path, err)
	}
	return r, json.Unmarshal(out, &r)
}

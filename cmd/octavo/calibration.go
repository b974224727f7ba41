package main

import (
	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// randomData is the word for random samples in the place of a path; a file of
// that name is ./random.
const randomData = "random"

// isRandom reports whether the samples are random, which nothing else goes
// with.
func (f *quantizeFlags) isRandom() (bool, error) {
	for _, p := range f.Paths {
		if p == randomData && len(f.Paths)+len(f.Fill) > 1 {
			return false, diag.Usagef("--data random makes all inputs: it takes no other --data and no --fill").Note("a file called random is --data ./random")
		}
	}
	return len(f.Paths) == 1 && f.Paths[0] == randomData, nil
}

// warnUnused says which flags quantize ignores where its ranges come from, as
// far as is known without looking at the data.
func (c *cli) warnUnused(cmd *cobra.Command, r *octavo.Recipe, f *quantizeFlags) error {
	random, err := f.isRandom()
	if err != nil {
		return err
	}
	known := facts{ranges: f.ranges != "", random: random, fromData: !random, lite: isLite(f.out)}
	if r.Data.Seed != 0 && !known.ranges {
		known.recipe = append(known.recipe, "seed")
	}
	name := r.Target
	if name == "" {
		name = octavo.DefaultTarget
	}
	t, err := octavo.LoadTarget(name)
	if err != nil {
		return err
	}
	if f.symmetric && t.Activations.Symmetric {
		known.symmetric = name
	}
	c.warnIgnored(cmd, known)
	return nil
}

// calibrated makes the quantized model from samples.
func (c *cli) calibrated(cmd *cobra.Command, m *octavo.Model, r *octavo.Recipe, f *quantizeFlags) (*octavo.Model, error) {
	n := r.Data.Samples
	all := n == 0 && cmd.Flags().Changed("samples")
	if n == 0 {
		n = octavo.DefaultSamples
	}
	c.resumable = f.cache != ""
	make := func(samples octavo.Option, n int) (*octavo.Model, error) {
		bar := c.progress("calibrating", n)
		layers := c.progress("rounding layers", 0)
		return octavo.Quantize(cmd.Context(), m, *r, samples, octavo.WithProgress(bar.step), octavo.WithLayers(layers.of), octavo.WithThreads(c.threads), octavo.WithCache(f.cache))
	}
	random, err := f.isRandom()
	if err != nil {
		return nil, err
	}
	if len(f.Paths) == 0 {
		return octavo.Quantize(cmd.Context(), m, *r, octavo.WithThreads(c.threads))
	}
	if random {
		return make(octavo.WithRandomCalibration(n, r.Data.Seed), n)
	}
	d, err := c.open(m, &f.dataFlags)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	c.warnings.Warn(d.Unused(false)...)
	c.warnIgnored(cmd, facts{asked: f.samples, available: d.Len()})
	if n = min(n, d.Len()); all {
		n = d.Len()
	}
	q, err := make(octavo.WithCalibration(d.Samples(n)), n)
	if err != nil {
		return nil, err
	}
	q.RecordPreprocessing(d)
	return q, nil
}

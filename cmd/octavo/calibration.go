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
		return octavo.Quantize(cmd.Context(), m, *r, samples, octavo.WithProgress(bar.step), octavo.WithThreads(c.threads), octavo.WithCache(f.cache))
	}
	random, err := f.isRandom()
	if err != nil {
		return nil, err
	}
	if random {
		return make(octavo.WithRandomCalibration(n, r.Data.Seed), n)
	}
	if r.Data.Seed != 0 {
		c.warnings.Warn(octavo.Warning{ID: "OCT007", Msg: "--seed is ignored: only --data random uses it"})
	}
	d, err := c.open(m, &f.dataFlags)
	if err != nil {
		return nil, err
	}
	defer d.Close()
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

package main

import (
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

// calibration returns where ranges are taken from, with the number of samples,
// and what is to be closed after use.
func (c *cli) calibration(m *octavo.Model, f *quantizeFlags, r *octavo.Recipe) (octavo.Option, int, func() error, error) {
	n := r.Data.Samples
	if n == 0 {
		n = octavo.DefaultSamples
	}
	random, err := f.isRandom()
	if err != nil {
		return nil, 0, nil, err
	}
	if random {
		return octavo.WithRandomCalibration(n, r.Data.Seed), n, func() error { return nil }, nil
	}
	if r.Data.Seed != 0 {
		c.warnings.Warn(octavo.Warning{ID: "OCT007", Msg: "--seed is ignored: only --data random uses it"})
	}
	d, err := c.open(m, &f.dataFlags)
	if err != nil {
		return nil, 0, nil, err
	}
	return octavo.WithCalibration(d.Samples(n)), min(n, d.Len()), d.Close, nil
}

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// quantized makes the quantized model, from samples or from saved ranges.
func (c *cli) quantized(cmd *cobra.Command, m *octavo.Model, r *octavo.Recipe, f *quantizeFlags) (*octavo.Model, error) {
	if f.ranges == "" {
		return c.calibrated(cmd, m, r, f)
	}
	for _, name := range []string{"data", "fill", "pad", "state", "samples", "observer", "preprocess"} {
		if cmd.Flags().Changed(name) {
			c.warnings.Warn(octavo.Warning{ID: "OCT007", Msg: fmt.Sprintf("--%s is ignored: --ranges says what calibration found", name)})
		}
	}
	ranges, err := octavo.ReadRanges(f.ranges)
	if err != nil {
		return nil, err
	}
	q, err := octavo.Quantize(cmd.Context(), m, *r, octavo.WithRanges(ranges), octavo.WithThreads(c.threads))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.ranges, err)
	}
	return q, nil
}

// calibrated makes the quantized model from samples.
func (c *cli) calibrated(cmd *cobra.Command, m *octavo.Model, r *octavo.Recipe, f *quantizeFlags) (*octavo.Model, error) {
	d, err := c.open(m, &f.dataFlags)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	n := r.Data.Samples
	switch {
	case n == 0 && cmd.Flags().Changed("samples"):
		n = d.Len()
	case n == 0:
		n = octavo.DefaultSamples
	}
	c.resumable = f.cache != ""
	bar := c.progress("calibrating", min(n, d.Len()))
	q, err := octavo.Quantize(cmd.Context(), m, *r, octavo.WithCalibration(d.Samples(n)), octavo.WithProgress(bar.step), octavo.WithThreads(c.threads), octavo.WithCache(f.cache))
	if err != nil {
		return nil, err
	}
	q.RecordPreprocessing(d)
	return q, nil
}

// writeRanges writes the ranges of q where that was asked for.
func (f *quantizeFlags) writeRanges(q *octavo.Model) error {
	if f.saveRanges == "" {
		return nil
	}
	return writeFile(f.saveRanges, func(w io.Writer) error { return q.Ranges().Write(w) })
}

// samplesNeeded says what to give where there are no samples.
func samplesNeeded(path string) error {
	return diag.Usagef("%s: static quantization needs samples of what the model will see", path).
		Note("octavo quantize %s --data calib.npz     arrays named as the inputs", path).
		Note("octavo quantize %s --data calib/        a folder of arrays or pictures, one sample each", path).
		Note("octavo quantize %s --ranges FILE        what --save-ranges wrote, without data", path)
}

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
)

// quantized makes the quantized model, from samples or from saved ranges.
func (c *cli) quantized(cmd *cobra.Command, m *octavo.Model, r *octavo.Recipe, f *quantizeFlags) (*octavo.Model, error) {
	if f.ranges == "" {
		return c.calibrated(cmd, m, r, f)
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

// writeRanges writes the ranges of q where that was asked for.
func (f *quantizeFlags) writeRanges(q *octavo.Model) error {
	if f.saveRanges == "" {
		return nil
	}
	return writeFile(f.saveRanges, func(w io.Writer) error { return q.Ranges().Write(w) })
}

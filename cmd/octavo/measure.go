package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
)

// newMeasure is the hidden command that validate starts as a child process, so
// that memory and load time are those of one model alone.
func newMeasure(c *cli) *cobra.Command {
	var data dataFlags
	var samples int
	var fixed shapeFlags
	cmd := &cobra.Command{
		Use:     "measure MODEL",
		Short:   "Load and run one model, and print its memory and load time as JSON",
		Example: "  octavo measure model.onnx --data test.npz --samples 8\n  octavo measure model.onnx --data test/",
		Hidden:  true,
		Args:    exactly(1, "one model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.json = true // nothing but the object
			start := time.Now()
			m, err := c.loadFixed(args[0], &fixed)
			if err != nil {
				return err
			}
			defer m.Close()
			read := time.Since(start)
			d, err := c.open(m, &data)
			if err != nil {
				return err
			}
			defer d.Close()
			start = time.Now()
			p, err := d.Model().Compile(octavo.Threads(c.threads))
			if err != nil {
				return err
			}
			r := octavo.Footprint{LoadSeconds: (read + time.Since(start)).Seconds()}
			for in, err := range d.Samples(samples) {
				if err != nil {
					return err
				}
				if _, err := p.Run(cmd.Context(), in); err != nil {
					return err
				}
			}
			r.PeakAnonymous, r.Mapped = octavo.PeakMemory(), octavo.MappedMemory()
			return printJSON(cmd.OutOrStdout(), r)
		},
	}
	data.add(cmd.Flags(), "samples")
	fixed.add(cmd.Flags())
	cmd.Flags().IntVar(&samples, "samples", 8, "how many samples to run")
	return cmd
}

// measure runs the model in a child process; fixed are the flags that fix its
// dimensions.
func (c *cli) measure(ctx context.Context, path string, data *dataFlags, fixed []string) (octavo.Footprint, error) {
	var r octavo.Footprint
	exe, err := os.Executable()
	if err != nil {
		return r, err
	}
	args := append([]string{"measure", path, "--quiet", "--threads", fmt.Sprint(c.threads)}, append(data.args(), fixed...)...)
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

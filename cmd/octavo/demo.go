package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/testdata"
)

func newDemo(c *cli) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Quantize, validate and judge an embedded model: the tour",
		Example: "  octavo demo\n  octavo demo -o demo/",
		Args:    exactly(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.demo(cmd, dir) },
	}
	cmd.Flags().StringVarP(&dir, "out", "o", "", "keep the model, the data and the result in this folder")
	return cmd
}

// demo writes the embedded model and data to a folder and runs the commands
// that a user would.
func (c *cli) demo(cmd *cobra.Command, dir string) error {
	w := cmd.OutOrStdout()
	if dir == "" {
		tmp, err := os.MkdirTemp("", "octavo-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	out := path("model.int8.onnx")
	if _, err := os.Stat(out); err == nil && !octavo.WroteFile(out) {
		return diag.Usagef("%s exists and octavo did not write it", out).Note("choose another folder with -o")
	}
	if err := writeDemo(path); err != nil {
		return err
	}
	if !c.quiet && !c.json {
		fmt.Fprintln(w, "A small residual network that reads handwritten digits, trained in float32.")
		fmt.Fprintln(w, "\n$ octavo quantize model.onnx --data calib.npz")
	}
	m, err := c.load(path("model.onnx"))
	if err != nil {
		return err
	}
	defer m.Close()
	calib, err := m.OpenData(octavo.DataOptions{Paths: []string{path("calib.npz")}})
	if err != nil {
		return err
	}
	defer calib.Close()
	q, err := octavo.Quantize(cmd.Context(), m, octavo.Recipe{Mode: octavo.Static}, octavo.WithCalibration(calib.Samples(octavo.DefaultSamples)), octavo.WithThreads(c.threads))
	if err != nil {
		return err
	}
	if err := q.Save(out); err != nil {
		return err
	}
	if !c.quiet && !c.json {
		fmt.Fprintf(w, "%d operators run as int8; ranges from %d samples\n", q.Report.Quantized, q.Report.Samples)
		for _, line := range q.Report.FloatReasons() {
			fmt.Fprintln(w, "float:", line)
		}
		fmt.Fprintln(w, "\n$ octavo validate model.onnx model.int8.onnx --data test.npz")
	}
	quantized, err := c.load(out)
	if err != nil {
		return err
	}
	defer quantized.Close()
	samples := dataFlags{DataOptions: octavo.DataOptions{Paths: []string{path("test.npz")}}}
	test, err := c.open(m, &samples)
	if err != nil {
		return err
	}
	defer test.Close()
	v, err := octavo.ValidateData(cmd.Context(), m, []*octavo.Model{quantized}, test, octavo.ValidateOptions{Threads: c.threads,
		Measure: func(p string) (octavo.Footprint, error) {
			return c.measure(cmd.Context(), p, &samples, samples.args())
		}})
	if err != nil {
		return err
	}
	v.Models[0].Name, v.Models[1].Name = "model.onnx", "model.int8.onnx"
	if c.json {
		return printJSON(w, v)
	}
	if c.quiet {
		return nil
	}
	if err := v.WriteText(w); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nnext: octavo quantize YOUR.onnx --data calib.npz    (arrays named as the model's inputs)")
	return nil
}

// writeDemo writes the embedded files where they are not there yet; it
// replaces no other file.
func writeDemo(path func(name string) string) error {
	missing := map[string][]byte{}
	for _, name := range []string{"model.onnx", "calib.npz", "test.npz"} {
		b, err := testdata.Demo.ReadFile("demo/" + name)
		if err != nil {
			return err
		}
		old, err := os.ReadFile(path(name))
		switch {
		case err != nil:
			missing[name] = b
		case !bytes.Equal(old, b):
			return diag.Usagef("%s exists and is another file", path(name)).Note("choose another folder with -o")
		}
	}
	for name, b := range missing {
		if err := os.WriteFile(path(name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

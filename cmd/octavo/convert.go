package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// externalFlag says which constants are written beside a model.
type externalFlag struct{ least int64 }

const externalName = "external-data"

func (f *externalFlag) add(s *pflag.FlagSet) {
	s.Int64Var(&f.least, externalName, 0, "write constants of this many bytes and more into a file beside the model; it happens by itself above 2 GB")
	s.Lookup(externalName).NoOptDefVal = "1024"
}

// options returns how the model is saved.
func (f *externalFlag) options(cmd *cobra.Command) ([]octavo.SaveOption, error) {
	if !cmd.Flags().Changed(externalName) {
		return nil, nil
	}
	if f.least < 1 {
		return nil, diag.Usagef("--%s=%d: want a number of bytes from 1 up, or nothing", externalName, f.least)
	}
	return []octavo.SaveOption{octavo.ExternalData(f.least)}, nil
}

type convertFlags struct {
	simplify, force bool
	opset           string
	external        externalFlag
	fixed           shapeFlags
	fill            []string
}

func newConvert(c *cli) *cobra.Command {
	f := &convertFlags{}
	cmd := &cobra.Command{
		Use:     "convert MODEL OUT",
		Short:   "Write a model anew: simplified, in another format, at another opset, with its constants inside or beside it",
		Example: "  octavo convert model.onnx simple.onnx --simplify\n  octavo convert model.onnx split.onnx --external-data",
		Args:    exactly(2, "one model and the name of the output"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.convert(cmd, args[0], args[1], f) },
	}
	s := cmd.Flags()
	s.BoolVar(&f.simplify, "simplify", false, "fold constants and normalizations, and replace known groups of operators by one; always done to write .tflite from another format")
	s.StringVar(&f.opset, "opset", "keep", "ONNX opset to write, 13 to 25; keep is the input's, at least 13")
	s.StringArrayVar(&f.fill, "fill", nil, "INPUT=NUMBER, such as sr=16000: a constant in the place of an input")
	f.external.add(s)
	s.BoolVar(&f.force, "force", false, "replace output files that octavo did not write")
	f.fixed.add(s)
	return cmd
}

func (c *cli) convert(cmd *cobra.Command, path, out string, f *convertFlags) error {
	start := time.Now()
	opset, err := opsetOf(f.opset)
	if err != nil {
		return err
	}
	save, err := f.external.options(cmd)
	if err != nil {
		return err
	}
	m, err := c.loadFixed(path, &f.fixed)
	if err != nil {
		return err
	}
	defer m.Close()
	if out, err = m.OutputPath(out, f.force); err != nil {
		return err
	}
	c.warnIgnored(cmd, facts{lite: isLite(out)})
	seen := len(m.Warnings)
	// A model that was TensorFlow Lite's before needs none of it, and its halves
	// would become floats.
	n, err := octavo.Convert(m, octavo.Conversion{Simplify: f.simplify || isLite(out) && !isLite(path), Opset: opset, Fill: f.fill})
	if err != nil {
		return err
	}
	if err := c.warnings.Err(); err != nil {
		return err
	}
	before, err := fileSize(m.Files()...)
	if err != nil {
		return err
	}
	if err := n.Save(out, append(save, c.saving(cmd.Context()))...); err != nil {
		return err
	}
	c.warnings.Warn(append(m.Warnings[seen:], n.Warnings...)...)
	return c.converted(cmd.OutOrStdout(), m, n, before, time.Since(start))
}

// isLite reports whether a model is written as TensorFlow Lite's.
func isLite(path string) bool { return strings.EqualFold(filepath.Ext(path), ".tflite") }

// converted says what became of m.
func (c *cli) converted(w io.Writer, m, n *octavo.Model, before int64, spent time.Duration) error {
	files := n.Files()
	after, err := fileSize(files...)
	if err != nil {
		return err
	}
	peak := octavo.PeakMemory()
	if c.json {
		return printJSON(w, map[string]any{"schema": "octavo.convert/1", "input": m.Path, "output": files[0], "data": files[1:], "bytes_before": before, "bytes_after": after,
			"nodes_before": m.Nodes(), "nodes_after": n.Nodes(), "opset_raised": n.OpsetRaised(), "prescribed": n.Prescribed(), "seconds": spent.Seconds(), "peak_anonymous_bytes": peak})
	}
	if c.quiet {
		return nil
	}
	fmt.Fprintf(w, "%s -> %s\n", m.Path, files[0])
	for _, data := range files[1:] {
		fmt.Fprintf(w, "  data       %s\n", data)
	}
	fmt.Fprintf(w, "  size       %s -> %s\n", size(before), size(after))
	fmt.Fprintf(w, "  nodes      %d -> %d\n", m.Nodes(), n.Nodes())
	if raised := n.OpsetRaised(); raised != "" {
		fmt.Fprintf(w, "  opset      %s\n", raised)
	}
	writePrescribed(w, n.Prescribed())
	fmt.Fprintf(w, "  took       %.1f s, peak memory %s\n", spent.Seconds(), size(peak))
	_, err = fmt.Fprintf(w, "next: octavo diff %s\n", commandLine([]string{m.Path, files[0]}))
	return err
}

// opsetOf reads the value of --opset; 0 is keep.
func opsetOf(text string) (int, error) {
	if text == "keep" {
		return 0, nil
	}
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil || fmt.Sprint(n) != text {
		return 0, diag.Usagef("--opset %s: want keep or a number from 13 to 25", text)
	}
	return n, checkOpset(n)
}

func checkOpset(n int) error {
	if n != 0 && (n < 13 || n > 25) {
		return diag.Usagef("opset %d: want keep or a number from 13 to 25", n)
	}
	return nil
}

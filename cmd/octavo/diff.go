package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

func newDiff(c *cli) *cobra.Command {
	var steps int64
	cmd := &cobra.Command{
		Use:     "diff A B",
		Short:   "Compare scales, zero points and weights of two models, tensor by tensor",
		Example: "  octavo diff model.onnx model.int8.onnx\n  octavo diff model.int8.onnx model.int8.onnx --max-steps 1",
		Args:    exactly(2, "two models"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if steps < 0 {
				return diag.Usagef("--max-steps %d: want a number from 0 up", steps)
			}
			a, err := c.load(args[0])
			if err != nil {
				return err
			}
			defer a.Close()
			b, err := c.load(args[1])
			if err != nil {
				return err
			}
			defer b.Close()
			d, err := a.Diff(cmd.Context(), b)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if c.json {
				err = printJSON(w, d)
			} else {
				err = printDiff(w, d)
			}
			if err != nil || !cmd.Flags().Changed("max-steps") {
				return err
			}
			return d.Err(steps)
		},
	}
	cmd.Flags().Int64Var(&steps, "max-steps", 0, "exit with 3 if integers, zero points or the far end of a grid differ by more steps, a float constant differs, or a tensor has no partner")
	return cmd
}

func printDiff(w io.Writer, d *octavo.Diff) error {
	if d.Identical {
		_, err := fmt.Fprintf(w, "identical: all %d tensors and parameters of %s and %s\n", d.Same, d.A, d.B)
		return err
	}
	fmt.Fprintf(w, "%s and %s: %d the same, %d differ, %d only in A, %d only in B\n", d.A, d.B, d.Same, len(d.Tensors), len(d.OnlyA), len(d.OnlyB))
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	for _, t := range d.Tensors {
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", t.Name, t.Kind, differs(t))
	}
	tw.Flush()
	for _, n := range d.OnlyA {
		fmt.Fprintf(w, "  only in A: %s\n", n)
	}
	for _, n := range d.OnlyB {
		if _, err := fmt.Fprintf(w, "  only in B: %s\n", n); err != nil {
			return err
		}
	}
	return nil
}

func differs(t octavo.TensorDiff) string {
	switch {
	case t.TypeA != t.TypeB:
		return fmt.Sprintf("%s, %s", t.TypeA, t.TypeB)
	case t.Kind == "parameters":
		return fmt.Sprintf("scale x%.6g, zero point by %d", t.Ratio, t.ZeroPoint)
	case t.Largest > 0:
		return fmt.Sprintf("%d elements, by up to %.3g", t.Elements, t.Largest)
	}
	return fmt.Sprintf("%d elements, by up to %d steps", t.Elements, t.Steps)
}

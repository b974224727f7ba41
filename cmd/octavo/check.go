package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
)

func newCheck(c *cli) *cobra.Command {
	var target string
	var strict bool
	var fixed shapeFlags
	cmd := &cobra.Command{
		Use:     "check MODEL",
		Short:   "Show what a target would run as integers, keep float or refuse, and why",
		Example: "  octavo check model.onnx\n  octavo check model.onnx --target tensorrt",
		Args:    exactly(1, "one model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := c.loadFixed(args[0], &fixed)
			if err != nil {
				return err
			}
			defer m.Close()
			r, err := m.Check(target)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if c.json {
				err = printJSON(w, r)
			} else {
				err = printCheck(w, r)
			}
			if err != nil {
				return err
			}
			return r.Err(strict)
		},
	}
	cmd.Flags().StringVar(&target, "target", "onnxruntime-cpu", "where the quantized model will run: "+strings.Join(octavo.Targets(), ", "))
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 3 if a node stays float")
	fixed.add(cmd.Flags())
	return cmd
}

// printCheck writes one line for the nodes of one operator and one fate.
func printCheck(w io.Writer, r *octavo.Check) error {
	fmt.Fprintf(w, "%s on %s: %s\n", r.Model, r.Target, r.Summary())
	type line struct{ op, runs, reason, by, activations string }
	var order []line
	count := map[line]int{}
	for _, n := range r.Nodes {
		l := line{n.Op, n.Runs, n.Reason, n.By, n.Activations}
		if count[l] == 0 {
			order = append(order, l)
		}
		count[l]++
	}
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	for _, l := range order {
		runs := l.runs
		if runs == octavo.RunsInteger {
			runs = cmp.Or(l.activations, r.Activations)
		}
		if l.by != "" {
			runs += ", by " + l.by
		}
		if l.reason != "" {
			runs += ": " + l.reason
		}
		fmt.Fprintf(tw, "  %d\t%s\t%s\n", count[l], l.op, runs)
	}
	if err := tw.Flush(); err != nil || r.Rest == nil {
		return err
	}
	_, err := fmt.Fprintln(w, r.Rest)
	return err
}

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// targetList is the answer of octavo targets --json.
type targetList struct {
	Schema  string           `json:"schema"`
	Targets []*octavo.Target `json:"targets"`
}

func newTargets(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "targets [NAME]",
		Short:   "List the known targets, or what one of them accepts",
		Example: "  octavo targets\n  octavo targets onnxruntime-cpu",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return diag.Usagef("%s takes one target or none; got %d arguments", cmd.CommandPath(), len(args)).Note("%s --help shows examples", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			names := args
			if len(names) == 0 {
				names = octavo.Targets()
			}
			list := targetList{Schema: "octavo.targets/1"}
			for _, name := range names {
				t, err := octavo.LoadTarget(name)
				if err != nil {
					return err
				}
				list.Targets = append(list.Targets, t)
			}
			w := cmd.OutOrStdout()
			switch {
			case c.json:
				return printJSON(w, list)
			case len(args) == 1:
				return printTarget(w, list.Targets[0])
			}
			tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
			for _, t := range list.Targets {
				fmt.Fprintf(tw, "%s\t%s\n", t.Name, t.About)
			}
			return tw.Flush()
		},
	}
}

func printTarget(w io.Writer, t *octavo.Target) error {
	fmt.Fprintf(w, "%s: %s\n", t.Name, t.About)
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintf(tw, "  opset\tup to %d [%s]\n", t.MaxOpset, t.MaxOpsetSource)
	symmetric := map[bool]string{true: ", symmetric", false: ""}
	middle := ""
	if len(t.Activations.SymmetricTypes) > 0 {
		middle = " (symmetric: " + strings.Join(t.Activations.SymmetricTypes, ", ") + ")"
	}
	fmt.Fprintf(tw, "  activations\t%s%s%s [%s]\n", strings.Join(t.Activations.Types, ", "), symmetric[t.Activations.Symmetric], middle, t.Activations.Source)
	fmt.Fprintf(tw, "  weights\t%s%s, one scale a %s [%s]\n", strings.Join(t.Weights.Types, ", "), symmetric[t.Weights.Symmetric], t.Weights.Granularity, t.Weights.Source)
	bias := t.Bias
	if bias == "" {
		bias = "float"
	}
	fmt.Fprintf(tw, "  biases\t%s [%s]\n", bias, t.BiasSource)
	for _, d := range t.Domains {
		fmt.Fprintf(tw, "  brings\toperators of %s [%s]\n", d.Name, d.Source)
	}
	for _, m := range t.Modes {
		what := strings.Join(m.Types, ", ")
		if len(m.Operators) > 0 {
			what += " weights of " + strings.Join(m.Operators, ", ")
		}
		if len(m.Asked) > 0 {
			what += "; where a recipe names it " + strings.Join(m.Asked, ", ")
		}
		if m.Rows {
			what += "; a range for each row where it is asked for"
		}
		if m.Storage {
			what = "storage only"
		}
		if what == "" {
			what = "all operators"
		}
		fmt.Fprintf(tw, "  mode %s\t%s [%s]\n", m.Mode, what, m.Source)
	}
	if t.Rest != nil {
		what := "go to "
		if t.Rest.Behind {
			what = "from the first on, all go to "
		}
		fmt.Fprintf(tw, "  others\t%s%s: %s [%s]\n", what, t.Rest.Where, t.Rest.Cost, t.Rest.Source)
	}
	tw.Flush()
	fmt.Fprintln(w, "operators (others stay float):")
	for _, r := range t.Operators {
		what := string(r.Kind)
		if len(r.Types) > 0 {
			what += ", activations " + strings.Join(r.Types, ", ")
		}
		if r.PerTensor {
			what += ", one scale for the weight"
		}
		if len(r.PerTensorTypes) > 0 {
			what += ", one scale for the weight with " + strings.Join(r.PerTensorTypes, ", ")
		}
		for _, name := range slices.Sorted(maps.Keys(r.Where)) {
			what += fmt.Sprintf(", %s %s", name, strings.Join(r.Where[name], " or "))
		}
		if r.ConstantWeight {
			what += ", constant weights"
		}
		if r.By != "" && r.ConstantWeight {
			what += " (others by " + r.By + ")"
		} else if r.By != "" {
			what += ", by " + r.By
		}
		if r.Prefers != "" {
			what += ", by default " + r.Prefers
		}
		if r.Asked != "" {
			what += ", only where a recipe names it"
		}
		if r.FloatOutput {
			what += ", can end in float"
		}
		if r.Fixed != nil {
			what += fmt.Sprintf(", output scale %g", r.Fixed.Scale)
			for _, typ := range slices.Sorted(maps.Keys(r.Fixed.Scales)) {
				what += fmt.Sprintf(" (%s: %g)", typ, r.Fixed.Scales[typ])
			}
		}
		fmt.Fprintf(tw, "  %s\t%s\t[%s]\n", r.Op, what, r.Source)
	}
	tw.Flush()
	fmt.Fprintln(w, "sources:")
	for _, s := range t.Sources {
		fmt.Fprintf(tw, "  [%s]\t%s\t%s\n", s.ID, s.Date, s.What)
	}
	return tw.Flush()
}

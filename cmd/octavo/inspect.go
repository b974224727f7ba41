package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
)

func newInspect(c *cli) *cobra.Command {
	var tensors bool
	var shapes shapeFlags
	cmd := &cobra.Command{
		Use:     "inspect MODEL",
		Short:   "Show inputs, outputs, operators, parameters and precision of a model",
		Example: "  octavo inspect model.onnx\n  octavo inspect model.onnx --tensors",
		Args:    exactly(1, "one model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := c.loadFixed(args[0], &shapes)
			if err != nil {
				return err
			}
			defer m.Close()
			info, err := m.Inspect()
			if err != nil {
				return err
			}
			c.warnIgnored(cmd, facts{})
			w := cmd.OutOrStdout()
			if c.json {
				return printJSON(w, info)
			}
			if err := printInfo(w, args[0], info); err != nil {
				return err
			}
			if tensors {
				return listNodes(w, info.Nodes)
			}
			next := "octavo quantize %s --data calib.npz"
			if quantized(info) {
				next = "octavo run %s --data test.npz -o outputs"
			}
			_, err = fmt.Fprintf(w, "next: "+next+"\n", args[0])
			return err
		},
	}
	cmd.Flags().BoolVar(&tensors, "tensors", false, "list the nodes, by the names that --keep and --override take, with the types they compute")
	shapes.add(cmd.Flags())
	return cmd
}

// quantized reports whether the model holds integers already.
func quantized(info *octavo.Info) bool {
	return slices.ContainsFunc(info.Operators, func(o octavo.OperatorInfo) bool {
		return slices.Contains([]string{"DequantizeLinear", "MatMulNBits", "DynamicQuantizeLSTM"}, o.Name)
	})
}

func printInfo(w io.Writer, path string, info *octavo.Info) error {
	fmt.Fprintf(w, "%s: %s, %s parameters in %s\n", path, info.Format, thousands(info.Parameters), size(info.ParameterBytes))
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	for _, v := range info.Inputs {
		fmt.Fprintf(tw, "  input\t%s\t%s\n", v.Name, v.Type)
	}
	for _, v := range info.Outputs {
		fmt.Fprintf(tw, "  output\t%s\t%s\n", v.Name, v.Type)
	}
	tw.Flush()
	fmt.Fprintln(w, "operators (as they are quantized and run):")
	for _, o := range info.Operators {
		fmt.Fprintf(tw, "  %d\t%s\t%s\n", o.Count, o.Name, o.Note)
	}
	tw.Flush()
	if lines := computeLines(info.Computes); len(lines) > 1 {
		fmt.Fprintln(w, "computes on:")
		for _, l := range lines {
			fmt.Fprintf(w, "  %s\n", l)
		}
	}
	fmt.Fprintln(w, "parameters by type:")
	for _, p := range info.Precision {
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", p.Type, thousands(p.Elements), size(p.Bytes))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if len(info.Hard) > 0 {
		fmt.Fprintln(w, "hard to quantize:")
		for _, h := range info.Hard {
			fmt.Fprintf(w, "  %s\n", h)
		}
	}
	if info.HardUnread > 0 {
		fmt.Fprintf(w, "not looked at for being hard to quantize: %d more layers, whose weights are too large to be read here\n", info.HardUnread)
	}
	return nil
}

// computeLines returns a line for each precision, with its operators.
func computeLines(computes []octavo.ComputeInfo) []string {
	var out []string
	for i, c := range computes {
		if i == 0 || computes[i-1].Precision != c.Precision {
			out = append(out, fmt.Sprintf("%s: %d %s", c.Precision, c.Count, c.Op))
		} else {
			out[len(out)-1] += fmt.Sprintf(", %d %s", c.Count, c.Op)
		}
	}
	return out
}

func listNodes(w io.Writer, nodes []string) error {
	for _, n := range nodes {
		if _, err := fmt.Fprintln(w, " ", n); err != nil {
			return err
		}
	}
	return nil
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

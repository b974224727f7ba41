package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/octavo-ml/octavo/internal/validate/explain"
)

// Layers writes for each layer what its quantization costs alone and what has
// accumulated up to it.
func Layers(w io.Writer, r *explain.Result) error {
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "layer\toperator\tprecision\tcauses dB\talone dB\taccumulated dB\tcosine\tof alone, by input")
	for _, l := range r.Layers {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Node, l.Op, l.Precision, caused(l.Causes), decibels(l.Alone), decibels(l.Accumulated), cosine(l.Accumulated), cause(l.Inputs))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if n := len(r.Unmatched); n > 0 {
		shown := r.Unmatched[:min(n, 5)]
		fmt.Fprintf(w, "%d nodes of the float model have no partner in the quantized one:\n", n)
		for _, name := range shown {
			fmt.Fprintf(w, "  %s\n", name)
		}
		if n > len(shown) {
			fmt.Fprintf(w, "  and %d more\n", n-len(shown))
		}
	}
	_, err := fmt.Fprintf(w, "%d samples; SQNR of what each layer hands on, and of all that it causes there and in those that read it; the lower, the worse\n", r.Samples)
	return err
}

// decibels writes an SQNR; "exact" where there is no error.
func decibels(e *explain.Error) string {
	switch {
	case e == nil:
		return "-"
	case e.SQNR != nil:
		return fmt.Sprintf("%.1f", *e.SQNR)
	case e.Max != nil && *e.Max == 0:
		return "exact"
	}
	return "none"
}

// caused writes the SQNR of what a layer causes; "-" where that is nothing.
func caused(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", *v)
}

// cause names the input whose rounding is at least half of a layer's error.
func cause(in []explain.Input) string {
	if len(in) == 0 || in[0].Share < 0.5 {
		return ""
	}
	if in[0].Node == "" {
		return fmt.Sprintf("%.0f %% %s", 100*in[0].Share, in[0].Value)
	}
	return fmt.Sprintf("%.0f %% %s (%s)", 100*in[0].Share, in[0].Node, in[0].Op)
}

func cosine(e *explain.Error) string {
	if e == nil || e.Cosine == nil {
		return "none"
	}
	return fmt.Sprintf("%.4f", *e.Cosine)
}

package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/octavo-ml/octavo/internal/validate"
)

// Text writes one table for people, a row for each measure and a column for
// each model, and what follows from it.
func Text(w io.Writer, v *validate.Verdict) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d samples, task %s\n", v.Samples, v.Task)
	for _, n := range v.Notes {
		fmt.Fprintln(&b, n)
	}
	tw := tabwriter.NewWriter(&b, 2, 8, 2, ' ', 0)
	for _, row := range Table(v) {
		fmt.Fprintf(tw, "  %s\n", strings.Join(row, "\t"))
	}
	tw.Flush()
	for _, line := range append(worst(v), Conclusions(v)...) {
		fmt.Fprintln(&b, line)
	}
	for _, g := range v.Gates {
		fmt.Fprintf(&b, "gate %s: %s: %s (%s)\n", g.Name, g.Candidate, passed(g), g.Message)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func passed(g validate.Gate) string {
	if g.Passed {
		return "passed"
	}
	return "missed"
}

// escape keeps text from being read as markup of a table.
var escape = strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "`", "'")

// Markdown writes the same as Text as tables, and precision, recall and F1 of
// each class where there are few.
func Markdown(w io.Writer, v *validate.Verdict) error {
	var b strings.Builder
	row := func(cells ...string) {
		for _, c := range cells {
			b.WriteString("| " + escape.Replace(c) + " ")
		}
		b.WriteString("|\n")
	}
	line := func(n int) { b.WriteString(strings.Repeat("|---", n) + "|\n") }
	fmt.Fprintf(&b, "# Validation\n\n%d samples, task %s, output `%s`\n\n", v.Samples, v.Task, escape.Replace(v.Output))
	for _, n := range v.Notes {
		fmt.Fprintf(&b, "%s\n\n", escape.Replace(n))
	}
	for i, r := range Table(v) {
		row(r...)
		if i == 0 {
			line(len(r))
		}
	}
	b.WriteString("\n")
	for _, s := range append(Conclusions(v), worst(v)...) {
		fmt.Fprintf(&b, "- %s\n", escape.Replace(s))
	}
	for _, n := range v.Warnings {
		fmt.Fprintf(&b, "- warning %s: %s\n", n.ID, escape.Replace(n.Msg))
	}
	if len(v.Gates) > 0 {
		b.WriteString("\n## Gates\n\n")
		row("gate", "candidate", "result", "measured")
		line(4)
		for _, g := range v.Gates {
			row(g.Name, g.Candidate, passed(g), g.Message)
		}
	}
	if n := len(v.Models[0].PerClass); n > 0 && n <= manyClasses {
		b.WriteString("\n## Classes\n\n")
		row("model", "class", "samples", "precision", "recall", "F1")
		line(6)
		short := names(v)
		for i, m := range v.Models {
			for _, c := range m.PerClass {
				row(short[i], fmt.Sprint(c.Class), fmt.Sprint(c.Support), percent(&c.Precision), percent(&c.Recall), percent(&c.F1))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// manyClasses is from how many on a table of classes is not read by people.
const manyClasses = 20

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo/internal/diag"
)

// TestEveryCommandExplainsItself walks the tree: two examples, a short text.
func TestEveryCommandExplainsItself(t *testing.T) {
	root := newRoot(&cli{})
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c.Hidden {
			continue
		}
		if n := len(examples(c)); n < 2 {
			t.Errorf("%s: %d examples, want 2", c.CommandPath(), n)
		}
		if c.Short == "" {
			t.Errorf("%s says not what it is for", c.CommandPath())
		}
		var b bytes.Buffer
		c.SetOut(&b)
		if err := c.Usage(); err != nil || c != root && !strings.HasPrefix(c.UsageString(), "Examples:\n") {
			t.Errorf("%s: the usage does not start with the examples (%v)", c.CommandPath(), err)
		}
	}
}

func examples(c *cobra.Command) []string {
	var out []string
	for line := range strings.Lines(c.Example) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "octavo ") {
			out = append(out, line)
		}
	}
	return out
}

// TestExamplesOfHelpRun runs every example of every help text.
func TestExamplesOfHelpRun(t *testing.T) {
	root := newRoot(&cli{})
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c.Hidden {
			continue
		}
		for _, line := range examples(c) {
			t.Run(line, func(t *testing.T) {
				runExample(t, exampleFolder(t), line)
			})
		}
	}
}

// TestWarningsPage holds docs/warnings.md equal to the table of warnings.
func TestWarningsPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/warnings.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, k := range diag.KnownWarnings() {
		want = append(want, "| "+k.ID+" | "+k.Title+" |")
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "| OCT") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("docs/warnings.md lists\n%s\nwant\n%s", g, w)
	}
}

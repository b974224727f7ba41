package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

func newMan(c *cli) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "man -o DIR",
		Short:   "Write the manual pages, one for each command",
		Example: "  octavo man -o man1\n  octavo man -o man1 --quiet",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return diag.Usagef("give -o DIR").Note("octavo man -o /usr/local/share/man/man1")
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			pages := 0
			for _, p := range append([]*cobra.Command{root}, root.Commands()...) {
				if p.Hidden {
					continue
				}
				name := strings.ReplaceAll(p.CommandPath(), " ", "-") + ".1"
				if err := writeFile(filepath.Join(dir, name), func(w io.Writer) error { return manPage(w, p) }); err != nil {
					return err
				}
				pages++
			}
			w := cmd.OutOrStdout()
			if c.json {
				return printJSON(w, map[string]any{"schema": "octavo.man/1", "output": dir, "pages": pages})
			}
			if c.quiet {
				return nil
			}
			_, err := fmt.Fprintf(w, "%d pages -> %s\nnext: man %s\n", pages, dir, filepath.Join(dir, "octavo.1"))
			return err
		},
	}
	cmd.Flags().StringVarP(&dir, "out", "o", "", "folder for the pages, made if it is missing")
	return cmd
}

// manPage writes a command's page in the man macros of roff.
func manPage(w io.Writer, c *cobra.Command) error {
	var b strings.Builder
	title := strings.ReplaceAll(c.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"octavo %s\"\n", strings.ToUpper(title), octavo.Version)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", title, roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.UseLine()))
	if c.Long != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n")
		for line := range strings.Lines(c.Long) {
			if line = strings.TrimSpace(line); line == "" {
				b.WriteString(".PP\n")
			} else {
				b.WriteString(roff(line) + "\n")
			}
		}
	}
	if c.HasAvailableSubCommands() {
		b.WriteString(".SH COMMANDS\n")
		for _, s := range c.Commands() {
			if !s.Hidden {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(s.Name()), roff(s.Short))
			}
		}
	}
	for _, set := range []struct {
		head  string
		visit func(func(*flagT))
	}{{"OPTIONS", c.NonInheritedFlags().VisitAll}, {"OPTIONS OF ALL COMMANDS", c.InheritedFlags().VisitAll}} {
		first := true
		set.visit(func(f *flagT) {
			if f.Hidden {
				return
			}
			if first {
				fmt.Fprintf(&b, ".SH %s\n", set.head)
				first = false
			}
			short := ""
			if f.Shorthand != "" {
				short = "-" + f.Shorthand + ", "
			}
			kind := ""
			if f.Value.Type() != "bool" {
				kind = " " + strings.ToUpper(f.Value.Type())
			}
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(short+"--"+f.Name+kind), roff(f.Usage))
		})
	}
	b.WriteString(".SH EXAMPLES\n.nf\n")
	for line := range strings.Lines(c.Example) {
		b.WriteString(roff(strings.TrimSpace(line)) + "\n")
	}
	b.WriteString(".fi\n.SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage, 3 a demand is not met, 130 interrupted, 141 standard output was not read to its end.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// roff makes text safe for roff: backslashes, hyphens that must stay hyphens,
// and lines that would begin a request.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// overviewArgs refuses words that are neither a command nor a file: with the
// file system's words those that look like a path, else with the nearest
// commands.
func overviewArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	info, err := os.Stat(args[0])
	switch {
	case err == nil && info.IsDir():
		return diag.Usagef("%s is a folder; a model is a file", args[0]).Note("%s --help shows examples", cmd.CommandPath())
	case err != nil && strings.ContainsAny(args[0], `./\`):
		return err
	case err != nil:
		return unknownCommand(cmd, args[0])
	case len(args) > 1:
		return exactly(1, "one model or a command")(cmd, args)
	}
	return nil
}

// overview answers octavo MODEL: what inspect shows, what the targets would
// say, and the next three commands.
func (c *cli) overview(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	m, err := c.load(args[0])
	if err != nil {
		return err
	}
	defer m.Close()
	info, err := m.Inspect()
	if err != nil {
		return err
	}
	out := struct {
		Schema  string       `json:"schema"`
		Inspect *octavo.Info `json:"inspect"`
		Targets []targetLine `json:"targets"`
		Next    []string     `json:"next"`
	}{Schema: "octavo.overview/1", Inspect: info, Targets: []targetLine{}}
	if quantized(info) {
		out.Next = []string{"octavo run %s --data test.npz -o outputs", "octavo inspect %s --tensors", "octavo diff %s OTHER.onnx"}
	} else {
		for _, name := range octavo.Targets() {
			r, err := m.Check(name)
			if err != nil {
				return err
			}
			out.Targets = append(out.Targets, targetLine{name, r.Summary()})
		}
		out.Next = []string{"octavo check %s --target " + octavo.DefaultTarget, "octavo quantize %s --data calib.npz", "octavo run %s --data test.npz -o outputs"}
	}
	for i, n := range out.Next {
		out.Next[i] = fmt.Sprintf(n, args[0])
	}
	w := cmd.OutOrStdout()
	if c.json {
		return printJSON(w, out)
	}
	if err := printInfo(w, args[0], info); err != nil {
		return err
	}
	if len(out.Targets) > 0 {
		fmt.Fprintln(w, "targets:")
	}
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	for _, t := range out.Targets {
		fmt.Fprintf(tw, "  %s\t%s\n", t.Name, t.Summary)
	}
	tw.Flush()
	for _, n := range out.Next {
		if _, err := fmt.Fprintln(w, "next:", n); err != nil {
			return err
		}
	}
	return nil
}

// targetLine is what a target would say of the model.
type targetLine struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
}

package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// shells is the table of completion scripts, in the order of the help.
var shells = []struct {
	name  string
	write func(root *cobra.Command, w io.Writer) error
}{
	{"bash", func(r *cobra.Command, w io.Writer) error { return r.GenBashCompletionV2(w, true) }},
	{"zsh", func(r *cobra.Command, w io.Writer) error { return r.GenZshCompletion(w) }},
	{"fish", func(r *cobra.Command, w io.Writer) error { return r.GenFishCompletion(w, true) }},
	{"powershell", func(r *cobra.Command, w io.Writer) error { return r.GenPowerShellCompletionWithDesc(w) }},
}

func newCompletion(c *cli) *cobra.Command {
	var names []string
	for _, s := range shells {
		names = append(names, s.name)
	}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print the script that completes octavo's words in bash, zsh, fish or powershell",
		Example:   "  octavo completion bash > octavo.bash\n  octavo completion fish > octavo.fish",
		Args:      exactly(1, "one shell: bash, zsh, fish or powershell"),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.json {
				return diag.Usagef("completion prints a script and has no JSON form").Note("octavo completion %s", args[0])
			}
			for _, s := range shells {
				if s.name == args[0] {
					return s.write(cmd.Root(), cmd.OutOrStdout())
				}
			}
			return diag.Usagef("shell %q is not known", args[0]).Suggest(args[0], names, "known")
		},
	}
}

// completeWords tells the shell which words flags and arguments take; all else
// is files.
func completeWords(root *cobra.Command) {
	words := map[string][]string{"target": octavo.Targets(), "observer": octavo.Observers(), "algorithm": append(octavo.Algorithms(), octavo.Words("weights.algorithm")...)}
	for _, cmd := range root.Commands() {
		for _, flag := range []string{"target", "observer", "algorithm"} {
			if cmd.Flags().Lookup(flag) == nil {
				continue
			}
			f := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return words[flag], cobra.ShellCompDirectiveNoFileComp
			}
			if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
				panic(err) // the flag is there, and is registered once
			}
		}
		if cmd.Name() == "targets" {
			cmd.ValidArgs = octavo.Targets()
		}
	}
}

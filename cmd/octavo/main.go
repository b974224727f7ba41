// Command octavo quantizes trained models and shows what that cost and gained.
//
// Each subcommand is a file: flags in, a call of package octavo, an exit code
// out. No logic lives here. Start at the table in newRoot.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/diag"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := interruptible()
	defer stop()
	// A second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	octavo.WatchMemory()
	if os.Getenv("GOGC") == "" {
		// Weights and arenas are few and large: letting the heap double between
		// collections would double the memory for no speed.
		debug.SetGCPercent(25)
		// Reading a model leaves some megabytes of small garbage, and a small heap
		// is collected for each of them. Memory that nobody touches makes it look
		// larger, and costs none: 32 MB let 8 MB become garbage.
		defer runtime.KeepAlive(make([]byte, 32<<20))
	}
	c := &cli{}
	root := newRoot(c)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = c.warnings.Err()
	}
	return c.end(ctx, err)
}

// cli is what all subcommands share.
type cli struct {
	quiet    bool
	json     bool
	threads  int
	silence  []string
	fail     []string
	warnings *diag.Sink
	// resumable says that the same command goes on where this one stopped.
	resumable bool
}

func newRoot(c *cli) *cobra.Command {
	root := &cobra.Command{
		Use:           "octavo",
		Short:         "Make trained models small and fast by quantization, and show what it cost",
		Long:          "Quantizes ONNX models for a runtime, judges the result on your data, and runs it.\n\nStart with: octavo demo",
		Example:       "  octavo demo\n  octavo model.onnx\n  octavo quantize model.onnx --data calib.npz",
		Args:          overviewArgs,
		RunE:          c.overview,
		SilenceErrors: true,
		SilenceUsage:  true,
		CompletionOptions: cobra.CompletionOptions{
			DisableDefaultCmd: true,
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range []string{"threads", "samples"} {
				if n, err := cmd.Flags().GetInt(name); err == nil && n < 0 {
					return diag.Usagef("--%s %d: want a number from 0 up", name, n).Note("0 is all")
				}
			}
			if err := cpu.Err(); err != nil {
				return diag.Usagef("%w", err)
			}
			c.warnings = diag.NewSink(os.Stderr)
			if c.quiet {
				c.warnings = diag.NewSink(nil)
			}
			if err := c.warnings.Set(diag.Silence, c.silence...); err != nil {
				return err
			}
			return c.warnings.Set(diag.Fail, c.fail...)
		},
	}
	c.warnings = diag.NewSink(os.Stderr)
	p := root.PersistentFlags()
	p.BoolVar(&c.quiet, "quiet", false, "print nothing but errors and results that were asked for")
	p.BoolVar(&c.json, "json", false, "print one JSON object to standard output")
	p.IntVar(&c.threads, "threads", 0, "threads to use; 0 is all (results do not depend on it)")
	p.StringSliceVar(&c.silence, "silence", nil, "warning ids to silence, such as OCT002")
	p.StringSliceVar(&c.fail, "fail-on", nil, "warning ids to treat as errors, or all")
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	for _, make := range commands {
		root.AddCommand(make(c))
	}
	completeWords(root)
	return root
}

// usageTemplate puts the examples first.
const usageTemplate = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}Usage:
  {{.UseLine}}{{if not .HasParent}} MODEL{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND --help

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of all commands:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

// commands is the table of subcommands.
var commands = []func(*cli) *cobra.Command{
	newDemo, newInspect, newCheck, newQuantize, newConvert, newValidate, newExplain, newBench, newRun, newDiff, newTargets, newCompletion, newMan, newVersion, newMeasure,
}

// unknownCommand names the nearest subcommands.
func unknownCommand(root *cobra.Command, word string) error {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return diag.Usagef("unknown command %q", word).Suggest(word, names, "commands")
}

// flagError turns a mistake in flags into a usage error with the nearest flags.
func flagError(cmd *cobra.Command, err error) error {
	e := diag.Usagef("%s", flagProblem(cmd, err))
	if _, rest, ok := strings.Cut(err.Error(), "unknown flag: "); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *flagT) { names = append(names, "--"+f.Name) })
		e.Suggest(rest, names, "")
	}
	return e.Note("%s --help shows the flags", cmd.CommandPath())
}

// exactly checks the number of arguments and says which are wanted.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return diag.Usagef("%s takes %s; got %d arguments", cmd.CommandPath(), what, len(args)).Note("%s --help shows examples", cmd.CommandPath())
		}
		return nil
	}
}

// load opens a model and passes on what reading it left to say.
func (c *cli) load(path string) (*octavo.Model, error) {
	m, err := octavo.Load(path)
	if err != nil {
		return nil, broken(err)
	}
	c.warnings.Warn(m.Warnings...)
	return m, nil
}

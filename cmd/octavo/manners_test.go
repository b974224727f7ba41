package main

import (
	"bytes"
	"os"
	"slices"
	"strconv"
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

// TestQuiet: with --quiet nothing is said but errors, and what was asked for: by
// commands that make files nothing at all.
func TestQuiet(t *testing.T) {
	dir := exampleFolder(t)
	covered := map[string]bool{}
	for _, c := range []struct {
		line   string
		answer bool // standard output is the answer
		code   int
	}{
		{"model.onnx", true, 0},
		{"inspect model.onnx", true, 0},
		{"check model.onnx", true, 0},
		{"targets", true, 0},
		{"bench model.onnx --runs 2 --no-memory", false, 0},
		{"diff model.onnx model.int8.onnx", true, 0},
		{"explain model.onnx model.int8.onnx --data test.npz --samples 5", true, 0},
		{"version", true, 0},
		{"completion fish", true, 0},
		{"quantize model.onnx --print-recipe", true, 0},
		{"quantize model.onnx --data random -o new.onnx --samples 3 --observer minmax", false, 0},
		{"quantize model.onnx --data calib-photos --preprocess unit -o photos.onnx", false, 0},
		{"validate model.onnx new.onnx --data test.npz --no-memory", false, 0},
		{"validate model.onnx photos.onnx --data test-photos --labels labels.csv --max-size 1KB", false, 3},
		{"run model.onnx --data test-photos --preprocess unit -o outputs", false, 0},
		{"convert model.onnx simple.onnx --simplify", false, 0},
		{"demo", false, 0},
		{"man -o man1", false, 0},
		{"quantize model.onnx --data gone.npz", false, 1},
		{"quantize model.onnx", false, 2},
	} {
		covered[strings.Fields(c.line)[0]] = true
		var stdout, stderr bytes.Buffer
		cmd := octavoIn(t, dir, append(strings.Fields(c.line), "--quiet")...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the code says what the error would
		if code := cmd.ProcessState.ExitCode(); code != c.code {
			t.Errorf("octavo %s --quiet: exit code %d, want %d", c.line, code, c.code)
		}
		if c.answer != (stdout.Len() > 0) {
			t.Errorf("octavo %s --quiet: %d bytes on standard output", c.line, stdout.Len())
		}
		said := strings.HasPrefix(stderr.String(), "octavo: error: ")
		if said != (c.code != 0) || !said && stderr.Len() > 0 {
			t.Errorf("octavo %s --quiet: says %q", c.line, &stderr)
		}
	}
	for _, c := range newRoot(&cli{}).Commands() {
		if !c.Hidden && !covered[c.Name()] {
			t.Errorf("no case for %s", c.Name())
		}
	}
}

// TestNoColour: nothing that is printed holds a control sequence, whatever the
// environment says, where standard error is no terminal.
func TestNoColour(t *testing.T) {
	dir := exampleFolder(t)
	for _, env := range []string{"NO_COLOR=1", "CLICOLOR_FORCE=1", "TERM=xterm-256color"} {
		for _, line := range []string{"--help", "inspect model.onnx", "inspect gone.onnx", "quantize model.onnx --data calib.npz -o new.onnx", "validate model.onnx new.onnx --data test.npz --no-memory"} {
			cmd := octavoIn(t, dir, strings.Fields(line)...)
			cmd.Env = append(os.Environ(), env)
			out, _ := cmd.CombinedOutput()
			if len(out) == 0 || bytes.ContainsRune(out, 0x1b) {
				t.Errorf("%s octavo %s: %q", env, line, out)
			}
		}
	}
}

// TestCompletionKnowsAll asks for the words behind octavo, and the flags behind
// each command, as the scripts of completion do.
func TestCompletionKnowsAll(t *testing.T) {
	dir := exampleFolder(t)
	words := func(args ...string) map[string]bool {
		out, err := octavoIn(t, dir, append([]string{"__complete"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			known[word] = true
		}
		return known
	}
	root := newRoot(&cli{})
	commands := words("")
	for _, c := range root.Commands() {
		if c.Hidden {
			continue
		}
		if !commands[c.Name()] {
			t.Errorf("%s is not completed", c.Name())
		}
		flags := words(c.Name(), "--")
		c.Flags().VisitAll(func(f *flagT) {
			if !f.Hidden && !flags["--"+f.Name] {
				t.Errorf("%s --%s is not completed", c.Name(), f.Name)
			}
		})
	}
}

// TestExitCodesPage holds the table of docs/warnings.md equal to the codes.
func TestExitCodesPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/warnings.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []int{0, diag.Failed.ExitCode(), diag.Usage.ExitCode(), diag.Gate.ExitCode(), diag.Interrupted.ExitCode(), unread}
	var got []int
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		if code, err := strconv.Atoi(strings.TrimSpace(cells[1])); err == nil && len(strings.TrimSpace(cells[2])) > 0 {
			got = append(got, code)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/warnings.md has the exit codes %v, want %v", got, want)
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

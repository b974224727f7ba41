package main

import (
	"bytes"
	"encoding/json"
	"io"
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

// TestJSONIsOneObject runs the commands with --json: standard output is one
// object with a versioned schema, and nothing else.
func TestJSONIsOneObject(t *testing.T) {
	dir := exampleFolder(t)
	covered := map[string]bool{"completion": true} // prints a script, no result
	for _, c := range []struct{ schema, line string }{
		{"octavo.overview/1", "model.onnx"},
		{"octavo.inspect/1", "inspect model.onnx"},
		{"octavo.check/1", "check model.onnx"},
		{"octavo.targets/1", "targets"},
		{"octavo.diff/1", "diff model.onnx model.int8.onnx"},
		{"octavo.quantize/1", "quantize model.onnx --data calib.npz"},
		{"octavo.validate/1", "validate model.onnx model.int8.onnx --data test.npz"},
		{"octavo.bench/1", "bench model.onnx model.int8.onnx --seconds 0.1"},
		{"octavo.run/1", "run model.int8.onnx --data test.npz -o outputs"},
		{"octavo.validate/1", "demo"},
		{"octavo.version/1", "version"},
		{"octavo.man/1", "man -o man1"},
	} {
		words := strings.Fields(c.line)
		covered[words[0]] = true
		out, err := octavoIn(t, dir, append(words, "--json")...).Output()
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		var v struct {
			Schema string `json:"schema"`
		}
		d := json.NewDecoder(bytes.NewReader(out))
		if err := d.Decode(&v); err != nil || v.Schema != c.schema {
			t.Errorf("%s: schema %q (%v), want %q", c.line, v.Schema, err, c.schema)
		}
		if _, err := d.Token(); err != io.EOF {
			t.Errorf("%s: more than one object", c.line)
		}
	}
	for _, c := range newRoot(&cli{}).Commands() {
		if !c.Hidden && !covered[c.Name()] {
			t.Errorf("no case for %s", c.Name())
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

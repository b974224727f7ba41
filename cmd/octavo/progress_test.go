package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestProgressLines: on a terminal a line that rewrites itself and goes away,
// elsewhere plain lines, and none in between.
func TestProgressLines(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		late     bool // the last line is long ago
		done     int
		want     []string // nil: nothing
		clean    bool     // without carriage returns
	}{
		{"terminal, half", true, true, 20, []string{"\rcalibrating [###############...............] 20/40 ", "/s ", " left "}, false},
		{"terminal, too soon", true, false, 20, nil, false},
		{"terminal, end", true, false, 40, []string{"[##############################] 40/40", "\r\033[K"}, false},
		{"plain, half", false, true, 20, []string{"calibrating: 20 of 40, ", "/s, ", " left\n"}, true},
		{"plain, too soon", false, false, 20, nil, true},
		{"plain, end", false, true, 40, nil, true},
	} {
		var b bytes.Buffer
		p := &progress{w: &b, what: "calibrating", total: 40, start: time.Now(), last: time.Now(), terminal: c.terminal}
		if c.late {
			p.last = p.last.Add(-time.Minute)
		}
		p.step(c.done)
		got := b.String()
		if c.want == nil && got != "" || c.clean && strings.Contains(got, "\r") {
			t.Errorf("%s: %q", c.name, got)
		}
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in %q", c.name, w, got)
			}
		}
	}
}

// TestProgressOnATerminal runs octavo on a pseudo-terminal, which script makes.
func TestProgressOnATerminal(t *testing.T) {
	path, err := built()
	if err != nil {
		t.Skipf("octavo cannot be built here: %v", err)
	}
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("no script here to make a pseudo-terminal")
	}
	dir := exampleFolder(t)
	onTerminal := func(args string) string {
		cmd := octavoIn(t, dir)
		cmd.Path, _ = exec.LookPath("script")
		cmd.Args = []string{"script", "-qec", path + " " + args, "/dev/null"}
		out, err := cmd.CombinedOutput()
		if err != nil && strings.Contains(string(out), "script") {
			t.Skipf("script is another one here: %s", out)
		}
		if err != nil {
			t.Errorf("octavo %s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, args := range []string{
		"quantize model.onnx --data calib.npz -o new.onnx",
		"run model.onnx --data test.npz --samples 40 -o outputs",
	} {
		out := onTerminal(args)
		if !strings.Contains(out, " [#") || !strings.Contains(out, "\r\033[K") {
			t.Errorf("octavo %s shows no bar, or leaves it: %q", args, out)
		}
		if strings.Contains(strings.ReplaceAll(out, "\r\033[K", ""), "\033") {
			t.Errorf("octavo %s: other control sequences: %q", args, out)
		}
		if out := onTerminal(args + " --quiet"); out != "" {
			t.Errorf("octavo %s --quiet says %q", args, out)
		}
	}
}

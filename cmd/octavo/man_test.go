package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestManPages: every command has a page with its sections, each line of which
// is text or a request that man knows; where man itself is there, it has
// nothing to complain of.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	root := newRoot(&cli{})
	root.SetArgs([]string{"man", "-o", dir, "--quiet"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		page := filepath.Join(dir, "octavo-"+c.Name()+".1")
		b, err := os.ReadFile(page)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, head := range []string{".TH OCTAVO-", ".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH EXAMPLES", ".SH EXIT STATUS"} {
			if !strings.Contains(string(b), head) {
				t.Errorf("%s has no %s", page, head)
			}
		}
		for line := range strings.Lines(string(b)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(word, ".") && !strings.Contains(" .TH .SH .TP .PP .B .nf .fi ", " "+word+" ") {
				t.Errorf("%s: unknown request %q", page, word)
			}
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Log("no groff here: the pages were not set")
		return
	}
	pages, _ := filepath.Glob(filepath.Join(dir, "*.1"))
	out, err := exec.Command(groff, append([]string{"-man", "-Tascii", "-ww", "-z"}, pages...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestLicencesAreThoseOfTheModules compares the table with the one in
// docs/dependencies.md, which internal/house holds equal to go.mod.
func TestLicencesAreThoseOfTheModules(t *testing.T) {
	b, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	linked, _, ok := strings.Cut(string(b), "Used by tests alone")
	if !ok {
		t.Fatal("docs/dependencies.md does not tell the linked modules from those of tests")
	}
	rows := 0
	for line := range strings.Lines(linked) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| module") {
			rows++
		}
	}
	if rows != len(licences) {
		t.Errorf("%d modules are linked, %d are listed", rows, len(licences))
	}
	for _, l := range licences {
		if row := fmt.Sprintf("| %s | %s | %s |", l.Module, l.Version, l.Licence); !strings.Contains(linked, row) {
			t.Errorf("docs/dependencies.md has no row %q", row)
		}
	}
}

// TestLicenceTextsAreOfWhatIsLinked: each module of the table, octavo and Go's
// library have a text, and nothing else has. That the texts are those of the
// modules is a test of generated files in internal/house.
func TestLicenceTextsAreOfWhatIsLinked(t *testing.T) {
	missing := map[string]bool{"octavo": true, "std": true}
	for _, l := range licences {
		missing[l.Module+" "+l.Version] = true
	}
	texts := splitLicences(licenceTexts)
	for _, x := range texts {
		if len(x.Text) < 100 {
			t.Errorf("%v: a text of %d bytes", x.Of, len(x.Text))
		}
		for _, of := range x.Of {
			owner := of[:max(0, strings.LastIndex(of, " "))]
			open, known := missing[owner]
			switch {
			case !known:
				t.Errorf("a text of %q, which is not linked", of)
			case open && !strings.Contains(of, "PATENTS"):
				missing[owner] = false
			}
		}
	}
	for owner, m := range missing {
		if m {
			t.Errorf("no licence of %s: go generate ./cmd/octavo", owner)
		}
	}
	var b strings.Builder
	if err := printLicences(&b); err != nil {
		t.Fatal(err)
	}
	for _, x := range texts {
		if !strings.Contains(b.String(), x.Text) {
			t.Errorf("the text of %v is not printed", x.Of)
		}
	}
	own, err := os.ReadFile("../../LICENSE")
	if err != nil || strings.TrimSpace(texts[0].Text) != strings.TrimSpace(string(own)) {
		t.Errorf("the first text is not LICENSE at the root (%v)", err)
	}
}

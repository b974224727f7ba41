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

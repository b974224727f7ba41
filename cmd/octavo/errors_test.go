package main

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
)

// saying is what octavo said on standard error, by script.
type saying struct {
	mu sync.Mutex
	by map[string]string
}

// said is filled by the command fails of scripts.
var said = saying{by: map[string]string{}}

func (s *saying) add(script, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[script] += text
}

// checkErrorsPage holds that every message of docs/errors.md was said in the
// script that its row names, if that script ran. In a message … stands for
// anything.
func checkErrorsPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		message, ok := strings.CutPrefix(cells[0], "| `")
		if !ok {
			continue
		}
		rows++
		if len(cells) != 4 {
			t.Errorf("docs/errors.md: %q has %d cells, want message, cause, remedy, script", message, len(cells))
			continue
		}
		message = strings.TrimSuffix(message, "`")
		script := strings.Trim(cells[3], "` |")
		if _, err := os.Stat("testdata/script/" + script + ".txtar"); err != nil {
			t.Errorf("docs/errors.md: %q: %v", message, err)
		}
		text, ran := said.by[script]
		pattern := strings.ReplaceAll(regexp.QuoteMeta(message), "…", ".*")
		if ran && !regexp.MustCompile(`(?m)^(octavo: error|  note): (.*: )?`+pattern).MatchString(text) {
			t.Errorf("docs/errors.md: script %s does not say %q", script, message)
		}
	}
	if rows == 0 {
		t.Error("docs/errors.md lists no messages")
	}
}

// notGiven are the warnings that nothing gives any more, or not yet.
var notGiven = map[string]bool{"OCT005": true, "OCT012": true}

// TestEveryWarningHasAScript: a script shows each warning on standard error.
func TestEveryWarningHasAScript(t *testing.T) {
	entries, err := os.ReadDir("testdata/script")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, e := range entries {
		b, err := os.ReadFile("testdata/script/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^stderr .*(OCT[0-9]{3})`).FindAllStringSubmatch(string(b), -1) {
			shown[m[1]] = true
		}
	}
	for _, k := range diag.KnownWarnings() {
		if shown[k.ID] == notGiven[k.ID] {
			t.Errorf("%s (%s): shown by a script: %v", k.ID, k.Title, shown[k.ID])
		}
	}
}

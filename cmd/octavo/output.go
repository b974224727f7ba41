package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/octavo-ml/octavo"
)

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// commandLine writes words as a shell reads them.
func commandLine(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; w == "" || strings.ContainsAny(w, " \t\n'\"\\$&|;<>()[]{}*?!#~`") {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f KB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// progress shows how far long work has come: a line that rewrites itself on a
// terminal, plain lines every few seconds otherwise.
type progress struct {
	w        io.Writer
	what     string
	total    int
	start    time.Time
	last     time.Time
	terminal bool
}

func (c *cli) progress(what string, total int) *progress {
	p := &progress{w: os.Stderr, what: what, total: total, start: time.Now(), last: time.Now()}
	if c.quiet {
		p.w = io.Discard
	}
	info, err := os.Stderr.Stat()
	p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && !c.quiet
	return p
}

// saving shows how much of a model is written, and lets an interrupt stop it.
func (c *cli) saving(ctx context.Context) octavo.SaveOption {
	const mega = 1_000_000
	bar := c.progress("writing MB", 0)
	return octavo.Saving(ctx, func(done, total int64) {
		if bar.total = int(total / mega); bar.total >= 100 {
			bar.step(int(done / mega))
		}
	})
}

// of reports that done items of a total are finished, which was not known
// before.
func (p *progress) of(done, total int) {
	if done == 0 {
		p.start, p.last = time.Now(), time.Now()
	}
	p.total = total
	p.step(done)
}

// step reports that done items are finished.
func (p *progress) step(done int) {
	interval := 5 * time.Second
	if p.terminal {
		interval = 100 * time.Millisecond
	}
	if done < p.total && time.Since(p.last) < interval {
		return
	}
	p.last = time.Now()
	spent := time.Since(p.start)
	left := time.Duration(float64(spent) / float64(max(done, 1)) * float64(p.total-done)).Round(time.Second)
	rate := float64(done) / max(spent.Seconds(), 1e-9)
	if !p.terminal {
		if done < p.total {
			fmt.Fprintf(p.w, "%s: %d of %d, %.1f/s, %v left\n", p.what, done, p.total, rate, left)
		}
		return
	}
	const width = 30
	full := width * done / max(p.total, 1)
	fmt.Fprintf(p.w, "\r%s [%s%s] %d/%d %.1f/s %v left ", p.what, strings.Repeat("#", full), strings.Repeat(".", width-full), done, p.total, rate, left)
	if done >= p.total {
		fmt.Fprint(p.w, "\r\033[K")
	}
}

// writePrescribed lists the values whose parameters the format prescribes.
func writePrescribed(w io.Writer, list []octavo.Prescribed) {
	renamed := 0
	for _, p := range list {
		if p.Renamed() {
			renamed++
			continue
		}
		fmt.Fprintf(w, "  prescribed %s: %v -> %v\n", p.Value, p.From, p.To)
	}
	if renamed > 0 {
		fmt.Fprintf(w, "  prescribed int8 for the uint8 of %d values, with zero points less by 128\n", renamed)
	}
}

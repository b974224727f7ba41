// Package report writes verdicts: as text for people, as JSON, as Markdown, as
// JUnit XML for continuous integration, and the changed answers as .csv.
//
// It computes nothing but how a figure looks, and must not know models, data or
// flags. Start at [File], the table of forms.
package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/validate"
)

// forms are the endings of file names, the longest first where one ends
// another.
var forms = []struct {
	ext   string
	write func(io.Writer, *validate.Verdict) error
}{
	{".json", JSON},
	{".md", Markdown},
	{".junit.xml", JUnit},
}

// File returns what writes a verdict to a file of this name.
func File(name string) (func(io.Writer, *validate.Verdict) error, error) {
	var known []string
	for _, f := range forms {
		if strings.HasSuffix(name, f.ext) {
			return f.write, nil
		}
		known = append(known, f.ext)
	}
	return nil, diag.Usagef("report %q: its ending names no form", name).Note("known: %s", strings.Join(known, ", "))
}

// JSON writes the verdict as one indented object.
func JSON(w io.Writer, v *validate.Verdict) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Flips writes the changed answers as .csv: candidate, sample from 0, label
// (empty without), the float model's answer and the candidate's.
func Flips(w io.Writer, v *validate.Verdict) error {
	c := csv.NewWriter(w)
	c.Write([]string{"candidate", "sample", "label", "float", "answer"})
	for _, f := range v.Flips {
		label := ""
		if f.Label >= 0 {
			label = strconv.FormatInt(f.Label, 10)
		}
		c.Write([]string{f.Candidate, strconv.Itoa(f.Sample), label, strconv.Itoa(f.Float), strconv.Itoa(f.Answer)})
	}
	c.Flush()
	return c.Error()
}

// longestName is how much of a name a table shows.
const longestName = 40

// names returns the models' names as tables show them: without the folders
// that all have in common, and of long ones the end.
func names(v *validate.Verdict) []string {
	var out []string
	for _, m := range v.Models {
		out = append(out, strings.ReplaceAll(m.Name, "\\", "/"))
	}
	for len(out) > 1 {
		dir, _, ok := strings.Cut(out[0], "/")
		for _, n := range out {
			ok = ok && strings.HasPrefix(n, dir+"/")
		}
		if !ok {
			break
		}
		for i := range out {
			out[i] = out[i][len(dir)+1:]
		}
	}
	seen := map[string]int{}
	for i, n := range out {
		if r := []rune(n); len(r) > longestName {
			out[i] = "…" + string(r[len(r)-longestName+1:])
		}
		// Cut names must stay apart.
		if seen[out[i]]++; seen[out[i]] > 1 {
			out[i] += fmt.Sprintf(" (%d)", seen[out[i]])
		}
	}
	out[0] = "float: " + out[0]
	return out
}

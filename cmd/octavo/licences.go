package main

//go:generate go -C _licences run . ..

import (
	_ "embed"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
)

// licenceTexts are the texts of all that is linked: lines "==== OWNER FILE" and
// the text that these files hold.
//
//go:embed licences.txt
var licenceTexts string

// licence is what one linked module is under.
type licence struct {
	Module  string `json:"module"`
	Version string `json:"version"`
	Licence string `json:"licence"` // SPDX expression
}

// licences lists the modules that the program is linked from, as go.mod pins
// them. A test compares it with the binary and with docs/dependencies.md.
var licences = []licence{
	{"github.com/inconshreveable/mousetrap", "v1.1.0", "Apache-2.0"},
	{"github.com/spf13/cobra", "v1.10.2", "Apache-2.0"},
	{"github.com/spf13/pflag", "v1.0.9", "BSD-3-Clause"},
	{"go.yaml.in/yaml/v3", "v3.0.6", "MIT AND Apache-2.0"},
	{"golang.org/x/image", "v0.47.0", "BSD-3-Clause"},
	{"golang.org/x/sync", "v0.24.0", "BSD-3-Clause"},
	{"golang.org/x/sys", "v0.49.0", "BSD-3-Clause"},
	{"google.golang.org/protobuf", "v1.36.12", "BSD-3-Clause"},
}

// licenceList is the answer of octavo version --licenses --json.
type licenceList struct {
	Schema  string        `json:"schema"`
	Modules []licence     `json:"modules"`
	Texts   []licenceText `json:"texts"`
}

// licenceText is one text and the files that hold it.
type licenceText struct {
	Of   []string `json:"of"` // "module version file"; octavo and std have no version
	Text string   `json:"text"`
}

// linkedLicences are those of the standard library and of the modules.
func linkedLicences() []licence {
	return append([]licence{{"std", runtime.Version(), "BSD-3-Clause"}}, licences...)
}

func splitLicences(s string) []licenceText {
	var out []licenceText
	inText := true
	for line := range strings.Lines(s) {
		of, ok := strings.CutPrefix(line, "==== ")
		if ok && inText {
			out = append(out, licenceText{})
		}
		if inText = !ok; ok {
			last := &out[len(out)-1]
			last.Of = append(last.Of, strings.TrimSpace(of))
		} else if len(out) > 0 {
			out[len(out)-1].Text += line
		}
	}
	for i := range out {
		out[i].Text = strings.Trim(out[i].Text, "\n") + "\n"
	}
	return out
}

func printLicences(w io.Writer) error {
	fmt.Fprintln(w, "octavo is under Apache-2.0. It is linked with:")
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	for _, l := range linkedLicences() {
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", l.Module, l.Version, l.Licence)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "\nTheir texts, to be passed on with the program:\n\n", licenceTexts)
	return err
}

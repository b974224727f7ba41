package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

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

func printLicences(w io.Writer) error {
	fmt.Fprintln(w, "octavo is under Apache-2.0: https://www.apache.org/licenses/LICENSE-2.0")
	fmt.Fprintln(w, "It is linked with Go's standard library (BSD-3-Clause) and these modules:")
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	for _, l := range licences {
		fmt.Fprintf(tw, "  %s\t%s\t%s\thttps://pkg.go.dev/%s@%s?tab=licenses\n", l.Module, l.Version, l.Licence, l.Module, l.Version)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "The texts are not in this binary: they come with the source of each module, and whoever\npasses the binary on must pass them on too.")
	return err
}

package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
)

// flagT is the flag type that cobra's flag sets hold.
type flagT = pflag.Flag

func newVersion(c *cli) *cobra.Command {
	var withLicences bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, or the licences of what the program is linked from",
		Example: "  octavo version\n  octavo version --licenses",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case c.json && withLicences:
				return printJSON(cmd.OutOrStdout(), licenceList{"octavo.licenses/1", linkedLicences(), splitLicences(licenceTexts)})
			case withLicences:
				return printLicences(cmd.OutOrStdout())
			case c.json:
				return printJSON(cmd.OutOrStdout(), map[string]any{"schema": "octavo.version/1", "version": octavo.Version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "octavo %s (%s, %s/%s)\n", octavo.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	cmd.Flags().BoolVar(&withLicences, "licenses", false, "list the linked modules with version and licence, and print the texts")
	return cmd
}

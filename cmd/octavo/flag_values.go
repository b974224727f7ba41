package main

import (
	"regexp"

	"github.com/spf13/cobra"
)

// flagValue is what the flag library says of a value of the wrong kind.
var flagValue = regexp.MustCompile(`^invalid argument (".*") for ".*--([a-z0-9-]+)" flag: `)

// kinds says in words what the types of flags take.
var kinds = map[string]string{
	"int": "a whole number", "int64": "a whole number", "uint64": "a whole number from 0 up", "float64": "a number", "bool": "true or false",
	"arithmetic": "float32 or bfloat16",
}

// flagProblem says what is wrong with flags in the words of all other errors.
func flagProblem(cmd *cobra.Command, err error) string {
	m := flagValue.FindStringSubmatch(err.Error())
	if m == nil {
		return err.Error()
	}
	f := cmd.Flags().Lookup(m[2])
	if f == nil || kinds[f.Value.Type()] == "" {
		return err.Error()
	}
	return "--" + m[2] + " " + m[1] + ": want " + kinds[f.Value.Type()]
}

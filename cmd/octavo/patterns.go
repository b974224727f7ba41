package main

import (
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
)

// patternList splits what was given to a flag of node patterns at commas, so
// that --only op:Gemm,op:MatMul says the same as the flag given twice. A node
// name that has a comma is matched with * in its place, or from a recipe.
func patternList(flag string, given []string) ([]string, error) {
	var all []string
	for _, g := range given {
		for _, p := range strings.Split(g, ",") {
			p = strings.TrimSpace(p)
			if p == "" {
				return nil, diag.Usagef("--%s %q: an empty pattern; want name globs or op:TYPE, separated by commas", flag, g)
			}
			all = append(all, p)
		}
	}
	return all, nil
}

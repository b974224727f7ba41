package main

import (
	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
)

// packFlags say where packed weights are kept.
type packFlags struct{ dir string }

func (f *packFlags) add(s *pflag.FlagSet) {
	s.StringVar(&f.dir, "pack-cache", "", "folder that keeps packed weights, for the next run of the same model to map")
}

// options returns how a model is compiled.
func (f *packFlags) options(threads int) []octavo.CompileOption {
	o := []octavo.CompileOption{octavo.Threads(threads)}
	if f.dir != "" {
		o = append(o, octavo.PackCache(f.dir))
	}
	return o
}

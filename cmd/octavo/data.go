package main

import (
	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
)

// dataFlags say where samples come from and how they become inputs. Every
// command that runs a model over data takes the same ones.
type dataFlags struct {
	octavo.DataOptions
}

// add defines the flags; what names the samples in the help of --data.
func (f *dataFlags) add(s *pflag.FlagSet, what string) {
	s.StringArrayVar(&f.Paths, "data", nil, what+": .npz, .npy, a folder of either, or NAME=PATH")
	s.StringArrayVar(&f.Fill, "fill", nil, "NAME=VALUE: a constant for an input that the data lacks")
}

// args returns the flags as they were given, for the child process that
// measures a model and for the next command in a summary.
func (f *dataFlags) args() []string {
	var out []string
	for _, p := range f.Paths {
		out = append(out, "--data", p)
	}
	for _, v := range f.Fill {
		out = append(out, "--fill", v)
	}
	return out
}

// open finds the samples for m and passes on what that left to say.
func (c *cli) open(m *octavo.Model, f *dataFlags) (*octavo.Dataset, error) {
	d, err := m.OpenData(f.DataOptions)
	if err != nil {
		return nil, err
	}
	c.warnings.Warn(d.Warnings()...)
	return d, nil
}

package main

import (
	"fmt"

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
	s.StringArrayVar(&f.Paths, "data", nil, what+": .npz, .npy, .jsonl, .csv, a folder of arrays or pictures, @list.txt, or NAME=PATH")
	s.StringArrayVar(&f.Fill, "fill", nil, "NAME=VALUE: a constant for an input that the data lacks")
	s.StringArrayVar(&f.Pad, "pad", nil, "NAME=VALUE: what fills rows that are too short")
	s.StringArrayVar(&f.State, "state", nil, "INPUT=OUTPUT: an output that is the input of the next sample of a file")
	s.StringVar(&f.ClassNames, "class-names", "", "file with the names of the classes, one a line")
	s.IntVar(&f.LabelOffset, "label-offset", 0, "number that is added to labels")
	s.BoolVar(&f.SkipBad, "skip-bad", false, "leave out pictures that are broken or have no label")
}

// args returns the flags as they were given, for the child process that
// measures a model and for the next command in a summary.
func (f *dataFlags) args() []string {
	var out []string
	for _, l := range []struct {
		flag   string
		values []string
	}{{"--data", f.Paths}, {"--fill", f.Fill}, {"--pad", f.Pad}, {"--state", f.State}} {
		for _, v := range l.values {
			out = append(out, l.flag, v)
		}
	}
	if f.ClassNames != "" {
		out = append(out, "--class-names", f.ClassNames)
	}
	if f.LabelOffset != 0 {
		out = append(out, "--label-offset", fmt.Sprint(f.LabelOffset))
	}
	if f.SkipBad {
		out = append(out, "--skip-bad")
	}
	return out
}

// open finds the samples for m and passes on what that left to say.
func (c *cli) open(m *octavo.Model, f *dataFlags) (*octavo.Dataset, error) {
	f.Threads, f.Warn = c.threads, c.warnings.Warn
	d, err := m.OpenData(f.DataOptions)
	if err != nil {
		return nil, err
	}
	c.warnings.Warn(d.Warnings()...)
	return d, nil
}

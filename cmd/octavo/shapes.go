package main

import (
	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
)

// shapeFlags fix dynamic dimensions. Every command that takes a model may have
// them.
type shapeFlags struct{ shapes, dims []string }

func (f *shapeFlags) add(s *pflag.FlagSet) {
	s.StringArrayVar(&f.shapes, "shape", nil, "INPUT=SIZES, such as input=1x3x224x224: fix the dynamic dimensions of an input")
	s.StringArrayVar(&f.dims, "dim", nil, "SYMBOL=NUMBER, such as batch=1: fix the dynamic dimensions of that name")
}

// args returns the flags as they were given, for the next command.
func (f *shapeFlags) args() []string {
	var out []string
	for _, s := range f.shapes {
		out = append(out, "--shape", s)
	}
	for _, d := range f.dims {
		out = append(out, "--dim", d)
	}
	return out
}

// loadFixed opens a model with the dimensions that the flags give.
func (c *cli) loadFixed(path string, f *shapeFlags) (*octavo.Model, error) {
	m, err := c.load(path)
	if err != nil {
		return nil, err
	}
	if err := m.Fix(f.shapes, f.dims); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

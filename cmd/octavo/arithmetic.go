package main

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
)

// arithmetic is the flag that says in which type floats are multiplied.
type arithmetic string

const float32Arithmetic, bfloat16Arithmetic arithmetic = "float32", "bfloat16"

// arithmeticUsage is what the flag does to all models of a command.
const arithmeticUsage = "float32, or bfloat16: faster and less exact, on processors with AVX512_BF16"

// add declares the flag, usage being what it does.
func (a *arithmetic) add(s *pflag.FlagSet, usage string) {
	*a = float32Arithmetic
	s.Var(a, "arithmetic", usage)
}

// String, Set and Type make it a value of the flag library.
func (a *arithmetic) String() string { return string(*a) }

// Set takes a word.
func (a *arithmetic) Set(word string) error {
	if w := arithmetic(word); w == float32Arithmetic || w == bfloat16Arithmetic {
		*a = w
		return nil
	}
	return errors.New("want " + kinds[a.Type()])
}

// Type names what kinds explains.
func (a *arithmetic) Type() string { return "arithmetic" }

// options returns what it adds to how a model is compiled.
func (a *arithmetic) options() []octavo.CompileOption {
	if *a == bfloat16Arithmetic {
		return []octavo.CompileOption{octavo.BFloat16Arithmetic()}
	}
	return nil
}

// Package cpu says which instruction sets may be used: what the processor has,
// limited by the environment variable OCTAVO_ISA.
//
// It knows no kernel and chooses none: the families' tables of variants ask
// it. Start at [Has]; levels are generic, avx2, avxvnni, avx512, vnni and amx on
// amd64, generic, neon, dotprod and i8mm on arm64, each including those before
// it: only avxvnni is missing on some processors of the levels behind it.
package cpu

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// Level is a set of instructions that kernels ask for. It includes the lower
// levels of the same architecture.
type Level uint8

// The levels. Generic is plain Go and always there.
const (
	Generic Level = iota
	AVX2          // AVX2, FMA and F16C
	AVXVNNI       // and AVX-VNNI: dot products of bytes in registers of AVX2
	AVX512        // and AVX-512 F, BW, DQ, VL
	VNNI          // and AVX-512 VNNI
	AMX           // and AMX int8, which the system has permitted
	NEON          // arm64's vectors
	DotProd       // and SDOT, UDOT
	I8MM          // and SMMLA, UMMLA
)

var names = [...]string{"generic", "avx2", "avxvnni", "avx512", "vnni", "amx", "neon", "dotprod", "i8mm"}

func (l Level) String() string { return names[l] }

// Environment names the variable that lowers the level.
const Environment = "OCTAVO_ISA"

// allowed is the highest level in force.
var allowed atomic.Uint32

// errEnvironment is what is wrong with the environment's level.
var errEnvironment = readEnvironment()

func readEnvironment() error {
	allowed.Store(uint32(detected()))
	name := os.Getenv(Environment)
	if name == "" {
		return nil
	}
	if _, err := Override(name); err != nil {
		return fmt.Errorf("%s: %w", Environment, err)
	}
	return nil
}

// Err returns an error if OCTAVO_ISA names no level or one that the processor
// lacks; what was detected is used then.
func Err() error { return errEnvironment }

// Has reports whether kernels of level l may be used.
func Has(l Level) bool {
	a := Level(allowed.Load())
	return l <= a && (l == Generic || first <= l) && !absent(l)
}

// Current returns the highest level that may be used.
func Current() Level { return Level(allowed.Load()) }

// Override sets the highest level by name, whatever OCTAVO_ISA says, and
// returns what restores the one before. It is for tests, which must not run in
// parallel with others that depend on it.
func Override(name string) (restore func(), err error) {
	l := Level(slices.Index(names[:], name))
	switch top := detected(); {
	case !slices.Contains(levels, l):
		var known []string
		for _, l := range levels {
			known = append(known, l.String())
		}
		return nil, fmt.Errorf("instruction set %q: unknown here; known are %s", name, strings.Join(known, ", "))
	case l <= top && absent(l):
		return nil, fmt.Errorf("instruction set %q: this processor has %s, but not that", name, top)
	case l > top:
		return nil, fmt.Errorf("instruction set %q: this processor has %s at most", name, top)
	}
	old := allowed.Swap(uint32(l))
	return func() { allowed.Store(old) }, nil
}

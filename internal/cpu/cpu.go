// Package cpu says which instruction sets may be used: what the processor has,
// limited by the environment variable OCTAVO_ISA.
//
// It chooses no kernel. Start at [Has]; levels are generic, avx2, avx512,
// vnni, amx on amd64 and neon, dotprod, i8mm on arm64, each including those
// before it.
package cpu

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// Level is a set of instructions that kernels ask for.
type Level string

// The levels.
const (
	Generic Level = "generic"
	AVX2    Level = "avx2" // with FMA
	AVX512  Level = "avx512"
	VNNI    Level = "vnni"
	AMX     Level = "amx"
	NEON    Level = "neon"
	DotProd Level = "dotprod"
	I8MM    Level = "i8mm"
)

// Environment is the variable that lowers the level.
const Environment = "OCTAVO_ISA"

var (
	mu    sync.RWMutex
	limit = detected()
	err   error
)

func fromEnvironment() Level {
	l, e := parse(os.Getenv(Environment))
	err = e
	return l
}

// allowed is the level in force; it is set once from the environment and
// changed by Override in tests.
var allowed = fromEnvironment()

func parse(name string) (Level, error) {
	if name == "" {
		return limit, nil
	}
	i := slices.Index(levels, Level(name))
	if i < 0 {
		return limit, fmt.Errorf("%s=%s: unknown level; known here: %s", Environment, name, known())
	}
	if i > slices.Index(levels, limit) {
		return limit, fmt.Errorf("%s=%s: this processor has %s at most", Environment, name, limit)
	}
	return levels[i], nil
}

func known() string {
	var out []string
	for _, l := range levels {
		out = append(out, string(l))
	}
	return strings.Join(out, ", ")
}

// Err returns an error if OCTAVO_ISA names a level that does not exist or that
// the processor does not have; what was detected is used then.
func Err() error { return err }

// Has reports whether the level may be used.
func Has(l Level) bool {
	mu.RLock()
	defer mu.RUnlock()
	i := slices.Index(levels, l)
	return i >= 0 && i <= slices.Index(levels, allowed)
}

// Current returns the highest level that may be used.
func Current() Level {
	mu.RLock()
	defer mu.RUnlock()
	return allowed
}

// Override sets the level, for tests, and returns what restores it.
func Override(l Level) (restore func(), err error) {
	mu.Lock()
	defer mu.Unlock()
	to, err := parse(string(l))
	if err != nil {
		return nil, err
	}
	old := allowed
	allowed = to
	return func() {
		mu.Lock()
		defer mu.Unlock()
		allowed = old
	}, nil
}

package cpu

import "golang.org/x/sys/cpu"

// first is the lowest level of this architecture above Generic.
const first = NEON

var levels = []Level{Generic, NEON, DotProd, I8MM}

func detected() Level {
	switch x := &cpu.ARM64; {
	case !x.HasASIMDDP:
		return NEON // every arm64 that Go runs on has it
	case !x.HasI8MM:
		return DotProd
	}
	return I8MM
}

// absent reports whether the processor lacks a level that lies below what it
// has.
func absent(Level) bool { return false }

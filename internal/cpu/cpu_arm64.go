package cpu

import "golang.org/x/sys/cpu"

// levels lists the levels of this architecture, lowest first.
var levels = []Level{Generic, NEON, DotProd, I8MM}

func detected() Level {
	switch {
	case !cpu.ARM64.HasASIMDDP:
		return NEON // every arm64 that Go runs on has it
	case !cpu.ARM64.HasI8MM:
		return DotProd
	}
	return I8MM
}

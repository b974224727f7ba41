package convert

import "github.com/octavo-ml/octavo/internal/cpu"

//go:generate go -C _asm run . ..

// variant is one implementation of the loops of quantization to and from 8
// bits: they run the first whose level may be used. Tests and benchmarks run
// every row of the table; each equals the Go code to the bit.
type variant struct {
	name  string
	level cpu.Level
}

// span is how many elements a variant takes at a time.
const span = 16

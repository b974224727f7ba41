package reduce

import "github.com/octavo-ml/octavo/internal/cpu"

//go:generate go -C _asm run . ..

// variant is one implementation of the loops over rows and places: they run the
// first whose level may be used. Tests run every row of the table; each equals
// the Go code to the bit.
type variant struct {
	name  string
	level cpu.Level
}

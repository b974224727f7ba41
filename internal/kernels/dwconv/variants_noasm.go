//go:build noasm || (!amd64 && !arm64)

package dwconv

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

// chain is chainGeneric.
func chain(dst, x []float32, off []int, w []float32, f *finish) { chainGeneric(dst, x, off, w, f) }

//go:build !noasm

package histogram

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

// spans takes in the leading elements, as many as fill pairs of vectors, and
// returns their number.
func (e *bounds) spans(x []float32) int {
	const vector = 4
	if !cpu.Has(cpu.NEON) || len(x) < 2*vector {
		return 0
	}
	var out [4 * lanes]uint32
	boundsNEON(&x[0], len(x)/(2*vector), &out)
	for i := range vector {
		e.add(out[i], out[lanes+i], int32(out[2*lanes+i]), out[3*lanes+i])
	}
	return len(x) / (2 * vector) * (2 * vector)
}

// addSpans is Add for the leading values, as many as fill steps, and returns
// their number too.
func (c *Counter) addSpans(x []float32) (zeros uint64, done int) {
	const step, vector = 8, 4
	if !cpu.Has(cpu.NEON) || len(x) < step {
		return 0, 0
	}
	done = len(x) / step * step
	bits := unsafe.Slice((*uint32)(unsafe.Pointer(&x[0])), done)
	countNEON(c.tables, &bits[0], done/step)
	var z [2 * step]uint32
	zerosNEON(&bits[0], done/vector, &z)
	var plus, minus uint64
	for i := range vector {
		plus += uint64(z[i])
		minus += uint64(z[step+i])
	}
	c.tables[0][0] -= plus << shift
	c.tables[0][negative] -= minus << shift
	return plus + minus, done
}

//go:noescape
func boundsNEON(x *float32, steps int, out *[64]uint32)

//go:noescape
func countNEON(tables *[2]cells, bits *uint32, steps int)

//go:noescape
func zerosNEON(bits *uint32, vectors int, out *[16]uint32)

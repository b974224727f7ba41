//go:build !noasm

package histogram

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

var variants = []variant{{"avx512", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// spans takes in the leading elements, as many as fill pairs of vectors, and
// returns their number.
func (e *bounds) spans(x []float32) int {
	var out [4 * lanes]uint32
	var vector int
	switch {
	case cpu.Has(cpu.AVX512) && len(x) >= 2*lanes:
		vector = lanes
		boundsAVX512(&x[0], len(x)/(2*vector), &out)
	case cpu.Has(cpu.AVX2) && len(x) >= lanes:
		vector = lanes / 2
		boundsAVX2(&x[0], len(x)/(2*vector), &out)
	default:
		return 0
	}
	for i := range vector {
		e.add(out[i], out[lanes+i], int32(out[2*lanes+i]), out[3*lanes+i])
	}
	return len(x) / (2 * vector) * (2 * vector)
}

// addSpans is Add for the leading values, as many as fill steps, and returns
// their number too.
func (c *Counter) addSpans(x []float32) (zeros uint64, done int) {
	const step = 8
	t := c.tables
	switch {
	case cpu.Has(cpu.AVX512) && len(x) >= lanes:
		done = len(x) / lanes * lanes
		n := pickAVX512(&c.kept[0], &x[0], done/lanes)
		zeros = uint64(done - n)
		kept := c.kept[:n]
		if n >= step {
			countAVX2(t, &kept[0], n/step)
		}
		for _, b := range kept[n/step*step:] {
			t[0][b>>16] += one | uint64(b&0xffff)
		}
	case cpu.Has(cpu.AVX2) && len(x) >= step:
		done = len(x) / step * step
		bits := unsafe.Slice((*uint32)(unsafe.Pointer(&x[0])), done)
		countAVX2(t, &bits[0], done/step)
		var z [2 * step]uint32
		zerosAVX2(&bits[0], done/step, &z)
		var plus, minus uint64
		for i := range step {
			plus += uint64(z[i])
			minus += uint64(z[step+i])
		}
		t[0][0] -= plus << shift
		t[0][negative] -= minus << shift
		zeros = plus + minus
	}
	return zeros, done
}

//go:noescape
func boundsAVX2(x *float32, steps int, out *[64]uint32)

//go:noescape
func boundsAVX512(x *float32, steps int, out *[64]uint32)

//go:noescape
func pickAVX512(kept *uint32, x *float32, vectors int) int

//go:noescape
func countAVX2(tables *[2]cells, bits *uint32, steps int)

//go:noescape
func zerosAVX2(bits *uint32, vectors int, out *[16]uint32)

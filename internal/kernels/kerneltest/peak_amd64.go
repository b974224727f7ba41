//go:build !noasm

package kerneltest

import "github.com/octavo-ml/octavo/internal/cpu"

//go:generate go -C _asm run . ..

// burst runs instructions that multiply and add as many numbers at a time as
// the processor can, and returns how many it was. It is 0 where nothing here
// measures that.
func burst(bytes bool) (macs int) {
	const n = 4000
	switch {
	case bytes && cpu.Has(cpu.AMX):
		config := [64]byte{0: 1} // the palette
		for i := range 8 {
			config[16+2*i], config[48+i] = 64, 16
		}
		peakAMX(n, &config)
		return n * 4 * 16 * 16 * 64
	case bytes && cpu.Has(cpu.VNNI):
		peakVNNI(n)
		return n * 24 * 64
	case bytes:
		return 0
	case cpu.Has(cpu.AVX512):
		peakFMA(n)
		return n * 24 * 16
	case cpu.Has(cpu.AVX2):
		peakFMA2(n)
		return n * 12 * 8
	}
	return 0
}

// peakFMA runs n·24 multiply-adds of vectors.
func peakFMA(n int)

// peakVNNI runs n·24 dot products of vectors.
func peakVNNI(n int)

// peakFMA2 runs n·12 multiply-adds of vectors of AVX2.
func peakFMA2(n int)

// peakAMX runs n·4 products of tiles whose shapes config says.
//
//go:noescape
func peakAMX(n int, config *[64]byte)

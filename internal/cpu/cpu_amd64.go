package cpu

import "golang.org/x/sys/cpu"

// first is the lowest level of this architecture above Generic.
const first = AVX2

var levels = []Level{Generic, AVX2, AVX512, VNNI, AMX}

func detected() Level {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return Generic
	case !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512VL || !x.HasAVX512DQ:
		return AVX2
	case !x.HasAVX512VNNI:
		return AVX512
	case !x.HasAMXTile || !x.HasAMXInt8 || !permitTiles():
		return VNNI
	}
	return AMX
}

// VBMI reports whether kernels of level AVX512 may permute bytes across a
// register: some processors of that level cannot.
func VBMI() bool { return Has(AVX512) && cpu.X86.HasAVX512VBMI }

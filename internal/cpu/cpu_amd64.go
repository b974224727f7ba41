package cpu

import "golang.org/x/sys/cpu"

// first is the lowest level of this architecture above Generic.
const first = AVX2

var levels = []Level{Generic, AVX2, AVXVNNI, AVX512, VNNI, AMX}

func detected() Level {
	x := &cpu.X86
	switch wide := x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ; {
	case !x.HasAVX2 || !x.HasFMA || !x.HasF16C:
		return Generic
	case !wide && x.HasAVXVNNI:
		return AVXVNNI
	case !wide:
		return AVX2
	case !x.HasAVX512VNNI:
		return AVX512
	case !x.HasAMXTile || !x.HasAMXInt8 || !permitTiles():
		return VNNI
	}
	return AMX
}

// absent reports whether the processor lacks a level that lies below what it
// has.
func absent(l Level) bool { return l == AVXVNNI && !cpu.X86.HasAVXVNNI }

// VBMI reports whether kernels of level AVX512 may permute bytes across a
// register: some processors of that level cannot.
func VBMI() bool { return Has(AVX512) && cpu.X86.HasAVX512VBMI }

// BF16 reports whether kernels of level AVX512 may multiply bfloat16 in pairs.
func BF16() bool { return Has(AVX512) && cpu.X86.HasAVX512BF16 }

// AMXBF16 reports whether kernels of level AMX may multiply bfloat16.
func AMXBF16() bool { return Has(AMX) && cpu.X86.HasAMXBF16 }

package gemm

import "encoding/binary"

// Unsigned fills dst from src, with the bits of flip turned: 0x80 makes of an
// int8 the uint8 that is 128 more.
func Unsigned(dst, src []byte, flip uint8) {
	src = src[:len(dst)]
	if flip == 0 {
		copy(dst, src)
		return
	}
	bits := uint64(flip) * 0x0101010101010101
	done := unsigned(dst, src, bits)
	unsignedGeneric(dst[done:], src[done:], bits)
}

// unsignedGeneric is the twin of unsigned.
func unsignedGeneric(dst, src []byte, bits uint64) {
	for ; len(dst) >= 8; dst, src = dst[8:], src[8:] {
		binary.NativeEndian.PutUint64(dst, binary.NativeEndian.Uint64(src)^bits)
	}
	for i, v := range src {
		dst[i] = v ^ uint8(bits)
	}
}

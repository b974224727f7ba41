package npy

import (
	"encoding/binary"
	"testing"
)

func TestLocalExtraOfLargeMembers(t *testing.T) {
	for at := range int64(2 * align) {
		for _, size := range []uint64{10, 1 << 33} {
			b := localExtra(at, size)
			if (at+int64(len(b)))%align != 0 {
				t.Fatalf("field of %d bytes at %d", len(b), at)
			}
			fields := map[uint16][]byte{}
			for rest := b; len(rest) > 0; {
				n := binary.LittleEndian.Uint16(rest[2:])
				fields[binary.LittleEndian.Uint16(rest)] = rest[4 : 4+n]
				rest = rest[4+n:]
			}
			z, large := fields[extraZip64]
			if large != (size == 1<<33) || len(fields[extraAlign]) < 2 {
				t.Fatalf("size %d: fields %v", size, fields)
			}
			if large && (len(z) != 16 || binary.LittleEndian.Uint64(z) != size || binary.LittleEndian.Uint64(z[8:]) != size) {
				t.Fatalf("zip64 field %v", z)
			}
		}
	}
}

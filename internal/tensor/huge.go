package tensor

import "unsafe"

// HugePage is the size of the pages that large memory is put on where the system
// has some: products read all weights in each run, and finding the address of each
// 4 KiB of them takes time, more so in virtual machines, and ends what a processor
// fetches ahead.
const HugePage = 2 << 20

// Large returns n zeroed bytes as Aligned does, on huge pages of their own where that
// is one of them or more and the system has some.
func Large(n int) []byte {
	if n < HugePage {
		return Aligned(n)
	}
	whole := (n + HugePage - 1) &^ (HugePage - 1)
	b := make([]byte, whole+HugePage)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (HugePage - 1))
	b = b[skip : skip+whole : skip+whole]
	useHugePages(b)
	return b[:n:n]
}

package tensor

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// largePages asks for pages of 2 MB where b covers whole ones. Walking through
// megabytes of weights on small pages costs a network as much as a twentieth of
// its time.
func largePages(b []byte) {
	const page = 2 << 20
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (page - 1))
	if whole := (len(b) - skip) &^ (page - 1); whole > 0 {
		// A refusal only costs time.
		_ = unix.Madvise(b[skip:skip+whole], unix.MADV_HUGEPAGE)
	}
}

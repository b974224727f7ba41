package runtime

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// hugePage is the size of the pages that large memory is put on where the system
// has some: products read all weights in each run, and finding the address of each
// 4 KiB of them takes time, more so in virtual machines, and ends what a processor
// fetches ahead.
const hugePage = 2 << 20

// slabs hands out memory for packed weights, from pieces that are larger where there
// is more of it: small weights lie together on huge pages.
type slabs struct {
	free  []byte
	total int // that was asked for
}

// take returns n bytes, as tensor.Aligned does.
func (s *slabs) take(n int) []byte {
	const few, most = 2 * hugePage, 32 << 20
	room := (n + alignment - 1) &^ (alignment - 1)
	s.total += room
	switch {
	case s.total <= few:
		return tensor.Aligned(n)
	case room >= few && room > len(s.free):
		return large(n)
	case room > len(s.free):
		s.free = large(min(s.total, most))
	}
	b := s.free[:n:n]
	s.free = s.free[room:]
	return b
}

// large returns n bytes at least on huge pages of their own, if there are such.
func large(n int) []byte {
	if n < hugePage {
		return tensor.Aligned(n)
	}
	whole := (n + hugePage - 1) &^ (hugePage - 1)
	b := make([]byte, whole+hugePage)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (hugePage - 1))
	b = b[skip : skip+whole : skip+whole]
	useHugePages(b)
	return b[:n:n]
}

//go:build unix

package tensor

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return b, func() error { return unix.Munmap(b) }, nil
}

// release drops the whole pages inside b from the resident set.
func release(b []byte) {
	page := uintptr(os.Getpagesize())
	lo := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	skip := int(-lo & (page - 1))
	if skip >= len(b) {
		return
	}
	b = b[skip:]
	b = b[:len(b)&^int(page-1)]
	if len(b) > 0 {
		// A refusal only costs memory.
		_ = unix.Madvise(b, unix.MADV_DONTNEED)
	}
}

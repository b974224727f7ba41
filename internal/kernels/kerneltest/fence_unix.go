//go:build unix

package kerneltest

import (
	"syscall"
	"testing"
	"unsafe"
)

// Fence returns a copy of s that ends where readable memory ends: a kernel
// that reads behind it crashes. Where the system offers no such memory it is a
// plain copy.
func Fence[T Integer | ~float32 | ~float64](t testing.TB, s []T) []T {
	t.Helper()
	var zero T
	page := syscall.Getpagesize()
	size := len(s) * int(unsafe.Sizeof(zero))
	pages := (size + page - 1) / page
	mem, err := syscall.Mmap(-1, 0, (pages+1)*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(mem); err != nil {
			t.Error(err)
		}
	})
	if err := syscall.Mprotect(mem[pages*page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	if len(s) == 0 {
		return nil
	}
	out := unsafe.Slice((*T)(unsafe.Pointer(&mem[pages*page-size])), len(s))
	copy(out, s)
	return out
}

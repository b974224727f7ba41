package cpu

import (
	"sync"
	"syscall"
	"unsafe"
)

// The numbers are those of Linux: arch/x86/include/uapi/asm/prctl.h, and of the
// state components of XSAVE in Intel's manual, volume 1, chapter 13.
const (
	getPermission = 0x1022 // ARCH_GET_XCOMP_PERM
	askPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
	tileConfig    = 17
	tileData      = 18
)

// permitTiles asks the system for leave to use the registers of AMX, once for
// the process, and reports whether it was given: without it the first of their
// instructions is a fault. Kernels before 5.16, sandboxes, and threads whose
// stack for signals is small are reasons to refuse.
var permitTiles = sync.OnceValue(func() bool {
	if _, _, e := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, askPermission, tileData, 0); e != 0 {
		return false
	}
	return permitted()&(1<<tileConfig|1<<tileData) == 1<<tileConfig|1<<tileData
})

// permitted returns the state components that the process may use, as bits.
func permitted() (mask uint64) {
	if _, _, e := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, getPermission, uintptr(unsafe.Pointer(&mask)), 0); e != 0 {
		return 0
	}
	return mask
}

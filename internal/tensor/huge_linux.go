package tensor

import "syscall"

// useHugePages asks for huge pages where memory is not touched yet. A refusal only
// costs time.
func useHugePages(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }

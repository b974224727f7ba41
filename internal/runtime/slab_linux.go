package runtime

import "golang.org/x/sys/unix"

// useHugePages asks for huge pages where memory is not touched yet. A refusal only
// costs time.
func useHugePages(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }

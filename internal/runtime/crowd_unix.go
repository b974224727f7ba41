//go:build unix

package runtime

import "syscall"

type usage struct{ r syscall.Rusage }

// taken returns how often a processor was taken from a thread of this process
// that wanted to go on.
func (u *usage) taken() int64 {
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u.r) != nil {
		return 0
	}
	return int64(u.r.Nivcsw)
}

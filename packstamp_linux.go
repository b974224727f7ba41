package octavo

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// stampOf names the state of a file: which it is, its length, and when its bytes
// and its inode last changed, which nobody can set back. settled says that this
// is so long ago that the clock tells any later change from it.
func stampOf(info fs.FileInfo) (stamp string, settled, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false, false
	}
	const tick = 5 * time.Second // more than any file system's
	changed := time.Unix(s.Ctim.Unix())
	age := time.Since(changed)
	return fmt.Sprint(s.Dev, s.Ino, s.Size, s.Mtim.Nano(), changed.UnixNano()), age > tick, true
}

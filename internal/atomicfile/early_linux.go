package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// beginWriting lets the disk begin with a range of the file. What it does not
// do, Sync does.
func beginWriting(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

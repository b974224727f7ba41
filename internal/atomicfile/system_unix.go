//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// chmodCounts says that permission bits protect something here.
const chmodCounts = true

func createExclusive(path string, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
}

// openShared opens a temporary so that it can be locked. Locks over NFS need
// a file that may be written.
func openShared(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// lock locks the file until it is closed, or its process ends.
func lock(f *os.File) locked {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return lockTaken
		case errors.Is(err, unix.EWOULDBLOCK):
			return lockHeld
		case !errors.Is(err, unix.EINTR):
			return lockUnknown
		}
	}
}

func replace(from, to string) error { return os.Rename(from, to) }

// syncFolder makes a rename last. File systems that cannot do it for folders
// say EINVAL.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil // a folder may be writable and not readable
		}
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}

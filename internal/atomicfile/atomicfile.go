// Package atomicfile replaces files as a whole: whatever happens while one is
// written, its name leads to all of the old bytes or all of the new.
//
// It knows folders, temporary names and locks; it must not know what is in the
// files. Start at [Create]; [Group] is for files that belong together.
package atomicfile

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// bufferSize spares system calls to those who write in small pieces.
const bufferSize = 1 << 16

// File is a file that is being written under a temporary name in the folder of
// its target.
type File struct {
	// Removed is how many temporaries of the same target Create found left
	// over from runs that were killed, and removed.
	Removed int

	f      *os.File // nil after Commit or Discard
	buf    *bufio.Writer
	path   string // as the caller names the target
	target string // what path leads to
	temp   string
	old    fs.FileInfo // of the file to be replaced, or nil
	// Of the bytes written, the first ones are on their way to the disk.
	written, started int64
}

// Create begins a new file that Commit will put in the place of path. A
// symbolic link at path is followed, so that the link stays and the file that
// it leads to is replaced; a folder, a device, a pipe and links in a circle
// are errors.
//
// Temporaries of the same target that no live process holds are removed.
func Create(path string) (*File, error) {
	f := &File{path: path}
	var err error
	if f.target, f.old, err = resolve(path); err == nil {
		f.Removed = removeLeftovers(f.target)
		err = f.open()
	}
	if err != nil {
		return nil, f.wrap(err)
	}
	return f, nil
}

// wrap names the target, and not the temporary, in an error.
func (f *File) wrap(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return fmt.Errorf("%s: %w", f.path, err)
}

// maxLinks is how many symbolic links are followed, as in Linux.
const maxLinks = 40

// resolve follows symbolic links from path and returns what it leads to, with
// its state if it exists.
func resolve(path string) (string, fs.FileInfo, error) {
	if path == "" {
		return "", nil, errors.New("an empty file name")
	}
	for range maxLinks {
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path, nil, nil
		case err != nil:
			return "", nil, err
		case info.IsDir():
			return "", nil, errors.New("is a folder")
		case info.Mode()&fs.ModeSymlink == 0:
			if !info.Mode().IsRegular() {
				return "", nil, errors.New("is no regular file")
			}
			return path, info, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", nil, err
		}
		if !filepath.IsAbs(link) {
			dir, _ := split(path)
			link = dir + link
		}
		path = link
	}
	return "", nil, errors.New("symbolic links lead in a circle")
}

// split takes a path apart at its last separator, which dir keeps. Paths are
// never cleaned: .. after a link to a folder is relative to where it leads.
func split(path string) (dir, base string) {
	dir, base = filepath.Split(path)
	if dir == "" {
		dir = "." + string(filepath.Separator)
	}
	return dir, base
}

// The temporary of <base> is .octavo-<base>-<random>.tmp, random being
// randomBytes in hexadecimal. A base that would make the name too long for a
// file system is cut and gets a hash.
const (
	randomBytes = 8
	maxBase     = 180
)

func tempPrefix(base string) string {
	if len(base) > maxBase {
		h := fnv.New64a()
		h.Write([]byte(base))
		cut := maxBase
		for cut > 0 && !utf8.RuneStart(base[cut]) {
			cut--
		}
		base = base[:cut] + "~" + hex.EncodeToString(h.Sum(nil))
	}
	return ".octavo-" + base + "-"
}

// open makes the temporary and locks it for as long as it is open.
func (f *File) open() error {
	perm := fs.FileMode(0o666) // less the umask
	if f.old != nil {
		perm = 0o600 // Commit gives it the old file's bits
	}
	dir, base := split(f.target)
	prefix := dir + tempPrefix(base)
	for {
		var random [randomBytes]byte
		rand.Read(random[:]) // does not fail
		f.temp = prefix + hex.EncodeToString(random[:]) + ".tmp"
		file, err := createExclusive(f.temp, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		// Another process may take a file that is not locked yet for a
		// leftover: then it holds the lock, or the file has gone.
		if lock(file) != lockHeld && isAt(file, f.temp) {
			f.f, f.buf = file, bufio.NewWriterSize(file, bufferSize)
			return nil
		}
		file.Close()
		os.Remove(f.temp)
	}
}

func isAt(file *os.File, path string) bool {
	a, err := file.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// locked is what became of an attempt to lock a file.
type locked uint8

const (
	lockTaken   locked = iota // the caller has it now
	lockHeld                  // another open file has it
	lockUnknown               // the file system has no locks
)

// removeLeftovers removes the temporaries of target that no process has
// locked, and returns how many.
func removeLeftovers(target string) (removed int) {
	dir, base := split(target)
	prefix := tempPrefix(base)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if !isTemp(e.Name(), prefix) || !e.Type().IsRegular() {
			continue
		}
		path := dir + e.Name()
		file, err := openShared(path)
		if err != nil {
			continue
		}
		// The lock is kept until the file is gone, so that an owner that has
		// made the file and not locked it yet sees it.
		if lock(file) == lockTaken && isAt(file, path) && os.Remove(path) == nil {
			removed++
		}
		file.Close()
	}
	return removed
}

func isTemp(name, prefix string) bool {
	random, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return false
	}
	random, ok = strings.CutSuffix(random, ".tmp")
	b, err := hex.DecodeString(random)
	return ok && err == nil && len(b) == randomBytes
}

// early is after how many bytes the disk is told to begin: so it works while
// the rest is made, and Commit waits less.
const early = 16 << 20

// Write appends to the new file, through a buffer.
func (f *File) Write(b []byte) (int, error) {
	if f.f == nil {
		return 0, f.wrap(fs.ErrClosed)
	}
	n, err := f.buf.Write(b)
	if err != nil {
		err = f.wrap(err)
	}
	f.written += int64(n)
	if f.written-f.started >= early {
		beginWriting(f.f, f.started, f.written-f.started)
		f.started = f.written
	}
	return n, err
}

// Commit puts the new file in the place of the target: its bytes are on the
// disk before the name changes, and the name is when Commit returns. The
// permission bits of a replaced file are kept. After an error the temporary is
// removed and the target is as it was; only where the folder cannot be synced
// it is new, and a power failure may bring the old one back.
func (f *File) Commit() error {
	err := f.settle()
	if err == nil {
		err = f.rename()
	}
	f.Discard()
	return err
}

// settle brings the bytes to the disk.
func (f *File) settle() error {
	if f.f == nil {
		return f.wrap(fs.ErrClosed)
	}
	if err := f.buf.Flush(); err != nil {
		return f.wrap(err)
	}
	if chmodCounts && f.old != nil {
		if err := f.f.Chmod(f.old.Mode().Perm()); err != nil {
			return f.wrap(err)
		}
	}
	if err := f.f.Sync(); err != nil {
		return f.wrap(err)
	}
	return nil
}

// rename gives a settled file its name. The lock is held until it has it.
func (f *File) rename() error {
	if err := replace(f.temp, f.target); err != nil {
		return f.wrap(err)
	}
	file := f.f
	f.f = nil
	dir, _ := split(f.target)
	if err := syncFolder(dir); err != nil {
		file.Close()
		return f.wrap(err)
	}
	if err := file.Close(); err != nil {
		return f.wrap(err)
	}
	return nil
}

// Discard gives the new file up and leaves the target as it is. After Commit
// it does nothing.
func (f *File) Discard() {
	if f.f == nil {
		return
	}
	f.f.Close()
	f.f = nil
	os.Remove(f.temp)
}

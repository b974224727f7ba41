package tensor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Mapping is a file mapped read-only into memory. Its pages belong to the
// file, not to the heap. It stays valid until Close, or until nothing refers
// to it any more.
type Mapping struct {
	b      []byte
	unmap  func() error
	closed atomic.Bool
	memory bool // b is ordinary memory, whose pages must not be dropped
	info   fs.FileInfo
}

// Map maps a regular file. An empty file gives an empty mapping.
func Map(f *os.File) (*Mapping, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", f.Name())
	}
	size := info.Size()
	if size == 0 {
		return &Mapping{unmap: func() error { return nil }, info: info}, nil
	}
	if int64(int(size)) != size {
		return nil, fmt.Errorf("%s: too large to map", f.Name())
	}
	b, unmap, err := mapFile(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("%s: map: %w", f.Name(), err)
	}
	m := &Mapping{b: b, unmap: unmap, info: info}
	runtime.SetFinalizer(m, func(m *Mapping) { m.Close() })
	return m, nil
}

// FromMemory returns a mapping over bytes that are in memory already.
func FromMemory(b []byte) *Mapping {
	return &Mapping{b: b, unmap: func() error { return nil }, memory: true}
}

// Bytes returns the whole file. The slice is only valid while the mapping is:
// keep the mapping reachable.
func (m *Mapping) Bytes() []byte { return m.b }

// Info returns what the file was when it was mapped, nil for memory.
func (m *Mapping) Info() fs.FileInfo { return m.info }

// Close unmaps the file; tensors over it must not be used any more.
func (m *Mapping) Close() error {
	if m.closed.Swap(true) {
		return nil
	}
	m.b = nil
	return m.unmap()
}

// Storage returns bytes off to off+n as storage. The range must lie inside.
func (m *Mapping) Storage(off, n int64) (Storage, error) {
	if off < 0 || n < 0 || off > int64(len(m.b)) || n > int64(len(m.b))-off {
		return nil, fmt.Errorf("range %d+%d lies outside the file of %d bytes", off, n, len(m.b))
	}
	if m.memory {
		return heap(m.b[off : off+n : off+n]), nil
	}
	return &mapped{m, off, n}, nil
}

type mapped struct {
	m      *Mapping
	off, n int64
}

func (s *mapped) Len() int64    { return s.n }
func (s *mapped) Bytes() []byte { return s.m.b[s.off : s.off+s.n : s.off+s.n] }

// Chunks releases each window behind itself, because pages that were read
// count as resident until the kernel wants them back.
func (s *mapped) Chunks(yield func([]byte) error) error {
	for off := int64(0); off < s.n; off += window {
		lo := s.off + off
		b := s.m.b[lo : lo+min(window, s.n-off)]
		if err := yield(b); err != nil {
			return err
		}
		release(b)
	}
	return nil
}

// Release tells the system that the bytes of a mapped tensor will not be
// needed soon; they are read again from the file when they are. Other storage
// is left alone.
func (t *Tensor) Release() {
	if s, ok := t.store.(*mapped); ok {
		release(s.Bytes())
	}
}

// ErrFileChanged says that a mapped file became shorter while it was read.
var ErrFileChanged = errors.New("the file became shorter while it was read; do not change it during the run")

// Guard runs f, which reads mapped memory, and turns the fault of a file that
// shrank underneath into ErrFileChanged. It covers only f's own goroutine. A
// system call that reads the memory fails instead: that error is turned too.
func Guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			if fault, ok := r.(interface{ Addr() uintptr }); ok && fault.Addr() > 1<<16 {
				err = ErrFileChanged
				return
			}
			panic(r)
		}
	}()
	if err := f(); !errors.Is(err, syscall.EFAULT) {
		return err
	}
	return ErrFileChanged
}

// StorageOf returns sub, a part of m.Bytes, as storage.
func (m *Mapping) StorageOf(sub []byte) (Storage, error) {
	if len(sub) == 0 {
		return m.Storage(0, 0)
	}
	off := uintptr(unsafe.Pointer(unsafe.SliceData(sub))) - uintptr(unsafe.Pointer(unsafe.SliceData(m.b)))
	if off >= uintptr(len(m.b)) {
		return nil, errors.New("the bytes do not lie inside the file")
	}
	return m.Storage(int64(off), int64(len(sub)))
}

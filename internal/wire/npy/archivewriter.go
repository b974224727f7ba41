package npy

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// ArchiveWriter writes an .npz file: members are stored, their data begins at
// multiples of 64 bytes, and nothing depends on the time.
type ArchiveWriter struct {
	out   counter
	zip   *zip.Writer
	names map[string]bool
}

// NewArchiveWriter returns a writer of an archive to w.
func NewArchiveWriter(w io.Writer) *ArchiveWriter {
	a := &ArchiveWriter{out: counter{w: w}, names: map[string]bool{}}
	a.zip = zip.NewWriter(&a.out)
	return a
}

// Numbers of the zip format (APPNOTE 4.4.2, 4.4.4, 4.5.3) and of the field that pads,
// which is the one of Android's zipalign.
const (
	flagUTF8    = 0x800
	madeByUnix  = 3 << 8
	localHeader = 30
	extraZip64  = 1
	extraAlign  = 0xd935
	firstDay    = 1<<5 | 1 // 1 January 1980
)

// Add writes the array name. data is little-endian and row-major.
func (a *ArchiveWriter) Add(name, descr string, shape []int, data []byte) error {
	head, err := checked(descr, shape, data)
	if err != nil {
		return fmt.Errorf("npz: member %q: %w", name, err)
	}
	switch {
	case name == "" || strings.ContainsRune(name, 0) || !utf8.ValidString(name) || len(name) > math.MaxUint16-len(".npy"):
		return fmt.Errorf("npz: %q cannot be the name of a member", name)
	case a.names[name]:
		return fmt.Errorf("npz: member %q stands twice in the archive", name)
	}
	a.names[name] = true
	size := uint64(len(head)) + uint64(len(data))
	f := &zip.FileHeader{
		Name:               name + ".npy",
		Method:             zip.Store,
		CRC32:              crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, data),
		CompressedSize64:   size,
		UncompressedSize64: size,
		CreatorVersion:     madeByUnix | 20,
		ReaderVersion:      20,
		Flags:              flagUTF8,
		//lint:ignore SA1019 CreateRaw reads this field and not Modified.
		ModifiedDate:  firstDay,
		ExternalAttrs: 0o644 << 16,
	}
	if err := a.zip.Flush(); err != nil {
		return err
	}
	f.Extra = localExtra(a.out.n+localHeader+int64(len(f.Name)), size)
	w, err := a.zip.CreateRaw(f)
	if err != nil {
		return err
	}
	f.Extra = nil // the archive's directory needs none of it
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// localExtra returns the extra field of a local header for a member of that
// size, so long that what follows begins at a multiple of align. at is where
// the field begins.
func localExtra(at int64, size uint64) []byte {
	var b []byte
	if size >= math.MaxUint32 {
		b = binary.LittleEndian.AppendUint16(b, extraZip64)
		b = binary.LittleEndian.AppendUint16(b, 16)
		b = binary.LittleEndian.AppendUint64(b, size)
		b = binary.LittleEndian.AppendUint64(b, size)
	}
	at += int64(len(b)) + 6
	pad := (align - at%align) % align
	b = binary.LittleEndian.AppendUint16(b, extraAlign)
	b = binary.LittleEndian.AppendUint16(b, uint16(2+pad))
	b = binary.LittleEndian.AppendUint16(b, align)
	return append(b, make([]byte, pad)...)
}

// Close writes the directory. It does not close the underlying writer.
func (a *ArchiveWriter) Close() error { return a.zip.Close() }

// counter counts what is written to w.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

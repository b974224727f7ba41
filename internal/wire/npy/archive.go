package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// DefaultLimit is how many bytes the compressed members of an archive may
// inflate to, unless OpenArchive is told otherwise.
const DefaultLimit = 1 << 30

// Archive is an .npz file that is being read. Its methods may be called from
// many goroutines.
type Archive struct {
	// Members are the arrays, in the order of the archive's directory.
	Members []*Member
	limit   int64
	mu      sync.Mutex
	used    int64 // of the limit, by members that were read
}

// Member is a file inside an archive, in most cases an .npy file.
type Member struct {
	// Name is the path inside the archive, without ".npy" at its end. It names
	// an array and must not be used as a path.
	Name string
	// Size is the length of the .npy file, as the archive declares it.
	Size int64
	// Offset is where the bytes of a stored member begin in the archive; they
	// may be used in place. It is -1 for a compressed member.
	Offset  int64
	file    *zip.File
	charged bool
}

// OpenArchive reads the directory of the .npz file of size bytes in r. limit
// bounds what all compressed members together may inflate to; 0 means
// DefaultLimit. Two members of one name are an error.
func OpenArchive(r io.ReaderAt, size, limit int64) (*Archive, error) {
	if limit == 0 {
		limit = DefaultLimit
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("npz: %w", err)
	}
	a := &Archive{limit: limit}
	seen := map[string]bool{}
	left := uint64(size)
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		m, err := newMember(f, size)
		if err != nil {
			return nil, fmt.Errorf("npz: member %q: %w", f.Name, err)
		}
		if seen[m.Name] {
			return nil, fmt.Errorf("npz: member %q stands twice in the archive", m.Name)
		}
		seen[m.Name] = true
		// Members that overlap would let a small file stand for a large one.
		if f.CompressedSize64 > left {
			return nil, errors.New("npz: the members are longer than the archive")
		}
		left -= f.CompressedSize64
		a.Members = append(a.Members, m)
	}
	return a, nil
}

func newMember(f *zip.File, size int64) (*Member, error) {
	if f.Flags&1 != 0 {
		return nil, &UnsupportedError{"an encrypted archive", "save it with numpy.savez"}
	}
	if f.UncompressedSize64 > 1<<62 {
		return nil, errors.New("its size is not possible")
	}
	m := &Member{Name: strings.TrimSuffix(f.Name, ".npy"), Size: int64(f.UncompressedSize64), Offset: -1, file: f}
	off, err := f.DataOffset()
	if err != nil {
		return nil, err
	}
	if off < 0 || off > size || f.CompressedSize64 > uint64(size-off) {
		return nil, errors.New("it ends outside the archive")
	}
	switch f.Method {
	case zip.Store:
		if f.CompressedSize64 != f.UncompressedSize64 {
			return nil, errors.New("it is stored, and its two sizes differ")
		}
		m.Offset = off
	case zip.Deflate:
	default:
		return nil, &UnsupportedError{fmt.Sprintf("compression method %d", f.Method), "save it with numpy.savez or savez_compressed"}
	}
	return m, nil
}

// Member returns the member of that name, or nil.
func (a *Archive) Member(name string) *Member {
	for _, m := range a.Members {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Read returns the bytes of a member, checked against its checksum. A
// compressed member counts against the archive's limit, once, with its
// declared size, which it cannot pass; memory grows with what it really holds.
func (a *Archive) Read(m *Member) ([]byte, error) {
	if err := a.charge(m); err != nil {
		return nil, err
	}
	r, err := m.file.Open()
	if err != nil {
		return nil, fmt.Errorf("npz: member %q: %w", m.Name, err)
	}
	defer r.Close()
	first := m.Size // of a stored member: the archive is that long
	if m.Offset < 0 {
		first = min(first, 1<<16)
	}
	b := make([]byte, 0, first)
	for {
		if len(b) == cap(b) {
			if int64(len(b)) >= m.Size {
				break
			}
			next := make([]byte, len(b), min(m.Size, 2*int64(cap(b))))
			copy(next, b)
			b = next
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("npz: member %q: %w", m.Name, err)
		}
	}
	// At the end, and only there, the checksum and the size are checked.
	switch n, err := r.Read(make([]byte, 1)); {
	case errors.Is(err, io.EOF) && n == 0:
		return b, nil
	case err != nil:
		return nil, fmt.Errorf("npz: member %q: %w", m.Name, err)
	}
	return nil, fmt.Errorf("npz: member %q: longer than it declares", m.Name)
}

func (a *Archive) charge(m *Member) error {
	if m.Offset >= 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m.charged {
		return nil
	}
	if m.Size > a.limit-a.used {
		return &UnsupportedError{
			fmt.Sprintf("inflating more than %d bytes (member %q has %d)", a.limit, m.Name, m.Size),
			"save the archive with numpy.savez, without compression",
		}
	}
	a.used += m.Size
	m.charged = true
	return nil
}

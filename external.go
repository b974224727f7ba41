package octavo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
)

// Files returns the files that the model lies in: those that Save wrote, or
// those that it was read from, the main file first.
func (m *Model) Files() []string {
	if m.saved != nil {
		return slices.Clone(m.saved)
	}
	out := []string{m.Path}
	if m.src != nil && m.onDisk {
		for _, name := range m.src.Neighbours() {
			out = append(out, filepath.Join(filepath.Dir(m.src.Path), name))
		}
	}
	return out
}

// read returns the files that the model's constants are read from.
func (m *Model) read() []string {
	var out []string
	for ; m != nil; m = m.base {
		if m.src != nil && m.onDisk {
			out = append(out, m.src.Path)
			for _, name := range m.src.Neighbours() {
				out = append(out, filepath.Join(filepath.Dir(m.src.Path), name))
			}
		}
	}
	return out
}

// dataPath is where the external data of a model at path is written.
func dataPath(path string) string {
	return filepath.Join(filepath.Dir(path), format.CompanionName(filepath.Base(path)))
}

// refersToData reports whether the model at path reads its external data where
// another model at path would have it.
func refersToData(path string) bool {
	if _, err := os.Stat(dataPath(path)); err != nil {
		return false
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	m, err := Load(path)
	if err != nil {
		return false
	}
	defer m.Close()
	return slices.Contains(m.src.Neighbours(), filepath.Base(dataPath(path)))
}

// dataReplaceable says whether external data may be written beside out.
func (m *Model) dataReplaceable(out string, force bool) error {
	path := dataPath(out)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	const another = "choose another name"
	if err != nil {
		return diag.Usagef("%s: %w", path, cause(err)).Note(another)
	}
	for _, name := range m.read() {
		if in, err := os.Stat(name); err == nil && os.SameFile(info, in) {
			return diag.Usagef("%s is a file of the input itself, and external data of the output would have its name", path).Note(another)
		}
	}
	if !info.Mode().IsRegular() {
		return diag.Usagef("%s is no regular file, and external data of the output would have its name", path).Note(another)
	}
	if info.Mode().Perm()&0o222 == 0 {
		return diag.Usagef("%s is read-only", path).Note("%s, or make it writable first", another)
	}
	if !force && !(WroteFile(out) && refersToData(out)) {
		return diag.Usagef("%s exists and octavo did not write it, and external data of the output would have its name", path).Note("%s, or replace it with --force", another)
	}
	return nil
}

// removeData removes the external data of a model at path that was replaced by
// one without, unless m reads it.
func (m *Model) removeData(path string) error {
	data := dataPath(path)
	info, err := os.Lstat(data)
	if err != nil || !info.Mode().IsRegular() {
		return nil // it has gone, or was never data
	}
	for _, name := range m.read() {
		if in, err := os.Stat(name); err == nil && os.SameFile(info, in) && !slices.Contains(m.read(), path) {
			return nil // another model's
		}
	}
	if err := os.Remove(data); err != nil {
		return fmt.Errorf("%s was written, and %s, which it no longer needs, could not be removed: %w", path, data, cause(err))
	}
	return nil
}

package octavo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/atomicfile"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format/all"
)

// OutputPath checks where a model made from m is to be written, before any
// work is done, and returns the path: out, or STEM.int8.EXT beside m where out
// is empty. EXT is that of m's name, or its format's where the name does not
// tell that.
//
// Errors are of kind usage where another name would do: no ending that names a
// format, a missing folder, a folder or device in the place of a file, a file
// that is read-only, that octavo did not write (unless force is given) or that
// is m itself, by whatever link; the same holds for the file of external data
// that may be written beside it. A folder that cannot be written to is a plain
// error. Temporary files of an interrupted run are removed, which m.Warnings
// says.
func (m *Model) OutputPath(out string, force bool) (string, error) {
	if out == "" {
		out = m.defaultOutput()
	}
	info, err := os.Stat(out)
	exists := err == nil
	if exists && info.IsDir() {
		return "", diag.Usagef("%s is a folder", out).Note("give a file name, such as %s", filepath.Join(out, filepath.Base(m.defaultOutput())))
	}
	if _, err := all.ByExtension(out); err != nil {
		return "", err
	}
	dir := filepath.Dir(out)
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return "", diag.Usagef("%s: %s is no folder", out, dir).Note("choose another name")
	} else if errors.Is(err, fs.ErrNotExist) {
		return "", diag.Usagef("%s: the folder does not exist", out).Note("make it first: mkdir -p %s", dir)
	} else if err != nil {
		return "", fmt.Errorf("%s: %w", out, cause(err))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", diag.Usagef("%s: %w", out, cause(err)).Note("choose another name")
	default:
		if err := m.replaceable(out, info, force); err != nil {
			return "", err
		}
	}
	if err := m.dataReplaceable(out, force); err != nil {
		return "", err
	}
	// What cannot be written is seen by making the temporary file.
	f, err := atomicfile.Create(out)
	if err != nil {
		if link, e := os.Readlink(out); e == nil {
			return "", &diag.Error{Err: err, Notes: []string{fmt.Sprintf("%s is a symbolic link to %s", out, link)}}
		}
		return "", err
	}
	if f.Removed > 0 {
		m.Warnings = append(m.Warnings, leftovers(out, f.Removed))
	}
	f.Discard()
	return out, nil
}

func leftovers(path string, removed int) Warning {
	return Warning{ID: "OCT014", Msg: fmt.Sprintf("%s: %d temporary files of an interrupted run were removed", path, removed)}
}

// replaceable says whether the file at out may be replaced.
func (m *Model) replaceable(out string, info fs.FileInfo, force bool) error {
	another := "choose another name"
	if in, err := os.Stat(m.Path); err == nil && os.SameFile(info, in) {
		return diag.Usagef("%s is the input itself", out).Note("%s", another)
	}
	if !info.Mode().IsRegular() {
		return diag.Usagef("%s is no regular file", out).Note("%s", another)
	}
	// Replacing changes the folder, not the file: nobody else would ask.
	if info.Mode().Perm()&0o222 == 0 {
		return diag.Usagef("%s is read-only", out).Note("%s, or make it writable first", another)
	}
	if !force && !WroteFile(out) {
		return diag.Usagef("%s exists and octavo did not write it", out).Note("%s, or replace it with --force", another)
	}
	return nil
}

func (m *Model) defaultOutput() string {
	ext := filepath.Ext(m.Path)
	stem := strings.TrimSuffix(m.Path, ext)
	if !slices.Contains(m.format.Extensions, strings.ToLower(ext)) {
		stem, ext = m.Path, m.format.Extensions[0]
	}
	return stem + ".int8" + ext
}

// TargetFor returns the target that a model is quantized for where none is named
// and it is written to path.
func TargetFor(path string) string {
	if f, err := all.ByExtension(path); err == nil && f.Form.ChannelsLast {
		return "litert"
	}
	return DefaultTarget
}

// OutputFor returns the name that a result of a recipe has where none is given:
// STEM.int8.EXT, or the type of its weights or numbers in the place of int8.
func (m *Model) OutputFor(r *Recipe) string {
	name := m.defaultOutput()
	ext := filepath.Ext(name)
	return strings.TrimSuffix(name, ".int8"+ext) + "." + r.Suffix() + ext
}

// cause leaves the path out of a file system's error, for those who name it.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

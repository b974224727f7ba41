package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/atomicfile"
	"github.com/octavo-ml/octavo/internal/diag"
)

// fileSize returns the bytes of the files together.
func fileSize(paths ...string) (n int64, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return 0, err
		}
		n += info.Size()
	}
	return n, nil
}

// readRecipe reads a recipe file.
func readRecipe(file string) (*octavo.Recipe, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := octavo.ParseRecipe(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	resolvePaths(r, file)
	return r, nil
}

// checkPlace says before any work whether a file that a flag names can be
// written; an empty name is none. It must be none of the others, which the
// command reads or writes.
func checkPlace(flag, path string, others ...string) error {
	if path == "" {
		return nil
	}
	for _, o := range others {
		if o != "" && sameFile(path, o) {
			return diag.Usagef("--%s %s: this is a file that the command reads or writes already", flag, path).Note("choose another name")
		}
	}
	f, err := atomicfile.Create(path)
	if err == nil {
		f.Discard()
		return nil
	}
	e := diag.Usagef("--%s %w", flag, err)
	if dir := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) {
		return e.Note("make the folder first: mkdir -p %s", dir)
	}
	return e.Note("choose another name")
}

// sameFile reports whether two names lead to one file, which need not be there.
func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(x, y)
	}
	return filepath.Clean(a) == filepath.Clean(b)
}

// resolvePaths makes the paths of a recipe relative to its file.
func resolvePaths(r *octavo.Recipe, file string) {
	beside := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(filepath.Dir(file), path)
	}
	if r.Data.Path != randomData {
		r.Data.Path = beside(r.Data.Path)
	}
	r.Evaluate.Data, r.Evaluate.Labels = beside(r.Evaluate.Data), beside(r.Evaluate.Labels)
	if name := string(r.Preprocess); !r.Preprocess.IsDefinition() && !slices.Contains(octavo.Presets(), name) {
		r.Preprocess = octavo.RecipePreprocess(beside(name))
	}
}

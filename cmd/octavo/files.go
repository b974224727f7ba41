package main

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/octavo-ml/octavo"
)

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
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

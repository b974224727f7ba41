package main

import (
	"fmt"
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

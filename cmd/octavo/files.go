package main

import (
	"os"
	"path/filepath"

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
	if r.Data.Path != "" && r.Data.Path != randomData && !filepath.IsAbs(r.Data.Path) {
		r.Data.Path = filepath.Join(filepath.Dir(file), r.Data.Path)
	}
}

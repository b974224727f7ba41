package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// outputPath returns where to write: what was asked for, or MODEL.int8.EXT.
// Writing over the input is refused, and so is a file that octavo did not
// write unless force is given.
func (c *cli) outputPath(in, out string, force bool) (string, error) {
	if out == "" {
		ext := filepath.Ext(in)
		out = strings.TrimSuffix(in, ext) + ".int8" + ext
	}
	dir := filepath.Dir(out)
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return "", diag.Usagef("%s: %s is no folder", out, dir).Note("choose another name with -o")
	} else if err != nil {
		return "", diag.Usagef("%s: the folder does not exist", out).Note("make it first: mkdir -p %s", dir)
	}
	info, err := os.Stat(out)
	if os.IsNotExist(err) {
		return out, nil
	}
	if err != nil {
		return "", err
	}
	if same, err := os.Stat(in); err == nil && os.SameFile(info, same) {
		return "", diag.Usagef("%s is the input itself", out).Note("choose another name with -o")
	}
	if info.IsDir() {
		return "", diag.Usagef("%s is a folder", out).Note("give a file name with -o")
	}
	if !force && !octavo.WroteFile(out) {
		return "", diag.Usagef("%s exists and octavo did not write it", out).Note("choose another name with -o, or replace it with --force")
	}
	return out, nil
}

// resolvePaths makes the paths of a recipe relative to its file.
func resolvePaths(r *octavo.Recipe, file string) {
	if r.Data.Path != "" && r.Data.Path != randomData && !filepath.IsAbs(r.Data.Path) {
		r.Data.Path = filepath.Join(filepath.Dir(file), r.Data.Path)
	}
}

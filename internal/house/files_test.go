package house_test

import (
	"bytes"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// maxLines is where a hand-written file must stop; 200 is the aim.
const maxLines = 600

func TestFilesAreShort(t *testing.T) {
	var lengths []int
	for _, s := range sources(t) {
		if s.generated() {
			continue
		}
		n := bytes.Count(s.bytes, []byte("\n"))
		if !s.test() {
			lengths = append(lengths, n)
		}
		if n > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed: split it by what its parts are for", s.path, n, maxLines)
		}
	}
	slices.Sort(lengths)
	t.Logf("%d files, median %d lines, 90th percentile %d", len(lengths), lengths[len(lengths)/2], lengths[len(lengths)*9/10])
}

func TestEachFolderSaysWhatItIsFor(t *testing.T) {
	comments := map[string][]string{}
	for _, s := range sources(t) {
		if _, ok := comments[s.dir()]; !ok {
			comments[s.dir()] = nil
		}
		if s.file.Doc != nil && !s.test() {
			comments[s.dir()] = append(comments[s.dir()], path.Base(s.path))
		}
	}
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("%q: %d package comments %v, want exactly one: what the room is for, what it must not know, where to start", dir, len(files), files)
		}
	}
}

// TestNamesSayWhat refuses names of drawers in which everything fits.
func TestNamesSayWhat(t *testing.T) {
	drawers := []string{"util", "utils", "common", "helper", "helpers", "type", "types", "misc", "shared", "base", "lib"}
	for _, s := range sources(t) {
		name := strings.TrimSuffix(s.file.Name.Name, "_test")
		if slices.Contains(drawers, name) {
			t.Errorf("%s: a package called %s says nothing about what is in it", s.path, name)
		}
		for part := range strings.SplitSeq(s.dir(), "/") {
			if slices.Contains(drawers, part) {
				t.Errorf("%s: a folder called %s says nothing about what is in it", s.path, part)
			}
		}
		if name != "main" && (strings.Contains(name, "_") || name != strings.ToLower(name)) {
			t.Errorf("%s: package %s: one lowercase word", s.path, name)
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s:%d: func init: catalogues are plain tables that tests can read", s.path, s.line(fn))
			}
		}
	}
}

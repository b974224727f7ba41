package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxLines is where a hand-written file must stop; aimLines is the aim.
const maxLines = 600

// sources returns the project's Go files, generators and test data left out.
func sources(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != "../.." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "fuzz") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFilesAreShort(t *testing.T) {
	var lengths []int
	for _, path := range sources(t) {
		if strings.HasPrefix(filepath.Base(path), "z") {
			continue // generated
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := strings.Count(string(b), "\n")
		if !strings.HasSuffix(path, "_test.go") {
			lengths = append(lengths, n)
		}
		if n > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed: split it", path, n, maxLines)
		}
	}
	slices.Sort(lengths)
	t.Logf("%d files, median %d lines, 90th percentile %d", len(lengths), lengths[len(lengths)/2], lengths[len(lengths)*9/10])
}

func TestEachFolderSaysWhatItIsFor(t *testing.T) {
	comments := map[string][]string{}
	for _, path := range sources(t) {
		dir := filepath.Dir(path)
		if _, ok := comments[dir]; !ok {
			comments[dir] = nil
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc != nil && !ast.IsGenerated(f) {
			comments[dir] = append(comments[dir], filepath.Base(path))
		}
	}
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("%s: %d package comments %v, want exactly one", dir, len(files), files)
		}
	}
}

func TestFolderNamesSayWhat(t *testing.T) {
	for _, path := range sources(t) {
		for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(path)), "/") {
			if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc"}, part) {
				t.Errorf("%s: a folder called %q says nothing", path, part)
			}
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, path := range sources(t) {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init: catalogues are plain tables", path)
			}
		}
	}
}

package house_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// foreign are words that belong to one machine or one network and to no
// checkout. They are written in pieces so that this file does not contain them.
var foreign = []struct{ word, why string }{
	{"/wo" + "rk/", "a path of one machine"},
	{"/ro" + "ot/", "a path of one machine"},
	{"/ho" + "me/", "a path of one machine"},
	{"/Us" + "ers/", "a path of one machine"},
	{"proxy.gol" + "ang.org", "the address of a registry: ordinary clients know it"},
	{"sum.gol" + "ang.org", "the address of a registry: ordinary clients know it"},
	{"py" + "pi.org", "the address of a registry: ordinary clients know it"},
	{"pythonhos" + "ted.org", "the address of a registry: ordinary clients know it"},
	{"registry.npm" + "js.org", "the address of a registry: ordinary clients know it"},
	{"GOPR" + "OXY=", "where modules come from is the user's choice"},
	{"index-" + "url", "where packages come from is the user's choice"},
}

// licenceFiles are the files that state licences, as ADR 7 says; the second is
// generated.
var licenceFiles = []string{"LICENSE", "cmd/octavo/licences.txt"}

// TestTextBelongsToTheProject reads every file that is or could be committed.
func TestTextBelongsToTheProject(t *testing.T) {
	for _, name := range tracked(t) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(b, 0) >= 0 {
			continue
		}
		for _, f := range foreign {
			if i := bytes.Index(b, []byte(f.word)); i >= 0 {
				t.Errorf("%s:%d: %q: %s", name, 1+bytes.Count(b[:i], []byte("\n")), f.word, f.why)
			}
		}
		if !slices.Contains(licenceFiles, name) && bytes.Contains(bytes.ToLower(b), []byte("copy"+"right ")) {
			t.Errorf("%s claims a right of its own: the project states its licence in LICENSE, and others' files are not committed", name)
		}
	}
}

// madeHere are the folders of binary files that the project itself made, with
// the script or test that makes them.
var madeHere = []struct{ dir, by string }{
	{"testdata/demo", "testdata/make"},
	{"internal/dataset/picture/testdata", "internal/dataset/picture/testdata/make"},
	{"internal/dataset/picture/testdata/jpeg420", "internal/dataset/picture/testdata/make"},
	{"internal/dataset/picture/testdata/other", "internal/dataset/picture/testdata/make"},
	{"internal/format/tflite/testdata", "testdata/make"},
	{"interop/testdata/contrib", "interop"}, // contrib.py there
}

// maxFile is what a committed file may weigh: whoever clones pays for it.
const maxFile = 1 << 20

// TestNoForeignData: data in the repository is made by the project; models and
// data of others are read from beside the checkout, and tests skip without them.
func TestNoForeignData(t *testing.T) {
	files := tracked(t)
	for _, m := range madeHere {
		if !slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(f, m.by+"/") }) {
			t.Errorf("%s, which makes %s, is not there", m.by, m.dir)
		}
	}
	for _, name := range files {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > maxFile {
			t.Errorf("%s has %d bytes, at most %d are allowed", name, info.Size(), maxFile)
		}
		if slices.ContainsFunc(madeHere, func(m struct{ dir, by string }) bool { return path.Dir(name) == m.dir }) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(b, 0) >= 0 {
			t.Errorf("%s is binary: write it from a test, or add its folder to madeHere with what makes it", name)
		}
	}
}

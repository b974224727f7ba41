package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/atomicfile"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, path, text string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != text {
		t.Errorf("%s: got %q, %v, want %q", path, got, err, text)
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func create(t *testing.T, path, text string) *atomicfile.File {
	t.Helper()
	f, err := atomicfile.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCommitAndDiscard(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")

	f := create(t, path, "one")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the target is there before Commit: %v", err)
	}
	if n := names(t, dir); !strings.HasPrefix(n, ".octavo-m.onnx-") || !strings.HasSuffix(n, ".tmp") {
		t.Errorf("temporary %q", n)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	want(t, path, "one")
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a second Commit: %v", err)
	}
	if _, err := f.Write(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Commit: %v", err)
	}

	create(t, path, "two").Discard()
	want(t, path, "one")
	if err := create(t, path, "three").Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, path, "three")
	if n := names(t, dir); n != "m.onnx" {
		t.Errorf("the folder holds %q", n)
	}
}

func TestRelativeNames(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := create(t, "m.onnx", "x").Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, "m.onnx", "x")
	if n := names(t, "."); n != "m.onnx" {
		t.Errorf("the folder holds %q", n)
	}
}

func TestPermissionsAreKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permission bits have no meaning on Windows")
	}
	dir := t.TempDir()
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o777, 0o444} {
		path := filepath.Join(dir, mode.String())
		put(t, path, "old")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := create(t, path, "new").Commit(); err != nil {
			t.Fatal(err)
		}
		want(t, path, "new")
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("got %v, %v, want %v", info.Mode(), err, mode)
		}
	}
	fresh, plain := filepath.Join(dir, "fresh"), filepath.Join(dir, "plain")
	if err := create(t, fresh, "").Commit(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(plain)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	a, _ := os.Stat(fresh)
	b, _ := os.Stat(plain)
	if a.Mode() != b.Mode() {
		t.Errorf("a new file has %v, os.Create gives %v", a.Mode(), b.Mode())
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestLinksAreFollowed(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(sub, "real"), "old")
	link(t, filepath.Join("sub", "real"), filepath.Join(dir, "a"))
	link(t, "a", filepath.Join(dir, "b"))
	link(t, filepath.Join(sub, "new"), filepath.Join(dir, "dangling"))
	for name, target := range map[string]string{"b": "real", "dangling": "new"} {
		path := filepath.Join(dir, name)
		if err := create(t, path, name).Commit(); err != nil {
			t.Fatal(err)
		}
		want(t, filepath.Join(sub, target), name)
		if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", name)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	link(t, "loop2", filepath.Join(dir, "loop1"))
	link(t, "loop1", filepath.Join(dir, "loop2"))
	link(t, dir, filepath.Join(dir, "folder"))
	put(t, filepath.Join(dir, "file"), "")
	for _, c := range []struct{ path, want string }{
		{"loop1", "circle"},
		{"folder", "is a folder"},
		{".", "is a folder"},
		{filepath.Join("missing", "m.onnx"), ""},
		{filepath.Join("file", "m.onnx"), ""},
	} {
		path := filepath.Join(dir, c.path)
		_, err := atomicfile.Create(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), ".tmp") {
			t.Errorf("%s: got %v, want %q", c.path, err, c.want)
		}
	}
	if _, err := atomicfile.Create(filepath.Join(dir, "missing", "m")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
	if _, err := atomicfile.Create(""); err == nil {
		t.Error("an empty name is accepted")
	}
	if runtime.GOOS != "windows" {
		if _, err := atomicfile.Create(os.DevNull); err == nil || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("a device: %v", err)
		}
	}
}

func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m")
	random := strings.Repeat("0a", 8)
	others := []string{
		".octavo-m-1-" + random + ".tmp", // of the target "m-1"
		".octavo-m-" + random + ".tm",
		".octavo-m-" + random + "00.tmp",
		".octavo-m-" + strings.Repeat("zz", 8) + ".tmp",
		"octavo-m-" + random + ".tmp",
	}
	for _, name := range append(others, ".octavo-m-"+random+".tmp", ".octavo-m-"+strings.Repeat("1", 16)+".tmp") {
		put(t, filepath.Join(dir, name), "left over")
	}
	live := create(t, path, "live")
	if live.Removed != 2 {
		t.Errorf("removed %d leftovers, want 2", live.Removed)
	}
	second := create(t, path, "second")
	if second.Removed != 0 {
		t.Errorf("removed %d, and the only temporary is alive", second.Removed)
	}
	if err := second.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := live.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, path, "live")
	for _, name := range others {
		want(t, filepath.Join(dir, name), "left over")
	}
}

func TestLongNames(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, strings.Repeat("ü", 120)+"a"), filepath.Join(dir, strings.Repeat("ü", 120)+"b")
	fa, fb := create(t, a, "a"), create(t, b, "b")
	for _, name := range strings.Fields(names(t, dir)) {
		put(t, filepath.Join(dir, name[:len(name)-20]+strings.Repeat("0", 16)+".tmp"), "left over")
	}
	if err := errors.Join(fa.Commit(), fb.Commit()); err != nil {
		t.Fatal(err)
	}
	want(t, a, "a")
	want(t, b, "b")
	f := create(t, a, "")
	defer f.Discard()
	if f.Removed != 1 {
		t.Errorf("removed %d leftovers of two long names, want the one of its own", f.Removed)
	}
}

// group begins a group of these files, the first one being the main file.
func group(t *testing.T, paths ...string) *atomicfile.Group {
	t.Helper()
	g, err := atomicfile.NewGroup(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		f, err := g.Create(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("new " + filepath.Base(p))); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestGroup(t *testing.T) {
	dir := t.TempDir()
	data, model := filepath.Join(dir, "m.data"), filepath.Join(dir, "m")
	put(t, model, "old")
	put(t, filepath.Join(dir, ".octavo-m.data-"+strings.Repeat("1", 16)+".tmp"), "left over")
	g := group(t, model, data)
	if g.Removed() != 1 {
		t.Errorf("removed %d leftovers, want 1", g.Removed())
	}
	if _, err := g.Create(data); err == nil || !strings.Contains(err.Error(), "written twice") {
		t.Errorf("one target twice: %v", err)
	}
	want(t, model, "old")
	if err := g.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, data, "new m.data")
	want(t, model, "new m")
	if n := names(t, dir); n != "m m.data" {
		t.Errorf("the folder holds %q", n)
	}
}

func TestGroupFailures(t *testing.T) {
	dir := t.TempDir()
	data, model := filepath.Join(dir, "m.data"), filepath.Join(dir, "m")
	group(t, model, data).Discard()
	if n := names(t, dir); n != "" {
		t.Errorf("after Discard the folder holds %q", n)
	}
	if _, err := atomicfile.NewGroup(dir); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder as main file: %v", err)
	}

	g, err := atomicfile.NewGroup(model)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Create(data); err != nil {
		t.Fatal(err)
	}
	if err := g.Commit(); err == nil || !strings.HasPrefix(err.Error(), model+": ") {
		t.Errorf("no main file: %v", err)
	}
	if n := names(t, dir); n != "" {
		t.Errorf("without a main file the folder holds %q", n)
	}

	g = group(t, model, data)
	if err := os.Mkdir(model, 0o755); err != nil { // the second rename must fail
		t.Fatal(err)
	}
	err = g.Commit()
	if err == nil || !strings.HasPrefix(err.Error(), model+": ") || !strings.Contains(err.Error(), "replaced already: "+data) {
		t.Errorf("got %v", err)
	}
	if n := names(t, dir); n != "m m.data" {
		t.Errorf("the folder holds %q", n)
	}
}

package kerneltest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Fresh fails the test where the named files of a package are not what the
// generator in its folder _asm makes.
func Fresh(t *testing.T, names ...string) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	cmd := exec.Command("go", "run", ".", dir)
	cmd.Dir = "_asm"
	// The generator runs on this machine, whatever the test is built for.
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); !slices.Contains([]string{"GOOS", "GOARCH", "GOFLAGS"}, name) {
			cmd.Env = append(cmd.Env, e)
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range names {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate", name)
		}
	}
	if made, _ := os.ReadDir(dir); len(made) != len(names) {
		t.Errorf("the generator makes %d files, the test knows %d", len(made), len(names))
	}
}

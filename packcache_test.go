package octavo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/testdata"
)

// demoModel writes the demo's model.
func demoModel(t *testing.T, path string) *Model {
	t.Helper()
	b, err := testdata.Demo.ReadFile("demo/model.onnx")
	if err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// runCached runs the first random sample with the folder as cache.
func runCached(t *testing.T, m *Model, opts ...CompileOption) Inputs {
	t.Helper()
	p, err := m.Compile(opts...)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := m.RandomSamples(1, 3)
	if err != nil {
		t.Fatal(err)
	}
	for in, err := range samples {
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(context.Background(), in)
		if err != nil || len(p.Warnings()) > 0 {
			t.Fatal(err, p.Warnings())
		}
		return out
	}
	return nil
}

// TestPackCacheBelongsToContent: a model under two names has one file, models
// that were changed or made have their own, and the outputs are those without.
func TestPackCacheBelongsToContent(t *testing.T) {
	dir := t.TempDir()
	cache := filepath.Join(dir, "cache")
	packed := func() int {
		files, err := filepath.Glob(filepath.Join(cache, "*.packed"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	same := func(what string, m *Model, files int) {
		t.Helper()
		want := runCached(t, m)
		for range 2 {
			got := runCached(t, m, PackCache(cache))
			for name, w := range want {
				if !tensor.Equal(got[name], w) {
					t.Errorf("%s: output %q differs", what, name)
				}
			}
		}
		if n := packed(); n != files {
			t.Errorf("%s: %d files, want %d", what, n, files)
		}
	}
	a := demoModel(t, filepath.Join(dir, "a.onnx"))
	same("a model", a, 1)
	same("the same under another name", demoModel(t, filepath.Join(dir, "b.onnx")), 1)
	b, err := os.ReadFile(filepath.Join(dir, "a.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := LoadBytes("memory", b)
	if err != nil {
		t.Fatal(err)
	}
	same("the same from memory", m, 1)
	q, err := Quantize(context.Background(), a, Recipe{Mode: Static}, WithRandomCalibration(2, 1))
	if err != nil {
		t.Fatal(err)
	}
	same("a model that was made", q, 2)
	if err := q.Save(filepath.Join(dir, "q.onnx")); err != nil {
		t.Fatal(err)
	}
	same("the same from its file", open(t, filepath.Join(dir, "q.onnx")), 3)
}

// TestMemoOfADigest: it is found for files in the same state only, and whatever
// else lies in its place is no digest.
func TestMemoOfADigest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model")
	if err := os.WriteFile(path, bytes.Repeat([]byte{1}, 3*digestLeaf/2), 0o644); err != nil {
		t.Fatal(err)
	}
	file := func() *tensor.Mapping {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, err := tensor.Map(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	first := file()
	if m := openMemo(dir, []*tensor.Mapping{first}); m != nil {
		t.Error("a file that was just written is taken for settled")
	}
	if m := openMemo(dir, []*tensor.Mapping{tensor.FromMemory([]byte("x"))}); m != nil {
		t.Error("memory has a memo")
	}
	sum := bytes.Repeat([]byte{7}, 32)
	m := &memo{path: filepath.Join(dir, "x.digest"), state: [32]byte{3}}
	if m.load() != nil {
		t.Error("a memo that was not written holds a digest")
	}
	m.save(sum)
	if !bytes.Equal(m.load(), sum) {
		t.Error("what was saved is not loaded")
	}
	if other := (&memo{path: m.path, state: [32]byte{4}}); other.load() != nil {
		t.Error("a memo of another state is taken")
	}
	good, err := os.ReadFile(m.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, good[:63], append(bytes.Clone(good), 0)} {
		if err := os.WriteFile(m.path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if m.load() != nil {
			t.Errorf("a memo of %d bytes is taken", len(bad))
		}
	}
	leaves, err := digestLeaves(first)
	if err != nil || len(leaves) != 2*32 || bytes.Equal(leaves[:32], leaves[32:]) {
		t.Errorf("digest of two leaves: %x, %v", leaves, err)
	}
}

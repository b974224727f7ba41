package tensor_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// streamed reads a tensor through Chunks.
func streamed(t *testing.T, x *tensor.Tensor) []byte {
	t.Helper()
	var out []byte
	if err := x.Storage().Chunks(func(b []byte) error { out = append(out, b...); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// pattern is n bytes of which no two aligned words are equal.
func pattern(n int) []byte {
	b := tensor.Aligned(n)
	for i := 0; i+4 <= n; i += 4 {
		binary.LittleEndian.PutUint32(b[i:], uint32(i)*2654435761)
	}
	return b
}

// counting is computed storage whose float32-wide words count up; it fails the
// test when it is asked for an unaligned range.
func counting(t *testing.T, n int) (*tensor.Tensor, []byte) {
	want := pattern(4 * n)
	return tensor.Computed(dtype.Uint32, []int{n}, func(off int64, dst []byte) error {
		if off%64 != 0 {
			t.Errorf("asked for bytes from %d on", off)
		}
		copy(dst, want[off:])
		return nil
	}), want
}

func TestComputed(t *testing.T) {
	x, want := counting(t, 700_001)
	if !bytes.Equal(streamed(t, x), want) {
		t.Error("chunks differ")
	}
	if !bytes.Equal(x.Bytes(), want) || !bytes.Equal(x.Clone().Bytes(), want) {
		t.Error("bytes differ")
	}
	for _, cut := range [][2]int{{0, 5}, {3, 3}, {1, 700_001}, {16, 32}, {33, 600_000}} {
		s := x.Slice(cut[0], cut[1])
		if !bytes.Equal(streamed(t, s), want[4*cut[0]:4*cut[1]]) {
			t.Errorf("slice %v differs", cut)
		}
		if n := s.Len(); n > 2 && !bytes.Equal(s.Slice(1, n).Bytes(), want[4*cut[0]+4:4*cut[1]]) {
			t.Errorf("slice of slice %v differs", cut)
		}
	}
}

func TestComputedError(t *testing.T) {
	bad := errors.New("no more")
	x := tensor.Computed(dtype.Uint8, []int{3 << 20}, func(off int64, dst []byte) error {
		if off > 0 {
			return bad
		}
		return nil
	})
	n := 0
	if err := x.Storage().Chunks(func(b []byte) error { n += len(b); return nil }); !errors.Is(err, bad) || n == 0 || n >= 3<<20 {
		t.Errorf("got %v after %d bytes", err, n)
	}
}

func TestChunksStopAtError(t *testing.T) {
	stop := errors.New("stop")
	file := mapFile(t, pattern(3<<20))
	mapped, _ := tensor.FromStorage(dtype.Uint8, []int{3 << 20}, whole(t, file))
	for name, x := range map[string]*tensor.Tensor{
		"heap":   tensor.New(dtype.Uint8, 3<<20),
		"splat":  tensor.Splat(dtype.Uint8, []int{3 << 20}, []byte{1}),
		"mapped": mapped,
	} {
		calls := 0
		if err := x.Storage().Chunks(func([]byte) error { calls++; return stop }); err != stop || calls != 1 {
			t.Errorf("%s: %d calls, error %v", name, calls, err)
		}
	}
}

func TestSplat(t *testing.T) {
	x := tensor.Splat(dtype.Float64, []int{3, 90_001}, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	want := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 3*90_001)
	if !bytes.Equal(x.Bytes(), want) || !bytes.Equal(streamed(t, x), want) {
		t.Error("bytes differ")
	}
	y, err := x.Slice(1, 2).Reshape(90_001)
	if err != nil {
		t.Fatal(err)
	}
	if elem, ok := y.IsSplat(); !ok || !bytes.Equal(elem, want[:8]) {
		t.Error("a slice of a splat is none")
	}
	if _, ok := tensor.New(dtype.Int8, 2).IsSplat(); ok {
		t.Error("heap storage calls itself a splat")
	}
	if got := tensor.Splat(dtype.Int16, []int{0}, []byte{1, 2}); len(got.Bytes()) != 0 || len(streamed(t, got)) != 0 {
		t.Error("an empty splat has bytes")
	}
}

func mapFile(t *testing.T, content []byte) *tensor.Mapping {
	t.Helper()
	name := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
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

func whole(t *testing.T, m *tensor.Mapping) tensor.Storage {
	t.Helper()
	s, err := m.Storage(0, int64(len(m.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMapping(t *testing.T) {
	want := pattern(2<<20 + 4096 + 12)
	m := mapFile(t, want)
	if !bytes.Equal(m.Bytes(), want) {
		t.Fatal("the mapping differs from the file")
	}
	// An odd start makes windows that do not lie on pages.
	s, err := m.Storage(1, int64(len(want)-1))
	if err != nil {
		t.Fatal(err)
	}
	x, err := tensor.FromStorage(dtype.Uint8, []int{len(want) - 1}, s)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // released pages come back
		if !bytes.Equal(streamed(t, x), want[1:]) {
			t.Fatal("chunks differ")
		}
		x.Release()
		if !bytes.Equal(x.Slice(5000, 9000).Bytes(), want[5001:9001]) {
			t.Fatal("a slice differs")
		}
	}
}

func TestMappingRanges(t *testing.T) {
	m := mapFile(t, pattern(100))
	for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, 101}, {101, 0}, {100, 1}, {1, 1<<63 - 1}} {
		if _, err := m.Storage(r[0], r[1]); err == nil {
			t.Errorf("range %v passes", r)
		}
	}
	if _, err := m.Storage(100, 0); err != nil {
		t.Errorf("the empty range at the end: %v", err)
	}
	s, err := m.StorageOf(m.Bytes()[10:30])
	if err != nil || !bytes.Equal(s.Bytes(), m.Bytes()[10:30]) {
		t.Errorf("a part of the bytes: %v", err)
	}
	if _, err := m.StorageOf(make([]byte, 4)); err == nil {
		t.Error("foreign bytes pass")
	}
	if s, err := m.StorageOf(nil); err != nil || s.Len() != 0 {
		t.Errorf("no bytes: %v", err)
	}
}

func TestMapRefusesFolders(t *testing.T) {
	f, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := tensor.Map(f); err == nil {
		t.Error("a folder is mapped")
	}
}

func TestMapEmptyFile(t *testing.T) {
	m := mapFile(t, nil)
	if len(m.Bytes()) != 0 || whole(t, m).Len() != 0 {
		t.Error("an empty file has bytes")
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// TestFromMemoryIsNeverReleased: dropping pages of ordinary memory would wipe
// them.
func TestFromMemoryIsNeverReleased(t *testing.T) {
	b := pattern(3 << 20)
	want := bytes.Clone(b)
	x, err := tensor.FromStorage(dtype.Uint8, []int{len(b)}, whole(t, tensor.FromMemory(b)))
	if err != nil {
		t.Fatal(err)
	}
	streamed(t, x)
	x.Release()
	if !bytes.Equal(b, want) {
		t.Error("streaming wiped the memory")
	}
}

func TestGuardPassesResults(t *testing.T) {
	bad := errors.New("bad")
	if err := tensor.Guard(func() error { return bad }); err != bad {
		t.Errorf("got %v", err)
	}
	if err := tensor.Guard(func() error { return nil }); err != nil {
		t.Errorf("got %v", err)
	}
	defer func() {
		if r := recover(); r != "other" {
			t.Errorf("recovered %v", r)
		}
	}()
	_ = tensor.Guard(func() error { panic("other") })
}

package octavo

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/testdata"
)

// cacheFolder names the folder in which this binary, started as a child,
// quantizes the demo's model with a cache.
const cacheFolder = "OCTAVO_CACHE_CHILD"

const cacheKills = 20

// seeded yields n samples of the demo's model.
func seeded(n int, seed uint64) iter.Seq2[Inputs, error] {
	return func(yield func(Inputs, error) bool) {
		rng := rand.New(rand.NewPCG(seed, 1))
		for range n {
			x := make([]float32, 64)
			for i := range x {
				x[i] = rng.Float32()
			}
			if !yield(Inputs{"input": NewTensor(x, 1, 1, 8, 8)}, nil) {
				return
			}
		}
	}
}

// cached quantizes the demo's model and returns the file's bytes.
func cached(t *testing.T, samples iter.Seq2[Inputs, error], opts ...Option) (*Model, []byte) {
	t.Helper()
	b, err := testdata.Demo.ReadFile("demo/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := LoadBytes("model.onnx", b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	q, err := Quantize(context.Background(), m, Recipe{}, append(opts, WithCalibration(samples))...)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := q.Save(path); err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return q, b
}

const cacheSamples = 3000

// TestKilledCalibration kills a process at random moments while it calibrates
// with a cache; the run that follows ends in the bytes of one that was never
// stopped.
func TestKilledCalibration(t *testing.T) {
	if dir := os.Getenv(cacheFolder); dir != "" {
		cacheEvery = 20 * time.Millisecond
		_, b := cached(t, seeded(cacheSamples, 1), WithCache(filepath.Join(dir, "cache")))
		if err := os.WriteFile(filepath.Join(dir, "model.onnx"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() {
		t.Skip("calibrates many times")
	}
	_, want := cached(t, seeded(cacheSamples, 1))
	// run starts the child, kills it some time after its calibration began
	// where that is asked for, and returns how long calibration took.
	run := func(dir string, kill time.Duration) time.Duration {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledCalibration$")
		cmd.Env = append(os.Environ(), cacheFolder+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var begun time.Time
		for {
			select {
			case err := <-ended:
				if err != nil && kill == 0 {
					t.Fatal(err)
				}
				return time.Since(begun)
			case <-time.After(time.Millisecond):
			}
			if _, err := os.Stat(filepath.Join(dir, "cache")); err == nil && begun.IsZero() {
				if begun = time.Now(); kill > 0 {
					time.AfterFunc(kill, func() { _ = cmd.Process.Kill() })
				}
			}
		}
	}
	spent := run(t.TempDir(), 0)
	random := rand.New(rand.NewPCG(8, 8))
	midway := 0
	for k := range cacheKills {
		dir := t.TempDir()
		run(dir, 1+time.Duration(random.Int64N(int64(spent))))
		states, _ := filepath.Glob(filepath.Join(dir, "cache", "*.calibration"))
		if _, err := os.Stat(filepath.Join(dir, "model.onnx")); err != nil && len(states) == 1 {
			midway++
		}
		run(dir, 0)
		got, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("kill %d: the resumed run ends in other bytes (%v)", k, err)
		}
	}
	t.Logf("%d kills, %d of them with some samples kept", cacheKills, midway)
	if midway < cacheKills/4 {
		t.Errorf("only %d of %d kills left a state: too few to show anything", midway, cacheKills)
	}
}

// TestCacheIsOfItsSamples: a cache serves the samples it was made of, and no
// others; a broken one is said and not used.
func TestCacheIsOfItsSamples(t *testing.T) {
	dir := t.TempDir()
	_, first := cached(t, seeded(100, 1), WithCache(dir))
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 1 {
		t.Fatalf("the cache holds %v", files)
	}
	q, again := cached(t, seeded(100, 1), WithCache(dir), WithThreads(2))
	if !bytes.Equal(first, again) || warns(q, "OCT020") {
		t.Errorf("with a full cache: %d bytes, then %d; %v", len(first), len(again), q.Warnings)
	}
	for name, n := range map[string]int{"fewer": 60, "more": 130} {
		q, got := cached(t, seeded(n, 1), WithCache(t.TempDir()))
		_, want := cached(t, seeded(n, 1))
		if !bytes.Equal(got, want) || warns(q, "OCT020") {
			t.Errorf("%s: other bytes", name)
		}
		_, kept := cached(t, seeded(n, 1), WithCache(dir))
		if !bytes.Equal(kept, want) {
			t.Errorf("%s, beside the cache of 100: other bytes", name)
		}
	}
	_, other := cached(t, seeded(100, 2))
	if q, got := cached(t, seeded(100, 2), WithCache(dir)); !bytes.Equal(got, other) || !warns(q, "OCT020") {
		t.Errorf("other samples: %v", q.Warnings)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"cut": b[:len(b)/2], "changed": append([]byte{1}, b[1:]...), "empty": nil} {
		if err := os.WriteFile(files[0], broken, 0o644); err != nil {
			t.Fatal(err)
		}
		if q, got := cached(t, seeded(100, 1), WithCache(dir)); !bytes.Equal(got, first) || !warns(q, "OCT020") {
			t.Errorf("%s: %v", name, q.Warnings)
		}
	}
}

func warns(m *Model, id string) bool {
	for _, w := range m.Warnings {
		if w.ID == id {
			return true
		}
	}
	return false
}

// FuzzState: no bytes make the decoder panic or take more memory than they
// say, whatever checksum they carry; what it reads is written back the same.
func FuzzState(f *testing.F) {
	s := &calibrate.State{Stats: map[string]*observe.Stats{}, Done: map[int]calibrate.Digest{0: {1}, 7: {2}}}
	for i, hist := range []bool{true, false} {
		st := observe.New(hist)
		st.Observe(0, []float32{1, -2, 0, 1e-30, 3e8}, nil)
		st.Observe(7, []float32{5}, nil)
		s.Stats[fmt.Sprint("v", i)] = st
	}
	var key calibrate.Digest
	b := s.Encode(key)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, text := range [][]byte{b, calibrate.Seal(b)} {
			s, err := calibrate.Decode(text, key)
			if err != nil {
				continue
			}
			again, err := calibrate.Decode(s.Encode(key), key)
			if err != nil || !bytes.Equal(again.Encode(key), s.Encode(key)) {
				t.Fatalf("written again it is another state: %v", err)
			}
		}
	})
}

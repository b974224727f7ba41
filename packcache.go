package octavo

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	engine "github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// PackCache keeps packed weights in the folder dir, which is made: what the
// first run of a model packs, the next process that compiles the same model
// maps, and those pages are the file's and not the process's own memory.
// Outputs are the same with and without.
//
// A file there belongs to the content of a model, whatever its name, and to
// this build of octavo; one that is broken or of another model is written anew.
// Its numbers are not checked: nobody else should be able to write to dir. Any
// number of processes may share it, and it may be removed at any time.
func PackCache(dir string) CompileOption { return func(o *engine.Options) { o.PackCache = dir } }

// PackError returns why weights could not be written to PackCache; nil where
// they could, or no run has packed any.
func (p *Program) PackError() error { return p.p.PackError() }

// digestLeaf is how many bytes of a file are digested at once: at that length
// several threads share one file, and what was read is released behind them.
const digestLeaf = 1 << 20

// contentDigest stands for the bytes of the files that m was read from; nil for
// a model that was made.
func (m *Model) contentDigest() ([]byte, error) {
	if m.src == nil {
		return nil, nil
	}
	h := sha256.New()
	for _, f := range m.src.Files() {
		leaves, err := digestLeaves(f)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(h, len(leaves))
		h.Write(leaves)
	}
	return h.Sum(nil), nil
}

// digestLeaves returns the SHA-256 of each leaf of a file.
func digestLeaves(f *tensor.Mapping) ([]byte, error) {
	size := int64(len(f.Bytes()))
	n := (size + digestLeaf - 1) / digestLeaf
	out := make([]byte, n*sha256.Size)
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, min(int(n), runtime.GOMAXPROCS(0)))
	for w := range errs {
		wg.Go(func() {
			errs[w] = tensor.Guard(func() error {
				for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
					part, err := f.Storage(i*digestLeaf, min(digestLeaf, size-i*digestLeaf))
					if err != nil {
						return err
					}
					if err := part.Chunks(func(b []byte) error {
						sum := sha256.Sum256(b)
						copy(out[i*sha256.Size:], sum[:])
						return nil
					}); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

package octavo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/octavo-ml/octavo/internal/atomicfile"
	engine "github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// PackCache keeps packed weights in the folder dir, which is made: what the
// first run of a model packs, the next process that compiles the same model
// maps, and those pages are the file's and not the process's own memory.
// Outputs are the same with and without.
//
// A file there belongs to the content of a model, whatever its name, and to
// this version of octavo; one that is broken or of another model is written anew.
// Its numbers are not checked: nobody else should be able to write to dir. Any
// number of processes may share it, and it may be removed at any time.
func PackCache(dir string) CompileOption { return func(o *engine.Options) { o.PackCache = dir } }

// Warnings says that the weights that a run packed could not be written to
// PackCache (OCT021).
func (p *Program) Warnings() []Warning {
	err := p.p.PackError()
	if err == nil {
		return nil
	}
	return []Warning{{ID: "OCT021", Msg: fmt.Sprintf("packed weights cannot be kept: %v", err), Notes: []string{"the next run packs them again"}}}
}

// digestLeaf is how many bytes of a file are digested at once: at that length
// several threads share one file, and what was read is released behind them.
const digestLeaf = 1 << 20

// contentDigest stands for the bytes of the files that m was read from; nil for
// a model that was made. What it was for files that have not changed since is
// read from the folder dir, where the system tells.
func (m *Model) contentDigest(dir string) ([]byte, error) {
	if m.src == nil {
		return nil, nil
	}
	files := m.src.Files()
	known := openMemo(dir, files)
	if sum := known.load(); sum != nil {
		return sum, nil
	}
	h := sha256.New()
	for _, f := range files {
		leaves, err := digestLeaves(f)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(h, len(leaves))
		h.Write(leaves)
	}
	sum := h.Sum(nil)
	known.save(sum)
	return sum, nil
}

// memo is a file that holds the digest of files in a state that they have no
// more once they change. A nil one holds nothing.
type memo struct {
	path  string
	state [sha256.Size]byte
}

// openMemo returns the memo for files as they were when they were mapped; nil
// where the system does not tell, or one changed so lately that a change after
// it might look the same.
func openMemo(dir string, files []*tensor.Mapping) *memo {
	h := sha256.New()
	for _, f := range files {
		if f.Info() == nil {
			return nil
		}
		stamp, settled, ok := stampOf(f.Info())
		if !ok || !settled {
			return nil
		}
		fmt.Fprintln(h, stamp)
	}
	m := &memo{}
	h.Sum(m.state[:0])
	m.path = filepath.Join(dir, hex.EncodeToString(m.state[:16])+".digest")
	return m
}

// load returns the digest, nil where there is none.
func (m *memo) load() []byte {
	if m == nil {
		return nil
	}
	f, err := os.Open(m.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, len(m.state)+sha256.Size+1)
	n, err := io.ReadFull(f, b)
	if !errors.Is(err, io.ErrUnexpectedEOF) || n != len(b)-1 || !bytes.Equal(b[:len(m.state)], m.state[:]) {
		return nil
	}
	return b[len(m.state):n]
}

// save writes the digest. Where it cannot, the next process computes it too.
func (m *memo) save(sum []byte) {
	if m == nil || os.MkdirAll(filepath.Dir(m.path), 0o700) != nil {
		return
	}
	f, err := atomicfile.Create(m.path)
	if err != nil {
		return
	}
	defer f.Discard()
	if _, err := f.Write(append(m.state[:], sum...)); err == nil {
		_ = f.Commit()
	}
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

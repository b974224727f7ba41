package octavo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/octavo-ml/octavo/internal/atomicfile"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
)

// WithCache keeps what calibration has seen in the folder dir, every few
// seconds and at the end: a run that was killed goes on where it stopped, and
// one over the same samples need not run them again. The result is the same as
// without. The samples are read again to know that they are the same ones, so
// that WithCalibration must give a sequence that can be gone through again.
func WithCache(dir string) Option { return func(o *options) { o.cache = dir } }

// cacheEvery is how often the state of calibration is kept.
var cacheEvery = 2 * time.Second

// cache is the file that holds the state of one calibration.
type cache struct {
	path string
	key  calibrate.Digest
}

// openCache makes the folder and names the file for a graph, the values that
// are watched in it, and how.
func openCache(dir, graph string, watched []string, histogram bool) (*cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %v\n", graph, histogram)
	for _, name := range slices.Sorted(slices.Values(watched)) {
		fmt.Fprintf(h, "%q\n", name)
	}
	key := calibrate.Digest(h.Sum(nil))
	return &cache{filepath.Join(dir, hex.EncodeToString(key[:8])+".calibration"), key}, nil
}

// load returns the state that was kept, nil where there is none, and a warning
// where it cannot be used.
func (c *cache) load() (*calibrate.State, *Warning) {
	b, err := os.ReadFile(c.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var s *calibrate.State
	if err == nil {
		s, err = calibrate.Decode(b, c.key)
	}
	if err != nil {
		return nil, &Warning{ID: "OCT020", Msg: fmt.Sprintf("%s cannot be used: %v; calibration begins anew", c.path, err)}
	}
	return s, nil
}

func (c *cache) save(s *calibrate.State) error {
	f, err := atomicfile.Create(c.path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(s.Encode(c.key)); err != nil {
		return err
	}
	return f.Commit()
}

// calibrate is calibrate.Run with the state kept in o.cache, if that was
// asked for.
func (o *options) calibrate(graph string, watched []string, run func(calibrate.Options) (*calibrate.Result, error), c calibrate.Options) (*calibrate.Result, []Warning, error) {
	if o.cache == "" {
		r, err := run(c)
		return r, nil, err
	}
	kept, err := openCache(o.cache, graph, watched, c.Histogram)
	if err != nil {
		return nil, nil, err
	}
	var warnings []Warning
	resume, w := kept.load()
	if w != nil {
		warnings = append(warnings, *w)
	}
	c.Resume, c.Save, c.Every = resume, kept.save, cacheEvery
	r, err := run(c)
	if errors.Is(err, calibrate.ErrStale) {
		warnings = append(warnings, Warning{ID: "OCT020", Msg: fmt.Sprintf("%s cannot be used: %v; calibration begins anew", kept.path, err)})
		c.Resume = nil
		r, err = run(c)
	}
	return r, warnings, err
}

package dataset

import (
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Sample is one set of inputs.
type Sample struct {
	Index  int // which sample of the dataset it is
	Inputs map[string]*tensor.Tensor
}

// Each yields the samples with these indices in their order. Workers read,
// decode and preprocess ahead of the loop, so that it need not wait: at most
// 2·workers+2 samples exist at a time, or 1 MB of small ones. It ends with the first error; where
// Spec.SkipBad is set, broken pictures are left out instead, and skipped is
// given a warning that counts and names them when the loop ends.
//
// No goroutine is left when the loop has ended, however it ended.
func (d *Dataset) Each(indices []int, workers int, skipped func(diag.Warning)) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		var bad []string
		defer func() {
			if len(bad) > 0 && skipped != nil {
				skipped(diag.Warning{ID: "OCT015", Msg: fmt.Sprintf("%d of %d pictures are broken and were skipped", len(bad), len(indices)), Notes: []string{few(bad)}})
			}
		}()
		for s, err := range d.ahead(indices, max(workers, 1)) {
			var broken *badPicture
			if d.spec.SkipBad && errors.As(err, &broken) {
				bad = append(bad, broken.path)
				continue
			}
			if err != nil && !d.spec.SkipBad && errors.As(err, &broken) {
				err = &diag.Error{Err: err, Notes: []string{"--skip-bad leaves broken pictures out"}}
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
		if len(bad) > 0 && len(bad) == len(indices) {
			yield(Sample{}, &diag.Error{Msg: fmt.Sprintf("all %d pictures are broken", len(bad)), Notes: []string{few(bad)}})
		}
	}
}

// result is a sample that was made, or why not.
type result struct {
	sample Sample
	err    error
}

// slots returns how many samples may be ready or being made. As many again as
// there are workers, so that none waits while the loop is woken up; and more of
// small ones, which take less time than waking does.
func (d *Dataset) slots(workers int) int {
	const room, most = 1 << 20, 8
	size := 0
	for _, c := range d.columns {
		n := 1
		for _, d := range c.in.Shape {
			n = min(n, room) * max(d, 1) // a free dimension is mostly the batch
		}
		size += min(n, room) * c.in.Type.Bits() / 8
	}
	return max(2*workers, min(most*workers, room/max(size, 1))) + 1
}

// ahead yields samples in order while workers make those that follow.
func (d *Dataset) ahead(indices []int, workers int) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		var wg sync.WaitGroup
		stop := make(chan struct{})
		defer wg.Wait()
		defer close(stop)
		running := make(chan struct{}, workers)
		slots := make([]chan result, d.slots(workers))
		start := func(k int) {
			if k >= len(indices) {
				return
			}
			slot := make(chan result, 1)
			slots[k%len(slots)] = slot
			wg.Go(func() {
				select {
				case running <- struct{}{}:
				case <-stop:
					return
				}
				defer func() { <-running }()
				var r result
				r.sample.Index = indices[k]
				r.err = tensor.Guard(func() (err error) {
					r.sample.Inputs, err = d.At(indices[k])
					return err
				})
				slot <- r
			})
		}
		for k := range slots {
			start(k)
		}
		for k := range indices {
			r := <-slots[k%len(slots)]
			start(k + len(slots))
			if !yield(r.sample, r.err) {
				return
			}
		}
	}
}

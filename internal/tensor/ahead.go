package tensor

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inOrder makes n bytes by windows, on all processors, and hands them to yield
// one behind the other: no more windows are held than there are processors, and
// one. fill may be called from several goroutines at once.
func inOrder(n, window int64, fill func(off int64, dst []byte) error, yield func([]byte) error) error {
	count := (n + window - 1) / window
	workers := min(int64(runtime.GOMAXPROCS(0)), count)
	if workers <= 1 {
		b := takeWindow(min(window, n))
		defer giveWindow(b)
		for off := int64(0); off < n; off += window {
			part := b[:min(window, n-off)]
			if err := fill(off, part); err != nil {
				return err
			}
			if err := yield(part); err != nil {
				return err
			}
		}
		return nil
	}
	type made struct {
		b   []byte
		err error
	}
	// Whoever makes a window first takes a buffer, and buffers come back in
	// order, so that no two windows in work share a place of the ring.
	ring := workers + 1
	free, ready := make(chan []byte, ring), make([]chan made, ring)
	for i := range ready {
		ready[i] = make(chan made, 1)
		free <- takeWindow(window)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for b := range free {
				i := next.Add(1) - 1
				if i >= count {
					giveWindow(b)
					continue
				}
				part := b[:min(window, n-i*window)]
				err := Guard(func() error { return fill(i*window, part) })
				ready[i%ring] <- made{part, err}
			}
		})
	}
	var err error
	for i := range count {
		m := <-ready[i%ring]
		if err = m.err; err == nil {
			err = yield(m.b)
		}
		free <- m.b[:cap(m.b)]
		if err != nil {
			next.Store(count)
			break
		}
	}
	close(free)
	wg.Wait()
	return err
}

// buffers are windows for the next reading.
var buffers sync.Pool

func takeWindow(n int64) []byte {
	if b, ok := buffers.Get().(*[]byte); ok && int64(cap(*b)) >= n {
		return (*b)[:n]
	}
	return Aligned(int(n))
}

func giveWindow(b []byte) {
	b = b[:cap(b)]
	buffers.Put(&b)
}

// Together runs f on so many goroutines, each under Guard, and returns the
// first error in their order.
func Together(workers int, f func(worker int) error) error {
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { errs[w] = Guard(func() error { return f(w) }) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

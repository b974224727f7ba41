package runtime

import (
	"sync"
	"sync/atomic"
)

// smallWork is the number of multiply-adds below which a step stays on one
// goroutine: waking another takes longer.
const smallWork = 1 << 20

// parallel runs work over [0, n) in chunks that goroutines claim one by one,
// so that a busy neighbour slows nobody else down. slot is below threads and
// differs between concurrent calls. The result must not depend on the split.
func parallel(threads, n int, macs int, work func(slot, lo, hi int)) {
	if threads <= 1 || n <= 1 || macs < smallWork {
		work(0, 0, n)
		return
	}
	threads = min(threads, n)
	chunk := max(1, n/(threads*4))
	var next atomic.Int64
	loop := func(slot int) {
		for {
			hi := int(next.Add(int64(chunk)))
			lo := hi - chunk
			if lo >= n {
				return
			}
			work(slot, lo, min(hi, n))
		}
	}
	var wg sync.WaitGroup
	for s := 1; s < threads; s++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			loop(s)
		}()
	}
	loop(0)
	wg.Wait()
}

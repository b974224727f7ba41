package runtime

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shares runs a piece of work on a crew of its own and checks that each part is
// done once and that slots differ between concurrent calls.
func shares(t *testing.T, c *crew, n int) {
	t.Helper()
	counts := make([]atomic.Int32, n)
	busy := make([]atomic.Bool, c.threads)
	c.share(nil, nil, n, wakeStep, func(_ *frame, _ *step, slot, lo, hi int) {
		if busy[slot].Swap(true) {
			t.Errorf("slot %d is used twice at the same time", slot)
		}
		for i := lo; i < hi; i++ {
			counts[i].Add(1)
		}
		busy[slot].Store(false)
	})
	for i := range counts {
		if k := counts[i].Load(); k != 1 {
			t.Fatalf("part %d of %d was done %d times", i, n, k)
		}
	}
}

// TestCrewsShareHelpers: many runs at a time, more than there are helpers, with
// steps of all sizes and pauses in which helpers fall asleep.
func TestCrewsShareHelpers(t *testing.T) {
	old := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(old)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := newCrew(1 + g%4)
			for k := range 60 {
				c.begin(0)
				for n := range 40 {
					shares(t, c, 1+n*7)
				}
				c.end()
				if k%20 == g {
					time.Sleep(2 * patience)
				}
			}
		}()
	}
	wg.Wait()
}

// TestCrewAlone: with one processor, or one thread, the caller does it all.
func TestCrewAlone(t *testing.T) {
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	for _, threads := range []int{1, 4} {
		c := newCrew(threads)
		c.begin(0)
		shares(t, c, 100)
		if len(c.helpers) != 0 {
			t.Errorf("%d threads on one processor borrow %d helpers", threads, len(c.helpers))
		}
		c.end()
	}
}

// TestCrewHandsOnPanics: what a part panics with reaches the caller, after all
// others have come to an end, and the crew works on.
func TestCrewHandsOnPanics(t *testing.T) {
	old := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(old)
	c := newCrew(4)
	c.begin(0)
	defer c.end()
	for bad := range 64 {
		var running atomic.Int32
		func() {
			defer func() {
				if r := recover(); r != "part" {
					t.Errorf("recovered %v", r)
				}
				if n := running.Load(); n != 0 {
					t.Errorf("%d parts are still running", n)
				}
			}()
			c.share(nil, nil, 64, wakeStep, func(_ *frame, _ *step, _, lo, hi int) {
				running.Add(1)
				defer running.Add(-1)
				if lo <= bad && bad < hi {
					panic("part")
				}
			})
			t.Error("no panic")
		}()
		shares(t, c, 50)
	}
}

// TestSmallWorkIsNotShared.
func TestSmallWorkIsNotShared(t *testing.T) {
	c := newCrew(4)
	c.begin(0)
	defer c.end()
	calls := 0
	c.share(nil, nil, 100, smallWork-1, func(_ *frame, _ *step, slot, lo, hi int) {
		if calls++; slot != 0 || lo != 0 || hi != 100 {
			t.Errorf("slot %d runs %d to %d", slot, lo, hi)
		}
	})
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

// TestCrowdedProcessorsAreLeft: steps that take no less with helpers make a crew
// go alone, longer each time, and calm makes it try sooner. What the caller loses
// of its processor is not taken for what the step takes alone.
func TestCrowdedProcessorsAreLeft(t *testing.T) {
	const step = time.Millisecond
	var c crowd
	var least int64
	// A look at steps of which the caller does half, waiting a time after that.
	see := func(waited time.Duration) (busy bool) {
		for range look / step {
			if c.weigh(&least, step/2+waited, waited, 8, 4) {
				return true
			}
		}
		return false
	}
	if see(step / 4) {
		t.Error("busy where a helper does half of the work")
	}
	if time.Duration(least) != step {
		t.Errorf("alone a step takes %v, want %v", time.Duration(least), step)
	}
	if c.weigh(&least, 4*step, 0, 8, 1); time.Duration(least) != step {
		t.Errorf("a caller without its processor makes the step take %v", time.Duration(least))
	}
	c = crowd{}
	now := time.Now().Add(time.Hour)
	for want := leastPause; want <= mostPause; want *= 2 {
		if !see(3 * step) {
			t.Fatal("not busy where steps wait for helpers")
		}
		if c.leave(now); c.until.Sub(now) != want || c.isOver() {
			t.Errorf("alone for %v, want %v", c.until.Sub(now), want)
		}
		if c.until = time.Now(); !c.isOver() || c.isOver() {
			t.Error("the time alone does not end, or more than once")
		}
		if !c.trying {
			t.Error("a time alone ends without a trial")
		}
	}
	long := c.pause
	for range 20 {
		see(0)
	}
	if c.pause > long/8 {
		t.Errorf("after calm a pause is still %v", c.pause)
	}
	c.pause, c.until = mostPause, time.Now().Add(-(forget+1)*mostPause)
	if !c.isOver() || c.pause != 0 {
		t.Errorf("a time alone of long ago makes the next one %v", c.pause)
	}
}

// TestCrewComesBack: a crew that went alone in the middle of a run has helpers
// again later in the same run.
func TestCrewComesBack(t *testing.T) {
	old := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(old)
	c := newCrew(4)
	c.begin(0)
	c.crowd.pause = time.Millisecond
	c.crowd.leave(time.Now())
	c.giveBack()
	shares(t, c, 50)
	time.Sleep(2 * time.Millisecond)
	if shares(t, c, 50); len(c.helpers) == 0 {
		t.Error("no helpers after the time alone")
	}
	if c.end(); len(c.helpers) != 0 || c.helped() {
		t.Error("helpers after the run")
	}
}

// TestSpansAreTakenFromBothEnds: each chunk is claimed once, by its owner in
// order and by others from the end, and claims do not grow.
func TestSpansAreTakenFromBothEnds(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100} {
		for others := range 4 {
			var sp span
			sp.set(7, 7+n)
			first, last, size := 7, 7+n, n
			for i := 0; ; i++ {
				own := i%4 >= others
				lo, hi := sp.take(own)
				if lo == hi {
					break
				}
				if own && lo != first || !own && hi != last || hi-lo > size {
					t.Fatalf("of %d to %d, claim %d is %d to %d", first, last, i, lo, hi)
				}
				if size = hi - lo; own {
					first = hi
				} else {
					last = lo
				}
			}
			if first != last || sp.empty() != 0 {
				t.Errorf("%d to %d of %d chunks are left", first, last, n)
			}
		}
	}
	var sp span
	sp.set(3, 10)
	if n := sp.empty(); n != 7 {
		t.Errorf("%d chunks were left, want 7", n)
	}
	if lo, hi := sp.take(true); lo != hi {
		t.Errorf("%d to %d are claimed of nothing", lo, hi)
	}
}

// TestChunksAreWholeUnits where every thread finds several.
func TestChunksAreWholeUnits(t *testing.T) {
	for _, c := range []struct{ unit, n, cost, threads, want int }{
		{0, 36, 1 << 30, 2, 1}, {3, 36, 1 << 30, 2, 3}, {3, 9, 1 << 30, 2, 1}, {5, 1000, 1 << 30, 2, 35},
		{0, 1000, smallWork, 2, 250}, {3, 1000, smallWork, 2, 252}, {1, 5, smallWork, 8, 1},
	} {
		if got := chunkOf(&step{unit: c.unit}, c.n, c.cost, c.threads); got != c.want {
			t.Errorf("%+v: %d parts to a chunk", c, got)
		}
	}
}

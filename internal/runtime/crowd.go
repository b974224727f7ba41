package runtime

import (
	"sync/atomic"
	"time"
)

// crowd tells whether helpers help. Where other processes want the processors, a
// helper that lost its own holds work that the caller then waits for: going
// alone is faster. Losing a processor for a moment, to what runs in the
// background, is no reason to.
//
// What steps take together is compared with what each would take alone, which
// the caller's own share of it says: the least that was seen, as the caller may
// have lost its processor too.
//
// A time of going alone is short at first, and longer each time that trying again
// does not pay; trying takes a shorter look than leaving did. So what a process
// leaves behind that has just ended is over with the next run, while beside one
// that stays little is lost. What was long ago says nothing.
type crowd struct {
	together, alone time.Duration // of the present look
	until           time.Time     // to go alone
	pause           time.Duration
	trying          bool // again, since a time alone
}

const (
	// look is how long steps are compared, and tryingLook how long after a time
	// alone.
	look, tryingLook = 10 * time.Millisecond, 4 * time.Millisecond
	// leastPause and mostPause bound how long to go alone before trying again.
	// Where the processors are free after all, no more than that is lost.
	leastPause, mostPause = 4 * time.Millisecond, 256 * time.Millisecond
	// forget is how many pauses later the last one says nothing.
	forget = 4
)

// weigh notes how long a step took of which the caller did mine of all chunks in
// the time in which it did not wait, and reports whether to go alone from now
// on. least is the step's own: what it takes alone, 0 if that is not known.
func (c *crowd) weigh(least *int64, took, waited time.Duration, all, mine int) bool {
	if mine == 0 {
		return false
	}
	alone := int64(took-waited) * int64(all) / int64(mine)
	if known := atomic.LoadInt64(least); known == 0 || alone < known {
		atomic.StoreInt64(least, alone) // of two at the same time either will do
	} else {
		alone = known
	}
	c.together += took
	c.alone += time.Duration(alone)
	if c.together < look && !(c.trying && c.together >= tryingLook) {
		return false
	}
	busy := c.together > c.alone
	c.together, c.alone, c.trying = 0, 0, false
	if busy {
		c.pause = min(max(2*c.pause, leastPause), mostPause)
	} else {
		c.pause -= c.pause / 4
	}
	return busy
}

// leave begins a time of going alone.
func (c *crowd) leave(now time.Time) { c.until = now.Add(c.pause) }

// isOver reports, once, that a time of going alone has come to its end.
func (c *crowd) isOver() bool {
	if c.until.IsZero() {
		return false
	}
	late := time.Since(c.until)
	if late < 0 {
		return false
	}
	if late > forget*c.pause {
		c.pause = 0
	}
	c.until, c.trying = time.Time{}, true
	return true
}

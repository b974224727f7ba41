package runtime

import "time"

// crowd tells whether other processes want the processors. A helper that waits
// awake then takes time from whoever it waits for, and a caller without its
// helper waits for a slice of somebody else's time: going alone is faster. The
// system says how often it took a processor from this process; a look at that
// costs little, but not nothing, so that it is taken every few milliseconds.
type crowd struct {
	since time.Time // of the present look
	taken int64     // processors taken before
	until time.Time // to go alone
	pause time.Duration
	row   int // looks in a row that found it busy
	usage usage
}

const (
	// look is how long processors are counted.
	look = 10 * time.Millisecond
	// stale is the age from which a look is not finished: nothing ran meanwhile.
	stale = 4 * look
	// often is the time between losses of a processor that is too short. A
	// process that has its processors to itself loses one every 5 to 10 ms.
	often = 1600 * time.Microsecond
	// fewest is how many losses count: the system's own work comes in bursts.
	fewest = 6
	// rows is how many looks in a row must find it busy, unless it was lately: Go's
	// own monitor wakes 50 times within some 5 ms now and then.
	rows = 3
	// leastPause and mostPause bound how long to go alone before trying again.
	// Where the processors are free after all, no more than that is lost.
	leastPause, mostPause = 25 * time.Millisecond, 200 * time.Millisecond
)

// isBusy looks on, and reports whether to go alone.
func (c *crowd) isBusy(now time.Time) bool {
	if now.Before(c.until) {
		return true
	}
	if now.Sub(c.since) < look {
		return false
	}
	return c.judge(now, c.usage.taken())
}

// judge ends a look, at the number of processors taken, and begins another one.
func (c *crowd) judge(now time.Time, taken int64) bool {
	age, lost := now.Sub(c.since), taken-c.taken
	c.since, c.taken = now, taken
	if age > stale {
		c.row = 0
		return false
	}
	if lost < fewest || age/time.Duration(lost) > often {
		c.pause -= c.pause / 4
		c.row = 0
		return false
	}
	if c.row++; c.row < rows && c.pause < leastPause {
		return false
	}
	c.pause = min(max(2*c.pause, leastPause), mostPause)
	c.until, c.since = now.Add(c.pause), time.Time{}
	return true
}

package runtime

import "sync/atomic"

// sweep is a step's work that is repeated on memory which fits the caches of all
// threads together: each slot begins with pieces of its own, the same in every
// turn, and goes on with those that others have left. Every other turn goes
// through them from the last to the first, so that a cache that is too small
// still holds what comes first.
type sweep struct {
	work           sweepPart
	n, turn, homes int
	taken          []taken // of each home's pieces
}

// sweepPart does piece i of a turn. slot is that of a part.
type sweepPart func(f *frame, turn, slot, i int)

// taken is a counter that has a line of a cache to itself.
type taken struct {
	n atomic.Int32
	_ [60]byte
}

// sweep runs pieces [0, n) of a turn, each once, in any order.
func (c *crew) sweep(f *frame, s *step, n, turn, cost int, work sweepPart) {
	if n <= 1 || cost < smallWork || !c.helped() {
		for i := range n {
			work(f, turn, 0, there(i, n, turn))
		}
		return
	}
	w := &c.sweeping
	w.work, w.n, w.turn, w.homes = work, n, turn, min(n, 1+len(c.helpers))
	for i := range w.homes {
		w.taken[i].n.Store(0)
	}
	c.share(f, s, w.homes, cost, sweepFrom)
	w.work = nil
}

// sweepFrom does what is left, beginning with the slot's own.
func sweepFrom(f *frame, _ *step, slot, _, _ int) {
	w := &f.crew.sweeping
	for k := range w.homes {
		home := (slot + k) % w.homes
		first := home * w.n / w.homes
		own := (home+1)*w.n/w.homes - first
		for {
			i := int(w.taken[home].n.Add(1)) - 1
			if i >= own {
				break
			}
			w.work(f, w.turn, slot, first+there(i, own, w.turn))
		}
	}
}

// there returns which of n pieces is number i of a turn.
func there(i, n, turn int) int {
	if turn%2 == 0 {
		return i
	}
	return n - 1 - i
}

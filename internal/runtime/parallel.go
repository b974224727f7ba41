package runtime

import (
	"math/bits"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// smallWork is the number of multiply-adds below which a step stays on one
// goroutine: they take about 2 µs, and sharing with a helper that is awake about
// half of one.
const smallWork = 3 << 15

// Waking a helper costs the caller some microseconds, and the helper comes much
// later: a step of wakeStep multiply-adds is worth it, or several of wakeRun.
const wakeStep, wakeRun = 1 << 18, 1 << 20

// patience is how long a helper without work stays awake. Waking one that
// sleeps takes longer than most steps.
const patience = 500 * time.Microsecond

// spins is how often the caller looks whether its helpers are done before it
// sleeps: for some 50 to 100 µs.
const spins = 4000

// part runs parts lo to hi of a step's work. slot is below the program's
// threads and differs between concurrent calls. The result must not depend on
// the split.
type part func(f *frame, s *step, slot, lo, hi int)

// crew is the goroutines that share the steps of one run: the caller, and
// helpers that it borrows for the length of the run. Each begins with a stretch
// of its own, which is the same from step to step where they have as many parts,
// so that it finds near what it computed before; who is done with it takes from
// the others', so that a busy neighbour slows nobody else down.
//
// A helper may look at a crew that it left long ago, even while the crew serves
// another run: whatever it claims is real work, and its slot is its own.
type crew struct {
	left  atomic.Int64  // chunks that nobody has claimed, or a few more
	done  atomic.Int64  // chunks that are finished
	slots atomic.Uint64 // free slots but 0, which is the caller's

	// The work: written while no chunk is left, read by those who claimed one.
	f             *frame
	s             *step
	work          part
	n, chunk, all int
	spans         []span // one for each slot
	sweeping      sweep

	threads int
	open    bool // between begin and end
	helpers []*helper
	fault   atomic.Pointer[any] // what a helper panicked with

	// The caller sleeps where a helper does not come to an end, as another
	// process has its processor.
	waits atomic.Bool
	wake  chan struct{}

	crowd crowd
	start time.Time // of the work
	mine  int       // chunks of it that the caller has done
}

// span is a stretch of chunks that nobody has claimed: the first, and the one
// behind the last, in the upper and the lower half of a word that has a line of
// the cache to itself.
type span struct {
	word atomic.Uint64
	_    [56]byte
}

func (sp *span) set(lo, hi int) { sp.word.Store(uint64(lo)<<32 | uint64(hi)) }

// take claims a third of what is left, so that the claims become smaller towards
// the end: from its beginning, or for those who have no more of their own from
// its end.
func (sp *span) take(own bool) (lo, hi int) {
	for {
		w := sp.word.Load()
		lo, hi := int(w>>32), int(w&0xffffffff)
		if lo >= hi {
			return 0, 0
		}
		some := (hi - lo + 2) / 3
		next, from := w+uint64(some)<<32, lo
		if !own {
			next, from = w-uint64(some), hi-some
		}
		if sp.word.CompareAndSwap(w, next) {
			return from, from + some
		}
	}
}

// empty lets nobody claim what is left, and returns how much that was.
func (sp *span) empty() int {
	w := sp.word.Swap(0)
	return int(w&0xffffffff) - int(w>>32)
}

// maxThreads is the number of slots that fit in a word.
const maxThreads = 64

func newCrew(threads int) *crew {
	c := &crew{threads: min(threads, maxThreads), wake: make(chan struct{}, 1)}
	c.slots.Store(1<<c.threads - 2)
	c.helpers = make([]*helper, 0, c.threads)
	c.spans = make([]span, c.threads)
	c.sweeping.taken = make([]taken, c.threads)
	return c
}

// share runs a step's work over [0, n) in chunks.
func (c *crew) share(f *frame, s *step, n, cost int, work part) {
	if n <= 1 || cost < smallWork || !c.helped() {
		work(f, s, 0, 0, n)
		return
	}
	c.f, c.s, c.work, c.n = f, s, work, n
	threads := 1 + len(c.helpers)
	c.chunk = chunkOf(s, n, cost, threads)
	c.all = (n + c.chunk - 1) / c.chunk
	c.done.Store(0)
	c.left.Store(int64(c.all))
	for t := range threads {
		c.spans[t].set(c.all*t/threads, c.all*(t+1)/threads)
	}
	if cost >= wakeStep {
		c.rouse()
	}
	c.start, c.mine = time.Now(), 0
	defer c.settle()
	c.mine = c.claim(0)
}

// chunkOf returns how many parts are claimed together at least: as few as make
// up for one thread that takes longer, but none too small, and whole units where
// there are enough.
func chunkOf(s *step, n, cost, threads int) int {
	chunk := max(1, n/min(16*threads, max(threads, 4*cost/smallWork)))
	if s != nil && s.unit > 1 && n >= 2*threads*s.unit {
		chunk = (chunk + s.unit - 1) / s.unit * s.unit
	}
	return chunk
}

// helped reports whether there are helpers, and takes them again after a time of
// going alone.
func (c *crew) helped() bool {
	if len(c.helpers) == 0 && c.open && c.crowd.isOver() {
		c.borrow()
	}
	return len(c.helpers) > 0
}

// claim runs chunks until none is left, those of the slot's own span first, and
// returns how many it was.
func (c *crew) claim(slot int) (n int) {
	for i := 0; i < len(c.spans) && c.left.Load() > 0; i++ {
		sp := &c.spans[(slot+i)%len(c.spans)]
		for {
			lo, hi := sp.take(i == 0)
			if lo == hi {
				break
			}
			c.left.Add(int64(lo - hi))
			c.run(slot, lo, hi)
			n += hi - lo
		}
	}
	return n
}

func (c *crew) run(slot, lo, hi int) {
	defer c.finish(slot, hi-lo)
	c.work(c.f, c.s, slot, lo*c.chunk, min(hi*c.chunk, c.n))
}

// finish ends some chunks. A helper's panic is kept for the caller.
func (c *crew) finish(slot, chunks int) {
	if slot > 0 {
		if r := recover(); r != nil {
			c.keep(r)
		}
	}
	c.done.Add(int64(chunks))
	if c.waits.Load() && c.waits.CompareAndSwap(true, false) {
		c.wake <- struct{}{}
	}
}

// settle waits for the chunks that helpers are at, and hands on their panic. If
// the caller's own work panicked, nobody begins another chunk.
func (c *crew) settle() {
	begun := int64(c.all)
	if c.left.Load() > 0 {
		for i := range c.spans {
			begun -= int64(c.spans[i].empty())
		}
	}
	worked := time.Since(c.start)
	took := worked
	if c.done.Load() < begun {
		c.await(begun)
		took = time.Since(c.start)
	}
	if c.s != nil && c.crowd.weigh(&c.s.alone, took, took-worked, c.all, c.mine) {
		c.crowd.leave(c.start.Add(took))
		c.giveBack()
	}
	c.left.Store(0)
	c.f, c.s, c.work = nil, nil, nil
	if p := c.fault.Swap(nil); p != nil {
		panic(*p)
	}
}

// await returns when so many chunks are done.
func (c *crew) await(begun int64) {
	for i := 0; c.done.Load() < begun; i++ {
		if i < spins {
			cpu.Pause()
			continue
		}
		c.waits.Store(true)
		if c.done.Load() < begun || !c.waits.CompareAndSwap(true, false) {
			<-c.wake
		}
	}
}

// begin borrows helpers for a run whose steps that are worth sharing have the
// given cost, end gives them back.
func (c *crew) begin(cost int) {
	if c.threads < 2 {
		return
	}
	c.open = true
	if c.crowd.until.IsZero() || c.crowd.isOver() {
		c.borrow()
		if cost >= wakeRun {
			c.rouse()
		}
	}
}

func (c *crew) borrow() {
	c.helpers = idle.take(c.helpers, min(c.threads, runtime.GOMAXPROCS(0))-1)
	for i, h := range c.helpers {
		h.seat.Store(uint64(i + 1))
		h.crew.Store(c)
	}
}

func (c *crew) rouse() {
	for _, h := range c.helpers {
		h.rouse()
	}
}

func (c *crew) end() {
	c.open = false
	c.giveBack()
}

func (c *crew) giveBack() {
	if len(c.helpers) > 0 {
		for _, h := range c.helpers {
			h.crew.Store(nil)
		}
		idle.give(c.helpers)
		c.helpers = c.helpers[:0]
	}
}

// help does what there is to do for a crew and reports whether there was any.
// The helper sits where its slot is the same in each step, if nobody else does.
func (c *crew) help(seat uint64) (did bool) {
	if c.left.Load() <= 0 {
		return false
	}
	free := c.slots.Load()
	if free == 0 {
		return false
	}
	bit := free & -free
	if own := uint64(1) << seat; free&own != 0 {
		bit = own
	}
	if !c.slots.CompareAndSwap(free, free&^bit) {
		return false
	}
	c.claim(bits.TrailingZeros64(bit))
	c.slots.Or(bit)
	return true
}

func (c *crew) keep(r any) { c.fault.CompareAndSwap(nil, &r) }

// helper is a goroutine that works for one crew at a time.
type helper struct {
	crew   atomic.Pointer[crew] // nil: none
	seat   atomic.Uint64        // the slot that it takes
	asleep atomic.Bool
	wake   chan struct{}
}

func (h *helper) loop() {
	debug.SetPanicOnFault(true) // files that shrink, as tensor.Guard has it
	for {
		h.watch()
		h.asleep.Store(true)
		if c := h.crew.Load(); c != nil && c.left.Load() > 0 && h.asleep.CompareAndSwap(true, false) {
			continue // it came meanwhile
		}
		<-h.wake
	}
}

// watch works until there has been nothing to do for a while, or until another
// process has taken the processor: then waiting awake would only be in the way.
func (h *helper) watch() {
	const often, gap = 256, 300 * time.Microsecond
	since := time.Now()
	last := since
	for i := 1; ; i++ {
		c := h.crew.Load()
		if c != nil && c.help(h.seat.Load()) {
			since, i = time.Now(), 0
			last = since
			continue
		}
		cpu.Pause()
		if i%often != 0 {
			continue
		}
		now := time.Now()
		if now.Sub(last) > gap || now.Sub(since) > patience {
			return
		}
		last = now
		runtime.Gosched()
	}
}

// rouse wakes a helper that sleeps.
func (h *helper) rouse() {
	if h.asleep.Load() && h.asleep.CompareAndSwap(true, false) {
		h.wake <- struct{}{}
	}
}

// idle holds the helpers of the process that no crew has borrowed.
var idle pool

type pool struct {
	mu   sync.Mutex
	free []*helper
	made int
}

// take appends up to n helpers, those that worked last first, and makes them
// while there are fewer than processors beside the caller's.
func (p *pool) take(to []*helper, n int) []*helper {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range n {
		if k := len(p.free); k > 0 {
			to, p.free = append(to, p.free[k-1]), p.free[:k-1]
			continue
		}
		if p.made >= runtime.GOMAXPROCS(0)-1 {
			break
		}
		h := &helper{wake: make(chan struct{}, 1)}
		p.made++
		go h.loop()
		to = append(to, h)
	}
	return to
}

func (p *pool) give(hs []*helper) {
	p.mu.Lock()
	p.free = append(p.free, hs...)
	p.mu.Unlock()
}

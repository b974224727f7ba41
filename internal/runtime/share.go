package runtime

// share makes the step run work over n parts, on as many goroutines as its cost
// in multiply-adds is worth.
func (s *step) share(n, cost int, work func(f *frame, s *step, slot, lo, hi int)) {
	s.run = func(f *frame, s *step) error {
		parallel(f.pl.p.threads, n, cost, func(slot, lo, hi int) { work(f, s, slot, lo, hi) })
		return nil
	}
}

// overwrite is where a step may take over the memory of an input.
func (pl *plan) overwrite(*step, int) {}

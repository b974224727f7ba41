package dwconv

import "strconv"

// wide is the plan of several outputs of a row as one of as many times the
// channels, for those that have few. Where the stride is 1, the inputs of
// outputs lie side by side at each tap, as the channels of one do.
type wide struct {
	Last    // has no wide of its own
	outputs int
}

// newWide returns the widest plan that the runs of p have outputs for, whose
// channels fill lanes; nil if there is none, or p's own fill a lane.
func (p *Last) newWide() *wide {
	if p.Channels > side/2 || p.Stride[2] != 1 {
		return nil
	}
	n := 0
	for i := range p.runs {
		n = max(n, min(p.runs[i].count, side/p.Channels))
	}
	if p.framed != nil {
		n = min(p.Result[2], side/p.Channels)
	}
	for n*p.Channels%lane != 0 {
		n--
	}
	if n == 0 {
		return nil
	}
	return p.widened(n)
}

// newBroad is newWide for floats: as few outputs as fill lanes.
func (p *Last) newBroad() *wide {
	if p.Channels%lane == 0 || p.Channels > side/2 || p.Stride[2] != 1 {
		return nil
	}
	n := 2
	for n*p.Channels%lane != 0 {
		n++
	}
	most := 0
	for i := range p.runs {
		most = max(most, p.runs[i].count)
	}
	if p.frames != nil {
		most = p.Result[2]
	}
	if most < n || n*p.Channels > side {
		return nil
	}
	return p.widened(n)
}

// widened returns the plan of p's outputs, so many at a time.
func (p *Last) widened(outputs int) *wide {
	w := &wide{Last: *p, outputs: outputs}
	w.Channels *= outputs
	w.wide, w.broad, w.framed, w.frames = nil, nil, nil, nil
	w.places = w.newPlaces()
	return w
}

// across is compute by p.broad, as that of bytes by p.wide.
func (r *floatTask) across(q *floatTask) {
	n, channels := r.p.broad, r.p.Channels
	q.in, q.y = r.in, r.y
	q.in.step = q.in.own[1]
	for t, step := range r.in.step {
		q.in.step[t] = step * n.outputs
	}
	q.count = r.count / n.outputs
	q.compute()
	if r.count%n.outputs == 0 {
		return
	}
	skip := (r.count - n.outputs) * channels
	q.in.base, q.y, q.count = q.in.base+skip, q.y[skip:], 1
	q.compute()
}

// Form names how PackBytes packs: plans of one form share weights.
func (p *Last) Form() string {
	if p.framed != nil && p.framed.columns > 0 {
		return "depthwise, by columns"
	}
	if p.wide == nil {
		return "depthwise"
	}
	return "depthwise by " + strconv.Itoa(p.wide.outputs)
}

// across is generic of all channels by p.wide, whose task is q, of at least as
// many outputs as that takes at once. Where they do not come out even, it
// computes some of the last ones twice.
func (r *byteTask) across(q *byteTask) {
	n, channels := r.p.wide, r.p.Channels
	q.in, q.y, q.floats, q.wholes = r.in, r.y, r.floats, r.wholes
	q.rows, q.rowIn, q.rowOut = r.rows, r.rowIn, r.rowOut
	q.in.step = q.in.own[1]
	for t, step := range r.in.step {
		q.in.step[t] = step * n.outputs
	}
	q.count = r.count / n.outputs
	q.compute()
	if r.count%n.outputs == 0 {
		return
	}
	skip := (r.count - n.outputs) * channels
	q.in.base, q.count = q.in.base+skip, 1
	switch {
	case q.float:
		q.floats = q.floats[skip:]
	case q.whole:
		q.wholes = q.wholes[skip:]
	default:
		q.y = q.y[skip:]
	}
	q.compute()
}

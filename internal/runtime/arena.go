package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// alignment of values in the arena: a cache line, and the widest register.
const alignment = 64

// block is a piece of the arena, from the step that first writes it to the last
// that reads it. Several values may follow each other in it.
type block struct {
	size, from, to int
	offset         int
	values         []int
}

// layOut gives arena offsets to the values that steps write in place. Outputs
// stay outside, as they outlive the run.
func (pl *plan) layOut() {
	last := pl.lastReads()
	var blocks []*block
	holder := map[int]*block{} // by value
	for i, s := range pl.steps {
		for _, v := range s.out {
			if v < 0 || pl.values[v].offset != placeInArena {
				continue
			}
			pv := &pl.values[v]
			n, _ := tensor.Count(pv.shape)
			size := (pv.typ.Size(n) + alignment - 1) &^ (alignment - 1)
			if b := holder[pl.root(pv.over)]; b != nil && b.to == i && size <= b.size {
				b.to, b.values = last[v], append(b.values, v)
				holder[v] = b
				continue
			}
			holder[v] = &block{size, i, last[v], 0, []int{v}}
			blocks = append(blocks, holder[v])
		}
		for _, v := range slices.Concat(s.in, s.out) {
			// Inputs stay: at the end it is asked what lies in them.
			if v >= 0 && last[v] == i && pl.values[v].offset == -1 && !pl.values[v].output && pl.values[v].fixed == nil && !slices.Contains(pl.inputs, v) {
				pl.steps[i].last = append(pl.steps[i].last, v)
			}
		}
	}
	pl.arena = pack(blocks)
	for _, b := range blocks {
		for _, v := range b.values {
			pl.values[v].offset = b.offset
		}
	}
	for i, v := range pl.values {
		if v.alias >= 0 && pl.values[pl.root(i)].offset < 0 {
			pl.views = append(pl.views, i)
		}
	}
}

// root returns the value whose memory v shares.
func (pl *plan) root(v int) int {
	for v >= 0 && pl.values[v].alias >= 0 {
		v = pl.values[v].alias
	}
	return v
}

// lastReads returns the last step at which the memory of each value is needed:
// what shares memory keeps all of it alive, and an output outlives the run.
func (pl *plan) lastReads() []int {
	last := make([]int, len(pl.values))
	for i, s := range pl.steps {
		for _, v := range slices.Concat(s.in, s.out) {
			for ; v >= 0; v = pl.values[v].alias {
				last[v] = i
			}
		}
	}
	for v := range pl.values {
		if pl.values[v].output {
			for a := pl.values[v].alias; a >= 0; a = pl.values[a].alias {
				last[a] = len(pl.steps)
			}
		}
	}
	return last
}

// pack places the largest blocks first, each in the smallest gap that holds it
// between the placed ones that live at the same time, else behind them, and
// returns the size of the whole.
func pack(blocks []*block) int {
	order := slices.Clone(blocks)
	slices.SortStableFunc(order, func(a, b *block) int { return b.size - a.size })
	total := 0
	var placed []*block // by offset
	for _, b := range order {
		end, best := 0, -1
		gap := 0
		for _, p := range placed {
			if p.to < b.from || b.to < p.from {
				continue
			}
			if room := p.offset - end; room >= b.size && (best < 0 || room < gap) {
				best, gap = end, room
			}
			end = max(end, p.offset+p.size)
		}
		if best < 0 {
			best = end
		}
		b.offset = best
		at, _ := slices.BinarySearchFunc(placed, best, func(p *block, off int) int { return p.offset - off })
		placed = slices.Insert(placed, at, b)
		total = max(total, best+b.size)
	}
	return total
}

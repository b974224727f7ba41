package gemm

import "math/bits"

// maxHeight is the greatest number of rows of a tile register.
const maxHeight = 16

// tileBlock is what kernels with tiles compute at a time: two tiles of rows of
// A, as many in one as in the other, that lie the same distance apart.
type tileBlock struct {
	first, second int32  // where their first rows begin
	rows          uint32 // a bit for each row that belongs to C
}

// tiling covers the first rows of A with blocks. Tiles may hold rows between
// those of C, as where the lines of a grid have a margin, and may overlap.
type tiling struct {
	height int   // of a tile
	stride int32 // between its rows
	blocks []tileBlock
}

// stepsOf returns how many steps of k a tap of so many groups takes, all of one
// size of at most 16 groups, and 0 where they would be many and small.
func stepsOf(groups int) int {
	for n := (groups + 15) / 16; 4*n <= groups; n++ {
		if groups%n == 0 {
			return n
		}
	}
	return 0
}

// tileSteps is stepsOf for pairs of bfloat16, of which few are one step.
func tileSteps(pairs int) int {
	if pairs <= maxPairs {
		return 1
	}
	return stepsOf(pairs)
}

// Prepare finds the tiles of products of the first m rows. Without it they are
// found whenever they are needed, and only where all rows lie the same distance
// apart.
func (r *Rows) Prepare(m int) {
	if m < 2 || r.tilings[m] != nil {
		return
	}
	row := r.Row[:m]
	stride := row[1] - row[0]
	var best *tiling
	least := 0
	for h := min(m, maxHeight); h > 1; h-- {
		n := countTiles(row, stride, h)
		cost := (n + 1) / 2 * blockCost(h)
		if n > 0 && (best == nil || cost < least) {
			best, least = &tiling{height: h, stride: stride}, cost
		}
	}
	if best == nil {
		return
	}
	best.blocks = best.cover(nil, row)
	if r.tilings == nil {
		r.tilings = map[int]*tiling{}
	}
	r.tilings[m] = best
}

// blockCost says how long a step of k takes of a block of tiles of a height, in
// about the processor's cycles: multiplying one row of A with a tile of B takes
// one, and loading B takes some, however few rows there are.
func blockCost(height int) int { return max(4*height, 40) }

// countTiles returns how many tiles cover the rows, 0 if tiles of that height
// cannot, as there is nothing to read.
func countTiles(row []int32, stride int32, height int) (n int) {
	if !fits(row, stride, height) {
		return 0
	}
	for i := 0; i < len(row); n++ {
		_, i = tileFrom(row, i, stride, height)
	}
	return n
}

// fits reports whether all that tiles read lies between the rows' ends.
func fits(row []int32, stride int32, height int) bool {
	return stride > 0 && row[len(row)-1]-row[0] >= int32(height-1)*stride
}

// tileFrom returns which rows a tile that begins with row i has, as bits, and
// the first row behind.
func tileFrom(row []int32, i int, stride int32, height int) (rows uint32, next int) {
	start, last := row[i], int32(-1)
	for next = i; next < len(row); next++ {
		d := row[next] - start
		if d >= int32(height)*stride || d%stride != 0 || d/stride == last {
			break
		}
		last = d / stride
		rows |= 1 << last
	}
	return rows, next
}

// cover appends to blocks those of rows that fit.
func (t tiling) cover(blocks []tileBlock, row []int32) []tileBlock {
	end := row[len(row)-1]
	for i, n := 0, 0; i < len(row); n++ {
		start := row[i]
		var rows uint32
		rows, i = tileFrom(row, i, t.stride, t.height)
		// The last tile ends with the last row.
		if over := start + int32(t.height-1)*t.stride - end; over > 0 {
			back := (over + t.stride - 1) / t.stride
			start -= back * t.stride
			rows <<= back
		}
		if n%2 == 0 {
			blocks = append(blocks, tileBlock{first: start, second: start, rows: rows})
			continue
		}
		b := &blocks[n/2]
		b.second = start
		b.rows |= rows << t.height
	}
	return blocks
}

// even covers rows that all lie the same distance apart with blocks that it
// appends to room, and reports whether they do.
func even(row []int32, room []tileBlock) (t tiling, ok bool) {
	m := len(row)
	t.stride = 1
	if m > 1 {
		t.stride = row[1] - row[0]
	}
	at := row[0]
	for _, r := range row {
		if r != at {
			return t, false
		}
		at += t.stride
	}
	blocks := (m + 2*maxHeight - 1) / (2 * maxHeight)
	t.height = (m + 2*blocks - 1) / (2 * blocks)
	if !fits(row, t.stride, t.height) {
		return t, false
	}
	t.blocks = t.cover(room, row)
	return t, true
}

// count returns how many rows of C some blocks have.
func count(blocks []tileBlock) (n int) {
	for _, b := range blocks {
		n += bits.OnesCount32(b.rows)
	}
	return n
}

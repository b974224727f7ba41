package dwconv

// exactTaps is how many products of 8-bit integers less their zero points
// float32 sums exactly: 255·255·256 < 2²⁴.
const exactTaps = 256

// run is the greatest number of sums that emit gets at once.
const run = 256

// RunInt is Run for 8-bit inputs with zero point zero, and weights that are
// integers less their zero points, as floats. It hands out int32 sums, modulo
// 2³²: those of some consecutive outputs of a filter, the first of which is
// y's element at. emit may change them, and must not keep them.
func RunInt[T uint8 | int8](p *Plan, x []T, zero int, w []float32, lo, hi int, scratch []float32, emit func(filter, at int, sums []int32)) {
	padded, cells := p.split(scratch)
	sums := make([]int32, run)
	var wide []int32 // where float32 does not suffice
	if p.taps > exactTaps {
		wide = make([]int32, p.cells)
	}
	for i := lo; i < hi; i++ {
		lay(p, padded, x[i*p.inPix:(i+1)*p.inPix], float32(zero))
		for j := range p.Filters {
			m, at := i%p.Channels*p.Filters+j, (i*p.Filters+j)*p.outPix
			taps := w[m*p.taps : (m+1)*p.taps]
			if wide == nil {
				p.filter(cells, padded, taps, 0, &identity)
				collectInts(p, cells, sums, m, at, emit)
				continue
			}
			clear(wide)
			for t := 0; t < p.taps; t += exactTaps {
				p.filter(cells, padded, taps[t:min(t+exactTaps, p.taps)], t, &identity)
				for c, v := range cells {
					wide[c] += int32(v)
				}
			}
			collectInts(p, wide, sums, m, at, emit)
		}
	}
}

// collectInts hands out the results in the grid.
func collectInts[T float32 | int32](p *Plan, cells []T, sums []int32, filter, at int, emit func(filter, at int, sums []int32)) {
	n := 0
	for z := range p.Result[0] {
		for r := range p.Result[1] {
			from := (z*p.grid[1] + r) * p.grid[2]
			for row := cells[from : from+p.Result[2]]; len(row) > 0; {
				c := min(len(row), len(sums)-n)
				for k, v := range row[:c] {
					sums[n+k] = int32(v)
				}
				row, n = row[c:], n+c
				if n == len(sums) {
					emit(filter, at, sums)
					at, n = at+n, 0
				}
			}
		}
	}
	if n > 0 {
		emit(filter, at, sums[:n])
	}
}

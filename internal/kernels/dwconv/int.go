package dwconv

// exactTaps is how many products of 8-bit integers less their zero points
// float32 sums exactly: 255·255·256 < 2²⁴.
const exactTaps = 256

// run is the greatest number of sums that emit gets at once.
const run = 256

// RunInt is Run for 8-bit inputs with zero point zero, and weights that are
// integers less their zero points, as floats. It hands out int32 sums, modulo
// 2³², of consecutive elements of y, the first of which has the given index and
// belongs to the given filter: channels first all belong to it, channels last
// to it and those that follow. emit may change sums, and must not keep them.
func RunInt[T uint8 | int8](p *Plan, x []T, zero int, w []float32, lo, hi int, scratch []float32, emit func(filter, at int, sums []int32)) {
	padded, cells := p.split(scratch)
	sums := make([]int32, run)
	var wide []int32 // where float32 does not suffice
	if p.taps > exactTaps {
		wide = make([]int32, len(cells))
	}
	for i := lo; i < hi; i++ {
		n, c, lanes := p.block(i)
		clear(wide)
		for l := range lanes {
			lay(p, padded, x, n, c+l, float32(zero))
			for j := range p.Filters {
				m, lane := (c+l)*p.Filters+j, l*p.Filters+j
				taps, dst := w[m*p.taps:(m+1)*p.taps], p.lane(cells, lane)
				for t := 0; t < p.taps; t += exactTaps {
					p.filter(dst, padded, taps[t:min(t+exactTaps, p.taps)], t, &identity)
					if wide != nil {
						for k, v := range dst {
							wide[lane*p.cells+k] += int32(v)
						}
					}
				}
			}
		}
		if wide != nil {
			collectInts(p, wide, sums, n, c*p.Filters, lanes*p.Filters, emit)
		} else {
			collectInts(p, cells, sums, n, c*p.Filters, lanes*p.Filters, emit)
		}
	}
}

// collectInts hands out the results of lanes filters from m on in the grid.
func collectInts[T float32 | int32](p *Plan, cells []T, sums []int32, n, m, lanes int, emit func(filter, at int, sums []int32)) {
	width, all := p.Result[2], p.Channels*p.Filters
	if !p.Last {
		for l := range lanes {
			at, n := (n*all+m+l)*p.outPix, 0
			for r := range p.Result[0] * p.Result[1] {
				for row := cells[l*p.cells+p.row(r):][:width]; len(row) > 0; {
					c := min(len(row), len(sums)-n)
					for k, v := range row[:c] {
						sums[n+k] = int32(v)
					}
					row, n = row[c:], n+c
					if n == len(sums) {
						emit(m+l, at, sums)
						at, n = at+n, 0
					}
				}
			}
			if n > 0 {
				emit(m+l, at, sums[:n])
			}
		}
		return
	}
	for r := range p.Result[0] * p.Result[1] {
		for q := range width {
			at := p.row(r) + q
			for l := 0; l < lanes; l += len(sums) {
				part := sums[:min(len(sums), lanes-l)]
				for k := range part {
					part[k] = int32(cells[(l+k)*p.cells+at])
				}
				emit(m+l, (n*p.outPix+r*width+q)*all+m+l, part)
			}
		}
	}
}

package op

// convolve computes a convolution, or the transposed one, into y. The sum of
// each output runs over the taps and inside a tap over the channels of the
// group, padding included as zeros; then the bias, if any, is added.
// w is [filters, channels/group, taps], transposed [channels, filters/group,
// taps].
func convolve[T float32 | float64](y, x, w, bias []T, g Geometry) {
	taps, places, area := g.Taps(), g.Places(), inner(g.In, 0)
	cg, mg := g.Channels/g.Group, g.Filters/g.Group
	k := taps * cg
	if len(y) == 0 {
		return
	}
	wk := orderTaps(w, g, taps, cg, mg)
	x1 := plane{g.Channels, area, g.Layout}
	y1 := plane{g.Filters, places, g.Layout}
	block := min(places, max(16, (1<<18)/max(k, 1)/16*16))
	col := make([]T, k*block)
	from := make([]int, taps*block)
	for n := range g.Batch {
		for at := 0; at < places; at += block {
			b := min(block, places-at)
			g.sources(from, at, b)
			for gr := range g.Group {
				for t := range taps {
					src := from[t*b : t*b+b]
					for c := range cg {
						base, step := x1.at(n, gr*cg+c, 0), x1.step()
						dst := col[(t*cg+c)*b : (t*cg+c)*b+b]
						for p, o := range src {
							if o < 0 {
								dst[p] = 0
							} else {
								dst[p] = x[base+o*step]
							}
						}
					}
				}
				filters := matrix[T]{wk[gr*mg*k:], k, 1}
				patches := matrix[T]{col, b, 1}
				out := y[y1.at(n, gr*mg, at):]
				if g.Layout == ChannelsLast {
					multiply(out, g.Filters, b, mg, k, patches.transposed(), filters.transposed())
				} else {
					multiply(out, places, mg, b, k, filters, patches)
				}
			}
		}
	}
	if bias == nil {
		return
	}
	for n := range g.Batch {
		for m, v := range bias {
			base, step := y1.at(n, m, 0), y1.step()
			for p := range places {
				y[base+p*step] += v
			}
		}
	}
}

// orderTaps returns the weights as one row a filter, taps before channels.
func orderTaps[T float32 | float64](w []T, g Geometry, taps, cg, mg int) []T {
	out := make([]T, len(w))
	k := taps * cg
	for m := range g.Filters {
		row := out[m*k : m*k+k]
		for c := range cg {
			src := (m*cg + c) * taps
			if g.Transposed {
				src = ((m/mg*cg+c)*mg + m%mg) * taps
			}
			for t := range taps {
				row[t*cg+c] = w[src+t]
			}
		}
	}
	return out
}

// sources stores for each tap and each of the n places from at on which input
// place it reads, -1 for padding: row t holds the places of tap t.
func (g Geometry) sources(dst []int, at, n int) {
	rank := len(g.In)
	place, tap := make([]int, rank), make([]int, rank)
	for t := range g.Taps() {
		unravel(tap, t, g.Kernel)
		unravel(place, at, g.Out)
		for p := range n {
			off := 0
			for i := range rank {
				s, ok := g.Source(i, place[i], tap[i])
				if !ok {
					off = -1
					break
				}
				off = off*g.In[i] + s
			}
			dst[t*n+p] = off
			for i := rank - 1; i >= 0; i-- {
				if place[i]++; place[i] < g.Out[i] {
					break
				}
				place[i] = 0
			}
		}
	}
}

// unravel stores the coordinates of element i of a row-major shape.
func unravel(dst []int, i int, shape []int) {
	for ax := len(shape) - 1; ax >= 0; ax-- {
		dst[ax], i = i%shape[ax], i/shape[ax]
	}
}

// plane addresses activations as channels × places of each image.
type plane struct {
	channels, places int
	layout           Layout
}

// at returns the offset of a place of a channel of image n.
func (p plane) at(n, channel, place int) int {
	if p.layout == ChannelsLast {
		return (n*p.places+place)*p.channels + channel
	}
	return (n*p.channels+channel)*p.places + place
}

// step returns the distance between two places.
func (p plane) step() int {
	if p.layout == ChannelsLast {
		return p.channels
	}
	return 1
}

// load returns the elements of count channels of image n, channel by channel:
// a part of x where it lies so, else a copy in buf.
func load[T any](p plane, buf, x []T, n, channel, count int) []T {
	if p.layout == ChannelsFirst {
		return x[p.at(n, channel, 0):][:count*p.places]
	}
	buf = buf[:count*p.places]
	for c := range count {
		for i := range p.places {
			buf[c*p.places+i] = x[p.at(n, channel+c, i)]
		}
	}
	return buf
}

// save is the inverse of load.
func save[T any](p plane, x, vals []T, n, channel, count int) {
	if p.layout == ChannelsFirst {
		copy(x[p.at(n, channel, 0):], vals[:count*p.places])
		return
	}
	for c := range count {
		for i := range p.places {
			x[p.at(n, channel+c, i)] = vals[c*p.places+i]
		}
	}
}

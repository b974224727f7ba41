package dwconv

// framed is the plan of some rows of outputs whose input has been copied with
// the padding around it: then all outputs of a row are one run, and all rows are
// alike. Of narrow inputs that costs less than outputs at the edges by
// themselves.
type framed struct {
	Last        // of one band of rows
	line    int // elements from one input line to the next
	edges   [2]int
	behind  int // elements of padding behind a line, which may be those before the next
	columns int // blocks of channels that have weights by columns
}

const (
	// The longest input lines that are copied, in bytes: of floats, of bytes, and of
	// those for filters by columns, which gain more.
	longestFloats, longest, longestColumn = 5 << 9, 4 << 10, 16 << 10
	// frame is how much of the input is copied at once, in bytes, and column the
	// bytes of a block's packed weights by columns.
	frame, column = 96 << 10, 3 * side * group
	// units is into how many parts the rows of a sample are cut.
	units = 6
)

// square3 reports whether there are kernels by columns for p's filters.
func (p *Last) square3() bool {
	return p.Kernel == [3]int{1, 3, 3} && p.Dilate == [3]int{1, 1, 1} && p.Stride[2] <= 2 && p.Channels >= side
}

// newFramed returns the plan of p's rows with their padding, for elements of size
// bytes, nil where there is none or lines are long.
func (p *Last) newFramed(size int) *framed {
	if p.Kernel[0] > 1 || p.Size[0] > 1 || p.Result[0] > 1 || p.Pad[0] > 0 {
		return nil
	}
	last := p.taps[len(p.taps)-1]
	width := (p.Result[2]-1)*p.Stride[2] + last[2] + 1
	height := (p.Result[1]-1)*p.Stride[1] + last[1] + 1
	if p.Pad[1] == 0 && p.Pad[2] == 0 && width <= p.Size[2] && height <= p.Size[1] {
		return nil
	}
	left := min(p.Pad[2], width)
	// What of a line there is, from and to where.
	edges := [2]int{left * p.Channels, max(left, min(width, p.Size[2]+p.Pad[2])) * p.Channels}
	macs := p.Result[2] * p.Channels * len(p.taps) // of a row
	if product(p.Result) == 0 || macs > lineMACs || p.Result[1] == 1 && len(p.parts) > 2 {
		return nil
	}
	line, behind, columns := width*p.Channels, 0, 0
	if after := line - edges[1]; after <= edges[0] {
		line, behind = edges[1], after
	}
	switch {
	case size > 1 && size*line > longestFloats:
		return nil
	case size > 1:
	case p.square3() && line <= longestColumn:
		columns = p.Channels / side
	case line > longest:
		return nil
	}
	rows := max(1, (frame/(size*line)-last[1]-1)/p.Stride[1]+1)
	rows = min(rows, p.Result[1], lineMACs/macs)
	g := p.Geometry
	g.Batch, g.Pad = 1, [3]int{}
	g.Size = [3]int{1, (rows-1)*p.Stride[1] + last[1] + 1, width}
	g.Result[1] = rows
	f := &framed{Last: *newLast(g, p.Result[2]), line: line, edges: edges, behind: behind, columns: columns}
	for t, tap := range f.taps {
		f.runs[0].at[t] = tap[1]*line + tap[2]*p.Channels
	}
	return f
}

// blocks is the number of parts of the work, by f unless it is nil.
func (p *Last) blocks(f *framed) int {
	if f == nil {
		return p.Batch * p.Result[0] * p.Result[1] * (len(p.parts) - 1)
	}
	return p.Batch * ((p.Result[1] + p.unit() - 1) / p.unit())
}

// unit is how many rows of outputs a part of the work has, of copied input.
func (p *Last) unit() int { return max(1, p.Result[1]/units) }

// rows returns the rows of parts lo to hi.
func (p *Last) rows(lo, hi int) (from, to int) {
	parts := (p.Result[1] + p.unit() - 1) / p.unit()
	at := func(i int) int { return i/parts*p.Result[1] + min(p.Result[1], i%parts*p.unit()) }
	return at(lo), at(hi)
}

// packColumns packs the weights by columns: in each block those of a column lie
// side by side, and a zero.
func (f *framed) packColumns(dst, w []int8) {
	for c := range f.columns * side {
		for t, tap := range f.taps {
			dst[c/side*column+(tap[2]*side+f.slot(c))*group+tap[1]] = w[c*len(f.taps)+t]
		}
	}
}

// length is that of the copied input, in elements.
func (f *framed) length() int { return f.Size[1]*f.line + f.behind }

// fillFrame copies the input of so many rows of p's outputs from row y of sample n
// on, with padding of the elements of pad.
func fillFrame[T float32 | uint8](f *framed, dst, x []T, p *Last, n, y, rows int, pad []T) {
	first := y*p.Stride[1] - p.Pad[1]
	last := p.taps[len(p.taps)-1][1]
	for range (rows-1)*p.Stride[1] + last + 1 {
		line := dst[:f.line]
		dst = dst[f.line:]
		if first < 0 || first >= p.Size[1] {
			fill(line, pad)
		} else {
			fill(line[:f.edges[0]], pad)
			copy(line[f.edges[0]:f.edges[1]], x[(n*p.Size[1]+first)*p.Size[2]*p.Channels:])
			fill(line[f.edges[1]:], pad)
		}
		first++
	}
	fill(dst[:f.behind], pad)
}

func fill[T float32 | uint8](dst, pad []T) {
	for len(dst) > 0 {
		dst = dst[copy(dst, pad):]
	}
}

// framed computes rows lo to hi by p.framed. The tasks are those of the whole
// convolution, more that of p.wide if there is one.
func (r *byteTask) framed(y, copied []uint8, lo, hi int, more *byteTask) {
	p, f := r.p, r.p.framed
	r.p = &f.Last
	run := &f.runs[0]
	x := r.x
	r.x, more.x = copied, copied
	r.in.at, r.in.step, r.in.base = run.at, run.step, 0
	r.count, r.rowIn, r.rowOut = run.count, p.Stride[1]*f.line, p.Result[2]*p.Channels
	columns := r.w[p.ownBytes():] // where there are some, there is no wide task
	for lo < hi {
		n, row := lo/p.Result[1], lo%p.Result[1]
		rows := min(f.Result[1], hi-lo, p.Result[1]-row)
		fillFrame(f, copied, x, p, n, row, rows, r.pad)
		out := y[lo*r.rowOut:]
		lo += rows
		each := 1
		if together() {
			each = rows
		}
		for i := 0; i < rows; i += each {
			r.in.base, r.y, r.rows = i*r.rowIn, out[i*r.rowOut:], each
			if f.columns > 0 {
				r.from = r.columns(f, columns)
			}
			if r.from < p.Channels {
				r.one(more)
			}
		}
	}
}

// framed computes rows lo to hi by p.frames. The tasks are those of the whole
// convolution, more that of p.broad if there is one; to and done are those of run.
func (r *floatTask) framed(to func(at, n int) []float32, done func(at, n int), copied []float32, lo, hi int, more *floatTask) {
	p, f := r.p, r.p.frames
	r.p = &f.Last
	run := &f.runs[0]
	x := r.x
	r.x, more.x = copied, copied
	r.in.at, r.in.step, r.count = run.at, run.step, run.count
	rowIn, rowOut := p.Stride[1]*f.line, p.Result[2]*p.Channels
	for lo < hi {
		n, row := lo/p.Result[1], lo%p.Result[1]
		rows := min(f.Result[1], hi-lo, p.Result[1]-row)
		fillFrame(f, copied, x, p, n, row, rows, r.pad)
		for i := range rows {
			at := (lo + i) * rowOut
			r.in.base, r.y = i*rowIn, to(at, rowOut)
			if r.one(more); done != nil {
				done(at, rowOut)
			}
		}
		lo += rows
	}
}

package dwconv

// framed is the plan of some rows of outputs whose input has been copied with
// the padding around it: then all outputs of a row are one run, and all rows are
// alike. Of narrow inputs that costs less than outputs at the edges by
// themselves.
type framed struct {
	Last      // of one band of rows
	line  int // bytes of an input line
	edges [2]int
}

const (
	// longest is the longest input line that is copied, in bytes.
	longest = 4 << 10
	// frame is how much of the input is copied at once, in bytes.
	frame = 32 << 10
)

// newFramed returns the plan of p's rows with their padding, nil where there is
// none or lines are long.
func (p *Last) newFramed() *framed {
	if p.Kernel[0] > 1 || p.Size[0] > 1 || p.Result[0] > 1 || p.Pad[0] > 0 || len(p.parts) != 2 {
		return nil
	}
	last := p.taps[len(p.taps)-1]
	width := (p.Result[2]-1)*p.Stride[2] + last[2] + 1
	height := (p.Result[1]-1)*p.Stride[1] + last[1] + 1
	if p.Pad[1] == 0 && p.Pad[2] == 0 && width <= p.Size[2] && height <= p.Size[1] {
		return nil
	}
	line := width * p.Channels
	if line > longest {
		return nil
	}
	rows := max(1, (frame/line-last[1]-1)/p.Stride[1]+1)
	rows = min(rows, p.Result[1], max(1, lineMACs/(p.Result[2]*p.Channels*len(p.taps))))
	g := p.Geometry
	g.Batch, g.Pad = 1, [3]int{}
	g.Size = [3]int{1, (rows-1)*p.Stride[1] + last[1] + 1, width}
	g.Result[1] = rows
	left := min(p.Pad[2], width)
	f := &framed{Last: *NewLast(g), line: line}
	// What of a line there is, from and to where.
	f.edges = [2]int{left * p.Channels, max(left, min(width, p.Size[2]+p.Pad[2])) * p.Channels}
	return f
}

// length is that of the copied input, in bytes.
func (f *framed) length() int { return f.Size[1] * f.line }

// fill copies the input of so many rows of p's outputs from row y of sample n on.
func (f *framed) fill(dst, x []uint8, p *Last, n, y, rows int, zero uint8) {
	first := y*p.Stride[1] - p.Pad[1]
	last := p.taps[len(p.taps)-1][1]
	for i := range (rows-1)*p.Stride[1] + last + 1 {
		line, iy := dst[i*f.line:(i+1)*f.line], first+i
		if iy < 0 || iy >= p.Size[1] {
			fillBytes(line, zero)
			continue
		}
		src := x[(n*p.Size[1]+iy)*p.Size[2]*p.Channels:]
		fillBytes(line[:f.edges[0]], zero)
		copy(line[f.edges[0]:f.edges[1]], src)
		fillBytes(line[f.edges[1]:], zero)
	}
}

func fillBytes(dst []uint8, v uint8) {
	if len(dst) == 0 {
		return
	}
	dst[0] = v
	for n := 1; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// framed computes rows lo to hi by p.framed. The tasks are those of the whole
// convolution, more that of p.wide if there is one.
func (r *byteTask) framed(y []uint8, copied []uint8, lo, hi int, more *byteTask) {
	p, f := r.p, r.p.framed
	r.p = &f.Last
	run := &f.runs[0]
	x := r.x
	r.x, more.x = copied, copied
	r.in.at, r.in.step, r.in.base = run.at, run.step, 0
	r.count, r.rowIn, r.rowOut = run.count, p.Stride[1]*f.line, p.Result[2]*p.Channels
	for lo < hi {
		n, row := lo/p.Result[1], lo%p.Result[1]
		rows := min(f.Result[1], hi-lo, p.Result[1]-row)
		f.fill(copied, x, p, n, row, rows, r.f.zero)
		out := y[lo*r.rowOut:]
		lo += rows
		each := 1
		if together() {
			each = rows
		}
		for i := 0; i < rows; i += each {
			r.in.base, r.y, r.rows = i*r.rowIn, out[i*r.rowOut:], each
			r.one(more)
		}
	}
}

package reduce

import "unsafe"

// Where channels are few, one window is less work than finding it: then all
// windows of a row are computed at once, element by element of lines that hold
// what each tap reads, neighbour beside neighbour.
const (
	// fewBytes is the size of the channels of a place from which on vectors are
	// full without it, mostTogether that of all lines, which stay in the nearest
	// cache.
	fewBytes, mostTogether = 16, 16 << 10
)

// Together reports whether all windows of a row are computed at once, of
// channels of size bytes each.
func (w Windows) Together(channels, size int) bool {
	return channels*size < fewBytes && w.Out[1] > 1 && w.Pad[1] == 0 &&
		(w.Out[1]-1)*w.Stride[1]+(w.Kernel[1]-1)*w.Dilate[1] < w.In[1] &&
		w.Kernel[0]*w.Kernel[1]*w.Out[1]*channels*size <= mostTogether
}

// Room is the number of elements of the memory that this takes: none where the
// lines lie in the input.
func (w Windows) Room(channels, size int) int {
	room := 0
	if w.Together(channels, size) {
		room = w.Kernel[0] * w.Kernel[1] * w.Out[1] * channels
	} else if first, end := w.inner(); w.runs(channels, size) {
		room = ((end-1-first)*w.Stride[1] + 1) * channels
	}
	if w.Stride[1] == 1 {
		return 0
	}
	return room
}

// runsBytes is the size of the channels of a place up to which the windows that
// have all columns are computed in a run, at every column of the input: with a
// stride, most of those for nothing.
const runsBytes = 64

// inner returns the columns of results whose windows have all of theirs.
func (w *Windows) inner() (first, end int) {
	reach := (w.Kernel[1] - 1) * w.Dilate[1]
	first = (w.Pad[1] + w.Stride[1] - 1) / w.Stride[1]
	if last := w.In[1] - 1 - reach + w.Pad[1]; last >= 0 {
		end = min(w.Out[1], last/w.Stride[1]+1)
	}
	return min(first, end), end
}

// runs reports whether maxima are computed in runs.
func (w *Windows) runs(channels, size int) bool {
	first, end := w.inner()
	return end-first > 1 && w.Stride[1] <= 2 && channels*size <= runsBytes
}

// maxRun is MaxLast of a row's columns from first to end, all whole.
func maxRun[T Number](dst, src, mem []T, w *Windows, channels int, least T, row, first, end int, offsets []int) {
	out := dst[(row*w.Out[1]+first)*channels : (row*w.Out[1]+end)*channels]
	x, at, n := runOf(w, src, channels, row, first, end, offsets)
	switch {
	case len(at) == 0:
		for i := range out {
			out[i] = least
		}
	case w.Stride[1] == 1:
		maxPlaces(out, x, at)
	default:
		maxPlaces(mem[:n], x, at)
		pick(out, mem[:n], channels, w.Stride[1]*channels)
	}
}

// runOf returns the elements that the windows of a row's columns from first to
// end have, all whole, where in them, in bytes, each tap's begin, and how many
// those are at every column. No tap is there where the windows lie in padding.
func runOf[T Number](w *Windows, src []T, channels, row, first, end int, offsets []int) (x []T, taps []int, n int) {
	size := int(unsafe.Sizeof(*new(T)))
	y, image := row%w.Out[0]*w.Stride[0]-w.Pad[0], row/w.Out[0]
	y0, y1 := inside(y, w.Dilate[0], w.Kernel[0], w.In[0])
	offsets = offsets[:0]
	if y0 >= y1 {
		return nil, offsets, 0
	}
	x = src[((image*w.In[0]+y+y0*w.Dilate[0])*w.In[1]+first*w.Stride[1]-w.Pad[1])*channels:]
	at := 0
	for ky := range y1 - y0 {
		for kx := range w.Kernel[1] {
			at = (ky*w.Dilate[0]*w.In[1] + kx*w.Dilate[1]) * channels
			offsets = append(offsets, at*size)
		}
	}
	n = ((end-1-first)*w.Stride[1] + 1) * channels
	return x[:at+n], offsets, n
}

// rows reports whether means are computed row by row, whose windows all have one
// number of elements.
func (w *Windows) rows(channels int) bool {
	first, end := w.inner()
	return w.Together(channels, 4) || first == 0 && end == w.Out[1] && w.runs(channels, 4)
}

// sumRow adds up the windows of a row and returns how many elements each has.
func sumRow(w *Windows, out, src, mem []float32, channels, row int, offsets []int) int {
	if w.Together(channels, 4) {
		x, at := lines(w, src, mem, channels, row, offsets)
		if len(at) > 0 {
			sumFloats(out, x, at)
		}
		return len(at)
	}
	x, at, n := runOf(w, src, channels, row, 0, w.Out[1], offsets)
	switch {
	case len(at) == 0:
	case w.Stride[1] == 1:
		sumFloats(out, x, at)
	default:
		sumFloats(mem[:n], x, at)
		pick(out, mem[:n], channels, w.Stride[1]*channels)
	}
	return len(at)
}

// divide makes means of the sums of a row's windows, each over count elements.
func (w *Windows) divide(out []float32, channels, row, count int, size func(place, count int) int) {
	place := row % w.Out[0] * w.Out[1]
	for from := 0; from < w.Out[1]; {
		// Places whose means are over one number of elements.
		of, to := size(place+from, count), from+1
		for to < w.Out[1] && size(place+to, count) == of {
			to++
		}
		if part := out[from*channels : to*channels]; of == 0 {
			clear(part)
		} else {
			Divide(part, float32(of))
		}
		from = to
	}
}

// lines returns the lines of a row of all images' results: elements, and where
// each line begins in them, in bytes. There is none where the windows lie in
// padding alone. Mem has Room, offsets is that of MaxLast.
func lines[T Number](w *Windows, src, mem []T, channels, row int, offsets []int) ([]T, []int) {
	size, n := int(unsafe.Sizeof(*new(T))), w.Out[1]*channels
	y, image := row%w.Out[0]*w.Stride[0]-w.Pad[0], row/w.Out[0]
	y0, y1 := inside(y, w.Dilate[0], w.Kernel[0], w.In[0])
	offsets = offsets[:0]
	if y0 >= y1 {
		return nil, offsets
	}
	x, end := src[(image*w.In[0]+y+y0*w.Dilate[0])*w.In[1]*channels:], 0
	for ky := range y1 - y0 {
		for kx := range w.Kernel[1] {
			at := (ky*w.Dilate[0]*w.In[1] + kx*w.Dilate[1]) * channels
			if w.Stride[1] == 1 {
				offsets, end = append(offsets, at*size), at+n
				continue
			}
			pick(mem[end:end+n], x[at:], channels, w.Stride[1]*channels)
			offsets, end = append(offsets, end*size), end+n
		}
	}
	if w.Stride[1] == 1 {
		return x[:end], offsets
	}
	return mem[:end], offsets
}

// pick fills dst with runs of n elements that lie step apart in src.
func pick[T Number](dst, src []T, n, step int) {
	size := int(unsafe.Sizeof(*new(T)))
	d, s := octets(dst), octets(src)
	n, step = n*size, step*size
	switch n {
	case 4:
		for ; len(d) >= 4; d = d[4:] {
			*(*[4]byte)(d) = *(*[4]byte)(s)
			s = s[min(step, len(s)):]
		}
	case 8:
		for ; len(d) >= 8; d = d[8:] {
			*(*[8]byte)(d) = *(*[8]byte)(s)
			s = s[min(step, len(s)):]
		}
	case 16:
		for ; len(d) >= 16; d = d[16:] {
			*(*[16]byte)(d) = *(*[16]byte)(s)
			s = s[min(step, len(s)):]
		}
	case 24:
		for ; len(d) >= 24; d = d[24:] {
			*(*[16]byte)(d) = *(*[16]byte)(s)
			*(*[8]byte)(d[16:]) = *(*[8]byte)(s[16:])
			s = s[min(step, len(s)):]
		}
	case 32:
		for ; len(d) >= 32; d = d[32:] {
			*(*[16]byte)(d) = *(*[16]byte)(s)
			*(*[16]byte)(d[16:]) = *(*[16]byte)(s[16:])
			s = s[min(step, len(s)):]
		}
	default:
		for ; len(d) > 0; d = d[n:] {
			copy(d[:n], s)
			s = s[min(step, len(s)):]
		}
	}
}

func octets[T Number](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

package reduce

import "unsafe"

// MaxLast is MaxWindows for planes channels last: src is [images, In…,
// channels], dst [images, Out…, channels]. It computes rows lo to hi of all
// images' results. offsets has room for a number for every element of the
// kernel, mem for w.Room.
func MaxLast[T Number](dst, src []T, channels int, w Windows, least T, lo, hi int, offsets []int, mem []T) {
	if size := int(unsafe.Sizeof(least)); w.Together(channels, size) && len(mem) >= w.Room(channels, size) {
		n := w.Out[1] * channels
		for row := lo; row < hi; row++ {
			out := dst[row*n : (row+1)*n]
			if x, at := lines(&w, src, mem, channels, row, offsets); len(at) > 0 {
				maxPlaces(out, x, at)
				continue
			}
			for i := range out {
				out[i] = least
			}
		}
		return
	}
	if size := int(unsafe.Sizeof(least)); w.runs(channels, size) && len(mem) >= w.Room(channels, size) {
		first, end := w.inner()
		for row := lo; row < hi; row++ {
			maxColumns(dst, src, channels, &w, least, row, 0, first, offsets)
			maxRun(dst, src, mem, &w, channels, least, row, first, end, offsets)
			maxColumns(dst, src, channels, &w, least, row, end, w.Out[1], offsets)
		}
		return
	}
	it := w.places(channels, int(unsafe.Sizeof(least)), lo, hi, offsets)
	maxEach(&it, dst, src, least, -1)
}

// maxColumns is MaxLast of a row's columns from first to end.
func maxColumns[T Number](dst, src []T, channels int, w *Windows, least T, row, first, end int, offsets []int) {
	if first < end {
		it := w.places(channels, int(unsafe.Sizeof(least)), row, row+1, offsets)
		it.col = first - 1
		maxEach(&it, dst, src, least, end-first)
	}
}

// maxEach stores the maxima of so many windows, of all where that is below 0.
func maxEach[T Number](it *places, dst, src []T, least T, count int) {
	channels := it.channels
	for ; count != 0 && it.next(); count-- {
		out := dst[it.out : it.out+channels]
		if len(it.offsets) == 0 {
			for i := range out {
				out[i] = least
			}
			continue
		}
		maxPlaces(out, src[it.from:it.end], it.offsets)
	}
}

// SumLast hands out the sums of each window's bytes, channels last as MaxLast
// has it, for as many channels from first on as sums has room for: with the
// index of the first one's result, the place of the window, and the number of
// elements. emit may change sums, and must not keep them. Where w.Together, sums
// may have room for all channels of a row's windows: then emit is given those
// of all its places, which have one number of elements.
func SumLast[T uint8 | int8](src []T, channels, first int, w Windows, lo, hi int, offsets []int, mem []T, sums []int32, emit func(at, place, count int, sums []int32)) {
	if n := w.Out[1] * channels; w.Together(channels, 1) && len(sums) == n && len(mem) >= w.Room(channels, 1) {
		for row := lo; row < hi; row++ {
			x, at := lines(&w, src, mem, channels, row, offsets)
			clear(sums)
			if len(at) > 0 {
				sumPlaces(sums, x, at)
			}
			emit(row*n, row%w.Out[0]*w.Out[1], len(at), sums)
		}
		return
	}
	it := w.places(channels, 1, lo, hi, offsets)
	for it.next() {
		clear(sums)
		if len(it.offsets) > 0 {
			sumPlaces(sums, src[it.from+first:it.end], it.offsets)
		}
		emit(it.out+first, it.out/channels%(w.Out[0]*w.Out[1]), len(it.offsets), sums)
	}
}

// MeanLast stores the mean of each window, channels last as MaxLast has it, for
// channels from first to end: its sum, whose logical order is that of the
// kernel, divided by size of its place; 0 where that is 0.
func MeanLast(dst, src []float32, channels, first, end int, w Windows, size func(place, count int) int, lo, hi int, offsets []int, mem []float32) {
	if first == 0 && end == channels && w.rows(channels) && len(mem) >= w.Room(channels, 4) {
		n := w.Out[1] * channels
		for row := lo; row < hi; row++ {
			out := dst[row*n : (row+1)*n]
			clear(out)
			if count := sumRow(&w, out, src, mem, channels, row, offsets); count > 0 {
				w.divide(out, channels, row, count, size)
			}
		}
		return
	}
	it := w.places(channels, 4, lo, hi, offsets)
	for it.next() {
		out := dst[it.out+first : it.out+end]
		clear(out)
		n := size(it.out/channels%(w.Out[0]*w.Out[1]), len(it.offsets))
		if len(it.offsets) == 0 || n == 0 {
			continue
		}
		sumFloats(out, src[it.from+first:it.end], it.offsets)
		Divide(out, float32(n))
	}
}

// places goes through the windows of rows channels last.
type places struct {
	w              Windows
	channels, size int
	row, col, end0 int
	bounds         [4]int // of the kernel's elements that offsets holds

	out       int   // index of the window's first result
	offsets   []int // of its elements from the first one, in bytes
	from, end int   // indices between which they lie
}

func (w Windows) places(channels, size, lo, hi int, offsets []int) places {
	return places{w: w, channels: channels, size: size, row: lo, col: -1, end0: hi, offsets: offsets[:0], bounds: [4]int{-1}}
}

// next goes on to the next window.
func (p *places) next() bool {
	w := &p.w
	if p.col++; p.col == w.Out[1] {
		p.row, p.col = p.row+1, 0
	}
	if p.row >= p.end0 || w.Out[1] == 0 {
		return false
	}
	y, image := p.row%w.Out[0]*w.Stride[0]-w.Pad[0], p.row/w.Out[0]
	x := p.col*w.Stride[1] - w.Pad[1]
	y0, y1 := inside(y, w.Dilate[0], w.Kernel[0], w.In[0])
	x0, x1 := inside(x, w.Dilate[1], w.Kernel[1], w.In[1])
	if b := [4]int{y0, y1, x0, x1}; b != p.bounds {
		p.bounds, p.offsets = b, p.offsets[:0]
		for ky := y0; ky < y1; ky++ {
			for kx := x0; kx < x1; kx++ {
				p.offsets = append(p.offsets, ((ky-y0)*w.Dilate[0]*w.In[1]+(kx-x0)*w.Dilate[1])*p.channels*p.size)
			}
		}
	}
	p.out = (p.row*w.Out[1] + p.col) * p.channels
	p.from = ((image*w.In[0]+y+y0*w.Dilate[0])*w.In[1] + x + x0*w.Dilate[1]) * p.channels
	if n := len(p.offsets); n > 0 {
		p.end = p.from + p.offsets[n-1]/p.size + p.channels
	}
	return true
}

// inside returns which elements of a kernel that begins at from lie within n.
func inside(from, dilate, kernel, n int) (lo, hi int) {
	if from < 0 {
		lo = (-from + dilate - 1) / dilate
	}
	if from < n {
		hi = min(kernel, (n-1-from)/dilate+1)
	}
	return min(lo, max(hi, 0)), max(hi, 0)
}

// maxPlacesGeneric is the twin that defines maxPlaces: the greatest of the
// elements that lie at offsets, in bytes, from each element of x on.
func maxPlacesGeneric[T Number](dst, x []T, offsets []int) {
	size := int(unsafe.Sizeof(x[0]))
	copy(dst, x[offsets[0]/size:])
	for _, o := range offsets[1:] {
		for i, v := range x[o/size:][:len(dst)] {
			dst[i] = max(dst[i], v)
		}
	}
}

// sumPlacesGeneric is the twin that defines sumPlaces.
func sumPlacesGeneric[T uint8 | int8](dst []int32, x []T, offsets []int) {
	clear(dst)
	for _, o := range offsets {
		for i, v := range x[o:][:len(dst)] {
			dst[i] += int32(v)
		}
	}
}

// sumFloatsGeneric is the twin that defines sumFloats: the sums in the order of
// offsets.
func sumFloatsGeneric(dst, x []float32, offsets []int) {
	for i := range dst {
		var s Sum
		for _, o := range offsets {
			s.lane[s.n%lanes] += x[o/4+i]
			s.n++
		}
		dst[i] = s.Total()
	}
}

package reduce

// Windows is how pooling windows lie over planes of rows and columns; lists
// hold rows, then columns.
type Windows struct {
	In, Out, Kernel, Stride, Dilate, Pad [2]int
}

// MaxWindows stores the greatest element of each window of the planes of src,
// as Go's max takes it: a NaN wins, -0 < +0. Padding takes no part; a window
// that lies in it alone gives least.
func MaxWindows[T Number](dst, src []T, planes int, w Windows, least T) {
	in, out := w.In[0]*w.In[1], w.Out[0]*w.Out[1]
	for p := range planes {
		x, y := src[p*in:(p+1)*in], dst[p*out:(p+1)*out]
		for r := range w.Out[0] {
			line := y[r*w.Out[1] : (r+1)*w.Out[1]]
			for i := range line {
				line[i] = least
			}
			for k := range w.Kernel[0] {
				from := r*w.Stride[0] - w.Pad[0] + k*w.Dilate[0]
				if from >= 0 && from < w.In[0] {
					maxRow(w, line, x[from*w.In[1]:(from+1)*w.In[1]])
				}
			}
		}
	}
}

// maxRow takes one row of src into a row of results, tap by tap.
func maxRow[T Number](w Windows, dst, src []T) {
	stride := w.Stride[1]
	for k := range w.Kernel[1] {
		// Column j reads src[j*stride+at].
		at := k*w.Dilate[1] - w.Pad[1]
		lo := max(0, (stride-1-at)/stride)
		hi := min(len(dst), (len(src)-1-at)/stride+1)
		if at >= len(src) || lo >= hi {
			continue
		}
		row := src[lo*stride+at:]
		for j := range dst[lo:hi] {
			dst[lo+j] = max(dst[lo+j], row[j*stride])
		}
	}
}

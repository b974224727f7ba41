package reduce

// SumColumns stores the sum of every column of a row-major matrix with
// len(dst) columns: the same bits as SumStrided down each column.
func SumColumns(dst, x []float32) {
	const block = 64
	cols := len(dst)
	for c := 0; c < cols; c += block {
		n := min(block, cols-c)
		var lane [lanes][block]float32
		for row, at := 0, c; at < len(x); row, at = row+1, at+cols {
			l := lane[row%lanes][:n]
			for j, v := range x[at : at+n] {
				l[j] += v
			}
		}
		for width := lanes / 2; width > 0; width /= 2 {
			for i := range width {
				for j := range n {
					lane[i][j] += lane[i+width][j]
				}
			}
		}
		copy(dst[c:], lane[0][:n])
	}
}

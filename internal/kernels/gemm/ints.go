package gemm

// exactly is how many products of integers of magnitude 255 or less float32 sums
// exactly: 255·255·256 < 2²⁴.
const exactly = 256

// someRows is how many rows Ints computes at once.
const someRows = 24

// plain changes nothing.
var plain = NewFloatEnd(Width, nil, false, 0, 0)

// Ints writes the product of m rows of A and the cols columns of one panel of
// B to c, as Floats does. All elements are integers of magnitude 255 or less:
// 8-bit ones less any zero point. Sums are exact modulo 2³².
func Ints(c []int32, ldc int, a []float32, r *Rows, m int, panel []float32, cols int) {
	var t [someRows * Width]float32
	var tap [1]int32
	width := padded(cols)
	for i := 0; i < m; i += someRows {
		n := min(someRows, m-i)
		for q := range n {
			clear(c[(i+q)*ldc:][:cols])
		}
		part, b := Rows{Row: r.Row[i : i+n], Tap: tap[:]}, panel
		for _, first := range r.Tap {
			for d := 0; d < r.Depth; d += exactly {
				tap[0], part.Depth = first+int32(d), min(exactly, r.Depth-d)
				Floats(t[:], nil, width, a, &part, n, b, 0, cols, plain)
				b = b[part.Depth*width:]
				for q := range n {
					out := c[(i+q)*ldc:][:cols]
					for j, v := range t[q*width:][:cols] {
						out[j] += int32(v)
					}
				}
			}
		}
	}
}

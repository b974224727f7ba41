package gemm

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// TestRowsEqualTheirDefinition compares products of one row, in parts and with and
// without addends, with Go's own on every instruction set.
func TestRowsEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(91)
		for i, s := range [][2]int{{1, 1}, {3, 64}, {4, 70}, {37, 128}, {64, 200}, {130, 320}, {512, 256}, {work / Width / 2, 192}} {
			k, n := s[0], s[1]
			m, p := Plain(k, n, n, 1), NewRow(k, n)
			a, before, after := kerneltest.Floats(r, k, false), kerneltest.Floats(r, n, true), kerneltest.Floats(r, n, true)
			packed := make([]float32, m.Floats())
			PackFloats(packed, kerneltest.Floats(r, k*n, false), m)
			bytes, weights := kerneltest.Ints[uint8](r, Group*Groups(k)), make([]int8, m.Bytes())
			PackBytes(weights, kerneltest.Ints[int8](r, k*n), m)
			units := kerneltest.Floats(r, n, false)
			l := NewLiveEnd(m, weights, units)
			const zero, scale = 131, 0.0173
			for _, add := range [][2][]float32{{nil, nil}, {before, nil}, {nil, after}, {before, after}} {
				if k > work/Width/4 && (add[0] == nil || add[1] == nil) {
					continue // one is enough to see that calls are cut
				}
				want, wantBytes := make([]float32, n), make([]float32, n)
				kerneltest.OnGo(t, func() {
					p.Floats(want, add[0], add[1], a, packed, 0, p.Panels())
				})
				for j := range wantBytes {
					sum := int32(0)
					for x := range k {
						sum += (int32(bytes[x]) - zero) * int32(at(weights, m, Group, x, j))
					}
					v := float32(float32(sum) * float32(units[j]*scale))
					if add[0] != nil {
						v += add[0][j]
					}
					if add[1] != nil {
						v += add[1][j]
					}
					wantBytes[j] = v
				}
				for _, cut := range []int{0, 1, p.Panels() - 1} {
					got, check := kerneltest.Guard[float32](t, n, i)
					p.Floats(got, add[0], add[1], a, packed, 0, cut)
					p.Floats(got, add[0], add[1], a, packed, cut, p.Panels())
					check()
					kerneltest.Equal(t, got, want, "floats %v cut at %d", s, cut)
					got, check = kerneltest.Guard[float32](t, n, i)
					p.Bytes(got, add[0], add[1], bytes, weights, l, l.End(), zero, scale, 0, cut)
					p.Bytes(got, add[0], add[1], bytes, weights, l, l.End(), zero, scale, cut, p.Panels())
					check()
					kerneltest.Equal(t, got, wantBytes, "bytes %v cut at %d", s, cut)
				}
			}
		}
	})
}

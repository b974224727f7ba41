package gemm

import (
	"testing"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// testLive compares with the definition: rows of A lie apart, B is given in
// both orders, and results are on a grid and floats.
func testLive[A, B uint8 | int8](t *testing.T, zeros [][2]int32) {
	r := kerneltest.Rand(43)
	_, signedA := any(A(0)).(int8)
	_, signedB := any(B(0)).(int8)
	const multiplier = 3e-4
	for i, s := range [][3]int{{1, 1, 1}, {7, 16, 64}, {5, 33, 70}, {9, 6, 17}, {26, 64, 130}, {2, maxLive, 5}} {
		for _, z := range zeros {
			m, k, n := s[0], s[1], s[2]
			step := k + 8
			a, b := kerneltest.Ints[A](r, m*step), kerneltest.Ints[B](r, k*n)
			turned := make([]B, k*n)
			sums, rows := make([]int32, m*n), make([]int32, m)
			for i := range k {
				for j := range n {
					turned[j*k+i] = b[i*n+j]
				}
			}
			for i := range rows {
				rows[i] = int32(i * step)
			}
			for x := range sums {
				for p := range k {
					sums[x] += (int32(a[x/n*step+p]) - z[0]) * (int32(b[p*n+x%n]) - z[1])
				}
			}
			for _, float := range []bool{false, true} {
				f := Finish{Multiplier: []float32{multiplier}, Grid: convert.GridOf[uint8](11), Float: float}
				p, ok := NewLive(k, n, f, z[0], z[1], signedA, signedB)
				if !ok {
					t.Fatal("no plan")
				}
				for _, order := range []struct {
					b           []B
					row, column int
				}{{b, n, 1}, {turned, 1, k}} {
					packed, checkPacked := kerneltest.Guard[int32](t, p.PackedLen()/4, i)
					scratch, checkScratch := kerneltest.Guard[int32](t, p.ScratchLen(m)/4, i)
					whole := unsafe.Slice((*byte)(unsafe.Pointer(&packed[0])), p.PackedLen())
					mem := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(scratch))), p.ScratchLen(m))
					p.Pack(whole, bytesOf(kerneltest.Fence(t, order.b)), order.row, order.column)
					if float {
						got, check := kerneltest.Guard[float32](t, m*n, i)
						p.Run(unsafe.Slice((*byte)(unsafe.Pointer(&got[0])), 4*len(got)), n, bytesOf(a), rows, m, whole, mem)
						check()
						want := make([]float32, m*n)
						for x, v := range sums {
							want[x] = float32(v) * multiplier
						}
						kerneltest.Equal(t, got, want, "%v zero points %v, row step %d", s, z, order.row)
					} else {
						want := make([]uint8, m*n)
						kerneltest.OnGo(t, func() { convert.Requantize(want, sums, multiplier, f.Grid) })
						got, check := kerneltest.Guard[uint8](t, m*n, i)
						p.Run(got, n, bytesOf(a), rows, m, whole, mem)
						check()
						kerneltest.Equal(t, got, want, "%v zero points %v, row step %d", s, z, order.row)
					}
					checkPacked()
					checkScratch()
				}
			}
		}
	}
	if _, ok := NewLive(maxLive+1, 1, Finish{Multiplier: []float32{1}}, 0, 0, signedA, signedB); ok {
		t.Error("a plan whose sums do not fit")
	}
}

func TestLiveProductsEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("uint8·uint8", func(t *testing.T) {
			testLive[uint8, uint8](t, [][2]int32{{0, 0}, {255, 255}, {128, 128}, {3, 127}, {0, 255}, {255, 0}})
		})
		t.Run("int8·int8", func(t *testing.T) {
			testLive[int8, int8](t, [][2]int32{{0, 0}, {127, 127}, {-128, -128}, {127, -128}})
		})
		t.Run("int8·uint8", func(t *testing.T) { testLive[int8, uint8](t, [][2]int32{{-128, 0}, {127, 200}}) })
		t.Run("uint8·int8", func(t *testing.T) { testLive[uint8, int8](t, [][2]int32{{0, 0}, {200, -100}}) })
	})
}

func TestLiveFloatsArePackedAsOthers(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(44)
		for _, s := range [][2]int{{1, 1}, {16, 64}, {33, 70}, {64, 130}, {5, 17}} {
			k, n := s[0], s[1]
			b, turned := kerneltest.Floats(r, k*n, false), make([]float32, k*n)
			for i := range b {
				turned[i%n*k+i/n] = b[i]
			}
			m := Plain(k, n, n, 1)
			want := make([]float32, m.Floats())
			PackFloats(want, b, m)
			for i, order := range []struct {
				b           []float32
				row, column int
			}{{b, n, 1}, {turned, 1, k}} {
				got, check := kerneltest.Guard[float32](t, m.Floats(), i)
				PackLive(got, order.b, k, n, order.row, order.column)
				check()
				kerneltest.Equal(t, got, want, "%v row step %d", s, order.row)
			}
		}
	})
}

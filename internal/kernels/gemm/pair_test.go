package gemm

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func testPair[A, B uint8 | int8](t *testing.T, zeros [][2]int32) {
	r := kerneltest.Rand(41)
	_, signedA := any(A(0)).(int8)
	_, signedB := any(B(0)).(int8)
	for i, s := range [][3]int{{1, 1, 1}, {7, 16, 64}, {5, 33, 70}, {9, 6, 17}, {26, 64, 130}} {
		for _, z := range zeros {
			m, k, n := s[0], s[1], s[2]
			a, b := kerneltest.Ints[A](r, m*k), kerneltest.Ints[B](r, k*n)
			f := Finish{Multiplier: []float32{3e-4}, Grid: convert.GridOf[uint8](11)}
			sums, want := make([]int32, m*n), make([]uint8, m*n)
			for x := range sums {
				for p := range k {
					sums[x] += (int32(a[x/n*k+p]) - z[0]) * (int32(b[p*n+x%n]) - z[1])
				}
			}
			kerneltest.OnGo(t, func() { convert.Requantize(want, sums, 3e-4, f.Grid) })
			p := NewPair(m, k, n, f, z[0], z[1], signedA, signedB)
			got, check := kerneltest.Guard[uint8](t, m*n, i)
			scratch, checkScratch := kerneltest.Guard[int32](t, p.ScratchLen()/4, i)
			p.Run(got, bytesOf(kerneltest.Fence(t, a)), bytesOf(kerneltest.Fence(t, b)), unsafe.Slice((*byte)(unsafe.Pointer(&scratch[0])), p.ScratchLen()))
			check()
			checkScratch()
			kerneltest.Equal(t, got, want, "%v zero points %v", s, z)
		}
	}
}

func TestPairsEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("uint8·uint8", func(t *testing.T) {
			testPair[uint8, uint8](t, [][2]int32{{0, 0}, {255, 255}, {128, 128}, {3, 127}, {9, 129}, {0, 1}, {255, 254}})
		})
		t.Run("int8·int8", func(t *testing.T) {
			testPair[int8, int8](t, [][2]int32{{0, 0}, {127, 127}, {-128, -128}, {5, -1}, {-9, 1}, {0, -127}})
		})
		t.Run("int8·uint8", func(t *testing.T) { testPair[int8, uint8](t, [][2]int32{{-128, 0}, {127, 200}}) })
		t.Run("uint8·int8", func(t *testing.T) { testPair[uint8, int8](t, [][2]int32{{0, 0}, {200, -100}}) })
	})
}

func TestUnsignedTurnsBits(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(42)
		for _, n := range kerneltest.Lengths(64) {
			src := kerneltest.Ints[uint8](r, n)
			for _, flip := range []uint8{0, 0x80, 0x5a} {
				want := make([]uint8, n)
				for i, v := range src {
					want[i] = v ^ flip
				}
				got, check := kerneltest.Guard[uint8](t, n, n%5)
				Unsigned(got, kerneltest.Fence(t, src), flip)
				check()
				kerneltest.Equal(t, got, want, "%d bytes, %#x", n, flip)
			}
		}
	})
}

func bytesOf[T uint8 | int8](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// BenchmarkPair runs the products of one head of BERT's attention.
func BenchmarkPair(b *testing.B) {
	for _, s := range [][3]int{{128, 64, 128}, {128, 128, 64}} {
		m, k, n := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(b *testing.B) {
			r := kerneltest.Rand(43)
			p := NewPair(m, k, n, Finish{Multiplier: []float32{3e-4}, Grid: convert.GridOf[uint8](11)}, 100, 120, false, false)
			x, w, c, scratch := kerneltest.Ints[uint8](r, m*k), kerneltest.Ints[uint8](r, k*n), make([]byte, m*n), make([]int32, p.ScratchLen()/4)
			mem := unsafe.Slice((*byte)(unsafe.Pointer(&scratch[0])), p.ScratchLen())
			kerneltest.Fraction(b, true, m*k*n, func() { p.Run(c, x, w, mem) })
		})
	}
}

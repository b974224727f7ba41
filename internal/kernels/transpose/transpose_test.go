package transpose

import (
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func levels() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

func testMatrix[T uint8 | uint32](t *testing.T) {
	kerneltest.Run(t, levels(), func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		sizes := []int{0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 130}
		for _, rows := range sizes {
			for _, cols := range sizes {
				dstStep, srcStep := rows+r.IntN(2)*3, cols+r.IntN(2)*5
				src, dst := make([]T, rows*srcStep), make([]T, cols*dstStep)
				for i := range src {
					src[i] = T(r.Uint32())
				}
				for i := range dst {
					dst[i] = 77
				}
				if rows > 0 && cols > 0 {
					// Nothing behind the last elements may be touched.
					src, dst = src[:(rows-1)*srcStep+cols], dst[:(cols-1)*dstStep+rows]
				}
				Matrix(dst, src[:len(src):len(src)], rows, cols, dstStep, srcStep)
				for j := range cols {
					for i := range dstStep {
						at := j*dstStep + i
						if at >= len(dst) {
							continue
						}
						want := T(77)
						if i < rows {
							want = src[i*srcStep+j]
						}
						if dst[at] != want {
							t.Fatalf("%d×%d, steps %d and %d: element %d of row %d is %d, want %d", rows, cols, dstStep, srcStep, i, j, dst[at], want)
						}
					}
				}
			}
		}
	})
}

func TestMatrix(t *testing.T) {
	t.Run("bytes", testMatrix[uint8])
	t.Run("words", testMatrix[uint32])
}

// TestNothingIsReadOutside lays matrices of bytes at the end of memory.
func TestNothingIsReadOutside(t *testing.T) {
	kerneltest.Run(t, levels(), func(t *testing.T) {
		r := kerneltest.Rand(3)
		for _, s := range [][2]int{{3, 16}, {3, 50}, {16, 16}, {17, 33}, {64, 49}} {
			src := kerneltest.Fence(t, kerneltest.Ints[uint8](r, s[0]*s[1]))
			dst, check := kerneltest.Guard[uint8](t, len(src), 1)
			Matrix(dst, src, s[0], s[1], s[0], s[1])
			check()
			Matrix(kerneltest.Fence(t, make([]uint8, len(src))), src, s[0], s[1], s[0], s[1])
		}
	})
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zblocks_neon_arm64.s", "zblocks_avx2_amd64.s")
}

func BenchmarkMatrix(b *testing.B) {
	for _, s := range [][2]int{{3, 224 * 224}, {64, 56 * 56}, {56 * 56, 64}, {128, 64}} {
		x, y := make([]uint32, s[0]*s[1]), make([]uint32, s[0]*s[1])
		b.Run("words", func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				Matrix(y, x, s[0], s[1], s[0], s[1])
			}
		})
		p, q := make([]uint8, len(x)), make([]uint8, len(x))
		b.Run("bytes", func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				Matrix(q, p, s[0], s[1], s[0], s[1])
			}
		})
	}
}

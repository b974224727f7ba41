package gemm

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// anyRescaling returns one of n channels and of the kind that i chooses, and
// whether its results are int8.
func anyRescaling(r *rand.Rand, i, n int) (_ *convert.Rescaling, signed bool) {
	bias, factors, reals := make([]int32, n), make([]convert.Fixed, n), make([]float64, n)
	for c := range n {
		bias[c] = r.Int32N(1<<20) - 1<<19
		factors[c] = convert.Fixed{M: 1<<30 + r.Int32N(1<<30), Right: r.Int32N(16)}
		reals[c] = r.Float64() / 300
		switch r.IntN(12) {
		case 0:
			factors[c].M = 0
		case 1:
			factors[c].M = 1 << 30
		case 2:
			factors[c].Right = r.Int32N(32)
		}
		if i%6 == 1 {
			factors[c].Left, factors[c].Right = r.Int32N(3), 0
		}
	}
	zero, lo, hi := int32(r.IntN(200)), int32(0), int32(255)
	if signed = i%2 == 0; signed {
		zero, lo, hi = zero-100, -128, 127
	}
	if i%3 == 0 {
		lo, hi = lo+9, hi-11
	}
	if i%5 == 0 {
		return convert.NewRealRescaling(bias, reals, zero, lo, hi), signed
	}
	return convert.NewRescaling(bias, factors, zero, lo, hi), signed
}

// TestFixedIsRescaledSums compares with the rescaling of whole sums.
func TestFixedIsRescaledSums(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(37)
		for i, s := range append(scenes(r), newScene(r, 150, 130, 2, 40)) {
			k := s.taps * s.depth
			a, b := kerneltest.Ints[uint8](r, s.reach+Group), kerneltest.Ints[int8](r, k*s.n)
			if i%4 == 0 { // small sums
				for j := range b {
					b[j] /= 64
				}
			}
			zero := uint8(r.IntN(256))
			fixed, signed := anyRescaling(r, i, s.n)
			packed := make([]int8, s.matrix().Bytes())
			PackBytes(packed, b, s.matrix())
			e := NewByteEnd(Finish{Fixed: fixed, Most: int64(k) * 255 * 128}, s.matrix(), packed, zero)
			whole := NewByteEnd(Finish{Multiplier: []float32{1}, Whole: true}, s.matrix(), packed, zero)
			a, packed = kerneltest.Fence(t, a[:s.reach+Group*Groups(s.depth)-s.depth]), kerneltest.Fence(t, packed)
			ldc := s.n + i%3
			c, check := kerneltest.Guard[byte](t, s.m*ldc, i%4)
			want, sums := slices.Clone(c), make([]int32, s.m*s.n)
			octets := unsafe.Slice((*byte)(unsafe.Pointer(&sums[0])), 4*len(sums))
			panel := s.taps * Group * Groups(s.depth)
			for j := 0; j < s.n; j += Width {
				cols := min(Width, s.n-j)
				Bytes(c[j:], ldc, a, &s.rows, s.m, packed[j*panel:], j, cols, e)
				bytesGeneric(octets[4*j:], 4*s.n, a, &s.rows, s.m, packed[j*panel:], padded(cols), cols, whole, j)
			}
			check()
			kerneltest.OnGo(t, func() {
				for row := range s.m {
					to, from := want[row*ldc:][:s.n], sums[row*s.n:][:s.n]
					if signed {
						convert.Rescale(fixed, unsafe.Slice((*int8)(unsafe.Pointer(&to[0])), s.n), from)
					} else {
						convert.Rescale(fixed, to, from)
					}
				}
			})
			kerneltest.Equal(t, c, want, "%+v kind %d zero %d", s, i, zero)
		}
	})
}

func TestFixedAllocatesNothing(t *testing.T) {
	const m, n, k = 53, 80, 9
	s := newScene(kerneltest.Rand(38), m, n, 1, k)
	x, w, y := make([]uint8, s.reach+Group), make([]int8, s.matrix().Bytes()), make([]byte, m*n)
	fixed, _ := anyRescaling(kerneltest.Rand(39), 2, n)
	e := NewByteEnd(Finish{Fixed: fixed, Most: k * 255 * 128}, s.matrix(), w, 0)
	kerneltest.Run(t, rows(), func(t *testing.T) {
		if got := testing.AllocsPerRun(10, func() { Bytes(y, n, x, &s.rows, m, w, 0, Width, e) }); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

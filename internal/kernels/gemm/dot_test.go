package gemm

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// naiveBytes is the definition of MultiplyBytes over the rows a and columns b.
func naiveBytes(k int, a []int8, b []uint8, sums *[MR * NR]int32) {
	for i := range MR {
		for j := range NR {
			for p := range k {
				sums[i*NR+j] += int32(a[i*k+p]) * int32(b[j*k+p])
			}
		}
	}
}

func testBytes[T uint8 | int8](t *testing.T) {
	r := kerneltest.Rand(21)
	for i, k := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 64, 300, 4 * depth, 4*depth + 5} {
		a, x := kerneltest.Ints[int8](r, MR*k), kerneltest.Ints[T](r, NR*k)
		if i%3 == 0 { // every product at one end of the range
			for i := range a {
				a[i] = -128
			}
			for i := range x {
				x[i] = max(^T(0), 127)
			}
		}
		b := make([]uint8, len(x))
		for i, v := range x {
			b[i] = uint8(v) ^ Flip[T]()
		}
		var got, want [MR * NR]int32
		naiveBytes(k, a, b, &want)
		pa, checkA := kerneltest.Guard[int8](t, PackedBytesA(MR, k), i%5)
		pb, checkB := kerneltest.Guard[uint8](t, PackedBytesB(k, NR), i%3)
		PackBytesA(pa, a, MR, k, k, 1)
		PackBytesB(pb, x, k, NR)
		checkA()
		checkB()
		MultiplyBytes(&got, Groups(k), kerneltest.Fence(t, pa), kerneltest.Fence(t, pb))
		kerneltest.Equal(t, got[:], want[:], "k=%d", k)
		clear(want[:])
		if k > 0 && k < 100 {
			dotGeneric(&want, Groups(k), pa, pb)
			kerneltest.Equal(t, got[:], want[:], "twin, k=%d", k)
		}
	}
}

func TestMultiplyBytesIsExact(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("uint8", testBytes[uint8])
		t.Run("int8", testBytes[int8])
	})
}

func testRun[T uint8 | int8](t *testing.T) {
	r := kerneltest.Rand(22)
	for channels := range 14 {
		for _, step := range []int{NR, NR + 3, 100} {
			src := kerneltest.Fence(t, kerneltest.Ints[T](r, max(0, (channels-1)*step+NR)))
			if channels == 0 {
				src = nil
			}
			cols := make([]T, NR*channels)
			for c := range channels {
				for j := range NR {
					cols[j*channels+c] = src[c*step+j]
				}
			}
			got, check := kerneltest.Guard[uint8](t, PackedBytesB(channels, NR), channels%4)
			want := make([]uint8, len(got))
			copy(want, got)
			PackRun(got, src, channels, step)
			PackBytesB(want, cols, channels, NR)
			check()
			kerneltest.Equal(t, got, want, "%d channels %d apart", channels, step)
		}
	}
}

func TestPackRunEqualsPackBytesB(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("uint8", testRun[uint8])
		t.Run("int8", testRun[int8])
	})
}

func TestPackBytesAFollowsStrides(t *testing.T) {
	r := kerneltest.Rand(23)
	for _, m := range []int{1, 3, 4, 9} {
		const k = 7
		a := kerneltest.Ints[int8](r, m*k)
		at := make([]int8, m*k)
		for i := range m {
			for p := range k {
				at[p*m+i] = a[i*k+p]
			}
		}
		x, y := make([]int8, PackedBytesA(m, k)), make([]int8, PackedBytesA(m, k))
		PackBytesA(x, a, m, k, k, 1)
		PackBytesA(y, at, m, k, 1, m)
		kerneltest.Equal(t, x, y, "%d rows", m)
		for i := range m {
			for p := range k {
				if got := x[i/MR*MR*8+p/4*MR*4+i%MR*4+p%4]; got != a[i*k+p] {
					t.Fatalf("element %d,%d is %d, want %d", i, p, got, a[i*k+p])
				}
			}
		}
	}
}

func BenchmarkMultiplyBytes(b *testing.B) {
	for _, v := range rows() {
		b.Run(v.Name, func(b *testing.B) {
			kerneltest.Limit(b, v.Level)
			const k = 512
			r := kerneltest.Rand(10)
			pa, pb := kerneltest.Ints[int8](r, PackedBytesA(MR, k)), kerneltest.Ints[uint8](r, PackedBytesB(k, NR))
			var sums [MR * NR]int32
			for b.Loop() {
				MultiplyBytes(&sums, Groups(k), pa, pb)
			}
			kerneltest.Throughput(b, MR*NR*k)
		})
	}
}

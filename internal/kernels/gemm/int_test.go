package gemm

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// naiveInts is the definition of I8; zero points are one for each row of A and
// each column of B.
func naiveInts[A, B int8 | uint8](m, n, k int, a []A, b []B, za, zb, row, col []int32) []int32 {
	c := make([]int32, m*n)
	for i := range m {
		for j := range n {
			acc := row[i] + col[j]
			for p := range k {
				acc += (int32(a[i*k+p]) - za[i]) * (int32(b[p*n+j]) - zb[j])
			}
			c[i*n+j] = acc
		}
	}
	return c
}

func testInts[A, B int8 | uint8](t *testing.T, step int, zeros func(n int) (za, zb int32)) {
	r := kerneltest.Rand(9)
	for i, s := range append(sizes(), [3]int{5, 17, 600}, [3]int{4, 16, 2048}) {
		m, n, k := s[0], s[1], s[2]
		a, b := kerneltest.Ints[A](r, m*k), kerneltest.Ints[B](r, k*n)
		if i%3 == 0 && len(a) > 0 { // every product at the same end
			for i := range a {
				a[i] = a[0]
			}
			for i := range b {
				b[i] = b[0]
			}
		}
		row, col := kerneltest.Ints[int32](r, m), kerneltest.Ints[int32](r, n)
		za, zb := make([]int32, m), make([]int32, n)
		for i := range za {
			za[i], _ = zeros(i)
		}
		for i := range zb {
			_, zb[i] = zeros(i)
		}
		ap, bp := make([]float32, PackedA(m, k)), make([]float32, PackedB(k, n))
		PackAInts(ap, a, m, k, k, 1, za)
		PackBInts(bp, b, k, n, n, 1, zb)
		want := naiveInts(m, n, k, a, b, za, zb, row, col)
		ldc := n + i%2
		c, check := kerneltest.Guard[int32](t, m*ldc, i%4)
		I8(c, ldc, m, n, k, step, ap, bp, row, col)
		check()
		for i := range m {
			kerneltest.Equal(t, c[i*ldc:i*ldc+n], want[i*n:i*n+n], "%v row %d", s, i)
		}
	}
}

func TestI8IsExact(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		none := func(int) (int32, int32) { return 0, 0 }
		t.Run("uint8·int8", func(t *testing.T) { testInts[uint8, int8](t, StepSymmetric, none) })
		t.Run("int8·int8", func(t *testing.T) { testInts[int8, int8](t, StepSymmetric, none) })
		t.Run("zero point of A at an end", func(t *testing.T) {
			testInts[uint8, int8](t, StepSymmetric, func(int) (int32, int32) { return 255, 0 })
		})
		t.Run("zero points of both", func(t *testing.T) {
			testInts[uint8, uint8](t, StepAny, func(i int) (int32, int32) { return int32(i * 37 % 256), int32(255 - i*91%256) })
		})
		t.Run("zero points at opposite ends", func(t *testing.T) {
			testInts[int8, uint8](t, StepAny, func(int) (int32, int32) { return 127, 255 })
		})
	})
}

func TestStepsAreExact(t *testing.T) {
	for _, c := range []struct{ step, product int }{{StepSymmetric, 255 * 128}, {StepAny, 255 * 255}} {
		if c.step*c.product >= 1<<24 {
			t.Errorf("%d products of %d reach 2²⁴", c.step, c.product)
		}
	}
}

func BenchmarkI8(b *testing.B) {
	for _, v := range rows() {
		b.Run(v.Name, func(b *testing.B) {
			kerneltest.Limit(b, v.Level)
			const m, n, k = 64, 256, 512
			r := kerneltest.Rand(10)
			ap, bp := make([]float32, PackedA(m, k)), make([]float32, PackedB(k, n))
			PackAInts(ap, kerneltest.Ints[int8](r, m*k), m, k, k, 1, nil)
			PackBInts(bp, kerneltest.Ints[uint8](r, k*n), k, n, n, 1, nil)
			c := make([]int32, m*n)
			for b.Loop() {
				I8(c, n, m, n, k, StepAny, ap, bp, nil, nil)
			}
			kerneltest.Throughput(b, m*n*k)
		})
	}
}

package lut

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func levels() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

func TestApply(t *testing.T) {
	negate := func(b byte) byte { return byte(-int8(b)) }
	table := Build(negate)
	kerneltest.Run(t, levels(), func(t *testing.T) {
		r := kerneltest.Rand(1)
		for _, n := range append(kerneltest.Lengths(64), 256, 300) {
			src := kerneltest.Ints[byte](r, n)
			if n == 256 {
				for i := range src {
					src[i] = byte(i)
				}
			}
			want := make([]byte, n)
			for i, b := range src {
				want[i] = negate(b)
			}
			dst, check := kerneltest.Guard[byte](t, n, n%5)
			Apply(dst, kerneltest.Fence(t, src), table)
			check()
			kerneltest.Equal(t, dst, want, "length %d", n)
			Apply(dst, dst, table)
			kerneltest.Equal(t, dst, src, "length %d, twice in place", n)
		}
	})
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "ztable_neon_arm64.s", "ztable_avx2_amd64.s", "ztable_vbmi_amd64.s")
}

func BenchmarkApply(b *testing.B) {
	table := Build(func(b byte) byte { return b ^ 0x55 })
	src := make([]byte, 4096)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Apply(src, src, table)
	}
}

package lut_test

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/lut"
)

func TestApply(t *testing.T) {
	negate := func(b byte) byte { return byte(-int8(b)) }
	table := lut.Build(negate)
	src := make([]byte, 300)
	for i := range src {
		src[i] = byte(i * 7)
	}
	for n := range src {
		dst := make([]byte, n+1)
		dst[n] = 99
		lut.Apply(dst, src[:n], table)
		for i, b := range src[:n] {
			if dst[i] != negate(b) {
				t.Fatalf("length %d: element %d is %d, want %d", n, i, dst[i], negate(b))
			}
		}
		if dst[n] != 99 {
			t.Fatalf("length %d: wrote past the end", n)
		}
	}
	want := append([]byte(nil), src...)
	lut.Apply(src, src, table)
	lut.Apply(src, src, table)
	if string(src) != string(want) {
		t.Error("negating twice in place changed the bytes")
	}
}

func BenchmarkApply(b *testing.B) {
	table := lut.Build(func(b byte) byte { return b ^ 0x55 })
	src := make([]byte, 4096)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		lut.Apply(src, src, table)
	}
}

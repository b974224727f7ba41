package observe

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/kernels/histogram"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// TestCountersKeepTheState: values given by way of a counter leave the state
// that those counted one by one leave, to the byte, whatever lies in them.
func TestCountersKeepTheState(t *testing.T) {
	kinds := []struct {
		name string
		fill func(n int, seed uint64) []float32
	}{
		{"normal", func(n int, seed uint64) []float32 { return kerneltest.Floats(kerneltest.Rand(seed), n, false) }},
		{"with what is not finite", func(n int, seed uint64) []float32 { return kerneltest.Floats(kerneltest.Rand(seed), n, true) }},
		{"tiny", func(n int, seed uint64) []float32 { return kerneltest.Tiny(kerneltest.Rand(seed), n) }},
		{"zeros", func(n int, _ uint64) []float32 { return make([]float32, n) }},
		{"growing", func(n int, seed uint64) []float32 {
			x := kerneltest.Floats(kerneltest.Rand(seed), n, false)
			for i := range x {
				x[i] = float32(math.Ldexp(float64(x[i]), i*90/n-40))
			}
			return x
		}},
	}
	levels := []kerneltest.Variant{{Name: "generic", Level: cpu.Generic}, {Name: "avx2", Level: cpu.AVX2}, {Name: "avx512", Level: cpu.AVX512}}
	kerneltest.Run(t, levels, func(t *testing.T) {
		c := histogram.NewCounter()
		for _, k := range kinds {
			one, all := New(true), New(true)
			for i, n := range []int{fewValues - 1, fewValues, 5*histogram.Chunk + 13, 1 << 16} {
				x := k.fill(n, uint64(i))
				one.Observe(i, x, nil)
				all.Observe(i, kerneltest.Fence(t, x), c)
			}
			if !bytes.Equal(all.Append(nil), one.Append(nil)) {
				t.Errorf("%s: got %s\nwant %s", k.name, fmt.Sprint(state(all)), fmt.Sprint(state(one)))
			}
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	x := kerneltest.Floats(kerneltest.Rand(1), 1<<18, false)
	for i := range x {
		x[i] = max(x[i], 0)
	}
	for _, c := range []*histogram.Counter{nil, histogram.NewCounter()} {
		b.Run(fmt.Sprintf("counter=%v", c != nil), func(b *testing.B) {
			s := New(true)
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				s.Observe(0, x, c)
			}
		})
	}
}

// Package kerneltest is what the tests of all kernel families share: running a
// test once for every variant of a kernel, sizes around the edges of tiles,
// data that finds rounding and NaN mistakes, and guard bands that find stores
// out of bounds.
//
// It sees names, levels and slices, and must not know any kernel. A family's
// test reads
//
//	kerneltest.Run(t, []kerneltest.Variant{{"generic", cpu.Generic}, …}, func(t *testing.T) {
//		for _, n := range kerneltest.Lengths(16) {
//			x := kerneltest.Floats(r, n, true)
//			dst, check := kerneltest.Guard[float32](t, n, 3)
//			kernel(dst, x)
//			check()
//			kerneltest.Equal(t, dst, twin(x), "n=%d", n)
//		}
//	})
//
// Start at [Run].
package kerneltest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// Variant names one implementation of a kernel and what it needs.
type Variant struct {
	Name  string
	Level cpu.Level
}

// Run runs f as a subtest for every variant, with the processor limited to the
// variant's level, so that dispatch picks it. Variants that the processor
// cannot run are skipped with a message.
func Run(t *testing.T, variants []Variant, f func(t *testing.T)) {
	t.Helper()
	for _, v := range variants {
		t.Run(v.Name, func(t *testing.T) {
			Limit(t, v.Level)
			f(t)
		})
	}
}

// OnGo runs f with the Go code alone.
func OnGo(t testing.TB, f func()) {
	t.Helper()
	restore, err := cpu.Override(cpu.Generic.String())
	if err != nil {
		t.Fatal(err)
	}
	defer restore()
	f()
}

// Limit limits the processor to a level until the test or benchmark ends, or
// skips it.
func Limit(t testing.TB, l cpu.Level) {
	t.Helper()
	restore, err := cpu.Override(l.String())
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(restore)
}

// Lengths returns the sizes at which a kernel that works in tiles of the given
// size is tested: all from 0 to 2·tile+1, and some primes above.
func Lengths(tile int) []int {
	var out []int
	for n := range 2*tile + 2 {
		out = append(out, n)
	}
	for _, p := range []int{37, 67, 131, 257, 1009} {
		if p > 2*tile+1 && p < 20*tile {
			out = append(out, p)
		}
	}
	return out
}

// Rand returns the generator of the given test's data.
func Rand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

// odd are the floats that arithmetic treats apart.
var odd = []float32{
	0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	math.SmallestNonzeroFloat32, -0x1p-140, 0x1p-126, -0x1p-126, 0x1p-60, -0x1p-70, math.MaxFloat32, -math.MaxFloat32, 1, -1, 0.5,
}

// Floats returns n normally distributed floats. If special, one in sixteen is
// an infinity, NaN, zero of either sign, subnormal, or extreme instead.
func Floats(r *rand.Rand, n int, special bool) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
		if special && r.IntN(16) == 0 {
			out[i] = odd[r.IntN(len(odd))]
		}
	}
	return out
}

// Tiny returns n floats whose products are subnormal or vanish, and which are
// subnormal themselves at times.
func Tiny(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(math.Ldexp(r.NormFloat64(), -60-r.IntN(80)))
	}
	return out
}

// Integer is the type of a quantized element or an accumulator.
type Integer interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32
}

// Ints returns n integers of the whole range, one in four at one of its ends.
func Ints[T Integer](r *rand.Rand, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = T(r.Uint32())
		if r.IntN(4) == 0 {
			out[i] = extreme[T](r.IntN(2) == 0)
		}
	}
	return out
}

// extreme returns the greatest or least value of T.
func extreme[T Integer](greatest bool) T {
	var zero T
	least := zero
	if zero-1 < 0 {
		least = 1
		for least > 0 {
			least <<= 1
		}
	}
	if greatest {
		return least - 1
	}
	return least
}

// guards is the number of elements on each side of a guarded slice.
const guards = 64

// Guard returns a slice of n elements that lies offset elements behind an
// aligned one, between bands of a known value, and a function that fails the
// test if a band has changed. The slice has no capacity to spare, and holds the
// known value too: a kernel that adds to what it finds is found out.
func Guard[T Integer | ~float32 | ~float64](t testing.TB, n, offset int) (s []T, check func()) {
	const known = 85
	mem := make([]T, guards+offset+n+guards)
	for i := range mem {
		mem[i] = known
	}
	from := guards + offset
	return mem[from : from+n : from+n], func() {
		t.Helper()
		for i, v := range mem {
			if (i < from || i >= from+n) && v != known {
				t.Fatalf("wrote %v at %d of a slice of %d elements", v, i-from, n)
			}
		}
	}
}

// Equal fails the test at the first element in which got and want differ in
// bits; any NaN equals any other. The format says which case it is.
func Equal[T cmp.Ordered](t testing.TB, got, want []T, format string, args ...any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", fmt.Sprintf(format, args...), len(got), len(want))
	}
	for i := range want {
		if !Same(got[i], want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", fmt.Sprintf(format, args...), i, got[i], want[i])
		}
	}
}

// Same reports whether a and b have the same bits, or are both NaN.
func Same[T cmp.Ordered](a, b T) bool {
	if a != a || b != b {
		return a != a && b != b
	}
	if a != b {
		return false
	}
	switch x := any(a).(type) {
	case float32:
		return math.Float32bits(x) == math.Float32bits(any(b).(float32))
	case float64:
		return math.Float64bits(x) == math.Float64bits(any(b).(float64))
	}
	return true
}

// Throughput reports the multiply-adds per second of a benchmark whose loop
// does macs of them.
func Throughput(b *testing.B, macs int) {
	b.ReportMetric(float64(macs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
}

package histogram

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func levels() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

// finite is kerneltest.Floats without what is not finite, and with zeros.
func finite(n int, seed uint64) []float32 {
	x := kerneltest.Floats(kerneltest.Rand(seed), n, true)
	for i, v := range x {
		if v-v != 0 {
			x[i] = 0
		}
	}
	return x
}

func TestBounds(t *testing.T) {
	zero := float32(math.Copysign(0, -1))
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	kerneltest.Run(t, levels(), func(t *testing.T) {
		for _, n := range append(kerneltest.Lengths(32), Chunk) {
			x := finite(n, uint64(n))
			for _, sign := range []float32{0, 1, -1} { // mixed, none negative, none positive
				y := kerneltest.Fence(t, x)
				for i, v := range y {
					if sign != 0 {
						y[i] = sign * float32(math.Abs(float64(v)))
					}
				}
				lo, hi := inf, -inf
				least, greatest := 256, -1
				for _, v := range y {
					lo, hi = min(lo, v), max(hi, v)
					if e := int(math.Float32bits(v) >> 23 & 255); v != 0 {
						least, greatest = min(least, e), max(greatest, e)
					}
				}
				got, ok := Bounds(y)
				kerneltest.Equal(t, []float32{got.Min, got.Max}, []float32{lo, hi}, "%d values, sign %v", n, sign)
				if a, b := got.Exponents(); (a <= b || least <= greatest) && (a != least || b != greatest) {
					t.Fatalf("%d values, sign %v: exponents %d to %d, want %d to %d", n, sign, a, b, least, greatest)
				}
				if !ok {
					t.Fatalf("%d finite values are not", n)
				}
				for _, bad := range []float32{inf, -inf, nan, -nan, math.Float32frombits(0xffc00000)} {
					if n == 0 {
						break
					}
					at := n * 2 / 3
					was := y[at]
					y[at] = bad
					if _, ok := Bounds(y); ok {
						t.Fatalf("%d values, sign %v: finite with %v", n, sign, bad)
					}
					y[at] = was
				}
			}
		}
		for _, x := range [][]float32{{0, zero}, {zero, 0}, {zero, 1}, {-1, zero}} {
			for range 6 {
				x = append(x, x...)
			}
			wantLo, wantHi := min(x[0], x[1]), max(x[0], x[1])
			got, _ := Bounds(x)
			kerneltest.Equal(t, []float32{got.Min, got.Max}, []float32{wantLo, wantHi}, "%v", x[:2])
		}
	})
}

// counted is what a counter must come to, value by value.
type counted struct {
	zeros      uint64
	count, low [512][128]uint64
}

func (c *counted) add(x []float32) {
	for _, v := range x {
		b := math.Float32bits(v)
		if v == 0 {
			c.zeros++
			continue
		}
		c.count[b>>23][b>>16&127]++
		c.low[b>>23][b>>16&127] += uint64(b & 0xffff)
	}
}

func TestCounter(t *testing.T) {
	kerneltest.Run(t, levels(), func(t *testing.T) {
		c := NewCounter()
		for range 2 { // the second time after it was drained
			var got, want counted
			for _, n := range append(kerneltest.Lengths(32), Chunk-1, Chunk) {
				x := finite(n, uint64(n))
				switch n % 4 {
				case 1: // a chain of additions to one cell
					for i := range x {
						x[i] = 6
					}
				case 2: // subnormals, next to zeros of either sign
					x = kerneltest.Tiny(kerneltest.Rand(uint64(n)), n)
					for i := range x {
						x[i] *= 0x1p-30
					}
				}
				want.add(x)
				got.zeros += c.Add(kerneltest.Fence(t, x))
			}
			for page := range got.count {
				if holds := c.Holds(page); holds != (want.count[page] != [128]uint64{}) {
					t.Fatalf("page %d holds values: %v", page, holds)
				} else if holds {
					c.Drain(page, &got.count[page], &got.low[page])
				}
				if c.Holds(page) {
					t.Fatalf("page %d holds values after it was drained", page)
				}
			}
			c.Reset()
			if got != want {
				t.Fatalf("counts differ; %d zeros, want %d", got.zeros, want.zeros)
			}
		}
	})
}

// TestCounterIsFullInTime: a cell takes as many values as may come before Full.
func TestCounterIsFullInTime(t *testing.T) {
	c := NewCounter()
	x := make([]float32, Chunk)
	for i := range x {
		x[i] = math.Float32frombits(0x3f80ffff)
	}
	n := uint64(0)
	for !c.Full() {
		c.Add(x)
		n += Chunk
	}
	var count, low [128]uint64
	c.Drain(127, &count, &low)
	if count[0] != n || low[0] != n*0xffff {
		t.Errorf("%d values counted with %d, want %d with %d", count[0], low[0], n, n*0xffff)
	}
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zcount_avx2_amd64.s", "zcount_neon_arm64.s", "zpick_avx512_amd64.s")
}

func BenchmarkCounter(b *testing.B) {
	c := NewCounter()
	normal := kerneltest.Floats(kerneltest.Rand(1), Chunk, false)
	relu, same := make([]float32, Chunk), make([]float32, Chunk)
	for i, v := range normal {
		relu[i], same[i] = max(v, 0), 6
	}
	for _, of := range []struct {
		name string
		x    []float32
	}{{"normal", normal}, {"relu", relu}, {"same", same}} {
		b.Run(of.name, func(b *testing.B) {
			b.SetBytes(4 * Chunk)
			for b.Loop() {
				if c.Full() {
					*c.tables = [2]cells{}
					c.Reset()
				}
				Bounds(of.x)
				c.Add(of.x)
			}
		})
	}
}

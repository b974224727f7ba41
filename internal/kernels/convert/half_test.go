package convert_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/kernels/convert"
)

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
)

func next(x float32) float32 { return math.Nextafter32(x, inf) }
func prev(x float32) float32 { return math.Nextafter32(x, -inf) }

// TestHalfPrecision checks every code of both 16-bit floats: its value by the
// definition of the format, the round trip, and rounding around the middle
// between it and the next one.
func TestHalfPrecision(t *testing.T) {
	for _, f := range []struct {
		name      string
		man, bias int
		decode    func(uint16) float32
		encode    func(float32) uint16
	}{
		{"binary16", 10, 15, F16ToF32, F32ToF16},
		{"bfloat16", 7, 127, BF16ToF32, F32ToBF16},
	} {
		infinity := uint16(0x7fff) >> f.man << f.man
		value := func(code uint16) float64 {
			exp, man := int(code>>f.man), float64(code&(1<<f.man-1))
			if exp == 0 {
				return math.Ldexp(man, 1-f.bias-f.man)
			}
			return math.Ldexp(man+float64(uint(1)<<f.man), exp-f.bias-f.man)
		}
		for code := range uint16(0x8000) {
			got := f.decode(code)
			if code > infinity {
				if got == got || f.decode(code|0x8000) == f.decode(code|0x8000) {
					t.Fatalf("%s: code %#x is %v, want NaN", f.name, code, got)
				}
				continue
			}
			if code == infinity {
				if got != inf || f.decode(code|0x8000) != -inf {
					t.Fatalf("%s: infinity decodes as %v", f.name, got)
				}
			} else if float64(got) != value(code) {
				t.Fatalf("%s: code %#x is %v, want %v", f.name, code, got, value(code))
			}
			for _, c := range []uint16{code, code | 0x8000} {
				if back := f.encode(f.decode(c)); back != c {
					t.Fatalf("%s: code %#x comes back as %#x", f.name, c, back)
				}
			}
			if code == infinity {
				continue
			}
			// value(infinity) is where the next power would lie, from which
			// overflow is rounded too.
			if mid := float32((value(code) + value(code+1)) / 2); mid < inf && mid != got {
				even := code + code&1
				if lo, at, hi := f.encode(prev(mid)), f.encode(mid), f.encode(next(mid)); lo != code || at != even || hi != code+1 {
					t.Fatalf("%s: around the middle after %#x: %#x, %#x, %#x", f.name, code, lo, at, hi)
				}
				if at := f.encode(-mid); at != even|0x8000 {
					t.Fatalf("%s: middle after -%#x: %#x", f.name, code, at)
				}
			}
		}
		for _, x := range []float32{nan, math.Float32frombits(0x7f800001), math.Float32frombits(0xff800001)} {
			if got := f.decode(f.encode(x)); got == got {
				t.Errorf("%s: NaN %#x becomes %v", f.name, math.Float32bits(x), got)
			}
		}
		if got := f.encode(math.MaxFloat32); got != infinity {
			t.Errorf("%s: greatest float32 becomes %#x", f.name, got)
		}
	}
}

func TestHalfPrecisionSlices(t *testing.T) {
	x := []float32{1, -2.5, 65504, 1e-8, 3.14159}
	h, y := make([]uint16, len(x)), make([]float32, len(x))
	EncodeF16(h, x)
	DecodeF16(y, h)
	for i := range x {
		if h[i] != F32ToF16(x[i]) || y[i] != F16ToF32(h[i]) {
			t.Errorf("binary16: %v becomes %#x, %v", x[i], h[i], y[i])
		}
	}
	EncodeBF16(h, x)
	DecodeBF16(y, h)
	for i := range x {
		if h[i] != F32ToBF16(x[i]) || y[i] != BF16ToF32(h[i]) {
			t.Errorf("bfloat16: %v becomes %#x, %v", x[i], h[i], y[i])
		}
	}
}

// TestRoundToOdd compares float64 through RoundToOdd to binary16 with one
// rounding by math/big.
func TestRoundToOdd(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		// A binary16 middle, moved by far less than a float32 can hold.
		code := uint16(rng.IntN(0x7bff-0x0400) + 0x0400)
		mid := (float64(F16ToF32(code)) + float64(F16ToF32(code+1))) / 2
		x := mid * (1 + float64(rng.IntN(3)-1)*0x1p-50)
		want, _ := new(big.Float).SetPrec(11).SetMode(big.ToNearestEven).SetFloat64(x).Float32()
		if got := F16ToF32(F32ToF16(RoundToOdd(x))); got != want {
			t.Fatalf("%v becomes %v, want %v", x, got, want)
		}
	}
	for _, c := range []struct {
		x    float64
		want float32
	}{
		{1, 1}, {0, 0}, {-3.5, -3.5}, {1e300, math.MaxFloat32}, {-1e300, -math.MaxFloat32},
		{1e-300, math.SmallestNonzeroFloat32}, {-1e-300, -math.SmallestNonzeroFloat32}, {math.Inf(1), inf},
		{1 + 0x1p-40, next(1)}, {1 + 0x1p-23 - 0x1p-40, next(1)},
	} {
		if got := RoundToOdd(c.x); got != c.want {
			t.Errorf("RoundToOdd(%v) = %v, want %v", c.x, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	f := make([]float32, 2)
	Numbers(f, []float64{0.1, 1e300})
	if f[0] != 0.1 || f[1] != inf {
		t.Errorf("float64 to float32: %v", f)
	}
	b := make([]int8, 2)
	Numbers(b, []int16{200, -129})
	if b[0] != -56 || b[1] != 127 {
		t.Errorf("int16 to int8: %v", b)
	}
	w := make([]int32, 4)
	Wrapped(w, []float64{-2.9, 1<<32 + 7, math.NaN(), 1e30})
	if w[0] != -2 || w[1] != 7 || w[2] != 0 || w[3] != -1 {
		t.Errorf("float64 to int32: %v", w)
	}
	u := make([]uint8, 4)
	Truths(u, []float32{0, float32(math.Copysign(0, -1)), nan, 1e-45})
	if u[0] != 0 || u[1] != 0 || u[2] != 1 || u[3] != 1 {
		t.Errorf("float32 to truths: %v", u)
	}
}

package convert_test

import (
	"math"
	"testing"

	. "github.com/octavo-ml/octavo/internal/kernels/convert"
)

var formats = []struct {
	name      string
	f         *Format
	man, bias int
	// codes is one more than the greatest finite code without sign.
	codes    int
	sign     uint8
	max      float32
	unsigned bool
	// inf and negative NaN as ONNX's Cast without saturation gives them.
	inf, negInf, nan uint8
}{
	{"E4M3FN", E4M3FN, 3, 7, 0x7f, 0x80, 448, false, 0x7f, 0xff, 0x7f},
	{"E4M3FNUZ", E4M3FNUZ, 3, 8, 0x80, 0x80, 240, true, 0x80, 0x80, 0x80},
	{"E5M2", E5M2, 2, 15, 0x7c, 0x80, 57344, false, 0x7c, 0xfc, 0x7e},
	{"E5M2FNUZ", E5M2FNUZ, 2, 16, 0x80, 0x80, 57344, true, 0x80, 0x80, 0x80},
	{"E2M1", E2M1, 1, 1, 0x08, 0x08, 6, false, 0x07, 0x0f, 0x08},
}

// TestSmallFormats checks every code: its value by the definition, the round
// trip, and rounding around the middle between neighbours.
func TestSmallFormats(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			value := func(code int) float32 {
				exp, man := code>>f.man, code&(1<<f.man-1)
				if exp == 0 {
					return float32(math.Ldexp(float64(man), 1-f.bias-f.man))
				}
				return float32(math.Ldexp(float64(man+1<<f.man), exp-f.bias-f.man))
			}
			if got := f.f.Max(); got != f.max {
				t.Errorf("greatest value %v, want %v", got, f.max)
			}
			for code := range f.codes {
				c := uint8(code)
				if got, neg := f.f.Decode(c), f.f.Decode(c|f.sign); got != value(code) || neg != -value(code) && !(code == 0 && f.unsigned) {
					t.Fatalf("codes %#x and its negative are %v, %v; want %v", c, got, neg, value(code))
				}
				for _, saturate := range []bool{false, true} {
					if got := f.f.Encode(value(code), saturate); got != c {
						t.Fatalf("%v becomes %#x, want %#x", value(code), got, c)
					}
					negative := c | f.sign
					if code == 0 && f.unsigned {
						negative = 0
					}
					if got := f.f.Encode(float32(math.Copysign(float64(value(code)), -1)), saturate); got != negative {
						t.Fatalf("-%v becomes %#x, want %#x", value(code), got, negative)
					}
					if code+1 == f.codes {
						continue
					}
					mid := (value(code) + value(code+1)) / 2
					even := uint8(code + code&1)
					if lo, at, hi := f.f.Encode(prev(mid), saturate), f.f.Encode(mid, saturate), f.f.Encode(next(mid), saturate); lo != c || at != even || hi != c+1 {
						t.Fatalf("around %v: %#x, %#x, %#x", mid, lo, at, hi)
					}
				}
			}
		})
	}
}

func TestSmallFormatOverflow(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			top := uint8(f.codes - 1)
			// Half a step beyond the greatest value rounds back where that is
			// even, a hair more never does.
			step := f.max - f.f.Decode(top-1)
			edge := f.max + step/2
			for _, c := range []struct {
				x        float32
				saturate bool
				want     uint8
			}{
				{prev(edge), false, top}, {next(edge), false, f.inf}, {next(edge), true, top}, {-next(edge), false, f.negInf},
				{inf, true, top}, {-inf, true, top | f.sign}, {inf, false, f.inf}, {-inf, false, f.negInf},
				{math.MaxFloat32, true, top}, {-math.MaxFloat32, true, top | f.sign}, {math.MaxFloat32, false, f.inf},
				{nan, true, f.nan}, {nan, false, f.nan},
				{math.SmallestNonzeroFloat32, false, 0},
			} {
				if got := f.f.Encode(c.x, c.saturate); got != c.want {
					t.Errorf("%v (saturate %v) becomes %#x, want %#x", c.x, c.saturate, got, c.want)
				}
			}
			if v := f.f.Decode(f.nan); f.sign == 0x80 && v == v {
				t.Errorf("NaN decodes as %v", v)
			}
			if v := f.f.Decode(f.negInf); f.name == "E5M2" && v != -inf {
				t.Errorf("-Inf decodes as %v", v)
			}
			codes, x := []uint8{0, 1, top, top | f.sign}, make([]float32, 4)
			f.f.DecodeTo(x, codes)
			back := make([]uint8, 4)
			f.f.EncodeTo(back, x, true)
			if string(back) != string(codes) {
				t.Errorf("codes %x come back as %x", codes, back)
			}
		})
	}
}

func TestE8M0(t *testing.T) {
	for code := range 255 {
		v := E8M0ToF32(uint8(code))
		if want := float32(math.Ldexp(1, code-127)); v != want {
			t.Fatalf("code %d is %v, want %v", code, v, want)
		}
		for _, r := range []Rounding{RoundUp, RoundDown, RoundNearest} {
			if got := F32ToE8M0(v, r, false); got != uint8(code) {
				t.Fatalf("%v becomes %d, want %d", v, got, code)
			}
		}
		if code == 254 {
			continue
		}
		up, down := uint8(code+1), uint8(code)
		mid := v * 1.5
		for _, c := range []struct {
			x    float32
			r    Rounding
			want uint8
		}{
			{next(v), RoundUp, up}, {next(v), RoundDown, down}, {prev(2 * v), RoundDown, down}, {prev(2 * v), RoundUp, up},
			{mid, RoundNearest, up}, {prev(mid), RoundNearest, down}, {next(mid), RoundNearest, up},
		} {
			if got := F32ToE8M0(c.x, c.r, true); got != c.want {
				t.Fatalf("%v (rounding %d) becomes %d, want %d", c.x, c.r, got, c.want)
			}
		}
	}
	for _, c := range []struct {
		x        float32
		r        Rounding
		saturate bool
		want     uint8
	}{
		{0, RoundUp, true, 0}, {0, RoundNearest, false, 255}, {nan, RoundUp, true, 255}, {inf, RoundUp, true, 254}, {inf, RoundNearest, false, 255},
		{math.MaxFloat32, RoundUp, true, 254}, {math.MaxFloat32, RoundNearest, false, 255}, {math.MaxFloat32, RoundDown, false, 254},
		{0x1p-130, RoundUp, true, 0}, {0x1p-130, RoundNearest, false, 255}, {0x1p-130, RoundUp, false, 0}, {-1, RoundUp, true, 255},
	} {
		if got := F32ToE8M0(c.x, c.r, c.saturate); got != c.want {
			t.Errorf("%v (rounding %d, saturate %v) becomes %d, want %d", c.x, c.r, c.saturate, got, c.want)
		}
	}
	if v := E8M0ToF32(255); v == v {
		t.Errorf("code 255 is %v", v)
	}
}

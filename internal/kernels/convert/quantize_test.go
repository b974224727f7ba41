package convert_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/octavo-ml/octavo/internal/kernels/convert"
)

func TestInt(t *testing.T) {
	for _, c := range []struct {
		x   float64
		i8  int8
		u8  uint8
		i64 int64
		u64 uint64
	}{
		{1.9, 1, 1, 1, 1}, {-1.9, -1, 0, -1, 0}, {127.9, 127, 127, 127, 127}, {300, 127, 255, 300, 300}, {-300, -128, 0, -300, 0},
		{0x1p63, 127, 255, math.MaxInt64, 1 << 63}, {-0x1p63, -128, 0, math.MinInt64, 0}, {0x1p64, 127, 255, math.MaxInt64, math.MaxUint64},
		{math.Inf(1), 127, 255, math.MaxInt64, math.MaxUint64}, {math.Inf(-1), -128, 0, math.MinInt64, 0}, {math.NaN(), 0, 0, 0, 0},
		{0x1.fffffffffffffp62, 127, 255, 0x7ffffffffffffc00, 0x7ffffffffffffc00},
	} {
		i8, u8, i64, u64 := Int[int8](c.x), Int[uint8](c.x), Int[int64](c.x), Int[uint64](c.x)
		if i8 != c.i8 || u8 != c.u8 || i64 != c.i64 || u64 != c.u64 {
			t.Errorf("%v becomes %d, %d, %d, %d", c.x, i8, u8, i64, u64)
		}
	}
	got := make([]int32, 3)
	Ints(got, []float32{-2.5, 3e9, 7})
	if got[0] != -2 || got[1] != math.MaxInt32 || got[2] != 7 {
		t.Errorf("got %v", got)
	}
}

// naive is the definition in float64, where every step but the two stated
// float32 roundings is exact.
func naive(v float32, g Grid) int {
	q := math.RoundToEven(float64(v)) + float64(g.ZeroPoint)
	return int(math.Max(float64(g.QMin), math.Min(float64(g.QMax), q)))
}

func testQuantize[T Quantized](t *testing.T, grids []Grid) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, g := range grids {
		for range 40 {
			scale := float32(math.Exp2(rng.Float64()*20 - 12))
			x := []float32{0, inf, -inf, math.MaxFloat32, -math.MaxFloat32, 1e-40}
			acc := []int32{0, math.MaxInt32, math.MinInt32, 1, -1}
			for i := range 200 {
				x = append(x, scale*float32(rng.IntN(2000)-1000)/2, scale*float32(rng.NormFloat64()*math.Exp2(float64(i%20))))
				acc = append(acc, int32(rng.IntN(1<<20)-1<<19), int32(rng.Uint32()))
			}
			dst := make([]T, len(x))
			Quantize(dst, x, scale, g)
			for i, v := range x {
				if want := naive(v/scale, g); int(dst[i]) != want {
					t.Fatalf("%+v, scale %v: %v becomes %d, want %d", g, scale, v, dst[i], want)
				}
			}
			QuantizeAway(dst, x, scale, g)
			for i, v := range x {
				want := int(math.Max(float64(g.QMin), math.Min(float64(g.QMax), math.Round(float64(v/scale))+float64(g.ZeroPoint))))
				if int(dst[i]) != want {
					t.Fatalf("%+v, scale %v: %v becomes %d with halves away from zero, want %d", g, scale, v, dst[i], want)
				}
			}
			Requantize(dst, acc, scale, g)
			for i, v := range acc {
				if want := naive(float32(v)*scale, g); int(dst[i]) != want {
					t.Fatalf("%+v, multiplier %v: %v becomes %d, want %d", g, scale, v, dst[i], want)
				}
			}
		}
		one := make([]T, 1)
		Quantize(one, []float32{nan}, 1, g)
		if int32(one[0]) != g.QMin {
			t.Errorf("%+v: NaN becomes %d", g, one[0])
		}
		many := make([]T, 16)
		QuantizeAway(many, slices.Repeat([]float32{nan}, 16), 1, g)
		if int32(many[0]) != g.QMin {
			t.Errorf("%+v: NaN becomes %d with halves away from zero", g, many[0])
		}
	}
}

func TestQuantize(t *testing.T) {
	t.Run("int8", func(t *testing.T) {
		testQuantize[int8](t, []Grid{GridOf[int8](0), GridOf[int8](-128), GridOf[int8](127), {0, -127, 127}, {3, -8, 7}, {0, 0, 100}})
	})
	t.Run("uint8", func(t *testing.T) {
		testQuantize[uint8](t, []Grid{GridOf[uint8](0), GridOf[uint8](255), GridOf[uint8](128), {7, 0, 15}})
	})
	t.Run("int16", func(t *testing.T) {
		testQuantize[int16](t, []Grid{GridOf[int16](0), GridOf[int16](-32768), GridOf[int16](32767)})
	})
	t.Run("uint16", func(t *testing.T) {
		testQuantize[uint16](t, []Grid{GridOf[uint16](0), GridOf[uint16](65535), GridOf[uint16](32767)})
	})
}

func TestGridOf(t *testing.T) {
	if g := GridOf[int8](5); g != (Grid{5, -128, 127}) {
		t.Errorf("int8: %+v", g)
	}
	if g := GridOf[uint16](0); g != (Grid{0, 0, 65535}) {
		t.Errorf("uint16: %+v", g)
	}
}

func TestHalfWayCases(t *testing.T) {
	got := make([]int8, 6)
	Quantize(got, []float32{0.5, 1.5, 2.5, -0.5, -1.5, -2.5}, 1, GridOf[int8](0))
	for i, want := range []int8{0, 2, 2, 0, -2, -2} {
		if got[i] != want {
			t.Errorf("element %d is %d, want %d", i, got[i], want)
		}
	}
	below, beyond := math.Nextafter32(0.5, 0), math.Nextafter32(2.5, 0)
	away := make([]int8, 16)
	QuantizeAway(away, []float32{0.5, 1.5, 2.5, -0.5, -1.5, -2.5, below, -below, beyond, -beyond, 0, 126.5, 127.5, -127.5, -128.5, 1e30}, 1, GridOf[int8](0))
	if want := []int8{1, 2, 3, -1, -2, -3, 0, 0, 2, -2, 0, 127, 127, -128, -128, 127}; !slices.Equal(away, want) {
		t.Errorf("away from zero: %v, want %v", away, want)
	}
	// The zero point is added after rounding: 2.5 rounds to 2, not 5.5 to 6.
	Quantize(got[:1], []float32{2.5}, 1, GridOf[int8](3))
	if got[0] != 5 {
		t.Errorf("2.5 with zero point 3 becomes %d", got[0])
	}
}

func TestDequantize(t *testing.T) {
	dst := make([]float32, 3)
	Dequantize(dst, []uint8{0, 128, 255}, 0.5, 128)
	if dst[0] != -64 || dst[1] != 0 || dst[2] != 63.5 {
		t.Errorf("uint8: %v", dst)
	}
	Dequantize(dst, []int32{math.MaxInt32, -3, 1 << 24}, 2, 0)
	if dst[0] != 0x1p32 || dst[1] != -6 || dst[2] != 0x1p25 {
		t.Errorf("int32: %v", dst)
	}
	for q := range 256 {
		// A value on the grid survives the way through float.
		x, back := make([]float32, 1), make([]uint8, 1)
		Dequantize(x, []uint8{uint8(q)}, 0.1, 77)
		Quantize(back, x, 0.1, GridOf[uint8](77))
		if int(back[0]) != q {
			t.Errorf("%d comes back as %d", q, back[0])
		}
	}
}

func TestPerAxis(t *testing.T) {
	const rows, cols = 3, 5
	rng := rand.New(rand.NewPCG(3, 4))
	x, acc := make([]float32, rows*cols), make([]int32, rows*cols)
	for i := range x {
		x[i], acc[i] = float32(rng.NormFloat64()*50), int32(rng.IntN(4000)-2000)
	}
	scales, grids, zeros := make([]float32, cols), make([]Grid, cols), make([]int32, cols)
	for i := range scales {
		zeros[i] = int32(rng.IntN(200) - 100)
		scales[i], grids[i] = rng.Float32()+0.01, GridOf[int8](zeros[i])
	}
	q, req, reqRows := make([]int8, rows*cols), make([]int8, rows*cols), make([]int8, rows*cols)
	deq, deqZero := make([]float32, rows*cols), make([]float32, rows*cols)
	g := Grid{-3, -100, 100}
	QuantizeColumns(q, x, scales, grids)
	DequantizeColumns(deq, q, scales, zeros)
	DequantizeColumns(deqZero, q, scales, nil)
	RequantizeColumns(req, acc, scales, g)
	RequantizeRows(reqRows, acc, scales[:rows], g)
	for i := range x {
		r, c := i/cols, i%cols
		var wantQ, wantReq, wantRow [1]int8
		var wantDeq, wantZero [1]float32
		Quantize(wantQ[:], x[i:i+1], scales[c], grids[c])
		Dequantize(wantDeq[:], q[i:i+1], scales[c], zeros[c])
		Dequantize(wantZero[:], q[i:i+1], scales[c], 0)
		Requantize(wantReq[:], acc[i:i+1], scales[c], g)
		Requantize(wantRow[:], acc[i:i+1], scales[r], g)
		if q[i] != wantQ[0] || req[i] != wantReq[0] || reqRows[i] != wantRow[0] || deq[i] != wantDeq[0] || deqZero[i] != wantZero[0] {
			t.Fatalf("element %d: %d %d %d %v %v, want %d %d %d %v %v", i, q[i], req[i], reqRows[i], deq[i], deqZero[i], wantQ[0], wantReq[0], wantRow[0], wantDeq[0], wantZero[0])
		}
	}
}

func BenchmarkQuantize(b *testing.B) {
	x, q := make([]float32, 4096), make([]int8, 4096)
	for i := range x {
		x[i] = float32(i%300) - 150
	}
	b.SetBytes(4 * 4096)
	for b.Loop() {
		Quantize(q, x, 0.37, GridOf[int8](3))
	}
}

package convert

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func rows() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

func testSpans[T int8 | uint8](t *testing.T) {
	r := kerneltest.Rand(31)
	scales := []float32{1, 0.1, 3e-39, 1e30, float32(math.Inf(1)), float32(math.NaN()), -0.5, 0}
	grids := []Grid{GridOf[T](0), GridOf[T](100), {7, 0, 15}, {0, 0, 100}}
	for i, n := range append(kerneltest.Lengths(span), 100, 333) {
		x, acc, q := kerneltest.Floats(r, n, i%2 == 1), kerneltest.Ints[int32](r, n), kerneltest.Ints[T](r, n)
		for k := range x {
			if k%3 > 0 {
				x[k], acc[k] = float32(r.IntN(600)-300)/2, int32(r.IntN(2000)-1000)
			}
		}
		for k, scale := range scales {
			g := grids[(i+k)%len(grids)]
			wantR, wantQ, wantD := make([]T, n), make([]T, n), make([]float32, n)
			other, wantS, wantP := kerneltest.Ints[T](r, n), make([]T, n), make([]T, n)
			kerneltest.OnGo(t, func() {
				Requantize(wantR, acc, scale, g)
				Quantize(wantQ, x, scale, g)
				Dequantize(wantD, q, scale, g.ZeroPoint)
				Sum(wantS, q, other, scale, 0.7, float32(g.ZeroPoint)+0.125, g.QMin, g.QMax)
				Product(wantP, q, other, g.ZeroPoint, 5, scale/50, float32(g.ZeroPoint), g.QMin, g.QMax)
			})
			gotR, checkR := kerneltest.Guard[T](t, n, i%4)
			gotQ, checkQ := kerneltest.Guard[T](t, n, i%3)
			gotD, checkD := kerneltest.Guard[float32](t, n, i%5)
			Requantize(gotR, kerneltest.Fence(t, acc), scale, g)
			Quantize(gotQ, kerneltest.Fence(t, x), scale, g)
			Dequantize(gotD, kerneltest.Fence(t, q), scale, g.ZeroPoint)
			gotS, checkS := kerneltest.Guard[T](t, n, i%5)
			Sum(gotS, kerneltest.Fence(t, q), kerneltest.Fence(t, other), scale, 0.7, float32(g.ZeroPoint)+0.125, g.QMin, g.QMax)
			checkS()
			gotP, checkP := kerneltest.Guard[T](t, n, i%3)
			Product(gotP, kerneltest.Fence(t, q), kerneltest.Fence(t, other), g.ZeroPoint, 5, scale/50, float32(g.ZeroPoint), g.QMin, g.QMax)
			checkP()
			kerneltest.Equal(t, gotP, wantP, "product of %d, multiplier %v, to %+v", n, scale/50, g)
			kerneltest.Equal(t, gotS, wantS, "sum of %d, factor %v, to %+v", n, scale, g)
			checkR()
			checkQ()
			checkD()
			kerneltest.Equal(t, gotR, wantR, "requantize %d by %v to %+v", n, scale, g)
			kerneltest.Equal(t, gotQ, wantQ, "quantize %d by %v to %+v", n, scale, g)
			kerneltest.Equal(t, gotD, wantD, "dequantize %d by %v from %+v", n, scale, g)
		}
	}
}

func TestVariantsEqualGo(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("int8", testSpans[int8])
		t.Run("uint8", testSpans[uint8])
	})
}

// TestHalvesEqualTheirDefinition converts every code of both 16-bit floats, and
// floats of every exponent around each middle.
func TestHalvesEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(32)
		var codes []uint16
		for c := range 1 << 16 {
			codes = append(codes, uint16(c))
		}
		var floats []float32
		for i := range 1 << 18 {
			low := uint32([]uint32{0, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x7fff, 0x8000, 0x8001, 0xffff}[r.IntN(10)])
			floats = append(floats, math.Float32frombits(uint32(i)<<14^low))
		}
		for _, f := range []struct {
			name    string
			decode  func([]float32, []uint16)
			encode  func([]uint16, []float32)
			value   func(uint16) float32
			rounded func(float32) uint16
		}{{"binary16", DecodeF16, EncodeF16, F16ToF32, F32ToF16}, {"bfloat16", DecodeBF16, EncodeBF16, BF16ToF32, F32ToBF16}} {
			decode := func(codes []uint16, offset int) {
				got, check := kerneltest.Guard[float32](t, len(codes), offset)
				f.decode(got, kerneltest.Fence(t, codes))
				check()
				for i, c := range codes {
					if want := f.value(c); math.Float32bits(got[i]) != math.Float32bits(want) {
						t.Fatalf("%s: code %#x is %#x, want %#x", f.name, c, math.Float32bits(got[i]), math.Float32bits(want))
					}
				}
			}
			encode := func(x []float32, offset int) {
				got, check := kerneltest.Guard[uint16](t, len(x), offset)
				f.encode(got, kerneltest.Fence(t, x))
				check()
				for i, v := range x {
					if want := f.rounded(v); got[i] != want {
						t.Fatalf("%s: %#x becomes %#x, want %#x", f.name, math.Float32bits(v), got[i], want)
					}
				}
			}
			decode(codes, 1)
			encode(floats, 3)
			for i, n := range kerneltest.Lengths(span) {
				decode(codes[i*100:][:n], i%4)
				encode(floats[i*5000:][:n], i%4)
			}
		}
	})
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zbinary_avx512_amd64.s", "zfixed_avx2_amd64.s", "zfixed_avx512_amd64.s", "zhalf_avx2_amd64.s", "zloops_neon_arm64.s", "zloss_avx2_amd64.s", "zquantize_avx2_amd64.s")
}

func TestNothingIsAllocated(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		q, x, acc, h := make([]uint8, 40), make([]float32, 40), make([]int32, 40), make([]uint16, 40)
		if n := testing.AllocsPerRun(10, func() {
			Requantize(q, acc, 0.5, GridOf[uint8](3))
			Quantize(q, x, 0.5, GridOf[uint8](3))
			Dequantize(x, q, 0.5, 3)
			Sum(q, q, q, 0.5, 0.25, 3, 0, 255)
			EncodeF16(h, x)
			DecodeBF16(x, h)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkSpans(b *testing.B) {
	for _, v := range rows() {
		kerneltest.Limit(b, v.Level)
		q, x, acc, h := make([]uint8, 4096), make([]float32, 4096), make([]int32, 4096), make([]uint16, 4096)
		for _, c := range []struct {
			name string
			run  func()
		}{
			{"requantize", func() { Requantize(q, acc, 0.5, GridOf[uint8](3)) }},
			{"quantize", func() { Quantize(q, x, 0.5, GridOf[uint8](3)) }},
			{"dequantize", func() { Dequantize(x, q, 0.5, 3) }},
			{"decodeF16", func() { DecodeF16(x, h) }},
			{"encodeF16", func() { EncodeF16(h, x) }},
			{"decodeBF16", func() { DecodeBF16(x, h) }},
			{"encodeBF16", func() { EncodeBF16(h, x) }},
			{"sum", func() { Sum(q, q, q, 0.5, 0.25, 3, 0, 255) }},
		} {
			b.Run(v.Name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					c.run()
				}
				b.ReportMetric(float64(len(q))*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelements/s")
			})
		}
	}
}

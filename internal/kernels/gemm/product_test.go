package gemm

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// scene is a product with its rows at uneven places.
type scene struct {
	m, n, taps, depth int
	rows              Rows
	reach             int
}

func newScene(r *rand.Rand, m, n, taps, depth int) scene {
	s := scene{m: m, n: n, taps: taps, depth: depth, rows: Rows{Depth: depth}}
	at := int32(0)
	for range taps {
		s.rows.Tap = append(s.rows.Tap, at)
		at += int32(depth + r.IntN(3))
	}
	row := int32(r.IntN(5))
	for range m {
		s.rows.Row = append(s.rows.Row, row)
		row += int32(r.IntN(2 * depth))
	}
	s.reach = s.rows.reach(max(1, min(m, len(s.rows.Row))), depth)
	return s
}

// scenes are around the edges of blocks and panels, and some above.
func scenes(r *rand.Rand) (out []scene) {
	for m := 1; m <= 17; m++ {
		for _, n := range []int{1, 15, 16, 17, 32, 40, 48, 63, 64, 65, 130} {
			out = append(out, newScene(r, m, n, 1+r.IntN(3), 1+r.IntN(21)))
		}
	}
	return append(out, newScene(r, 61, 200, 9, 64), newScene(r, 3, 70, 2, 700), newScene(r, 25, 24, 1, 5), newScene(r, 1, 128, 2, 700), newScene(r, 1, 64, 1, 33000))
}

// chunked are those of panels that kernels of floats may take chunk by chunk:
// parts of a tap, whole ones, some at once, and more rows than there is room for
// the sums of.
func chunked(r *rand.Rand) []scene {
	return []scene{
		newScene(r, 13, 64, 1, 1541), newScene(r, 19, 75, 3, 517), newScene(r, 30, 64, 17, 96),
		newScene(r, 24, 20, 450, 7), newScene(r, 135, 60, 2, 771), newScene(r, 40, 16, 3, 2050),
	}
}

// matrix returns where B lies as an n×k matrix, row by row.
func (s scene) matrix() Matrix {
	k := s.taps * s.depth
	return Matrix{Columns: s.n, Taps: s.taps, Steps: 1, Channels: s.depth, Column: k, Tap: s.depth, Channel: 1}
}

func TestFloatsEqualTheirDefinition(t *testing.T) {
	inf, zero := float32(math.Inf(1)), float32(0)
	limits := [][2]float32{{-inf, inf}, {0, inf}, {-0.5, 0.5}, {-zero, 6}, {-inf, float32(math.Copysign(0, -1))}, {float32(math.NaN()), 1}, {0, 0}, {2, 1}}
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(31)
		for i, s := range append(scenes(r), chunked(r)...) {
			kind := i % 3
			k := s.taps * s.depth
			a, b := kerneltest.Floats(r, s.reach, kind == 1), kerneltest.Floats(r, k*s.n, kind == 1)
			if kind == 2 {
				a, b = kerneltest.Tiny(r, s.reach), kerneltest.Tiny(r, k*s.n)
			}
			var bias []float32
			if i%2 == 0 {
				bias = kerneltest.Floats(r, s.n, kind == 1)
			}
			lim := limits[i%len(limits)]
			e := NewFloatEnd(s.n, bias, i%5 > 0, lim[0], lim[1])
			packed, checkPacked := kerneltest.Guard[float32](t, s.matrix().Floats(), i%4)
			PackFloats(packed, b, s.matrix())
			checkPacked()
			a, packed = kerneltest.Fence(t, a), kerneltest.Fence(t, packed)
			ldc := s.n + i%3
			c, check := kerneltest.Guard[float32](t, s.m*ldc, i%4)
			before := slices.Clone(c)
			var other []float32
			if i%4 == 1 {
				other = kerneltest.Fence(t, kerneltest.Floats(r, (s.m-1)*ldc+s.n, kind == 1))
			}
			for j := 0; j < s.n; j += Width {
				Floats(c[j:], from(other, j), ldc, a, &s.rows, s.m, packed[j*k:], j, min(Width, s.n-j), e)
			}
			check()
			for row := range s.m {
				want := slices.Clone(before[row*ldc : (row+1)*ldc])
				for j := range s.n {
					var acc float32
					for p := range k {
						acc = exact.FMA32(a[s.rows.Row[row]+s.rows.Tap[p/s.depth]+int32(p%s.depth)], b[j*k+p], acc)
					}
					if bias != nil {
						acc += bias[j]
					}
					if other != nil {
						acc += other[row*ldc+j]
					}
					if i%5 > 0 {
						acc = min(max(acc, lim[0]), lim[1])
					}
					want[j] = acc
				}
				kerneltest.Equal(t, c[row*ldc:(row+1)*ldc], want, "%+v row %d limits %v", s, row, lim)
			}
		}
	})
}

// from returns what follows element j of a list, nil of none.
func from(s []float32, j int) []float32 {
	if s == nil {
		return nil
	}
	return s[j:]
}

// anyFinish returns an epilogue of every kind in turn.
func anyFinish(r *rand.Rand, i, n int) Finish {
	f := Finish{Multiplier: kerneltest.Floats(r, 1, i%7 == 0)}
	if i%2 == 0 {
		f.Multiplier = kerneltest.Floats(r, n, i%14 == 0)
	}
	scale := []float32{1, 1e-4, 1e-3, 1e9}[i%4]
	for j := range f.Multiplier {
		f.Multiplier[j] *= scale
	}
	if i%3 > 0 {
		f.Bias = kerneltest.Ints[int32](r, n)
		for j := range f.Bias {
			f.Bias[j] >>= i % 31
		}
	}
	switch i % 5 {
	case 0:
		f.Grid = convert.GridOf[int8](int32(r.IntN(256) - 128))
	case 1:
		f.Grid = convert.GridOf[uint8](int32(r.IntN(256)))
	case 2:
		f.Grid = convert.Grid{ZeroPoint: 5, QMin: 5, QMax: 100}
	case 3:
		f.Grid = convert.Grid{ZeroPoint: -128, QMin: -100, QMax: -7}
	default:
		f.Float, f.Clamp, f.Lo, f.Hi = true, i%2 == 0, 0, 6
		if i%15 > 9 {
			f.Float, f.Clamp, f.Whole = false, false, true
		}
	}
	return f
}

func TestBytesEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(32)
		for i, s := range scenes(r) {
			k := s.taps * s.depth
			a, b := kerneltest.Ints[uint8](r, s.reach+Group), kerneltest.Ints[int8](r, k*s.n)
			if i%5 == 4 { // all sums at one end
				for j := range a {
					a[j] = 255
				}
				for j := range b {
					b[j] = -128
				}
			}
			zero := kerneltest.Ints[uint8](r, 1)[0]
			f := anyFinish(r, i, s.n)
			packed, checkPacked := kerneltest.Guard[int8](t, s.matrix().Bytes(), i%4)
			PackBytes(packed, b, s.matrix())
			checkPacked()
			e := NewByteEnd(f, s.matrix(), packed, zero)
			a, packed = kerneltest.Fence(t, a[:s.reach+Group*Groups(s.depth)-s.depth]), kerneltest.Fence(t, packed)
			size, ldc := e.Size(), s.n+i%3
			c, check := kerneltest.Guard[byte](t, s.m*ldc*size, i%4*size)
			before := slices.Clone(c)
			panel := s.taps * Group * Groups(s.depth)
			for j := 0; j < s.n; j += Width {
				Bytes(c[j*size:], ldc, a, &s.rows, s.m, packed[j*panel:], j, min(Width, s.n-j), e)
			}
			check()
			for row := range s.m {
				want := before[row*ldc*size : (row+1)*ldc*size]
				for j := range s.n {
					acc := int32(0)
					for p := range k {
						acc += (int32(a[s.rows.Row[row]+s.rows.Tap[p/s.depth]+int32(p%s.depth)]) - int32(zero)) * int32(b[j*k+p])
					}
					if f.Bias != nil {
						acc += f.Bias[j]
					}
					m := f.Multiplier[j%len(f.Multiplier)]
					switch {
					case f.Whole:
						binary.NativeEndian.PutUint32(want[4*j:], uint32(acc))
					case f.Float:
						v := float32(float32(acc) * m)
						if f.Clamp {
							v = min(max(v, f.Lo), f.Hi)
						}
						if v != v { // one NaN for all
							v = float32(math.NaN())
						}
						if got := floatAt(c[row*ldc*size+4*j:]); got != got {
							putFloat(c[row*ldc*size+4*j:], float32(math.NaN()))
						}
						putFloat(want[4*j:], v)
					case f.Grid.QMin < 0:
						one := []int8{0}
						kerneltest.OnGo(t, func() { convert.Requantize(one, []int32{acc}, m, f.Grid) })
						want[j] = byte(one[0])
					default:
						kerneltest.OnGo(t, func() { convert.Requantize(want[j:j+1], []int32{acc}, m, f.Grid) })
					}
				}
				kerneltest.Equal(t, c[row*ldc*size:(row+1)*ldc*size], want, "%+v row %d %+v zero %d", s, row, f, zero)
			}
		}
	})
}

func floatAt(b []byte) float32 {
	return math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
}

func putFloat(b []byte, v float32) {
	for i, u := 0, math.Float32bits(v); i < 4; i, u = i+1, u>>8 {
		b[i] = byte(u)
	}
}

// TestManyRowsAreCut covers products that one call of a kernel may not do.
func TestManyRowsAreCut(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		const m, n, k = 700, 72, 80
		r := kerneltest.Rand(33)
		s := newScene(r, m, n, 1, k)
		for i := range s.rows.Row {
			s.rows.Row[i] = int32(i * k)
		}
		x := kerneltest.Ints[uint8](r, m*k)
		w := kerneltest.Ints[int8](r, n*k)
		packed := make([]int8, s.matrix().Bytes())
		PackBytes(packed, w, s.matrix())
		f := Finish{Multiplier: []float32{1e-4}, Grid: convert.GridOf[uint8](9)}
		e := NewByteEnd(f, s.matrix(), packed, 77)
		got, want := make([]byte, m*n), make([]byte, m*n)
		for j := 0; j < n; j += Width {
			Bytes(got[j:], n, x, &s.rows, m, packed[j*k:], j, min(Width, n-j), e)
			bytesGeneric(want[j:], n, x, &s.rows, m, packed[j*k:], padded(min(Width, n-j)), min(Width, n-j), e, j)
		}
		kerneltest.Equal(t, got, want, "bytes")
	})
}

// TestPairsOfEveryKind covers weights of which few pairs are so large that two
// products leave 16 bits, in one half of a panel's columns or the other, and
// more k than a kernel may copy at once.
func TestPairsOfEveryKind(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(36)
		for i, s := range []scene{
			newScene(r, 3, 16, 1, 40), newScene(r, 7, 40, 1, 770), newScene(r, 11, 24, 3, 515), newScene(r, 9, 80, 5, 1203),
			newScene(r, 5, 8, 2, 1601), newScene(r, 250, 16, 1, 900), newScene(r, 2, 72, 2, 900), newScene(r, 6, 20, 9, 130),
		} {
			k := s.taps * s.depth
			a, w := kerneltest.Ints[uint8](r, s.reach+Group), weights(r, k*s.n, 20)
			for range len(w) / 300 {
				at := r.IntN(len(w)-1) &^ 1
				large := int8(127 - 255*r.IntN(2))
				w[at], w[at+1] = large, large
			}
			if i%2 == 0 {
				for j := range a {
					a[j] = 255 * (a[j] & 1)
				}
			}
			packed := make([]int8, s.matrix().Bytes())
			PackBytes(packed, w, s.matrix())
			e := NewByteEnd(Finish{Multiplier: []float32{1e-3}, Float: true}, s.matrix(), packed, uint8(r.IntN(256)))
			a, packed = kerneltest.Fence(t, a[:s.reach+Group*Groups(s.depth)-s.depth]), kerneltest.Fence(t, packed)
			got, want := make([]byte, 4*s.m*s.n), make([]byte, 4*s.m*s.n)
			panel := s.taps * Group * Groups(s.depth)
			for j := 0; j < s.n; j += Width {
				cols := min(Width, s.n-j)
				Bytes(got[4*j:], s.n, a, &s.rows, s.m, packed[j*panel:], j, cols, e)
				bytesGeneric(want[4*j:], 4*s.n, a, &s.rows, s.m, packed[j*panel:], padded(cols), cols, e, j)
			}
			kerneltest.Equal(t, got, want, "%d×%d of %d taps of %d", s.m, s.n, s.taps, s.depth)
		}
	})
}

func TestProductsAllocateNothing(t *testing.T) {
	const m, n, k = 5, 23, 9
	s := newScene(kerneltest.Rand(34), m, n, 1, k)
	a, b, c := make([]float32, s.reach), make([]float32, s.matrix().Floats()), make([]float32, m*n)
	x, w, y := make([]uint8, s.reach+Group), make([]int8, s.matrix().Bytes()), make([]byte, m*n)
	e, q := NewFloatEnd(n, nil, false, 0, 0), NewByteEnd(Finish{Multiplier: []float32{1}, Grid: convert.GridOf[uint8](0)}, s.matrix(), w, 0)
	kerneltest.Run(t, rows(), func(t *testing.T) {
		if got := testing.AllocsPerRun(10, func() {
			Floats(c, c, n, a, &s.rows, m, b, 0, n, e)
			Bytes(y, n, x, &s.rows, m, w, 0, n, q)
		}); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

func TestBF16AllocatesNothing(t *testing.T) {
	uneven := newScene(kerneltest.Rand(35), 70, 64, 2, 32)
	c := make([]float32, 70*64)
	runBF16(t, func(t *testing.T) {
		for _, r := range []*Rows{RowsOf(70, 64), &uneven.rows} {
			a, b, e := make([]uint16, r.reach(70, r.Depth)), make([]uint16, len(r.Tap)*r.Depth*64), NewFloatEnd(64, nil, false, 0, 0)
			for _, m := range []int{70, 33, 1} {
				if got := testing.AllocsPerRun(2, func() { BF16(c, nil, 64, a, r, m, b, 0, 64, e) }); got != 0 {
					t.Errorf("%d rows: %v allocations", m, got)
				}
			}
		}
	})
}

// shapes are products of ResNet-50, BERT and MobileNetV2: m, n, k.
var shapes = [][3]int{
	{1024, 1024, 1024}, {3136, 64, 64}, {3136, 256, 64}, {3136, 64, 576}, {784, 128, 1152}, {196, 256, 2304}, {49, 512, 4608}, {196, 1024, 256}, {49, 2048, 512},
	{128, 768, 768}, {128, 3072, 768}, {128, 768, 3072}, {3136, 24, 96}, {12544, 96, 16}, {196, 64, 384}, {1, 256, 512}, {1, 2048, 512}, {1, 3072, 768}, {1, 4096, 4096},
}

// weights returns normally distributed integers, of which the greatest are about
// 127 where sigma is 32.
func weights(r *rand.Rand, n int, sigma float64) []int8 {
	out := make([]int8, n)
	for i := range out {
		out[i] = int8(max(-128, min(math.Round(r.NormFloat64()*sigma), 127)))
	}
	return out
}

func BenchmarkProducts(b *testing.B) {
	for _, v := range rows() {
		if v.Name == "generic" {
			continue
		}
		for _, s := range shapes {
			m, n, k := s[0], s[1], s[2]
			r := kerneltest.Rand(35)
			rows := RowsOf(m, k)
			mat := Plain(k, n, n, 1)
			b.Run(fmt.Sprintf("floats/%s/%dx%dx%d", v.Name, m, n, k), func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				x, w, y := kerneltest.Floats(r, m*k, false), make([]float32, mat.Floats()), make([]float32, m*n)
				PackFloats(w, kerneltest.Floats(r, k*n, false), mat)
				e := NewFloatEnd(n, nil, true, 0, 6)
				kerneltest.Fraction(b, false, m*n*k, func() {
					for j := 0; j < n; j += Width {
						Floats(y[j:], nil, n, x, rows, m, w[j*k:], j, min(Width, n-j), e)
					}
				})
			})
			b.Run(fmt.Sprintf("bytes/%s/%dx%dx%d", v.Name, m, n, k), func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				x, w, y := kerneltest.Ints[uint8](r, m*k), make([]int8, mat.Bytes()), make([]byte, m*n)
				PackBytes(w, weights(r, k*n, 32), mat)
				e := NewByteEnd(Finish{Multiplier: []float32{1e-4}, Grid: convert.GridOf[uint8](9)}, mat, w, 7)
				kerneltest.Fraction(b, true, m*n*k, func() {
					for j := 0; j < n; j += Width {
						Bytes(y[j:], n, x, rows, m, w[j*k:], j, min(Width, n-j), e)
					}
				})
			})
		}
	}
}

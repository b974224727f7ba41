package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// zeroKinds are the zero points that anyCodes makes.
const (
	oneZero = iota
	integerZeros
	realZeros
	oddZeros // one for all that no integer is
	zeroKinds
)

// anyCodes returns random codes, by columns or by rows, with parameters of
// which some are special.
func anyCodes(r *rand.Rand, k, n, bits, block, zeros int, byRow, special bool) Codes {
	c := Codes{K: k, N: n, Bits: bits, Block: block, Row: 1, Column: (k + 15) / 16 * 16}
	blocks := (k + block - 1) / block
	c.ScaleRow, c.ScaleColumn = 1, blocks
	if byRow {
		c.Row, c.Column, c.ScaleRow, c.ScaleColumn = (n+15)/16*16, 1, n, 1
		c.Flip = 1 << (bits - 1)
	}
	c.Data = kerneltest.Ints[uint8](r, ((k-1)*c.Row+(n-1)*c.Column+1+7)/8*bits)
	c.Scale = kerneltest.Floats(r, blocks*n, special)
	c.Zero = make([]float32, blocks*n)
	for i := range c.Zero {
		c.Zero[i] = float32(r.IntN(1 << bits))
	}
	switch zeros {
	case oneZero:
		c.Zero = c.Zero[:1]
	case realZeros:
		c.Zero = kerneltest.Floats(r, blocks*n, special)
	case oddZeros:
		c.Zero = []float32{[]float32{0.1, -3, 300, float32(math.NaN())}[r.IntN(4)]}
	}
	return c
}

// number returns element (i, j) of a matrix.
func (c *Codes) number(i, j int) float32 {
	from := i*c.Row + j*c.Column
	code := (c.Data[from*c.Bits/8]>>(from*c.Bits%8) ^ c.Flip) & byte(1<<c.Bits-1)
	at := i/c.Block*c.ScaleRow + j*c.ScaleColumn
	return float32((float32(code) - pick(c.Zero, at)) * pick(c.Scale, at))
}

func TestBlocksEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(61)
		i := 0
		for _, k := range []int{1, 7, 8, 16, 33, 64, 130} {
			for _, n := range []int{1, 15, 16, 17, 48, 63, 64, 65, 130} {
				for _, bits := range []int{2, 4, 8} {
					i++
					m, block := 1+i%7, []int{16, 32, 8, 128}[i%4]
					special := i%3 == 0
					c := anyCodes(r, k, n, bits, block, i/2%zeroKinds, i%2 == 0, special)
					if !Blockable(k, bits, block) {
						t.Fatalf("blocks of %d are refused", block)
					}
					b := PackBlocks(c)
					s := newScene(r, m, n, 1, k)
					s.rows.Tap[0] = 0
					a := kerneltest.Fence(t, kerneltest.Floats(r, s.rows.reach(m, k), special))
					var bias []float32
					if i%5 > 0 {
						bias = kerneltest.Floats(r, n, special)
					}
					ldc := n + i%3
					out, check := kerneltest.Guard[float32](t, m*ldc, i%4)
					before := slices.Clone(out)
					scratch, checkScratch := kerneltest.Guard[float32](t, b.ScratchLen(m), i%4)
					e := b.End(bias)
					for p := range b.Panels() {
						b.Multiply(out, ldc, a, &s.rows, m, p, e, scratch)
					}
					check()
					checkScratch()
					for x := range m {
						want := slices.Clone(before[x*ldc : (x+1)*ldc])
						for j := range n {
							var acc float32
							for p := range k {
								acc = exact.FMA32(a[int(s.rows.Row[x])+p], c.number(p, j), acc)
							}
							if bias != nil {
								acc += bias[j]
							}
							want[j] = acc
						}
						kerneltest.Equal(t, out[x*ldc:(x+1)*ldc], want, "%d×%d×%d, %d bits, blocks of %d, row %d of case %d", m, n, k, bits, block, x, i)
					}
				}
			}
		}
	})
}

// TestRowsOfCodesEqualTheirDefinition multiplies one row with whole panels whose
// parameters are at the ends of what may be multiplied by powers of 2, or beyond.
func TestRowsOfCodesEqualTheirDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(65)
		for i, size := range []float64{1, -1, 0x1p-100, -0x1p-101, 0x1p100, 0x1p101, 0} {
			for zeros := range zeroKinds {
				for _, k := range []int{1, 5, 8, 23, 32, 39, 75} {
					const n = 2 * Width
					c := anyCodes(r, k, n, 4, []int{32, 16, 128}[i%3], zeros, k%2 == 0, false)
					for j := range c.Scale {
						c.Scale[j] = float32((1 + r.Float64()) * size / 2)
					}
					b, a, row := PackBlocks(c), kerneltest.Floats(r, k, k%3 == 0), RowsOf(1, k)
					e, scratch := b.End(nil), make([]float32, b.ScratchLen(1))
					out, want := make([]float32, n), make([]float32, n)
					for p := range b.Panels() {
						b.Multiply(out, n, a, row, 1, p, e, scratch)
					}
					for j := range want {
						for x := range k {
							want[j] = exact.FMA32(a[x], c.number(x, j), want[j])
						}
					}
					kerneltest.Equal(t, out, want, "k %d, scales of %g, zero points of kind %d", k, size, zeros)
				}
			}
		}
	})
}

// TestNumbersOfBlocksAreTheirRows compares the numbers of whole panels.
func TestNumbersOfBlocksAreTheirRows(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(62)
		for i := range 4 * zeroKinds {
			bits := []int{2, 4, 8}[i%3]
			b := PackBlocks(anyCodes(r, 75, 100, bits, 24, i%zeroKinds, i%2 == 0, true))
			for p := range b.Panels() {
				got, check := kerneltest.Guard[float32](t, 75*Width, i%4)
				want := make([]float32, 75*Width)
				b.numbers(got, p)
				check()
				b.numbersGeneric(want, p)
				kerneltest.Equal(t, got, want, "panel %d of case %d", p, i)
			}
		}
	})
}

func TestBlocksThatEndInAWordAreRefused(t *testing.T) {
	for _, c := range []struct {
		k, bits, block int
		want           bool
	}{{64, 4, 8, true}, {64, 4, 12, false}, {64, 8, 12, true}, {12, 4, 12, true}, {64, 2, 20, false}} {
		if got := Blockable(c.k, c.bits, c.block); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func TestBlocksAllocateNothing(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		b := PackBlocks(anyCodes(kerneltest.Rand(63), 40, 70, 4, 16, oneZero, false, false))
		for _, m := range []int{1, 9} {
			a, c, e, r, scratch := make([]float32, m*40), make([]float32, m*70), b.End(nil), RowsOf(m, 40), make([]float32, b.ScratchLen(m))
			if got := testing.AllocsPerRun(10, func() { b.Multiply(c, 70, a, r, m, 1, e, scratch) }); got != 0 {
				t.Errorf("%d rows: %v allocations", m, got)
			}
		}
	})
}

// BenchmarkBlocks multiplies by 4096×4096 codes with blocks of 32, and beside it
// reads as many bytes and multiplies by float32: %read is the part of the
// bandwidth that the codes and their parameters are read with.
func BenchmarkBlocks(b *testing.B) {
	const n, k, copies = 4096, 4096, 6
	for _, v := range rows() {
		if v.Name != "avx512" && v.Name != "avx2" {
			continue
		}
		for _, c := range []struct {
			name        string
			bits, zeros int
		}{{"int4", 4, oneZero}, {"uint4", 4, integerZeros}, {"int8", 8, oneZero}} {
			for _, m := range []int{1, 4, 16, 128} {
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", v.Name, c.name, m, n, k), func(b *testing.B) {
					kerneltest.Limit(b, v.Level)
					r := kerneltest.Rand(64)
					// Copies that no cache holds, as the layers of a model.
					var w []*Blocks
					for range copies {
						w = append(w, PackBlocks(anyCodes(r, k, n, c.bits, 32, c.zeros, false, false)))
					}
					mat := Plain(k, n, n, 1)
					floats := make([]float32, mat.Floats())
					PackFloats(floats, kerneltest.Floats(r, k*n, false), mat)
					x, y, e, rows, scratch := kerneltest.Floats(r, m*k, false), make([]float32, m*n), w[0].End(nil), RowsOf(m, k), make([]float32, k*Width)
					size := len(w[0].codes) + 4*len(w[0].scale) + 4*len(w[0].zero)
					mine, read, float := time.Hour, time.Hour, time.Hour
					i := 0
					for b.Loop() {
						i++
						begin := time.Now()
						q := w[i%copies]
						for p := range q.Panels() {
							q.Multiply(y, n, x, rows, m, p, e, scratch[:q.ScratchLen(m)])
						}
						mine, begin = min(mine, time.Since(begin)), time.Now()
						sumRowsOf(w[(i+copies/2)%copies].codes)
						read, begin = min(read, time.Duration(float64(time.Since(begin))*float64(size)/float64(len(q.codes)))), time.Now()
						for j := 0; j < n; j += Width {
							Floats(y[j:], nil, n, x, rows, m, floats[j*k:], j, min(Width, n-j), e)
						}
						float = min(float, time.Since(begin))
					}
					b.ReportMetric(float64(m*n*k)/mine.Seconds()/1e9, "GMAC/s")
					b.ReportMetric(float64(size)/mine.Seconds()/1e9, "GB/s")
					b.ReportMetric(100*read.Seconds()/mine.Seconds(), "%read")
					b.ReportMetric(float.Seconds()/mine.Seconds(), "times-float32")
				})
			}
		}
	}
}

// sumRowsOf reads bytes as fast as an instruction set allows.
// BenchmarkBlocksRow multiplies one row by codes that no cache holds, on one
// thread and on two, each with panels of its own, and in turn reads as many
// bytes on as many threads: what generating a token does with the weights of a
// language model.
func BenchmarkBlocksRow(b *testing.B) {
	const n, k, size = 4096, 4096, 1 << 28
	for _, c := range []struct {
		name        string
		bits, zeros int
	}{{"int4", 4, oneZero}, {"uint4", 4, integerZeros}, {"int8", 8, oneZero}} {
		r := kerneltest.Rand(64)
		one := PackBlocks(anyCodes(r, k, n, c.bits, 32, c.zeros, false, false))
		var w []*Blocks
		bytes := 0
		for bytes < size {
			q := *one
			q.codes, q.scale, q.zero = slices.Clone(q.codes), slices.Clone(q.scale), slices.Clone(q.zero)
			w = append(w, &q)
			bytes += len(q.codes) + 4*len(q.scale) + 4*len(q.zero)
		}
		x, y, e, rows := kerneltest.Floats(r, k, false), make([]float32, n), w[0].End(nil), RowsOf(1, k)
		for _, v := range blockRows() {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/threads=%d", c.name, v.Name, threads), func(b *testing.B) {
					kerneltest.Limit(b, v.Level)
					shared := func(f func(t int)) time.Duration {
						var wg sync.WaitGroup
						begin := time.Now()
						for t := range threads {
							wg.Go(func() { f(t) })
						}
						wg.Wait()
						return time.Since(begin)
					}
					var mine, read []float64
					for b.Loop() {
						mine = append(mine, shared(func(t int) {
							for _, q := range w {
								for p := t * q.Panels() / threads; p < (t+1)*q.Panels()/threads; p++ {
									q.Multiply(y, n, x, rows, 1, p, e, nil)
								}
							}
						}).Seconds())
						read = append(read, shared(func(t int) {
							for _, q := range w {
								for _, s := range [][]byte{q.codes, bytesOfFloats(q.scale), bytesOfFloats(q.zero)} {
									sumRowsOf(s[t*len(s)/threads : (t+1)*len(s)/threads])
								}
							}
						}).Seconds())
					}
					slices.Sort(mine)
					slices.Sort(read)
					b.ReportMetric(float64(bytes)/mine[0]/1e9, "GB/s")
					b.ReportMetric(float64(bytes)/read[0]/1e9, "GB/s-read")
					b.ReportMetric(100*read[0]/mine[0], "%read")
					b.ReportMetric(100*read[len(read)/2]/mine[len(mine)/2], "%read-median")
				})
			}
		}
	}
}

// blockRows are the variants with kernels for one row.
func blockRows() []kerneltest.Variant {
	return slices.DeleteFunc(rows(), func(v kerneltest.Variant) bool { return v.Name != "avx512" && v.Name != "avx2" })
}

func bytesOfFloats(s []float32) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), 4*len(s))
}

func sumRowsOf(b []byte) {
	var sums [maxRows]int32
	sumRows(&sums, b, []int32{0}, 1, len(b))
}

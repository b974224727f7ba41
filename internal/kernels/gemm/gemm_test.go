package gemm

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func rows() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

// naive is the definition of F32.
func naive(m, n, k int, a, b []float32, ep Epilogue) []float32 {
	c := make([]float32, m*n)
	for i := range m {
		for j := range n {
			var acc float32
			for p := range k {
				acc = exact.FMA32(a[i*k+p], b[p*n+j], acc)
			}
			if ep.Row != nil {
				acc += ep.Row[i]
			}
			if ep.Col != nil {
				acc += ep.Col[j]
			}
			if ep.Clamp {
				acc = min(max(acc, ep.Lo), ep.Hi)
			}
			c[i*n+j] = acc
		}
	}
	return c
}

// sizes are m, n, k around the edges of tiles and above.
func sizes() (out [][3]int) {
	for _, m := range kerneltest.Lengths(MR)[:2*MR+2] {
		for _, n := range []int{0, 1, 7, NR - 1, NR, NR + 1, 2*NR + 1} {
			for _, k := range []int{0, 1, 2, 5} {
				out = append(out, [3]int{m, n, k})
			}
		}
	}
	return append(out, [3]int{13, 50, 64}, [3]int{1, 100, 33}, [3]int{37, 3, 131})
}

func TestF32EqualsItsDefinition(t *testing.T) {
	inf, zero := float32(math.Inf(1)), float32(0)
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(3)
		for i, s := range sizes() {
			for kind := range 3 {
				m, n, k := s[0], s[1], s[2]
				a, b := kerneltest.Floats(r, m*k, kind == 1), kerneltest.Floats(r, k*n, kind == 1)
				if kind == 2 {
					a, b = kerneltest.Tiny(r, m*k), kerneltest.Tiny(r, k*n)
				}
				ap, bp := make([]float32, PackedA(m, k)), make([]float32, PackedB(k, n))
				PackA(ap, a, m, k, k, 1)
				PackB(bp, b, k, n, n, 1)
				var ep Epilogue
				if i%2 == 1 {
					ep.Row = kerneltest.Floats(r, m, kind == 1)
				}
				if i%3 == 1 {
					ep.Col = kerneltest.Floats(r, n, kind == 1)
				}
				switch i % 5 {
				case 1:
					ep.Clamp, ep.Lo, ep.Hi = true, 0, inf
				case 2:
					ep.Clamp, ep.Lo, ep.Hi = true, -0.5, 0.5
				case 3:
					ep.Clamp, ep.Lo, ep.Hi = true, -inf, -zero
				}
				want := naive(m, n, k, a, b, ep)
				// Rows are longer than the product: what is behind stays.
				ldc := n + i%3
				c, check := kerneltest.Guard[float32](t, m*ldc, i%4)
				before := slices.Clone(c)
				F32(c, ldc, m, n, k, ap, bp, ep)
				check()
				for i := range m {
					kerneltest.Equal(t, c[i*ldc:i*ldc+n], want[i*n:i*n+n], "%v kind %d row %d", s, kind, i)
					kerneltest.Equal(t, c[i*ldc+n:i*ldc+ldc], before[i*ldc+n:i*ldc+ldc], "%v behind row %d", s, i)
				}
			}
		}
	})
}

func TestLongProductsAreCut(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(4)
		for _, k := range []int{depth, depth + 1, 2*depth + 3} {
			a, b := kerneltest.Floats(r, MR*k, false), kerneltest.Floats(r, NR*k, false)
			many := make([]float32, 0, Panels*MR*k)
			for range Panels {
				many = append(many, kerneltest.Floats(r, MR*k, false)...)
			}
			var tiles [Panels]Tile
			MultiplyPanels(&tiles, Panels, k, kerneltest.Fence(t, many), kerneltest.Fence(t, b))
			for p := range tiles {
				var want Tile
				tileGeneric(&want, k, many[p*MR*k:(p+1)*MR*k], b)
				kerneltest.Equal(t, tiles[p][:], want[:], "k=%d, panel %d", k, p)
			}
			var got, want Tile
			Multiply(&got, k, a, b)
			tileGeneric(&want, k, a, b)
			kerneltest.Equal(t, got[:], want[:], "k=%d", k)
		}
	})
}

func TestNothingIsReadBehindPanels(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(11)
		for _, k := range []int{1, 2, 3, 7} {
			var tile Tile
			var sums [MR * NR]int32
			a, b := kerneltest.Fence(t, kerneltest.Floats(r, MR*k, false)), kerneltest.Fence(t, kerneltest.Floats(r, NR*k, false))
			Multiply(&tile, k, a, b)
			for _, cols := range []int{NR, NR - k} {
				Store(kerneltest.Fence(t, make([]float32, 2*NR+cols)), NR, &tile, 0, 0, MR-1, cols, Epilogue{Clamp: true})
			}
			MultiplyInt(&sums, &tile, k, 2, a, b)
		}
	})
}

// TestEpilogueEqualsGo covers the cases in which instruction sets differ.
func TestEpilogueEqualsGo(t *testing.T) {
	values := kerneltest.Floats(kerneltest.Rand(5), 4000, true)
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(6)
		pick := func() float32 { return values[r.IntN(len(values))] }
		for i := range 3000 {
			var t1 Tile
			for j := range t1 {
				t1[j] = pick()
			}
			ep := Epilogue{Row: []float32{pick(), pick(), pick(), pick()}, Clamp: i%2 == 0, Lo: pick(), Hi: pick()}
			if i%3 == 0 {
				ep.Row = nil
			}
			want := make([]float32, MR*NR)
			for j, v := range t1 {
				if ep.Row != nil {
					v += ep.Row[j/NR]
				}
				if ep.Clamp {
					v = min(max(v, ep.Lo), ep.Hi)
				}
				want[j] = v
			}
			got := make([]float32, MR*NR)
			Store(got, NR, &t1, 0, 0, MR, NR, ep)
			kerneltest.Equal(t, got, want, "%+v", ep)
		}
	})
}

func TestPackingFollowsStrides(t *testing.T) {
	r := kerneltest.Rand(7)
	for _, n := range kerneltest.Lengths(NR) {
		const k = 9
		b := kerneltest.Floats(r, k*n, false)
		bt := make([]float32, k*n)
		for i := range k {
			for j := range n {
				bt[j*k+i] = b[i*n+j]
			}
		}
		p, checkP := kerneltest.Guard[float32](t, PackedB(k, n), 1)
		q, checkQ := kerneltest.Guard[float32](t, PackedB(k, n), 2)
		PackB(p, b, k, n, n, 1)
		PackB(q, bt, k, n, 1, k)
		kerneltest.Equal(t, q, p, "B of %d columns", n)
		for i, v := range p {
			panel, group, lane := i/(NR*k), i/NR%k, i%NR
			want := float32(0)
			if j := panel*NR + lane; j < n {
				want = b[group*n+j]
			}
			if v != want {
				t.Fatalf("B of %d columns: element %d is %v, want %v", n, i, v, want)
			}
		}
		p, checkA := kerneltest.Guard[float32](t, PackedA(n, k), 3)
		q = make([]float32, PackedA(n, k))
		PackA(p, bt, n, k, k, 1)
		PackA(q, b, n, k, 1, n)
		kerneltest.Equal(t, q, p, "A of %d rows", n)
		checkP()
		checkQ()
		checkA()
	}
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zdot_vnni_amd64.s", "zf32_avx512_amd64.s", "zf32_avx2_amd64.s", "zf32_neon_arm64.s", "zstore_avx512_amd64.s",
		"zbytes_vnni_amd64.s", "zfloats_avx512_amd64.s", "zfloats_neon_arm64.s", "zpanels_avx2_amd64.s", "zlive_avx2_amd64.s")
}

func TestNothingIsAllocated(t *testing.T) {
	const m, n, k = 5, 17, 9
	a, b := make([]float32, PackedA(m, k)), make([]float32, PackedB(k, n))
	c, d := make([]float32, m*n), make([]int32, m*n)
	ep := Epilogue{Row: make([]float32, m), Clamp: true}
	kerneltest.Run(t, rows(), func(t *testing.T) {
		if got := testing.AllocsPerRun(10, func() {
			F32(c, n, m, n, k, a, b, ep)
			I8(d, n, m, n, k, StepAny, a, b, nil, nil)
		}); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

func BenchmarkF32(b *testing.B) {
	for _, v := range rows() {
		for _, s := range [][3]int{{64, 256, 512}, {64, 256, 32}, {128, 768, 768}} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", v.Name, s[0], s[1], s[2]), func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				m, n, k := s[0], s[1], s[2]
				r := kerneltest.Rand(8)
				ap, bp := kerneltest.Floats(r, PackedA(m, k), false), kerneltest.Floats(r, PackedB(k, n), false)
				c := make([]float32, m*n)
				ep := Epilogue{Row: make([]float32, m), Clamp: true, Hi: 6}
				for b.Loop() {
					F32(c, n, m, n, k, ap, bp, ep)
				}
				kerneltest.Throughput(b, m*n*k)
			})
		}
	}
}

func BenchmarkPack(b *testing.B) {
	const m, k = 128, 768
	src, dst := make([]float32, m*k), make([]float32, m*k)
	for _, c := range []struct {
		name string
		pack func()
	}{
		{"A by rows", func() { PackA(dst, src, m, k, k, 1) }},
		{"A by columns", func() { PackA(dst, src, m, k, 1, m) }},
		{"B by rows", func() { PackB(dst, src, m, k, k, 1) }},
		{"B by columns", func() { PackB(dst, src, m, k, 1, m) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.pack()
			}
			b.ReportMetric(float64(m*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelements/s")
		})
	}
}

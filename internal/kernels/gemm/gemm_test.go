package gemm

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
)

// values returns n floats, among them zeros, infinities, NaN and subnormals
// where special is set.
func values(r *rand.Rand, n int, special bool) []float32 {
	out := make([]float32, n)
	odd := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()), 0x1p-140, -0x1p-126, math.MaxFloat32}
	for i := range out {
		out[i] = float32(r.NormFloat64())
		if special && r.IntN(40) == 0 {
			out[i] = odd[r.IntN(len(odd))]
		}
	}
	return out
}

func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// naive is the definition.
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

func TestF32EqualsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			if !cpu.Has(v.level) {
				t.Skipf("this processor has no %s", v.level)
			}
			restore, err := cpu.Override(v.level)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			for _, s := range [][3]int{{1, 1, 0}, {1, 1, 1}, {4, 16, 1}, {3, 15, 2}, {5, 17, 7}, {8, 32, 31}, {13, 50, 64}, {1, 100, 33}, {37, 3, 129}} {
				for _, special := range []bool{false, true} {
					m, n, k := s[0], s[1], s[2]
					a, b := values(r, m*k, special), values(r, k*n, special)
					ap, bp := make([]float32, PackedA(m, k)), make([]float32, PackedB(k, n))
					PackA(ap, a, m, k, k, 1)
					PackB(bp, b, k, n, n, 1)
					ep := Epilogue{}
					switch r.IntN(3) {
					case 1:
						ep.Row = values(r, m, special)
					case 2:
						ep = Epilogue{Col: values(r, n, special), Clamp: true, Lo: -0.5, Hi: 3}
					}
					want := naive(m, n, k, a, b, ep)
					// Rows are longer than the product, and guarded.
					const guard = 12345
					ldc := n + 3
					c := make([]float32, m*ldc)
					for i := range c {
						c[i] = guard
					}
					F32(c, ldc, m, n, k, ap, bp, ep)
					for i := range m {
						for j := range ldc {
							got := c[i*ldc+j]
							if j >= n {
								if got != guard {
									t.Fatalf("%v: wrote outside at (%d, %d)", s, i, j)
								}
							} else if !same(got, want[i*n+j]) {
								t.Fatalf("%v special=%v: (%d, %d) = %v, want %v", s, special, i, j, got, want[i*n+j])
							}
						}
					}
				}
			}
		})
	}
}

func TestPackingByStridesIsTransposition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const k, n = 9, 21
	b := values(r, k*n, false)
	bt := make([]float32, k*n)
	for i := range k {
		for j := range n {
			bt[j*k+i] = b[i*n+j]
		}
	}
	p, q := make([]float32, PackedB(k, n)), make([]float32, PackedB(k, n))
	PackB(p, b, k, n, n, 1)
	PackB(q, bt, k, n, 1, k)
	for i := range p {
		if p[i] != q[i] {
			t.Fatalf("element %d: %v and %v", i, p[i], q[i])
		}
	}
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("go", "run", ".", dir)
	cmd.Dir = "_asm"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"zf32_avx2_amd64.s", "zf32_neon_arm64.s"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run make generate", name)
		}
	}
}

func BenchmarkF32(b *testing.B) {
	for _, v := range variants {
		b.Run(v.name, func(b *testing.B) {
			restore, err := cpu.Override(v.level)
			if err != nil {
				b.Skip(err)
			}
			defer restore()
			const m, n, k = 64, 256, 512
			r := rand.New(rand.NewPCG(7, 8))
			ap, bp := values(r, PackedA(m, k), false), values(r, PackedB(k, n), false)
			c := make([]float32, m*n)
			for b.Loop() {
				F32(c, n, m, n, k, ap, bp, Epilogue{})
			}
			b.ReportMetric(float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}

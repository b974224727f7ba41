package gemm

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func rows() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zacross_avx2_amd64.s", "zacross_avx512_amd64.s", "zbf16_amd64.s", "zbf16_amx_amd64.s", "zblocks_avx2_amd64.s", "zblocks_avx512_amd64.s", "zblocks_neon_arm64.s", "zbytes_amx_amd64.s", "zbytes_avx2_amd64.s", "zbytes_avxvnni_amd64.s", "zbytes_dotprod_arm64.s", "zbytes_i8mm_arm64.s", "zbytes_vnni_amd64.s", "zfloats_avx512_amd64.s", "zfloats_neon_arm64.s", "zlive_avx2_amd64.s", "zpanels_avx2_amd64.s", "zrows_avx512_amd64.s")
}

// at returns the element of column j and step p of k in a packed matrix whose
// taps begin groups of the given size.
func at[T any](packed []T, m Matrix, group, p, j int) T {
	depth := (m.Depth() + group - 1) / group * group
	p = p/m.Depth()*depth + p%m.Depth()
	width := padded(min(Width, m.Columns-j/Width*Width))
	return packed[j/Width*Width*m.Taps*depth+p/group*group*width+j%Width*group+p%group]
}

// TestPackingFollowsStrides packs matrices that lie by rows, by columns, and as
// the weights of a convolution of which some taps are one.
func TestPackingFollowsStrides(t *testing.T) {
	r := kerneltest.Rand(7)
	for _, n := range []int{1, 15, 16, 17, 48, 63, 64, 65, 100, 129} {
		for _, m := range []Matrix{
			Plain(9, n, n, 1),
			Plain(9, n, 1, 9),
			{Columns: n, Taps: 2, Steps: 3, Channels: 5, Column: 30, Tap: 3, Step: 1, Channel: 6},
			Plain(600, n, n, 1),
			Plain(600, n, 1, 600),
			{Columns: n, Taps: 9, Steps: 1, Channels: 70, Column: 630, Tap: 1, Channel: 9},
			{Columns: n, Taps: 6, Steps: 1, Channels: 4, Column: 24, Tap: 1, Channel: 6},
			{Columns: n, Taps: 3, Steps: 3, Channels: 72, Column: 648, Tap: 3, Step: 1, Channel: 9},
			{Columns: n, Taps: 1, Steps: 3, Channels: 12, Column: 36, Step: 12, Channel: 1},
			{Columns: n, Taps: 2, Steps: 2, Channels: 3, Column: 4, Tap: 2, Step: 1, Channel: 4 * n},
			{Columns: n, Taps: 2, Steps: 1, Channels: 10, Column: 1, Tap: 10 * n, Channel: n},
		} {
			k := m.Taps * m.Depth()
			floats, bytes := kerneltest.Floats(r, k*n, false), kerneltest.Ints[int8](r, k*n)
			pf, checkF := kerneltest.Guard[float32](t, m.Floats(), 1)
			pb, checkB := kerneltest.Guard[int8](t, m.Bytes(), 3)
			PackFloats(pf, floats, m)
			PackBytes(pb, bytes, m)
			checkF()
			checkB()
			sums := make([]int32, padded(n))
			m.Sums(sums, pb)
			for j := range n {
				var sum int32
				for p := range k {
					from := j*m.Column + p/m.Depth()*m.Tap + p/m.Channels%m.Steps*m.Step + p%m.Channels*m.Channel
					if got := at(pf, m, 1, p, j); got != floats[from] {
						t.Fatalf("%+v: element %d of column %d is %v, want %v", m, p, j, got, floats[from])
					}
					if got := at(pb, m, Group, p, j); got != bytes[from] {
						t.Fatalf("%+v: element %d of column %d is %v, want %v", m, p, j, got, bytes[from])
					}
					sum += int32(bytes[from])
				}
				if sums[j] != sum {
					t.Errorf("%+v: column %d adds up to %d, want %d", m, j, sums[j], sum)
				}
			}
			for j := n; j < padded(n); j++ {
				if sums[j] != 0 {
					t.Errorf("%+v: missing column %d adds up to %d", m, j, sums[j])
				}
			}
		}
	}
}

func TestIntsAreExact(t *testing.T) {
	if exactly*255*255 >= 1<<24 {
		t.Errorf("%d products of integers of 8 bits and a sign reach 2²⁴", exactly)
	}
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(9)
		for i, s := range append(scenes(r)[:80], newScene(r, 30, 17, 2, 600), newScene(r, 4, 16, 1, 2048)) {
			k := s.taps * s.depth
			a, b := make([]float32, s.reach), make([]float32, k*s.n)
			for _, f := range [][]float32{a, b} {
				end := float32(r.IntN(511) - 255)
				for j := range f {
					if f[j] = float32(r.IntN(511) - 255); i%3 == 0 { // all at one end
						f[j] = end
					}
				}
			}
			packed := make([]float32, s.matrix().Floats())
			PackFloats(packed, b, s.matrix())
			c, check := kerneltest.Guard[int32](t, s.m*s.n, i%4)
			for j := 0; j < s.n; j += Width {
				Ints(c[j:], s.n, a, &s.rows, s.m, packed[j*k:], min(Width, s.n-j))
			}
			check()
			want := make([]int32, len(c))
			for x := range want {
				for p := range k {
					want[x] += int32(a[s.rows.Row[x/s.n]+s.rows.Tap[p/s.depth]+int32(p%s.depth)]) * int32(b[x%s.n*k+p])
				}
			}
			kerneltest.Equal(t, c, want, "%+v", s)
		}
	})
}

func BenchmarkPackBytes(b *testing.B) {
	const k, n = 2304, 512
	src := kerneltest.Ints[int8](kerneltest.Rand(1), k*n)
	for _, of := range []struct {
		name string
		m    Matrix
	}{
		{"rows", Plain(k, n, n, 1)},
		{"columns", Plain(k, n, 1, k)},
		{"even columns", Plain(k/9*8, n, 1, k/9*8)},
		{"taps", Matrix{Columns: n, Taps: 9, Steps: 1, Channels: k / 9, Column: k, Tap: 1, Channel: 9}},
	} {
		dst, sums := make([]int8, of.m.Bytes()), make([]int32, n)
		b.Run(of.name, func(b *testing.B) {
			b.SetBytes(k * n)
			for b.Loop() {
				PackBytes(dst, src, of.m)
			}
		})
		b.Run("sums of "+of.name, func(b *testing.B) {
			b.SetBytes(k * n)
			for b.Loop() {
				of.m.Sums(sums, dst)
			}
		})
	}
}

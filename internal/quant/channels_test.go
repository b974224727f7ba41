package quant

import (
	"fmt"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// counted is a tensor of different numbers.
func counted(shape ...int) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*7%n)/8 - 3
	}
	return tensor.FromSlice(x, shape...)
}

// TestRowsOfAWeightAreReadAndStored compares with the weight whose axis of
// channels is brought to the front as a whole.
func TestRowsOfAWeightAreReadAndStored(t *testing.T) {
	for _, c := range []struct {
		shape []int
		axis  int
	}{{[]int{5, 6}, 0}, {[]int{6, 5}, 1}, {[]int{4, 5, 3}, 1}, {[]int{5, 2, 3, 2}, 0}, {[]int{2, 3, 5}, 2}} {
		plain := counted(c.shape...)
		kinds := map[string]*tensor.Tensor{"plain": plain}
		if len(c.shape) == 2 {
			kinds["turned"] = tensor.Permuted(tensor.Permute(plain, []int{1, 0}), []int{1, 0})
		}
		for kind, w := range kinds {
			t.Run(fmt.Sprint(c.shape, c.axis, kind), func(t *testing.T) {
				moved := tensor.Data[float32](tensor.Permute(plain, frontPerm(c.axis, len(c.shape))))
				for _, typ := range []dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int4, dtype.Int16} {
					rows := newRoundedRows(w, c.axis, typ)
					width := rows.width()
					if rows.Count() != 5 || 5*width != len(moved) {
						t.Fatalf("%d rows of %d elements", rows.Count(), width)
					}
					cut := width/2 + 1
					for _, part := range [][4]int{{0, 2, 0, cut}, {0, 2, cut, width}, {2, 3, 0, width}} {
						first, n, from, to := part[0], part[1], part[2], part[3]
						got, q := make([]float32, n*(to-from)), make([]int64, n*(to-from))
						rows.Read(got, first, n, from, to)
						for r := range n {
							want := moved[(first+r)*width+from : (first+r)*width+to]
							if own := got[r*(to-from) : (r+1)*(to-from)]; !slices.Equal(own, want) {
								t.Fatalf("row %d, elements %d to %d: %v, want %v", first+r, from, to, own, want)
							}
							for j := range want {
								q[r*(to-from)+j] = int64((first+r)*width+from+j) % 8
							}
						}
						rows.Store(q, first, n, from, to)
					}
					codes := make([]int64, len(moved))
					for i := range codes {
						codes[i] = int64(i % 8)
					}
					front := make([]int, len(c.shape))
					for i, a := range frontPerm(c.axis, len(c.shape)) {
						front[i] = c.shape[a]
					}
					want := tensor.Permute(tensor.FromInts(typ, codes, front...), inverseOf(frontPerm(c.axis, len(c.shape))))
					if got := rows.tensor(); !tensor.Equal(got, want) {
						t.Errorf("%v: integers %v, want %v", typ, got.Bytes(), want.Bytes())
					}
				}
			})
		}
	}
}

// TestIntegersOfATurnedWeight: where axes are exchanged when a weight is read,
// parameters and integers are those of the weight in memory.
func TestIntegersOfATurnedWeight(t *testing.T) {
	perm := []int{2, 0, 1}
	src := counted(6, 10, 4)
	turned, plain := tensor.Permuted(src, perm), tensor.Permute(src, perm)
	for axis := range 3 {
		for _, typ := range []dtype.Type{dtype.Int4, dtype.Uint4, dtype.Int8} {
			for _, block := range []int{0, 3} {
				pt := Point{Type: typ, Symmetric: typ.IsSigned(), Axis: axis, Block: block, Algorithm: HQQ}
				scheme := affine.Scheme{Type: typ, Symmetric: pt.Symmetric}
				want, err := chooseCodes(plain, scheme, pt)
				if err != nil {
					t.Fatal(err)
				}
				got, err := chooseCodes(turned, scheme, pt)
				if err != nil || !got.Equal(want) || got.Validate(plain.Shape()) != nil {
					t.Fatalf("%v, axis %d, block %d: %+v, want %+v (%v)", typ, axis, block, got, want, err)
				}
				wantQ, err := affine.Quantize(plain, want, affine.RoundHalfEven)
				if err != nil {
					t.Fatal(err)
				}
				if q, err := heldIntegers(turned, want); err != nil || !tensor.Equal(q, wantQ) {
					t.Errorf("%v, axis %d, block %d: other integers (%v)", typ, axis, block, err)
				}
			}
		}
	}
}

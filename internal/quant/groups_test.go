package quant

import (
	"fmt"
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestGroupsAreThoseOfTheWeight compares what is made when it is read with what
// is made at once, for weights as they lie and for turned ones.
func TestGroupsAreThoseOfTheWeight(t *testing.T) {
	const rows, cols = 150, 66
	x := tensor.FromSlice(kerneltest.Floats(kerneltest.Rand(5), rows*cols, false), rows, cols)
	turned := tensor.Permuted(tensor.Permute(x, []int{1, 0}), []int{1, 0})
	for _, typ := range []dtype.Type{dtype.Int4, dtype.Uint4, dtype.Int8, dtype.Uint8, dtype.Int2} {
		for _, algorithm := range []string{RTN, MSEClip, HQQ} {
			for _, axis := range []int{0, 1} {
				for where, c := range map[string]*tensor.Tensor{"as it lies": x, "turned": turned} {
					t.Run(fmt.Sprint(typ, algorithm, axis, where), func(t *testing.T) {
						pt := Point{Type: typ, Symmetric: typ.IsSigned(), Axis: axis, Block: 32, Algorithm: algorithm, Mirrored: true}
						scheme := affine.Scheme{Type: typ, Symmetric: pt.Symmetric}
						p, err := chooseCodes(x, scheme, pt)
						if err != nil {
							t.Fatal(err)
						}
						want, err := affine.Quantize(x, p, affine.RoundHalfEven)
						if err != nil {
							t.Fatal(err)
						}
						g := newGroups(c, scheme, pt, &latest{})
						codes, scale, zero, err := g.tensors()
						if err != nil {
							t.Fatal(err)
						}
						shape := p.ScaleShape(x.Shape())
						zeros := make([]int64, len(p.Scale))
						copy(zeros, p.ZeroPoint)
						if !tensor.Equal(codes, want) {
							t.Error("codes differ")
						}
						if !tensor.Equal(scale, tensor.FromSlice(p.Scale, shape...)) {
							t.Error("scales differ")
						}
						if !tensor.Equal(zero, tensor.FromInts(typ, zeros, shape...)) {
							t.Error("zero points differ")
						}
						first, err := g.first()
						if err != nil || first.Scale[0] != p.Scale[0] || first.Zero(0) != p.Zero(0) {
							t.Errorf("the first group has %v (%v), want %v, %d", first, err, p.Scale[0], p.Zero(0))
						}
					})
				}
			}
		}
	}
}

// columnBlocks returns the parameters of a matrix whose blocks run down columns.
func columnBlocks(x []float32, rows, columns, block int, s affine.Scheme) affine.Params {
	p := affine.Params{Type: s.Type, Axis: 0, BlockSize: block}
	for from := 0; from < rows; from += block {
		for j := range columns {
			lo, hi := x[from*columns+j], x[from*columns+j]
			for i := from; i < min(from+block, rows); i++ {
				lo, hi = min(lo, x[i*columns+j]), max(hi, x[i*columns+j])
			}
			scale, zero := affine.BlockParams(lo, hi, s)
			p.Scale, p.ZeroPoint = append(p.Scale, scale), append(p.ZeroPoint, zero)
		}
	}
	return p
}

// TestScalesOfGroups: by rounding to nearest they are those of ONNX Runtime's
// blocks, or of either sign where that has the lesser sum of squares.
func TestScalesOfGroups(t *testing.T) {
	x := tensor.FromSlice(kerneltest.Floats(kerneltest.Rand(6), 96*40, false), 96, 40)
	d := tensor.Data[float32](x)
	for _, typ := range []dtype.Type{dtype.Int4, dtype.Uint4, dtype.Int8} {
		pt := Point{Type: typ, Symmetric: typ.IsSigned(), Axis: 0, Block: 16, Algorithm: RTN}
		scheme := affine.Scheme{Type: typ, Symmetric: pt.Symmetric}
		want := columnBlocks(d, 96, 40, 16, scheme)
		got, err := chooseCodes(x, scheme, pt)
		if err != nil || !got.Equal(want) {
			t.Errorf("%v: other parameters than those of blocks (%v)", typ, err)
		}
	}
	pt := Point{Type: dtype.Int4, Symmetric: true, Axis: 0, Block: 16, Algorithm: RTN, Mirrored: true}
	scheme := affine.Scheme{Type: dtype.Int4, Symmetric: true}
	plain := columnBlocks(d, 96, 40, 16, scheme)
	got, err := chooseCodes(x, scheme, pt)
	if err != nil {
		t.Fatal(err)
	}
	negative := 0
	for k, s := range plain.Scale {
		b, j := k/40, k%40
		far := float32(0)
		var group []float32
		for r := b * 16; r < (b+1)*16; r++ {
			v := d[r*40+j]
			if group = append(group, v); max(v, -v) > max(far, -far) {
				far = v
			}
		}
		squares := func(s float32) (sum float64) {
			for _, v := range group {
				q := max(-8, min(7, math.RoundToEven(float64(v)/float64(s))))
				e := float64(v) - q*float64(s)
				sum += e * e
			}
			return sum
		}
		if other := far / -8; squares(other) < squares(s) {
			s = other
		}
		if got.Scale[k] != s {
			t.Fatalf("group %d has scale %v, want %v", k, got.Scale[k], s)
		}
		if s < 0 {
			negative++
		}
	}
	if negative == 0 {
		t.Error("no scale is negative: the weights show nothing")
	}
}

// TestFarthestOfEqualsIsTheFirst: of two weights equally far from 0 the first says
// the sign.
func TestFarthestOfEqualsIsTheFirst(t *testing.T) {
	f := fitter{lo: -8, hi: 7}
	for _, c := range []struct {
		x    []float32
		want float32
	}{{[]float32{0, 8, 4, 4, -4, 3, 4, -8}, -1}, {[]float32{-8, 4, 4, -4, 3, 4, 8}, 1}, {[]float32{0, 8, -8}, 8. / 7}} {
		if got := f.farthest(c.x, 8./7); got != c.want {
			t.Errorf("%v: scale %v, want %v", c.x, got, c.want)
		}
	}
}

package quant

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func codeErrors(t *testing.T, w *tensor.Tensor, pt Point) (squares, magnitudes float64) {
	t.Helper()
	p, err := chooseCodes(w, affine.Scheme{Type: pt.Type, Symmetric: pt.Symmetric}, pt)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(w.Shape()); err != nil {
		t.Fatal(err)
	}
	q, err := affine.FakeQuantize(w, p, affine.RoundHalfEven)
	if err != nil {
		t.Fatal(err)
	}
	x, y := tensor.Data[float32](w), tensor.Data[float32](q)
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		squares += d * d
		magnitudes += max(d, -d)
	}
	return squares, magnitudes
}

// TestAlgorithmsLoseLessThanRounding checks each against what it minimises, on
// weights with outliers.
func TestAlgorithmsLoseLessThanRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	data := make([]float32, 64*24)
	for i := range data {
		data[i] = float32(r.NormFloat64())
		if i%97 == 0 {
			data[i] *= 6
		}
	}
	w := tensor.FromSlice(data, 64, 24)
	for _, typ := range []dtype.Type{dtype.Int4, dtype.Uint4, dtype.Int2, dtype.Uint2} {
		for _, block := range []int{0, 16, 32} {
			pt := Point{Type: typ, Symmetric: typ.IsSigned(), Axis: 1, Block: block, Algorithm: RTN}
			if block > 0 {
				pt.Axis = 0
			}
			squares, magnitudes := codeErrors(t, w, pt)
			pt.Algorithm = MSEClip
			if s, _ := codeErrors(t, w, pt); !(s < squares) {
				t.Errorf("%v, groups of %d: mse-clip loses %v, rtn %v", typ, block, s, squares)
			}
			pt.Algorithm = HQQ
			if _, m := codeErrors(t, w, pt); !(m < magnitudes) {
				t.Errorf("%v, groups of %d: hqq loses %v, rtn %v", typ, block, m, magnitudes)
			}
			if pt.Algorithm, pt.Mirrored = RTN, true; pt.Symmetric {
				if s, _ := codeErrors(t, w, pt); !(s <= squares*1.0001) {
					t.Errorf("%v, groups of %d: scales of either sign lose %v, others %v", typ, block, s, squares)
				}
			}
		}
	}
}

func TestGroupsOfOneValueAreKept(t *testing.T) {
	for _, algorithm := range []string{RTN, MSEClip, HQQ} {
		for _, typ := range []dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int4, dtype.Uint4} {
			for _, value := range []float32{0, 1, -3, 1e-42, 3e38} {
				data := make([]float32, 32)
				for i := range data {
					data[i] = value
				}
				pt := Point{Type: typ, Symmetric: typ.IsSigned(), Axis: 0, Block: 16, Algorithm: algorithm, Mirrored: true}
				squares, _ := codeErrors(t, tensor.FromSlice(data, 32, 1), pt)
				// Half a step is lost at most, and zeros are exact.
				step := float64(value) / 2
				if bound := 32 * step * step / 9; squares > bound+1e-80 {
					t.Errorf("%s, %v: groups of %v lose %v", algorithm, typ, value, squares)
				}
			}
		}
	}
}

func TestWeightsThatAreNoNumbers(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, bad := range []float32{inf, -inf, inf - inf} {
		err := finite(tensor.FromSlice([]float32{1, 2, bad, bad}, 4))
		if err == nil || !strings.Contains(err.Error(), "2 of its 4 elements are NaN or infinite, the first at 2") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := finite(tensor.FromSlice([]float32{1, 3e38}, 2)); err != nil {
		t.Error(err)
	}
}

// TestSmallErrorsAreNoOutliers: below the bound by which shrink saves the power,
// nothing would be left of an error; somewhat above it, something is.
func TestSmallErrorsAreNoOutliers(t *testing.T) {
	for _, beta := range []float64{hqqBeta, hqqBeta * math.Pow(hqqGrow, hqqSteps), 1, 300} {
		none := unshrunk(beta)
		for _, a := range []float64{1e-30, 1e-9, none / 2, none * 0.9999} {
			if rest := a - math.Pow(a, hqqPower-1)/beta; rest > 0 {
				t.Errorf("beta %v: %v is left of %v, below the bound %v", beta, rest, a, none)
			}
			if got := shrink(-a, beta, none); got != 0 {
				t.Errorf("beta %v: shrink leaves %v of %v", beta, got, -a)
			}
		}
		a := none * 1.02
		want := a - math.Pow(a, hqqPower-1)/beta
		if got := shrink(-a, beta, none); !(want > 0) || math.Abs(got+want) > 1e-5*a {
			t.Errorf("beta %v: shrink leaves %v of %v, want %v", beta, got, -a, -want)
		}
	}
}

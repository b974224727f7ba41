package affine_test

import (
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestChooseParamsAsONNXRuntime holds what compute_scale_zp of ONNX Runtime
// 1.32 returns for float32 ranges.
func TestChooseParamsAsONNXRuntime(t *testing.T) {
	for _, c := range []struct {
		lo, hi float32
		s      affine.Scheme
		scale  float32
		zero   int64
	}{
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint8}, 0.01882352866232395, 90},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint8, Symmetric: true}, 0.024313725531101227, 128},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint8, Reduced: true}, 0.03779527544975281, 45},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint8, Symmetric: true, Reduced: true}, 0.04881889745593071, 64},
		{0.5, 2, affine.Scheme{Type: dtype.Uint8}, 0.007843137718737125, 0},
		{-3, -1, affine.Scheme{Type: dtype.Uint8}, 0.0117647061124444, 255},
		{0, 1e-40, affine.Scheme{Type: dtype.Uint8}, 1, 0},
		{0, 0, affine.Scheme{Type: dtype.Uint8, Symmetric: true}, 1, 0},
		{-9.999999747378752e-06, 1e-05, affine.Scheme{Type: dtype.Uint8, MinRange: 0.0001}, 3.921568634268624e-07, 25},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int8}, 0.01882352866232395, -38},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int8, Symmetric: true}, 0.024409448727965355, 0},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int8, Reduced: true}, 0.03750000149011612, -19},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int8, Symmetric: true, Reduced: true}, 0.04843749850988388, 0},
		{0.5, 2, affine.Scheme{Type: dtype.Int8}, 0.007843137718737125, -128},
		{-3, -1, affine.Scheme{Type: dtype.Int8}, 0.0117647061124444, 127},
		{0, 1e-40, affine.Scheme{Type: dtype.Int8}, 1, 0},
		{0, 0, affine.Scheme{Type: dtype.Int8, Symmetric: true}, 1, 0},
		{-9.999999747378752e-06, 1e-05, affine.Scheme{Type: dtype.Int8, MinRange: 0.0001}, 3.921568634268624e-07, -103},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint16}, 7.324330363189802e-05, 23210},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint16, Symmetric: true}, 9.460592991672456e-05, 32768},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint16, Reduced: true}, 0.0001464888482587412, 11605},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint16, Symmetric: true, Reduced: true}, 0.00018921475566457957, 16384},
		{0.5, 2, affine.Scheme{Type: dtype.Uint16}, 3.051804378628731e-05, 0},
		{-3, -1, affine.Scheme{Type: dtype.Uint16}, 4.577706567943096e-05, 65535},
		{0, 1e-40, affine.Scheme{Type: dtype.Uint16}, 1, 0},
		{0, 0, affine.Scheme{Type: dtype.Uint16, Symmetric: true}, 1, 0},
		{-9.999999747378752e-06, 1e-05, affine.Scheme{Type: dtype.Uint16, MinRange: 0.0001}, 1.5259021823865737e-09, 6553},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int16}, 7.324330363189802e-05, -9558},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int16, Symmetric: true}, 9.460737783228979e-05, 0},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int16, Reduced: true}, 0.0001464843808207661, -4779},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int16, Symmetric: true, Reduced: true}, 0.0001892089785542339, 0},
		{0.5, 2, affine.Scheme{Type: dtype.Int16}, 3.051804378628731e-05, -32768},
		{-3, -1, affine.Scheme{Type: dtype.Int16}, 4.577706567943096e-05, 32767},
		{0, 1e-40, affine.Scheme{Type: dtype.Int16}, 1, 0},
		{0, 0, affine.Scheme{Type: dtype.Int16, Symmetric: true}, 1, 0},
		{-9.999999747378752e-06, 1e-05, affine.Scheme{Type: dtype.Int16, MinRange: 0.0001}, 1.5259021823865737e-09, -26215},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint4}, 0.3199999928474426, 5},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint4, Symmetric: true}, 0.41333332657814026, 8},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint4, Reduced: true}, 0.6857143044471741, 2},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Uint4, Symmetric: true, Reduced: true}, 0.8857142329216003, 4},
		{0.5, 2, affine.Scheme{Type: dtype.Uint4}, 0.13333334028720856, 0},
		{-3, -1, affine.Scheme{Type: dtype.Uint4}, 0.20000000298023224, 15},
		{0, 1e-40, affine.Scheme{Type: dtype.Uint4}, 1, 0},
		{0, 0, affine.Scheme{Type: dtype.Uint4, Symmetric: true}, 1, 0},
		{-9.999999747378752e-06, 1e-05, affine.Scheme{Type: dtype.Uint4, MinRange: 0.0001}, 6.666666649834951e-06, 1},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int4}, 0.3199999928474426, -3},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int4, Symmetric: true}, 0.41333332657814026, 0},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int4, Reduced: true}, 0.6857143044471741, -2},
		{-1.7, 3.1, affine.Scheme{Type: dtype.Int4, Symmetric: true, Reduced: true}, 0.8857142329216003, 0},
		{0.5, 2, affine.Scheme{Type: dtype.Int4}, 0.13333334028720856, -8},
		{-3, -1, affine.Scheme{Type: dtype.Int4}, 0.20000000298023224, 7},
		{0, 1e-40, affine.Scheme{Type: dtype.Int4}, 1, 0},
		{0, 0, affine.Scheme{Type: dtype.Int4, Symmetric: true}, 1, 0},
		{-9.999999747378752e-06, 1e-05, affine.Scheme{Type: dtype.Int4, MinRange: 0.0001}, 6.666666649834951e-06, -7},
	} {
		scale, zero := affine.ChooseParams(float64(c.lo), float64(c.hi), c.s)
		if scale != c.scale || zero != c.zero {
			t.Errorf("ChooseParams(%v, %v, %+v) = %v, %d; want %v, %d", c.lo, c.hi, c.s, scale, zero, c.scale, c.zero)
		}
	}
}

// The weights and what quantize_data of ONNX Runtime 1.32 makes of them.
var weights = []float32{-1.9, -.31, 0, .004, .55, .77, 1.2, 2.5}

func TestWeightsAsONNXRuntime(t *testing.T) {
	x := tensor.FromSlice(weights, len(weights))
	for _, c := range []struct {
		s     affine.Scheme
		scale float32
		zero  int64
		q     []int64
	}{
		{affine.Scheme{Type: dtype.Uint8}, 0.0172549020498991, 110, []int64{0, 92, 110, 110, 142, 155, 180, 255}},
		{affine.Scheme{Type: dtype.Uint8, Symmetric: true}, 0.019607843831181526, 128, []int64{31, 112, 128, 128, 156, 167, 189, 255}},
		{affine.Scheme{Type: dtype.Int8}, 0.0172549020498991, -18, []int64{-128, -36, -18, -18, 14, 27, 52, 127}},
		{affine.Scheme{Type: dtype.Int8, Symmetric: true}, 0.019685039296746254, 0, []int64{-97, -16, 0, 0, 28, 39, 61, 127}},
		{affine.Scheme{Type: dtype.Int16}, 6.713969924021512e-05, -4469, []int64{-32768, -9086, -4469, -4409, 3723, 7000, 13404, 32767}},
		{affine.Scheme{Type: dtype.Int16, Symmetric: true}, 7.629627361893654e-05, 0, []int64{-24903, -4063, 0, 52, 7209, 10092, 15728, 32767}},
		{affine.Scheme{Type: dtype.Uint4}, 0.2933333218097687, 6, []int64{0, 5, 6, 6, 8, 9, 10, 15}},
		{affine.Scheme{Type: dtype.Uint4, Symmetric: true}, 0.3333333432674408, 8, []int64{2, 7, 8, 8, 10, 10, 12, 15}},
		{affine.Scheme{Type: dtype.Int4}, 0.2933333218097687, -2, []int64{-8, -3, -2, -2, 0, 1, 2, 7}},
		{affine.Scheme{Type: dtype.Int4, Symmetric: true}, 0.3333333432674408, 0, []int64{-6, -1, 0, 0, 2, 2, 4, 7}},
	} {
		p, err := affine.ChooseWeightParams(x, c.s, affine.PerTensorAxis)
		if err != nil {
			t.Fatal(err)
		}
		if want := affine.PerTensor(c.s.Type, c.scale, c.zero); !p.Equal(want) {
			t.Errorf("%+v: got %v, want %v", c.s, p, want)
		}
		q, err := affine.Quantize(x, p, affine.RoundHalfEven)
		if err != nil {
			t.Fatal(err)
		}
		if want := tensor.FromInts(c.s.Type, c.q, len(c.q)); !tensor.Equal(q, want) {
			got, _ := tensor.Ints(q)
			t.Errorf("%+v: got %v, want %v", c.s, got, c.q)
		}
	}
}

// blockParams returns the parameters that cover the elements of t, with a scale
// for each block along the axis.
func blockParams(t *tensor.Tensor, s affine.Scheme, axis, block int) (affine.Params, error) {
	p := affine.Params{Type: s.Type, Axis: axis, BlockSize: block}
	n, _ := tensor.Count(p.ScaleShape(t.Shape()))
	p.Scale, p.ZeroPoint = make([]float32, n), make([]int64, n)
	err := p.EachBlock(t, func(k int, x []float32) {
		p.Scale[k], p.ZeroPoint[k] = affine.BlockParams(slices.Min(x), slices.Max(x), s)
	})
	return p, err
}

// TestBlocksAsONNXRuntime holds what compute_scale_zp_blocked returns for
// blocks of two rows, the last one short.
func TestBlocksAsONNXRuntime(t *testing.T) {
	w := tensor.FromSlice([]float32{.5, -1, 2, 3, .25, -4, 1, 1, 1, -.125, 8, .75, 9, -9, 0}, 5, 3)
	for _, c := range []struct {
		symmetric bool
		zero      []int64
		scale     []float32
	}{
		{false, []int64{0, 12, 10, 2, 0, 0, 0, 15, 0}, []float32{0.20000000298023224, 0.0833333358168602, 0.4000000059604645, 0.07500000298023224, 0.5333333611488342, 0.06666667014360428, 0.6000000238418579, 0.6000000238418579, 1}},
		{true, []int64{8, 8, 8, 8, 8, 8, 8, 8, 8}, []float32{0.4000000059604645, 0.13333334028720856, 0.5333333611488342, 0.13333334028720856, 1.0666667222976685, 0.13333334028720856, 1.2000000476837158, 1.2000000476837158, 1}},
	} {
		got, err := blockParams(w, affine.Scheme{Type: dtype.Uint4, Symmetric: c.symmetric}, 0, 2)
		want := affine.Params{Type: dtype.Uint4, Scale: c.scale, ZeroPoint: c.zero, Axis: 0, BlockSize: 2}
		if err != nil || !got.Equal(want) {
			t.Errorf("symmetric %v: got %v, %v; want %v", c.symmetric, got, err, want)
		}
	}
}

package affine_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func TestValidateNamesTheProblem(t *testing.T) {
	shape := []int{2, 5}
	for _, c := range []struct {
		p    affine.Params
		want string // part of the error; "" for none
	}{
		{affine.PerTensor(dtype.Int8, 1, 0), ""},
		{affine.Params{Type: dtype.Int8, Scale: []float32{1, 2}}, ""},
		{affine.Params{Type: dtype.Int8, Scale: make([]float32, 6), Axis: 1, BlockSize: 2}, ""},
		{affine.Params{Type: dtype.Int8, Scale: []float32{1}, Axis: 7}, ""},
		{affine.Params{Type: dtype.Int8, Scale: make([]float32, 5), Axis: 1, BlockSize: 2}, "want 6"},
		{affine.Params{Type: dtype.Int8, Scale: []float32{1, 2, 3}, Axis: 0}, "want 2"},
		{affine.Params{Type: dtype.Int8, Scale: []float32{1, 2}, Axis: -1}, "axis -1"},
		{affine.Params{Type: dtype.Int8, Scale: []float32{1, 2}, ZeroPoint: []int64{0}}, "1 zero points"},
		{affine.PerTensor(dtype.Int8, 1, 128), "zero point 128"},
		{affine.PerTensor(dtype.Float32, 1, 0), "float32"},
		{affine.PerTensor(dtype.Int8, float32(math.NaN()), 0), "NaN"},
		{affine.Params{Type: dtype.Int8}, "no scale"},
	} {
		err := c.p.Validate(shape)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.p, err, c.want)
		}
	}
}

func schemes() *rapid.Generator[affine.Scheme] {
	return rapid.Custom(func(t *rapid.T) affine.Scheme {
		return affine.Scheme{
			Type:      rapid.SampledFrom([]dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int16, dtype.Uint16, dtype.Int4, dtype.Uint4, dtype.Int2, dtype.Uint2}).Draw(t, "type"),
			Symmetric: rapid.Bool().Draw(t, "symmetric"),
			Narrow:    rapid.Bool().Draw(t, "narrow"),
			Reduced:   rapid.Bool().Draw(t, "reduced"),
		}
	})
}

func TestZeroIsExactAndErrorsAreBelowHalfAStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schemes().Draw(t, "scheme")
		lo := float64(rapid.Float32Range(-1e6, 1e6).Draw(t, "lo"))
		hi := float64(rapid.Float32Range(-1e6, 1e6).Draw(t, "hi"))
		lo, hi = min(lo, hi), max(lo, hi)
		scale, zero := affine.ChooseParams(lo, hi, s)
		qmin, qmax := s.Range()
		if !(scale > 0) || zero != 0 && (zero < qmin || zero > qmax) {
			t.Fatalf("scale %v, zero point %d", scale, zero)
		}
		p := affine.PerTensor(s.Type, scale, zero)
		first, last := s.Type.Range()
		low, high := float64(scale)*float64(first-zero), float64(scale)*float64(last-zero)
		vals := append(rapid.SliceOfN(rapid.Float32Range(float32(low), float32(high)), 1, 20).Draw(t, "values"), 0)
		x := tensor.FromSlice(vals, len(vals))
		fq, err := affine.FakeQuantize(x, p, affine.RoundHalfEven)
		if err != nil {
			t.Fatal(err)
		}
		got := tensor.Data[float32](fq)
		if got[len(vals)-1] != 0 {
			t.Fatalf("0 becomes %v", got[len(vals)-1])
		}
		for i, v := range vals {
			// The quotient and the product round in float32.
			slack := math.Abs(float64(v)) * 0x1p-22
			if d := math.Abs(float64(got[i]) - float64(v)); d > float64(scale)/2+slack {
				t.Fatalf("%v becomes %v, off by %v steps", v, got[i], d/float64(scale))
			}
		}
	})
}

func TestChosenParamsCoverTheRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := affine.Scheme{Type: rapid.SampledFrom([]dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int16}).Draw(t, "type"), Symmetric: rapid.Bool().Draw(t, "symmetric")}
		lo := float64(rapid.Float32Range(-1e6, 0).Draw(t, "lo"))
		hi := float64(rapid.Float32Range(0, 1e6).Draw(t, "hi"))
		scale, zero := affine.ChooseParams(lo, hi, s)
		if scale == 1 && zero == 0 {
			return
		}
		qmin, qmax := s.Range()
		// Rounding the zero point moves the ends by at most half a step.
		if step := float64(scale); lo < step*(float64(qmin-zero)-0.51) || hi > step*(float64(qmax-zero)+0.51) {
			t.Fatalf("[%v, %v] is not covered by scale %v, zero point %d", lo, hi, scale, zero)
		}
	})
}

func TestFakeQuantizeIsIdempotentAndMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schemes().Draw(t, "scheme")
		r := affine.Rounding(rapid.IntRange(0, 1).Draw(t, "rounding"))
		vals := rapid.SliceOfN(rapid.Float32Range(-100, 100), 2, 24).Draw(t, "values")
		slices.Sort(vals)
		x := tensor.FromSlice(vals, len(vals))
		p, err := affine.ChooseWeightParams(x, s, affine.PerTensorAxis)
		if err != nil {
			t.Fatal(err)
		}
		once, err := affine.FakeQuantize(x, p, r)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := affine.FakeQuantize(once, p, r)
		if err != nil {
			t.Fatal(err)
		}
		if !tensor.Equal(once, twice) {
			t.Fatal("quantizing again changes the values")
		}
		if !slices.IsSorted(tensor.Data[float32](once)) {
			t.Fatalf("%v becomes %v", vals, tensor.Data[float32](once))
		}
	})
}

// TestAxesAndBlocksArePerTensorOfEachPart cuts a tensor by hand and quantizes
// each part alone.
func TestAxesAndBlocksArePerTensorOfEachPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 3).Draw(t, "shape")
		n, _ := tensor.Count(shape)
		vals := rapid.SliceOfN(rapid.Float32Range(-10, 10), n, n).Draw(t, "values")
		x := tensor.FromSlice(vals, shape...)
		s := affine.Scheme{Type: rapid.SampledFrom([]dtype.Type{dtype.Int8, dtype.Uint4}).Draw(t, "type")}
		axis := rapid.IntRange(0, len(shape)-1).Draw(t, "axis")
		block := rapid.IntRange(0, 3).Draw(t, "block")
		var p affine.Params
		var err error
		if block == 0 {
			p, err = affine.ChooseWeightParams(x, s, axis)
		} else {
			p, err = blockParams(x, s, axis, block)
		}
		if err != nil {
			t.Fatal(err)
		}
		q, err := affine.Quantize(x, p, affine.RoundHalfEven)
		if err != nil {
			t.Fatal(err)
		}
		back, err := affine.Dequantize(q, p, dtype.Float32)
		if err != nil {
			t.Fatal(err)
		}
		ints, _ := tensor.Ints(q)
		stride := tensor.Strides(shape)
		dims := p.ScaleShape(shape)
		for i, v := range vals {
			k := 0
			switch {
			case block > 0:
				for ax := range shape {
					c := i / stride[ax] % shape[ax]
					if ax == axis {
						c /= block
					}
					k = k*dims[ax] + c
				}
			case len(dims) > 0:
				k = i / stride[axis] % shape[axis]
			}
			one := affine.PerTensor(s.Type, p.Scale[k], p.Zero(k))
			w, err := affine.Quantize(tensor.Scalar(v), one, affine.RoundHalfEven)
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := tensor.Ints(w); ints[i] != want[0] {
				t.Fatalf("element %d: got %d, want %d", i, ints[i], want[0])
			}
			if want := float32(ints[i]-p.Zero(k)) * p.Scale[k]; tensor.Data[float32](back)[i] != want {
				t.Fatalf("element %d: got %v, want %v", i, tensor.Data[float32](back)[i], want)
			}
		}
	})
}

func TestRoundingIsNamed(t *testing.T) {
	x := tensor.FromSlice([]float32{0.5, 1.5, -0.5, 2.5, -2.5, float32(math.NaN()), 1e30, float32(math.Inf(-1))}, 8)
	for r, want := range map[affine.Rounding][]int8{
		affine.RoundHalfEven: {0, 2, 0, 2, -2, -128, 127, -128},
		affine.RoundHalfAway: {1, 2, -1, 3, -3, -128, 127, -128},
	} {
		q, err := affine.Quantize(x, affine.PerTensor(dtype.Int8, 1, 0), r)
		if err != nil || !slices.Equal(tensor.Data[int8](q), want) {
			t.Errorf("%v: got %v, %v; want %v", r, tensor.Data[int8](q), err, want)
		}
	}
}

func TestOtherTypesOfRealNumbers(t *testing.T) {
	p := affine.PerTensor(dtype.Int8, 0.5, 3)
	for _, typ := range []dtype.Type{dtype.Float16, dtype.BFloat16, dtype.Float64} {
		q := tensor.FromSlice([]int8{-128, 0, 3, 127}, 4)
		x, err := affine.Dequantize(q, p, typ)
		if err != nil {
			t.Fatal(err)
		}
		if x.Type() != typ {
			t.Errorf("got %v, want %v", x.Type(), typ)
		}
		back, err := affine.Quantize(x, p, affine.RoundHalfEven)
		if err != nil || !tensor.Equal(back, q) {
			t.Errorf("%v: got %v, %v; want %v", typ, tensor.Data[int8](back), err, tensor.Data[int8](q))
		}
	}
	if _, err := affine.Quantize(tensor.New(dtype.Bool, 2), p, affine.RoundHalfEven); err == nil {
		t.Error("quantizing Bool: got no error")
	}
	f8 := affine.PerTensor(dtype.Float8E4M3FN, 2, 0)
	x := tensor.FromSlice([]float32{1, -3, 1e9}, 3)
	q, err := affine.Quantize(x, f8, affine.RoundHalfEven)
	if err != nil {
		t.Fatal(err)
	}
	back, err := affine.Dequantize(q, f8, dtype.Float32)
	if want := []float32{1, -3, 896}; err != nil || !slices.Equal(tensor.Data[float32](back), want) {
		t.Errorf("got %v, %v; want %v", tensor.Data[float32](back), err, want)
	}
}

func TestRealZeroPoints(t *testing.T) {
	q := tensor.FromInts(dtype.Uint4, []int64{0, 8, 15, 4}, 2, 2)
	p := affine.Params{Type: dtype.Uint4, Scale: []float32{0.5, -2}, Axis: 0}
	x, err := affine.DequantizeAround(q, p, []float32{7.5, 1.25}, dtype.Float32)
	if want := []float32{-3.75, 0.25, -27.5, -5.5}; err != nil || !slices.Equal(tensor.Data[float32](x), want) {
		t.Errorf("got %v, %v; want %v", tensor.Data[float32](x), err, want)
	}
}

func TestFitBiasMakesRoom(t *testing.T) {
	w := affine.Params{Type: dtype.Int8, Scale: []float32{1e-9, 1e-3}, Axis: 0}
	bias := tensor.FromSlice([]float32{100, 100}, 2)
	fit := affine.FitBias(w, 1e-3, bias)
	if fit.Scale[1] != w.Scale[1] || w.Scale[0] != 1e-9 {
		t.Errorf("scales %v of %v", fit.Scale, w.Scale)
	}
	// 1.0001·2·100/(2³²−2) divided by the input's scale.
	if got, want := fit.Scale[0], float32(1.0001*200/4294967294.0/float64(float32(1e-3))); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	q, p, err := affine.QuantizeBias(bias, 1e-3, fit, 1)
	if err != nil {
		t.Fatal(err)
	}
	v := tensor.Data[int32](q)
	if v[0] < 2147000000 || v[0] == math.MaxInt32 || v[1]/1000 != 99999 || p.Type != dtype.Int32 {
		t.Errorf("bias %v", v)
	}
	asym := affine.PerTensor(dtype.Int8, 1e-9, 5)
	if got := affine.FitBias(asym, 1e-3, bias); got.Scale[0] != 1e-9 {
		t.Errorf("a weight with a zero point became %v", got)
	}
}

func TestAccumulatorBias(t *testing.T) {
	units := []float32{0.5, 0.25}
	same := affine.Params{Type: dtype.Int32, Scale: units, Axis: 0}
	other := affine.PerTensor(dtype.Int32, 0.5, 0)
	ints := tensor.FromSlice([]int32{7, -3}, 2)
	for _, c := range []struct {
		name   string
		bias   *tensor.Tensor
		p      affine.Params
		factor float64
		want   []int32
	}{
		{"own units", ints, same, 1, []int32{7, -3}},
		{"other units", ints, other, 1, []int32{7, -6}},
		{"factor", ints, same, 3, []int32{21, -9}},
		{"float", tensor.FromSlice([]float32{1.25, -0.8}, 2), affine.Params{}, 1, []int32{2, -3}},
		{"overflow", tensor.FromSlice([]float32{1e30, -1e30}, 2), affine.Params{}, 1, []int32{math.MaxInt32, math.MinInt32}},
	} {
		got, err := affine.AccumulatorBias(c.bias, c.p, c.factor, units)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v; want %v", c.name, got, err, c.want)
		}
	}
	if _, err := affine.AccumulatorBias(ints, same, 1, []float32{1, 2, 3}); err == nil {
		t.Error("two elements for three channels: got no error")
	}
}

func TestRequantize(t *testing.T) {
	acc := []int32{5, -5, 7, 1000, -1000, 3}
	out := affine.PerTensor(dtype.Uint8, 1, 10)
	for _, c := range []struct {
		axis        int
		multipliers []float32
		lo, hi      int64
		want        []uint8
	}{
		{0, []float32{0.5}, 0, 255, []uint8{12, 8, 14, 255, 0, 12}},
		{0, []float32{0.5, 1}, 0, 255, []uint8{12, 8, 14, 255, 0, 13}},
		{1, []float32{0.5, 1, 2}, 10, 20, []uint8{12, 10, 20, 20, 10, 16}},
	} {
		got, err := affine.Requantize(acc, []int{2, 3}, c.axis, c.multipliers, out, c.lo, c.hi)
		if err != nil || !slices.Equal(tensor.Data[uint8](got), c.want) {
			t.Errorf("%v: got %v, %v; want %v", c.multipliers, tensor.Data[uint8](got), err, c.want)
		}
	}
	if got, want := tensor.Data[float32](affine.Rescale(acc, []int{2, 3}, 1, []float32{1, 2, 0.5})), []float32{5, -10, 3.5, 1000, -2000, 1.5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBoundsAreQuantizedEnds(t *testing.T) {
	p := affine.PerTensor(dtype.Uint8, 0.1, 20)
	if lo, hi := p.Bounds(0, 6); lo != 20 || hi != 80 {
		t.Errorf("got %d to %d, want 20 to 80", lo, hi)
	}
	if lo, hi := p.Bounds(math.Inf(-1), math.Inf(1)); lo != 0 || hi != 255 {
		t.Errorf("got %d to %d, want 0 to 255", lo, hi)
	}
}

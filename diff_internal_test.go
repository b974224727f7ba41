package octavo

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestDiffOfTensors gives pairs whose differences are known, across pieces,
// below a byte, and at the ends of what numbers can be.
func TestDiffOfTensors(t *testing.T) {
	long, changed := make([]int8, piece+3), make([]int8, piece+3)
	changed[1], changed[piece+2] = 2, -7
	nan := float32(math.NaN())
	for _, c := range []struct {
		name     string
		a, b     *tensor.Tensor
		elements int64
		steps    int64
		largest  float64
	}{
		{"pieces", tensor.FromSlice(long, piece+3), tensor.FromSlice(changed, piece+3), 2, 7, 0},
		{"the same NaN", tensor.FromSlice([]float32{nan, 1}, 2), tensor.FromSlice([]float32{nan, 1}, 2), 0, 0, 0},
		{"floats", tensor.FromSlice([]float32{1, 2}, 2), tensor.FromSlice([]float32{1, 2.5}, 2), 1, 0, 0.5},
		{"a NaN", tensor.FromSlice([]float32{nan}, 1), tensor.FromSlice([]float32{1}, 1), 1, 0, math.MaxFloat64},
		{"nibbles", tensor.Pack(dtype.Int4, []int8{1, -8, 3}, 3), tensor.Pack(dtype.Int4, []int8{1, 7, 3}, 3), 1, 15, 0},
		{"far", tensor.FromSlice([]int64{math.MinInt64}, 1), tensor.FromSlice([]int64{math.MaxInt64}, 1), 1, math.MaxInt64, 0},
		{"scalar", tensor.Scalar[uint8](3), tensor.Scalar[uint8](5), 1, 2, 0},
		{"empty", tensor.New(dtype.Int8, 0, 4), tensor.New(dtype.Int8, 0, 4), 0, 0, 0},
	} {
		d, same, err := entry{c.name, "constant", c.a, nil}.compare(entry{c.name, "constant", c.b, nil})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d.Elements != c.elements || d.Steps != c.steps || d.Largest != c.largest || same != (c.elements == 0) {
			t.Errorf("%s: got %+v, same %v; want %d elements, %d steps, largest %g", c.name, d, same, c.elements, c.steps, c.largest)
		}
	}
}

// TestDiffGate: --max-steps sees scales and floats, not integers alone.
func TestDiffGate(t *testing.T) {
	for _, c := range []struct {
		name  string
		diff  TensorDiff
		steps int64
		fails bool
	}{
		{"a scale that moves the end by two steps", TensorDiff{Kind: "parameters", Ratio: 1 + 2.0/255, Elements: 1}, 1, true},
		{"which two steps allow", TensorDiff{Kind: "parameters", Ratio: 1 + 2.0/255, Elements: 1}, 2, false},
		{"a scale that is no number", TensorDiff{Kind: "parameters", Elements: 1}, 1000, true},
		{"a zero point", TensorDiff{Kind: "parameters", Ratio: 1, ZeroPoint: 3, Steps: 3, Elements: 1}, 2, true},
		{"weights within the steps", TensorDiff{Kind: "constant", Steps: 1, Elements: 9}, 1, false},
		{"floats", TensorDiff{Kind: "constant", Largest: 1e-9, Elements: 1}, 1000, true},
	} {
		d := &Diff{Tensors: []TensorDiff{c.diff}}
		if err := d.Err(c.steps); (err != nil) != c.fails {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

package runtime_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestMovedElementsEqualTheReference pads and repeats elements of several sizes
// by kernels, and compares them with the reference.
func TestMovedElementsEqualTheReference(t *testing.T) {
	ints := func(v ...int64) *tensor.Tensor { return tensor.FromSlice(v, len(v)) }
	pad := func(mode string) op.Op { return with(op.New[op.Pad](), func(o *op.Pad) { o.Mode = mode }) }
	nearest := func(change func(o *op.Resize)) op.Op { return with(op.New[op.Resize](), change) }
	scales := func(v ...float32) []*tensor.Tensor { return []*tensor.Tensor{nil, tensor.FromSlice(v, len(v))} }
	cases := []struct {
		name  string
		o     op.Op
		shape []int
		rest  []*tensor.Tensor
		fill  bool // with a constant of the data's type as operand 2
	}{
		{"zeros", pad("constant"), []int{2, 3, 5}, []*tensor.Tensor{ints(0, 1, 2, 1, 0, 3)}, false},
		{"a number", pad("constant"), []int{2, 3, 5}, []*tensor.Tensor{ints(0, 1, 2, 1, 0, 3), nil}, true},
		{"less", pad("constant"), []int{4, 6, 5}, []*tensor.Tensor{ints(-1, 2, -2, 0, -3, 1)}, false},
		{"channels", pad("constant"), []int{1, 7, 6, 48}, []*tensor.Tensor{ints(0, 1, 1, 0, 0, 1, 1, 0)}, false},
		{"some axes", pad("edge"), []int{2, 3, 5}, []*tensor.Tensor{ints(2, 1), nil, ints(1)}, false},
		{"reflect", pad("reflect"), []int{1, 576}, []*tensor.Tensor{ints(0, 0, 0, 64)}, false},
		{"wrap", pad("wrap"), []int{3, 4}, []*tensor.Tensor{ints(2, 9, 1, 3)}, false},
		{"twice", nearest(func(o *op.Resize) { o.Coordinates, o.NearestMode = "asymmetric", "floor" }), []int{1, 5, 4, 24}, scales(1, 2, 2, 1), false},
		{"nearer", nearest(func(*op.Resize) {}), []int{2, 7, 5}, scales(1, 0.6, 1.7), false},
	}
	r := rand.New(rand.NewPCG(3, 9))
	for _, c := range cases {
		for _, typ := range []dtype.Type{dtype.Uint8, dtype.Float16, dtype.Float32, dtype.Int64} {
			t.Run(fmt.Sprint(c.name, " ", typ), func(t *testing.T) {
				draw := func(shape ...int) *tensor.Tensor {
					x := tensor.New(typ, shape...)
					for i := range x.Bytes() {
						x.Bytes()[i] = byte(r.UintN(100))
					}
					return x
				}
				in := append([]*tensor.Tensor{draw(c.shape...)}, c.rest...)
				if c.fill {
					in[2] = draw()
				}
				checkKernel(t, c.o, in, 1, true)
			})
		}
	}
}

// TestPowersEqualTheReference raises numbers, special ones among them, to
// constant powers.
func TestPowersEqualTheReference(t *testing.T) {
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, float32(math.NaN()), 1e-30, -1e30, 2.5, -3}
	r := rand.New(rand.NewPCG(5, 9))
	x := ramp(70, func(i int) float32 {
		if i < len(special) {
			return special[i]
		}
		return float32(r.NormFloat64())
	}, 2, 35)
	for _, y := range []float32{2, 0.5, 3, -1, 0, 1.3} {
		checkKernel(t, op.New[op.Pow](), []*tensor.Tensor{x, tensor.Scalar(y)}, 1, true)
		checkKernel(t, op.New[op.Pow](), []*tensor.Tensor{x, tensor.FromSlice([]float64{float64(y)}, 1, 1)}, 1, true)
	}
	checkKernel(t, op.New[op.Log](), []*tensor.Tensor{x}, 1, true)
}

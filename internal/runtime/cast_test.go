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

// TestCastsEqualTheReference converts between all pairs of types that have a
// loop, values that the other type does not hold among them.
func TestCastsEqualTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	const n = 1000
	special := []float64{0, math.Copysign(0, -1), 0.5, -0.5, 1.5, 255.9, 256, -129, 1 << 31, -1<<31 - 1, 1 << 53, 1e10, 1e19, -1e19, 1e39, 1e-45, 65504, 65520, math.Inf(1), math.Inf(-1), math.NaN()}
	full := []dtype.Type{dtype.Float32, dtype.Float64, dtype.Int64, dtype.Int32, dtype.Int8, dtype.Uint8, dtype.Bool}
	check := func(from, to dtype.Type) {
		t.Run(fmt.Sprint(from, " to ", to), func(t *testing.T) {
			x := bytesOf(r, from, 10, n/10)
			if from == dtype.Float64 || from == dtype.Float32 {
				reals := make([]float64, n)
				for i := range reals {
					reals[i] = r.NormFloat64() * math.Exp(40*r.Float64())
				}
				copy(reals, special)
				x = tensor.FromSlice(reals, 10, n/10)
				var err error
				if x, err = op.Convert(x, from); err != nil {
					t.Fatal(err)
				}
			}
			if from == dtype.Bool {
				for i, b := range x.Bytes() {
					x.Bytes()[i] = b & 1
				}
			}
			checkKernel(t, with(op.New[op.Cast](), func(o *op.Cast) { o.To = to }), []*tensor.Tensor{x}, 1, true)
		})
	}
	for _, from := range full {
		for _, to := range full {
			check(from, to)
		}
	}
	for _, half := range []dtype.Type{dtype.Float16, dtype.BFloat16} {
		check(half, dtype.Float32)
		check(dtype.Float32, half)
	}
}

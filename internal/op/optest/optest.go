// Package optest is the table of operator cases: inputs, attributes and the
// expected outputs, each worked out by hand or from the ONNX specification.
//
// The same table drives the reference meaning (op.Eval), the runtime and the
// round trip through every file format, so a case is written once, in the file
// of its operator family. Start at [Case] and [All].
package optest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Case is one operator applied to constants.
type Case struct {
	// Name starts with the operator's name: "Conv/stride2".
	Name string
	Op   op.Op
	// In holds the inputs; nil is an absent optional one.
	In []*tensor.Tensor
	// Want holds the expected outputs; nil is not checked.
	Want []*tensor.Tensor
	// Tol is the allowed error of float outputs relative to the largest
	// magnitude of the wanted output; 0 means equal bits (NaN equals NaN).
	Tol float64
}

// All returns every case.
func All() []Case {
	return slices.Concat(elementwiseCases(), shapeCases(), neuralCases(), attentionCases(), quantizedCases(), restCases(), contribCases())
}

// Check compares outputs with those that the case wants.
func Check(t *testing.T, c Case, got []*tensor.Tensor) {
	t.Helper()
	for i, want := range c.Want {
		if want == nil {
			continue
		}
		if i >= len(got) || got[i] == nil {
			t.Errorf("output %d: missing, want %v", i, want)
			continue
		}
		if err := Compare(got[i], want, c.Tol); err != nil {
			t.Errorf("output %d: %v", i, err)
		}
	}
}

// Compare returns how got differs from want by more than the tolerance, which
// is relative to want's largest finite magnitude. Without tolerance -0 is not
// +0.
func Compare(got, want *tensor.Tensor, tol float64) error {
	if got.Type() != want.Type() || !slices.Equal(got.Shape(), want.Shape()) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	switch want.Type() {
	case dtype.Float32:
		return compareFloats(tensor.Data[float32](got), tensor.Data[float32](want), tol)
	case dtype.Float64:
		return compareFloats(tensor.Data[float64](got), tensor.Data[float64](want), tol)
	}
	if !tensor.Equal(got, want) {
		if g, ok := tensor.Ints(got); ok {
			w, _ := tensor.Ints(want)
			return fmt.Errorf("got %v, want %v", g, w)
		}
		return fmt.Errorf("%v: bytes differ", want)
	}
	return nil
}

func compareFloats[T float32 | float64](got, want []T, tol float64) error {
	var scale float64
	for _, w := range want {
		if a := math.Abs(float64(w)); !math.IsInf(a, 0) && a > scale {
			scale = a
		}
	}
	for i, w := range want {
		g, w := float64(got[i]), float64(w)
		if g == w && (tol > 0 || math.Signbit(g) == math.Signbit(w)) || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		if d := math.Abs(g - w); !(d <= tol*scale) {
			return fmt.Errorf("element %d: got %v, want %v (off by %g of the largest, allowed %g)", i, g, w, d/scale, tol)
		}
	}
	return nil
}

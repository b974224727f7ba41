package optest_test

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestReference runs every case through Infer and Eval: the outputs are those
// wanted, and what was inferred holds for them.
func TestReference(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range optest.All() {
		t.Run(c.Name, func(t *testing.T) {
			if seen[c.Name] || !strings.HasPrefix(c.Name, c.Op.Name()) {
				t.Errorf("name must be unique and start with %q", c.Op.Name())
			}
			seen[c.Name] = true
			facts := make([]op.Fact, len(c.In))
			data := make([]op.Datum, len(c.In))
			for i, in := range c.In {
				if in != nil {
					facts[i], data[i] = op.ConstFact(in), op.Datum{Tensor: in}
				}
			}
			e, ok := c.Op.(op.Evaluator)
			if !ok {
				t.Fatalf("%s has no Eval", c.Op.Name())
			}
			out, err := e.Eval(data)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]*tensor.Tensor, len(out))
			for i, d := range out {
				got[i] = d.Tensor
			}
			optest.Check(t, c, got)
			inferred, err := c.Op.Infer(facts, len(c.Want))
			if err != nil {
				t.Fatalf("infer: %v", err)
			}
			for i, f := range inferred {
				if i < len(got) && got[i] != nil {
					checkFact(t, i, f, got[i])
				}
			}
		})
	}
}

func checkFact(t *testing.T, i int, f op.Fact, got *tensor.Tensor) {
	t.Helper()
	if f.Type != 0 && f.Type != got.Type() {
		t.Errorf("output %d: inferred %v, got %v", i, f.Type, got.Type())
	}
	if _, err := op.Merge(f.Shape, op.Known(got.Shape()...)); err != nil {
		t.Errorf("output %d: inferred shape: %v", i, err)
	}
	dims, known := f.Ints()
	vals, ints := tensor.Ints(got)
	if !known || !ints {
		return
	}
	if len(dims) != len(vals) {
		t.Errorf("output %d: inferred %d values, got %d", i, len(dims), len(vals))
		return
	}
	for k, d := range dims {
		if n, ok := d.Int(); ok && int64(n) != vals[k] {
			t.Errorf("output %d: inferred value %v at %d, got %d", i, d, k, vals[k])
		}
	}
}

package runtime_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/format/onnx/onnxtest"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestNodeConformance runs the cases of ONNX's backend tests that the
// operators' reference meaning passes: compiled as they are, where every bit
// must be that of the reference, and prepared, within ONNX's tolerances.
func TestNodeConformance(t *testing.T) {
	ran, kinds := 0, 0
	for _, c := range onnxtest.Cases(t) {
		m, err := onnx.Decode(format.FromBytes(c.Name, c.Model))
		if err != nil || ir.Infer(m.Graph) != nil {
			continue
		}
		for _, set := range c.Sets {
			in, err := set.Inputs(m.Graph)
			if err != nil {
				t.Fatal(err)
			}
			want, err := set.Outputs(m.Graph)
			if err != nil {
				t.Fatal(err)
			}
			reference, err := ir.Eval(m.Graph, in)
			if err != nil || differ(reference, want) != nil {
				continue
			}
			ran++
			if !tensorsOnly(in, reference) {
				kinds++
			}
			for _, last := range []bool{false, true} {
				if err := plain(m.Graph, in, reference, last); err != nil {
					t.Errorf("%s: as it is, channels last %v: %v", c.Name, last, err)
				}
			}
			if err := prepared(m.Graph, in, want); err != nil {
				t.Errorf("%s: prepared: %v", c.Name, err)
			}
		}
	}
	t.Logf("%d sets of inputs, %d with sequences or optionals", ran, kinds)
	if ran < 1750 {
		t.Errorf("%d sets of inputs ran, want at least 1750", ran)
	}
	if kinds < 20 {
		t.Errorf("%d of them have sequences or optionals, want at least 20", kinds)
	}
}

func plain(g *ir.Graph, in, want []op.Datum, last bool) error {
	got, err := compiled(g, in, runtime.Options{NoFusion: true, NoInteger: true, KeepLayout: !last})
	if err != nil {
		return err
	}
	for i := range want {
		if !same(got[i], want[i]) {
			return fmt.Errorf("output %d is not the reference's", i)
		}
	}
	return nil
}

func prepared(g *ir.Graph, in, want []op.Datum) error {
	c, _ := g.Clone()
	if err := pass.Prepare(c, pass.Options{Verify: true}); err != nil {
		return err
	}
	got, err := compiled(c, in, runtime.Options{})
	if err != nil {
		return err
	}
	return differ(got, want)
}

// same reports whether two values are equal to the bit.
func same(a, b op.Datum) bool {
	if a.Kind != b.Kind || len(a.Seq) != len(b.Seq) || (a.Tensor == nil) != (b.Tensor == nil) {
		return false
	}
	for i := range a.Seq {
		if !same(a.Seq[i], b.Seq[i]) {
			return false
		}
	}
	return a.Tensor == nil || tensor.Equal(a.Tensor, b.Tensor)
}

func compiled(g *ir.Graph, in []op.Datum, o runtime.Options) ([]op.Datum, error) {
	o.AnyKind = true
	p, err := runtime.Compile(g, o)
	if err != nil {
		return nil, err
	}
	if !tensorsOnly(in) || slices.ContainsFunc(p.Outputs(), func(v *ir.Value) bool { return v.Kind != op.TensorKind }) {
		return p.RunData(context.Background(), in)
	}
	feed := runtime.Tensors{}
	for i, v := range p.Inputs() {
		feed[v.Name] = in[i].Tensor
	}
	res, err := p.Run(context.Background(), feed)
	if err != nil {
		return nil, err
	}
	out := make([]op.Datum, len(g.Outputs))
	for i, v := range p.Outputs() {
		out[i].Tensor = res[v.Name]
	}
	return out, nil
}

func tensorsOnly(lists ...[]op.Datum) bool {
	for _, ds := range lists {
		for _, d := range ds {
			if d.Tensor == nil {
				return false
			}
		}
	}
	return true
}

func differ(got, want []op.Datum) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d outputs, want %d", len(got), len(want))
	}
	for i := range want {
		if err := onnxtest.Same(got[i], want[i]); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

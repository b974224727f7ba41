package pass

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// TestLowerLayout turns what ConvertLayout made of its goldens back: nothing is
// channels last any more, and every bit is the same.
func TestLowerLayout(t *testing.T) {
	files, err := filepath.Glob("testdata/layout/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no goldens")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, after := inferred(t, string(a.Files[1].Data)), inferred(t, string(a.Files[1].Data))
			if err := LowerLayout(after); err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(after); err != nil {
				t.Fatal(err)
			}
			sameResults(t, before, after)
			if text := ir.Format(after); strings.Contains(text, ".layout") {
				t.Errorf("something is channels last:\n%s", text)
			}
		})
	}
}

// TestLowerLayoutTurnsChains: a chain of channels-last operators is turned as a
// whole, its edges alone are transposed.
func TestLowerLayoutTurnsChains(t *testing.T) {
	g := inferred(t, `graph g
input x float32[2,5,6,3]
const w float32[3,1,1,1] = [1 -2 3]
const per float32[3] = [0.5 1 2]
const axes int64[2] = [1 2]
c float32[...] = Conv(x, w) {group=3, .layout=1}
r float32[...] = Relu(c)
m float32[...] = Mul(r, per)
p float32[...] = MaxPool(m) {kernel_shape=i[2 2], .layout=1}
s float32[...] = Add(p, p)
y float32[...] = ReduceMean(s, axes) {keepdims=0}
output y
`)
	before, _ := g.Clone()
	if err := LowerLayout(g); err != nil {
		t.Fatal(err)
	}
	sameResults(t, before, g)
	moves := 0
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.Transpose, *op.Reshape:
			moves++
		}
	}
	if moves != 1 {
		t.Errorf("%d transposes, want 1:\n%s", moves, ir.Format(g))
	}
}

// TestLowerDropsRounding: what only one format's arithmetic has is not asked of
// another one.
func TestLowerDropsRounding(t *testing.T) {
	text := `graph g
input x float32[2]
const s float32[] = [0.5]
const z int8[] = [0]
y int8[...] = QuantizeLinear(x, s, z) {.round=1}
output y
`
	for _, tt := range []struct {
		form Form
		want affine.Rounding
	}{{Form{}, affine.RoundHalfEven}, {Form{Arithmetic: ir.TFLite}, affine.RoundHalfAway}} {
		g := inferred(t, text)
		g.Arithmetic = ir.TFLite
		if err := Lower(g, tt.form); err != nil {
			t.Fatal(err)
		}
		if got := g.Nodes[0].Op.(*op.QuantizeLinear).Round; got != tt.want || g.Arithmetic != tt.form.Arithmetic {
			t.Errorf("%+v: rounding %v, arithmetic %v", tt.form, got, g.Arithmetic)
		}
	}
}

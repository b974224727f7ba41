package pass

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

const edged = `graph edges
input x float32[1,2,1,3]
const s float32[] = [0.5]
const z uint8[] = [100]
const t float32[] = [0.25]
xq uint8[1,2,1,3] = QuantizeLinear(x, s, z)
xd float32[1,2,1,3] = DequantizeLinear(xq, s, z)
r float32[1,2,1,3] = Neg(xd)
rq uint8[1,2,1,3] = QuantizeLinear(r, t, z)
y float32[1,2,1,3] = DequantizeLinear(rq, t, z)
output y
`

// TestRestoredEdgesComputeTheSame: what is written and taken back gives the bits
// of the graph that it began as.
func TestRestoredEdgesComputeTheSame(t *testing.T) {
	x := tensor.FromSlice([]float32{-80, -1.25, 0.2, 3.75, 9, 100}, 1, 2, 1, 3)
	eval := func(g *ir.Graph) []float32 {
		out, err := ir.Eval(g, op.Of(x))
		if err != nil {
			t.Fatal(err)
		}
		return tensor.Data[float32](out[0].Tensor)
	}
	parse := func() *ir.Graph {
		g, err := ir.Parse(edged)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	want := eval(parse())
	for _, types := range [][2]dtype.Type{{dtype.Uint8, dtype.Uint8}, {dtype.Int8, dtype.Int8}, {dtype.Invalid, dtype.Int8}, {dtype.Uint8, dtype.Invalid}} {
		for _, last := range []bool{false, true} {
			g := parse()
			list := []Edge{{Value: "x", Params: affine.Params{Type: types[0]}, ChannelsLast: last}, {Value: "y", Params: affine.Params{Type: types[1]}, ChannelsLast: last}}
			if err := WriteEdges(g, list); err != nil {
				t.Fatal(err)
			}
			in, wantType := g.Inputs[0], types[0]
			if wantType == dtype.Invalid {
				wantType = dtype.Float32
			}
			wantShape := "[1,2,1,3]"
			if last {
				wantShape = "[1,1,3,2]"
			}
			if in.Type != wantType || in.Shape.String() != wantShape || in.Name != "x" {
				t.Errorf("%v %v: the input is %s %v%v", types, last, in.Name, in.Type, in.Shape)
			}
			if err := RestoreEdges(g, list); err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(g); err != nil {
				t.Fatal(err)
			}
			if got := eval(g); !slices.Equal(got, want) || g.Inputs[0].Name != "x" || g.Outputs[0].Name != "y" {
				t.Errorf("%v %v: got %v, want %v", types, last, got, want)
			}
		}
	}
}

func TestEdgesThatDoNotFit(t *testing.T) {
	good := affine.PerTensor(dtype.Uint8, 0.5, 100)
	for name, c := range map[string]struct {
		list    []Edge
		restore bool
		want    string
	}{
		"no such value":     {[]Edge{{Value: "q", ChannelsLast: true}}, false, "no input"},
		"no scale":          {[]Edge{{Value: "free", Params: affine.Params{Type: dtype.Uint8}}}, false, "has no scale"},
		"rank 2":            {[]Edge{{Value: "free", ChannelsLast: true}}, false, "ranks 3 to 5"},
		"restored twice":    {[]Edge{{Value: "int", Params: good}, {Value: "int", Params: good}}, true, "twice"},
		"another type":      {[]Edge{{Value: "free", Params: good}}, true, "is float32, not uint8"},
		"no number":         {[]Edge{{Value: "int", Params: affine.PerTensor(dtype.Uint8, float32(math.NaN()), 0)}}, true, "scale"},
		"zero scale":        {[]Edge{{Value: "int", Params: affine.PerTensor(dtype.Uint8, 0, 0)}}, true, "scale"},
		"zero point beyond": {[]Edge{{Value: "int", Params: affine.PerTensor(dtype.Uint8, 1, 300)}}, true, "zero point"},
		"restored rank 2":   {[]Edge{{Value: "free", ChannelsLast: true}}, true, "no layout"},
	} {
		g, err := ir.Parse("graph g\ninput free float32[1,2]\ninput int uint8[1,2]\na float32[1,2] = Neg(free)\nb uint8[1,2] = Identity(int)\noutput a\noutput b")
		if err != nil {
			t.Fatal(err)
		}
		if c.restore {
			err = RestoreEdges(g, c.list)
		} else {
			err = WriteEdges(g, c.list)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

// TestRestoringLeavesNoTranspose: the two at an edge vanish together.
func TestRestoringLeavesNoTranspose(t *testing.T) {
	for _, typ := range []dtype.Type{dtype.Invalid, dtype.Uint8, dtype.Int8} {
		g, err := ir.Parse(edged)
		if err != nil {
			t.Fatal(err)
		}
		list := []Edge{{Value: "x", Params: affine.Params{Type: typ}, ChannelsLast: true}, {Value: "y", Params: affine.Params{Type: typ}, ChannelsLast: true}}
		if err := WriteEdges(g, list); err != nil {
			t.Fatal(err)
		}
		if err := RestoreEdges(g, list); err != nil {
			t.Fatal(err)
		}
		if text := ir.Format(g); strings.Contains(text, "Transpose(") {
			t.Errorf("%v:\n%s", typ, text)
		}
	}
}

// TestEdgesGetOtherNames: what another tool wrote, channels-first where the model
// is channels-last and under other names, takes and gives what the model does.
func TestEdgesGetOtherNames(t *testing.T) {
	g, err := ir.Parse(`graph named
input a float32[1,2,1,3]
x float32[1,2,1,3] = Neg(a)
b float32[1,2,1,3] = Neg(x)
c float32[1,2,1,3] = Abs(x)
output b
output c
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := RestoreEdges(g, []Edge{{Value: "a", As: "x", ChannelsFirst: true}, {Value: "b", As: "c", ChannelsFirst: true}, {Value: "c", As: "b"}}); err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	if in := g.Inputs[0]; in.Name != "x" || in.Shape.String() != "[1,1,3,2]" || g.Outputs[0].Name != "c" || g.Outputs[1].Name != "b" {
		t.Errorf("input %s%v, outputs %s and %s", in.Name, in.Shape, g.Outputs[0].Name, g.Outputs[1].Name)
	}
	out, err := ir.Eval(g, op.Of(tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 1, 1, 3, 2)))
	if err != nil {
		t.Fatal(err)
	}
	if c := tensor.Data[float32](out[0].Tensor); !slices.Equal(c, []float32{1, 2, 3, 4, 5, 6}) {
		t.Errorf("c is %v", c)
	}
	if b := tensor.Data[float32](out[1].Tensor); !slices.Equal(b, []float32{1, 3, 5, 2, 4, 6}) {
		t.Errorf("b is %v", b)
	}
}

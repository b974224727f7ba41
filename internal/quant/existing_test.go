package quant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/observe"
)

// trained is what training with fake quantization leaves: pairs on some
// activations, one behind a Relu, one that a branch does not read, one only
// behind a pool; a stored weight beside a float bias; float layers.
const trained = `graph trained
input x float32[1,1,4,4]
const s float32[] = [0.01]
const s2 float32[] = [0.03]
const s3 float32[] = [0.02]
const ws float32[] = [0.25]
const z int8[] = [0]
const w1 int8[1,1,1,1] = [4]
const b1 float32[1] = [0.5]
const w2 float32[1,1,1,1] = [2]
const w3 float32[1,1,1,1] = [3]
const w4 float32[1,1,1,1] = [1]
const fc float32[2,1] = [1 -1]
xq int8[1,1,4,4] = QuantizeLinear(x, s, z)
xd float32[1,1,4,4] = DequantizeLinear(xq, s, z)
w1d float32[1,1,1,1] = DequantizeLinear(w1, ws, z)
c1 float32[1,1,4,4] = Conv(xd, w1d, b1) @conv1
r1 float32[1,1,4,4] = Relu(c1) @relu1
r1q int8[1,1,4,4] = QuantizeLinear(r1, s2, z)
r1d float32[1,1,4,4] = DequantizeLinear(r1q, s2, z)
c2 float32[1,1,4,4] = Conv(r1d, w2) @conv2
c3 float32[1,1,4,4] = Conv(r1, w3) @conv3
sum float32[1,1,4,4] = Add(c2, c3) @sum
c4 float32[1,1,4,4] = Conv(sum, w4) @conv4
p float32[1,1,2,2] = MaxPool(c4) {kernel_shape=i[2 2], strides=i[2 2]} @max
pq int8[1,1,2,2] = QuantizeLinear(p, s3, z)
pd float32[1,1,2,2] = DequantizeLinear(pq, s3, z)
m float32[1,1,1,1] = MaxPool(pd) {kernel_shape=i[2 2]} @last
f float32[1,1] = Flatten(m) @flatten
y float32[1,2] = Gemm(f, fc) {transB=1} @fc
output y
`

// kept quantizes trained and returns the result.
func kept(t *testing.T, text string, r quant.Recipe) (*ir.Graph, *quant.Placement) {
	t.Helper()
	g := graph(t, text)
	r, err := quant.FollowExisting(g, r)
	if err != nil {
		t.Fatal(err)
	}
	r.Activations.Observer = "minmax"
	p, err := quant.Place(g, &r)
	if err != nil {
		t.Fatal(err)
	}
	st := quant.Statistics{}
	for _, name := range p.Watched() {
		s := observe.New(false)
		s.Observe(0, []float32{-1, 3}, nil)
		st[name] = s
	}
	plan, err := quant.MakePlan(g, p, st, &r)
	if err != nil {
		t.Fatal(err)
	}
	q, err := quant.Apply(g, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(q); err != nil {
		t.Fatal(err)
	}
	return q, p
}

// scaleOf returns the scale at which operand i of the node called name is
// dequantized, 0 where it is not.
func scaleOf(t *testing.T, g *ir.Graph, name string, i int) (float32, dtype.Type) {
	t.Helper()
	prod := g.Producers()
	for _, n := range g.Nodes {
		if n.Name != name {
			continue
		}
		d := prod[n.In[i]]
		if d == nil {
			return 0, dtype.Invalid
		}
		if _, ok := d.Op.(*op.DequantizeLinear); !ok {
			return 0, dtype.Invalid
		}
		p, ok, err := ir.ParamsOf(d)
		if !ok || err != nil {
			t.Fatalf("%s: %v", d.Label(), err)
		}
		return p.Scale[0], p.Type
	}
	t.Fatalf("no node %s", name)
	return 0, dtype.Invalid
}

func TestExistingParametersStay(t *testing.T) {
	q, p := kept(t, trained, quant.Recipe{Existing: quant.ExistingKeep})
	for _, c := range []struct {
		why, node string
		in        int
		scale     float32
		typ       dtype.Type
	}{
		{"the input keeps its pair", "conv1", 0, 0.01, dtype.Int8},
		{"the weight keeps its integers", "conv1", 1, 0.25, dtype.Int8},
		{"the bias has the product of scales that were there", "conv1", 2, float32(float32(0.01) * float32(0.25)), dtype.Int32},
		{"a Relu before a pair reads floats", "relu1", 0, 0, dtype.Invalid},
		{"what read the pair reads it still", "conv2", 0, 0.03, dtype.Int8},
		{"a branch beside the pair joins it", "conv3", 0, 0.03, dtype.Int8},
		{"what a pool hands on shares the parameters behind it", "max", 0, 0.02, dtype.Int8},
		{"and what it moves further has them too", "fc", 0, 0.02, dtype.Int8},
		{"float layers get the type that the others have", "conv4", 0, float32(3.0 / 127), dtype.Int8},
	} {
		if s, typ := scaleOf(t, q, c.node, c.in); s != c.scale || typ != c.typ {
			t.Errorf("%s: %s reads operand %d at %v %v, want %v %v", c.why, c.node, c.in, s, typ, c.scale, c.typ)
		}
	}
	if got := p.Watched(); !slices.Equal(got, []string{"c2", "c3", "sum"}) {
		t.Errorf("watched %v", got)
	}
	readers := q.Uses()
	for v, uses := range readers {
		n := 0
		for _, u := range uses {
			if _, ok := u.Node.Op.(*op.QuantizeLinear); ok && u.Index == 0 {
				n++
			}
		}
		if n > 1 {
			t.Errorf("value %q has %d pairs", v.Name, n)
		}
	}
	text := ir.Format(q)
	if !strings.Contains(text, "const w1 int8[1,1,1,1] = [4]") {
		t.Errorf("the stored weight changed:\n%s", text)
	}
	if got, want := quant.Parameters(q)-quant.Parameters(graph(t, trained)), 11; got != want {
		t.Errorf("%d parameters were added, want %d:\n%s", got, want, text)
	}
}

// TestKeepingTwiceAddsNothing: the result has nothing left to quantize.
func TestKeepingTwiceAddsNothing(t *testing.T) {
	q, _ := kept(t, trained, quant.Recipe{Existing: quant.ExistingKeep})
	again, p := kept(t, ir.Format(q), quant.Recipe{Existing: quant.ExistingKeep})
	if n := quant.Parameters(again) - quant.Parameters(q); n != 0 || len(p.Watched()) != 0 {
		t.Errorf("%d parameters were added, %v watched:\n%s", n, p.Watched(), ir.Format(again))
	}
}

// TestBiasThatDoesNotFitStaysFloat: a kept weight's scale is not enlarged for
// it.
func TestBiasThatDoesNotFitStaysFloat(t *testing.T) {
	text := strings.Replace(trained, "const b1 float32[1] = [0.5]", "const b1 float32[1] = [1e8]", 1)
	q, _ := kept(t, text, quant.Recipe{Existing: quant.ExistingKeep})
	if s, _ := scaleOf(t, q, "conv1", 2); s != 0 {
		t.Errorf("the bias has scale %v", s)
	}
	if s, _ := scaleOf(t, q, "conv1", 1); s != 0.25 {
		t.Errorf("the weight's scale is %v", s)
	}
}

func TestRecipesWinOverExistingTypes(t *testing.T) {
	no := false
	q, _ := kept(t, trained, quant.Recipe{Existing: quant.ExistingKeep, Activations: quant.Activations{DType: "uint8", Symmetric: &no}})
	if _, typ := scaleOf(t, q, "conv4", 0); typ != dtype.Uint8 {
		t.Errorf("activations are %v", typ)
	}
	if _, err := quant.FollowExisting(graph(t, trained), quant.Recipe{Parity: "onnxruntime"}); err == nil {
		t.Error("parity and existing keep: got nil, want an error")
	}
}

package quant_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// branches joins two convolutions, one of them limited, what joins them with a
// constant and with a Softmax, and two Sigmoids.
const branches = `graph branches
input x float32[1,2,2,2]
const w1 float32[2,2,1,1] = [1 0 0 1]
const w2 float32[2,2,1,1] = [2 0 0 2]
const b2 float32[2] = [3 0]
const k float32[1,1,2,2] = [-9 0 0 1]
a float32[1,2,2,2] = Conv(x, w1) @conv1
ar float32[1,2,2,2] = Relu(a) @relu
am float32[1,2,2,2] = MaxPool(ar) {kernel_shape=i[1 1]} @pool
b float32[1,2,2,2] = Conv(x, w2, b2) @conv2
c float32[1,4,2,2] = Concat(am, b) {axis=1} @cat
d float32[1,5,2,2] = Concat(c, k) {axis=1} @more
s float32[1,5,2,2] = Softmax(d) @soft
e float32[1,10,2,2] = Concat(d, s) {axis=1} @mixed
p float32[1,5,2,2] = Sigmoid(d) @sig1
q float32[1,5,2,2] = Sigmoid(d) @sig2
r float32[1,10,2,2] = Concat(p, q) {axis=1} @alike
y float32[1,10,2,2] = Max(e, r) @greater
output y
`

// planned quantizes a graph by the minmax observer; ranges are those of values,
// -1 to 1 where none is given.
func planned(t *testing.T, text string, r quant.Recipe, ranges map[string][2]float32) (*ir.Graph, *quant.Plan) {
	t.Helper()
	g := graph(t, text)
	r.Activations.Observer = "minmax"
	p, err := quant.Place(g, &r)
	if err != nil {
		t.Fatal(err)
	}
	st := quant.Statistics{}
	for _, name := range p.Watched() {
		x, ok := ranges[name]
		if !ok {
			x = [2]float32{-1, 1}
		}
		st[name] = observe.New(false)
		st[name].Observe(0, x[:], nil)
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
	return q, plan
}

// read returns the parameters with which a node reads its operands, and those
// of the integers that it writes.
func read(t *testing.T, g *ir.Graph, name string) (in []affine.Params, out affine.Params) {
	t.Helper()
	prod, uses := g.Producers(), g.Uses()
	params := func(n *ir.Node) affine.Params {
		if n == nil {
			return affine.Params{}
		}
		p, _, err := ir.ParamsOf(n)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, n := range g.Nodes {
		if n.Name != name {
			continue
		}
		for _, v := range n.In {
			in = append(in, params(prod[v]))
		}
		for _, u := range uses[n.Out[0]] {
			if _, ok := u.Node.Op.(*op.QuantizeLinear); ok {
				out = params(u.Node)
			}
		}
		return in, out
	}
	t.Fatalf("no node %q", name)
	return nil, affine.Params{}
}

func TestJoinedValuesHaveOneScale(t *testing.T) {
	q, _ := planned(t, branches, quant.Recipe{Target: "litert"}, map[string][2]float32{"ar": {-12, 7}, "b": {-2, 6}, "c": {-2, 6}, "d": {-2, 6}, "e": {-2, 6}, "y": {0, 6}})
	// From the least of the constant to the greatest behind the Relu.
	scale, zero := affine.ChooseParams(-9, 7, affine.Scheme{Type: dtype.Int8})
	all := affine.PerTensor(dtype.Int8, scale, zero)
	half := affine.PerTensor(dtype.Int8, 1.0/256, -128)
	for _, c := range []struct {
		node string
		in   []affine.Params
		out  affine.Params
	}{
		{"pool", []affine.Params{all}, all}, // shares with what is joined, whose union is that of the constant too
		{"conv2", nil, all},
		{"cat", []affine.Params{all, all}, all},
		{"more", []affine.Params{all, all}, all},
		{"soft", []affine.Params{all}, half},
		{"mixed", []affine.Params{all, all}, all}, // the Softmax is quantized again
		{"alike", []affine.Params{half, half}, half},
		{"greater", []affine.Params{all, all}, all},
	} {
		in, out := read(t, q, c.node)
		if c.in != nil && !slices.EqualFunc(in, c.in, affine.Params.Equal) || !out.Equal(c.out) {
			t.Errorf("%s reads %v and writes %v, want %v and %v", c.node, in, out, c.in, c.out)
		}
	}
	// Where it is quantized again, the second pair stands behind the first.
	prod := q.Producers()
	for _, n := range q.Nodes {
		if n.Name != "mixed" {
			continue
		}
		second := prod[prod[n.In[1]].In[0]]
		first, ok := prod[second.In[0]].Op.(*op.DequantizeLinear)
		if second.Op.Name() != "QuantizeLinear" || !ok {
			t.Errorf("before the second pair stands %v, want a DequantizeLinear", first)
		}
	}
}

func TestSixteenBitsAreSymmetric(t *testing.T) {
	q, plan := planned(t, branches, quant.Recipe{Target: "litert", Activations: quant.Activations{DType: "int16"}}, map[string][2]float32{"d": {-9, 6}, "ar": {0, 4}})
	for i, pt := range plan.Points {
		p := plan.Params[i]
		if pt.Role == quant.Activation && (p.Type != dtype.Int16 || p.Zero(0) != 0) {
			t.Errorf("%s: %v", pt.Value, p)
		}
		if pt.Role == quant.Weight && pt.Axis >= 0 && p.Type != dtype.Int8 {
			t.Errorf("weight %s: %v", pt.Value, p)
		}
	}
	for node, want := range map[string]float32{"soft": 1.0 / 32768, "sig1": 1.0 / 32768, "more": 9.0 / 32767} {
		if _, out := read(t, q, node); out.Scale[0] != want {
			t.Errorf("%s: scale %g, want %g", node, out.Scale[0], want)
		}
	}
	// A limit is part of the convolution: no pair stands between them.
	if in, _ := read(t, q, "relu"); in[0].Present() {
		t.Errorf("Relu reads integers %v", in[0])
	}
	text := strings.NewReplacer("Relu", "Gelu", "@relu", "@gelu").Replace(branches)
	if _, plan := planned(t, text, quant.Recipe{Target: "litert", Activations: quant.Activations{DType: "int16"}}, nil); !skipped(plan, "gelu", "litert has no int16 form of Gelu") {
		t.Errorf("skipped %+v", plan.Skipped)
	}
}

// skipped reports whether a node stays float for that reason.
func skipped(p *quant.Plan, node, reason string) bool {
	return slices.ContainsFunc(p.Skipped, func(s quant.Skip) bool { return s.Node == node && s.Reason == reason && s.Wanted })
}

func TestTargetsRefuseAttributes(t *testing.T) {
	const text = `graph up
input x float32[1,1,2,2]
const w float32[1,1,1,1] = [1]
const s float32[4] = [1 1 2 2]
c float32[1,1,2,2] = Conv(x, w) @conv
u float32[1,1,4,4] = Resize(c, _, s) {mode="%s"} @up
m float32[1,1,4,4] = MatMul(u, u) @product
y float32[1,1,4,4] = Conv(m, w) @last
output y
`
	for _, c := range []struct{ target, mode, node, reason string }{
		{"tflite-micro", "linear", "", ""},
		{"litert", "linear", "product", "XNNPACK multiplies two activations as floats alone, and the built-in kernel for integers is slower than that"},
		{"litert", "cubic", "up", "litert has no integer form of Resize with mode cubic, only nearest, linear"},
		{"ethos-u", "nearest", "", ""}, // its CPU has that product
		{"edgetpu", "nearest", "product", "edgetpu has no integer form of MatMul whose weight is computed"},
	} {
		_, plan := planned(t, fmt.Sprintf(text, c.mode), quant.Recipe{Target: c.target}, nil)
		if c.node == "" && len(plan.Skipped) > 0 || c.node != "" && !skipped(plan, c.node, c.reason) {
			t.Errorf("%s, %s: skipped %+v", c.target, c.mode, plan.Skipped)
		}
	}
}

// TestMasksStayFloat: a mask in a range would leave the scores no integers; what
// follows the Softmax is quantized.
func TestMasksStayFloat(t *testing.T) {
	const text = `graph masked
input x float32[1,4]
input m bool[1,4]
const w float32[4,4] = [1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1]
const none float32[] = [-1e9]
a float32[1,4] = MatMul(x, w) @first
h float32[1,4] = Where(m, a, none) @mask
z float32[1,4] = Add(h, a) @sum
s float32[1,4] = Softmax(z) @soft
y float32[1,4] = MatMul(s, w) @last
output y
`
	q, plan := planned(t, text, quant.Recipe{Target: "litert"}, nil)
	for _, n := range []string{"mask", "sum", "soft"} {
		if !skipped(plan, n, "it reads numbers that stand for infinity, as attention masks hold them") {
			t.Errorf("%s is not skipped for its mask: %+v", n, plan.Skipped)
		}
	}
	if in, _ := read(t, q, "last"); !in[0].Present() {
		t.Error("the product behind the Softmax reads floats")
	}
}

// TestOneProducerGivesOneKindOfIntegers: what is read in two types is quantized a
// second time behind the first pair.
func TestOneProducerGivesOneKindOfIntegers(t *testing.T) {
	r := quant.Recipe{Target: "litert", Overrides: []quant.Override{{Match: "sig2", Precision: "w8a16"}}}
	q, _ := planned(t, branches, r, nil)
	in, out := read(t, q, "sig2")
	if in[0].Type != dtype.Int16 || in[0].Zero(0) != 0 || out.Type != dtype.Int16 || out.Scale[0] != 1.0/32768 {
		t.Errorf("sig2 reads %v and writes %v", in[0], out)
	}
	for _, n := range q.Nodes {
		if n.Name != "sig2" {
			continue
		}
		prod := q.Producers()
		second := prod[prod[n.In[0]].In[0]]
		if first := prod[second.In[0]]; first == nil || first.Op.Name() != "DequantizeLinear" {
			t.Errorf("before the second pair stands %v, want a DequantizeLinear", first)
		}
	}
	// The other operand of the join has another type, so it is quantized again.
	in, out = read(t, q, "alike")
	if !in[0].Equal(out) || !in[1].Equal(out) || out.Type != dtype.Int8 {
		t.Errorf("alike reads %v and writes %v", in, out)
	}
}

// TestBiasesKeepRoom: on these targets the integers of a bias stay in the middle
// half of int32, and a channel of zeros has a scale that can hold its bias.
func TestBiasesKeepRoom(t *testing.T) {
	const text = `graph biased
input x float32[1,2,2,2]
const w float32[2,2,1,1] = [1e-6 0 0 0]
const b float32[2] = [900 0.5]
y float32[1,2,2,2] = Conv(x, w, b) @conv
output y
`
	q, _ := planned(t, text, quant.Recipe{Target: "litert"}, map[string][2]float32{"y": {0, 1000}})
	for _, n := range q.Nodes {
		if n.Name != "conv" {
			continue
		}
		dq := q.Producers()[n.In[2]]
		ints, _ := tensor.Ints(dq.In[0].Const)
		p, _, err := ir.ParamsOf(dq)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{900, 0.5} {
			if got := float64(ints[i]) * float64(p.Scale[i]); math.Abs(got-want) > 1e-6*want {
				t.Errorf("bias %d becomes %g, want %g", i, got, want)
			}
			if ints[i] > math.MaxInt32/2 {
				t.Errorf("bias %d is %d, beyond half of int32", i, ints[i])
			}
		}
	}
}

// TestNarrowRangesAreWidened: a range below 1e-6 has that width.
func TestNarrowRangesAreWidened(t *testing.T) {
	_, plan := planned(t, branches, quant.Recipe{Target: "litert"}, map[string][2]float32{"x": {0, 1e-9}})
	for i, pt := range plan.Points {
		if pt.Value == "x" && math.Abs(float64(plan.Params[i].Scale[0])*255-1e-6) > 1e-12 {
			t.Errorf("scale %g, want 1e-6 over 255", plan.Params[i].Scale[0])
		}
	}
}

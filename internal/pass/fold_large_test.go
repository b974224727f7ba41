package pass

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// noise is a seeded float32 constant.
func noise(name string, shape ...int) *ir.Value {
	n, _ := tensor.Count(shape)
	r := rand.New(rand.NewPCG(uint64(n), 11))
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(r.NormFloat64())
	}
	return ir.NewConst(name, tensor.FromSlice(data, shape...))
}

func node(o op.Op, in ...*ir.Value) *ir.Node {
	return &ir.Node{Name: o.Name(), Op: o, In: in, Out: []*ir.Value{{Name: "y_" + o.Name() + in[0].Name}}}
}

// folded returns what becomes of the last node's output.
func folded(t *testing.T, fold func(*ir.Graph) (bool, error), nodes ...*ir.Node) *tensor.Tensor {
	t.Helper()
	g := &ir.Graph{Name: "g", Nodes: nodes, Outputs: nodes[len(nodes)-1].Out}
	g, _ = g.Clone()
	if _, err := fold(g); err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) > 0 || g.Outputs[0].Const == nil {
		t.Fatalf("%d nodes are left", len(g.Nodes))
	}
	return g.Outputs[0].Const
}

// lies reports whether reading the bytes twice gives the same memory.
func lies(x *tensor.Tensor) bool {
	once, again := x.Bytes(), x.Bytes()
	return unsafe.SliceData(once) == unsafe.SliceData(again)
}

// TestFoldLarge: what is computed when it is read is what folding at once
// makes, to the bit, also in part; small results are made at once.
func TestFoldLarge(t *testing.T) {
	cast, concat, perm := op.New[op.Cast](), op.New[op.Concat](), op.New[op.Transpose]()
	cast.To, concat.Axis, perm.Perm = dtype.Float16, 1, []int{2, 0, 1}
	add, mul, where, less := op.New[op.Add](), op.New[op.Mul](), op.New[op.Where](), op.New[op.Less]()
	back := op.New[op.Transpose]()
	a, b := noise("a", 3, 401, 513), noise("b", 3, 401, 513)
	below := node(less, a, b)
	turned := node(back, a)
	scaled := node(mul, turned.Out[0], noise("row", 401, 3))
	bounds := []*ir.Value{ir.NewConst("lo", tensor.Scalar(float32(-1))), ir.NewConst("hi", tensor.Scalar(float32(0.5)))}
	for name, nodes := range map[string][]*ir.Node{
		"of one shape":      {node(add, a, b)},
		"a row":             {node(mul, a, noise("r", 513))},
		"a column":          {node(mul, a, noise("c", 3, 401, 1))},
		"the middle":        {node(mul, noise("m", 1, 401, 1), a)},
		"the first axis":    {node(add, noise("f", 3, 1, 1), noise("p", 401, 513))},
		"a number":          {node(mul, a, noise("n"))},
		"long rows":         {node(add, noise("l", 2, 400_000), noise("k", 2, 1))},
		"bounds":            {node(op.New[op.Clip](), a, bounds[0], bounds[1])},
		"another type":      {node(cast, a)},
		"three operands":    {below, node(where, below.Out[0], a, b)},
		"Transpose":         {node(perm, a)},
		"Transpose, others": {turned, scaled, node(op.New[op.Neg](), scaled.Out[0])},
		"Concat":            {node(concat, a, noise("d", 3, 2, 513), b)},
	} {
		want, got := folded(t, FoldConstants, nodes...), folded(t, FoldLargeConstants, nodes...)
		if lies(got) || !lies(want) {
			t.Errorf("%s: computed when it is read: %v, and %v at once", name, !lies(got), !lies(want))
		}
		if !tensor.Equal(got, want) {
			t.Errorf("%s: %v differs", name, got)
		}
		var streamed []byte
		if err := got.Storage().Chunks(func(b []byte) error { streamed = append(streamed, b...); return nil }); err != nil {
			t.Fatal(err)
		}
		if string(streamed) != string(want.Bytes()) {
			t.Errorf("%s: the stream differs", name)
		}
		size := want.Type().Size(1)
		for _, cut := range [][2]int{{0, 1}, {511, 515}, {17, 200_003}, {want.Len() - 3, want.Len()}} {
			part := tensor.Aligned((cut[1] - cut[0]) * size)
			if err := got.ReadAt(part, int64(cut[0]*size)); err != nil || string(part) != string(want.Bytes()[cut[0]*size:cut[1]*size]) {
				t.Errorf("%s: elements %v differ (%v)", name, cut, err)
			}
		}
	}
	if !lies(folded(t, FoldLargeConstants, node(add, noise("s", 8, 8), noise("u", 8)))) {
		t.Error("a small result is computed when it is read")
	}
}

// TestPrepareLarge: the two ways to prepare a graph give the same one.
func TestPrepareLarge(t *testing.T) {
	w, x := noise("w", 600, 500), &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(2, 600))}
	turn := node(op.New[op.Transpose](), noise("v", 500, 600))
	sum := node(op.New[op.Add](), w, turn.Out[0])
	g := &ir.Graph{Name: "g", Inputs: []*ir.Value{x}, Nodes: []*ir.Node{turn, sum, node(op.New[op.MatMul](), x, sum.Out[0])}}
	g.Outputs = g.Nodes[2].Out
	other, _ := g.Clone()
	if err := Prepare(g, Options{Verify: true}); err != nil {
		t.Fatal(err)
	}
	if err := Prepare(other, Options{Verify: true, Large: true}); err != nil {
		t.Fatal(err)
	}
	if one, two := ir.Format(g), ir.Format(other); one != two || len(g.Nodes) != 1 {
		t.Errorf("the graphs of %d and %d nodes differ", len(g.Nodes), len(other.Nodes))
	}
	if lies(other.Nodes[0].In[1].Const) {
		t.Error("the weight was computed at once")
	}
}

package ir_test

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

const sample = `graph net
meta "author" "a \"b\""
input x float32[batch,4]
input "odd name" int64[...]
const w float32[2,2] = [1 -0 nan:7fc00001 +Inf]
y float32[batch,2*batch+1], _ = "acme::Frob"(x, _, w) {alpha=0.25f, k=3, mode="a,}b", axes=i[1 -2], s=s["x y" "z"], e=f[], t=<int64[2] = [1 2]>} @node/1
const h float16[2] = #003c0040
const n int4[3] = [-8 0 7]
z ?[...] = "acme::Loop"(y, h, n, "odd name") @loop
{
  graph body
  input b float32[?]
  c float32[?] = "acme::Inner"(b)
  output c
}
q seq(float32[1]) = "::Seq"(z)
output z
output q
state x y _
`

func TestFormatAndParseAreInverse(t *testing.T) {
	g, err := ir.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	if got := ir.Format(g); got != sample {
		t.Errorf("got\n%s\nwant\n%s", got, sample)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"undefined value":  "graph g\ny float32[1] = \"a::B\"(x)",
		"twice":            "graph g\ninput x float32[1]\ninput x float32[1]",
		"unknown operator": "graph g\ny float32[1] = Nonsense()",
		"bad count":        "graph g\nconst c int8[2] = [1]",
		"out of range":     "graph g\nconst c int8[1] = [200]",
		"huge":             "graph g\nconst c int8[4000000000,4000000000] = [1]",
		"unfinished body":  "graph g\nx float32[] = \"a::B\"()\n{\ngraph b",
		"trailing":         "graph g\ninput x float32[1] more",
	} {
		if _, err := ir.Parse(text); err == nil {
			t.Errorf("%s: got nil, want an error", name)
		} else if !strings.HasPrefix(err.Error(), "ir: ") {
			t.Errorf("%s: error %q does not say where", name, err)
		}
	}
}

func chain() (*ir.Graph, []*ir.Node) {
	v := func(n string) *ir.Value { return &ir.Value{Name: n, Fact: op.TensorFact(dtype.Float32, op.Known(1))} }
	x, a, b := v("x"), v("a"), v("b")
	n1 := &ir.Node{Name: "n1", Op: &op.Custom{Domain: "t", Type: "A"}, In: []*ir.Value{x}, Out: []*ir.Value{a}}
	n2 := &ir.Node{Name: "n2", Op: &op.Custom{Domain: "t", Type: "B"}, In: []*ir.Value{a}, Out: []*ir.Value{b}}
	return &ir.Graph{Name: "g", Inputs: []*ir.Value{x}, Outputs: []*ir.Value{b}, Nodes: []*ir.Node{n2, n1}}, []*ir.Node{n1, n2}
}

func TestSortAndVerify(t *testing.T) {
	g, want := chain()
	if err := ir.Verify(g); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("nodes out of order: got %v, want an error that names value a", err)
	}
	if err := g.Sort(); err != nil {
		t.Fatal(err)
	}
	if g.Nodes[0] != want[0] || g.Nodes[1] != want[1] {
		t.Errorf("order is wrong")
	}
	if err := ir.Verify(g); err != nil {
		t.Error(err)
	}
	want[0].In[0] = g.Outputs[0]
	if err := g.Sort(); err == nil || !strings.Contains(err.Error(), "own output") {
		t.Errorf("cycle: got %v", err)
	}
}

func TestCloneIsDeep(t *testing.T) {
	g, err := ir.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	c, m := g.Clone()
	if ir.Format(c) != sample {
		t.Errorf("the clone differs")
	}
	m[g.Inputs[0]].Name = "renamed"
	c.Nodes[0].Name = "other"
	c.Outputs[0].Shape = op.Known(9)
	if ir.Format(g) != sample {
		t.Errorf("changing the clone changed the original")
	}
}

func TestReplaceAndUses(t *testing.T) {
	g, nodes := chain()
	if err := g.Sort(); err != nil {
		t.Fatal(err)
	}
	c := ir.NewConst("c", tensor.Scalar[float32](1))
	g.Replace(nodes[0].Out[0], c)
	if u := g.Uses()[c]; len(u) != 1 || u[0].Node != nodes[1] {
		t.Errorf("uses of the new value: %v", u)
	}
	if n := ir.NewNamer(g); n.Name("a") != "a_1" || n.Name("a") != "a_2" || n.Name("new") != "new" {
		t.Errorf("fresh names collide")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ir.Parse(text)
		if err != nil {
			return
		}
		once := ir.Format(g)
		h, err := ir.Parse(once)
		if err != nil {
			t.Fatalf("%v in\n%s", err, once)
		}
		if twice := ir.Format(h); twice != once {
			t.Errorf("got\n%s\nwant\n%s", twice, once)
		}
	})
}

package quant_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// halves is a chain with a constant that float16 has not, an operator that has
// no form of it, and two readers of one value.
const halves = `graph halves
input x float32[2,3]
const w float32[3,3] = [1 2 3 4 5 6 7 8 9]
const eps float32[] = [1e-12]
const big float32[1,3] = [1 2 1e6]
const b float32[3] = [1e-9 2 3]
a float32[2,3] = MatMul(x, w) @a
c float32[2,3] = Add(a, b) @c
d float32[2,3] = Add(c, eps) @d
e float32[2,3] = Relu(d) @e
f float32[2,3] = Mul(e, big) @f
h float32[2,3] = Sigmoid(c) @h
i float32[2,3] = CumSum(h, axis) @i
const axis int64[] = [0]
j float32[2,3] = Tanh(i) @j
output f
output j
`

func halved(t *testing.T, r *quant.Recipe, stats quant.Statistics) (*ir.Graph, *quant.Placement) {
	t.Helper()
	lines := strings.Split(halves, "\n")
	at := slices.Index(lines, "const axis int64[] = [0]")
	lines = slices.Insert(slices.Delete(lines, at, at+1), 2, "const axis int64[] = [0]")
	g, err := ir.Parse(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	pl, err := quant.Place(g, r)
	if err != nil {
		t.Fatal(err)
	}
	pl.KeepMeasured(stats)
	plan, err := quant.MakePlan(g, pl, nil, r)
	if err != nil {
		t.Fatal(err)
	}
	out, err := quant.Apply(g, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(out); err != nil {
		t.Fatal(err)
	}
	return out, pl
}

func typesOf(g *ir.Graph) map[string]string {
	out := map[string]string{}
	for _, n := range g.Nodes {
		out[n.Name] = n.Out[0].Type.String()
	}
	return out
}

func count(g *ir.Graph, name string) int {
	n := 0
	for _, node := range g.Nodes {
		if node.Op.Name() == name {
			n++
		}
	}
	return n
}

func TestHalvesLeaveWhatWouldBeLost(t *testing.T) {
	g, pl := halved(t, &quant.Recipe{Mode: quant.Float16}, nil)
	types := typesOf(g)
	for node, want := range map[string]string{"a": "float16", "c": "float16", "d": "float32", "e": "float16", "f": "float32", "h": "float16", "i": "float32", "j": "float16"} {
		if types[node] != want {
			t.Errorf("%s is %s, want %s", node, types[node], want)
		}
	}
	// x, d and i go in, c, e, h and j come out, each once.
	if n := count(g, "Cast"); n != 7 {
		t.Errorf("%d Casts, want 7", n)
	}
	var reasons []string
	for _, s := range pl.Skipped {
		reasons = append(reasons, s.Node+": "+s.Reason)
	}
	all := strings.Join(reasons, "\n")
	for _, want := range []string{`d: float16 has no number near 1e-12 but 0 in its constant "eps"`, `f: float16 ends at 65504, and there is 1e+06 in its constant "big"`, "i: CumSum has no form of float16"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among the reasons:\n%s", want, all)
		}
	}
}

// TestHalvesOfBrokenWeights: weights that are no numbers are an error in both
// types, masks of infinities are not.
func TestHalvesOfBrokenWeights(t *testing.T) {
	for _, mode := range []quant.Mode{quant.Float16, quant.BFloat16} {
		for _, c := range []struct {
			weight, mask string
			want         string
		}{
			{"1 NaN", "0 0", `weight "w": 1 of its 2 elements are NaN or infinite, the first at 1`},
			{"+Inf 1", "0 0", `weight "w": 1 of its 2 elements are NaN or infinite, the first at 0`},
			{"1 2", "0 -Inf", ""},
		} {
			g, err := ir.Parse("graph g\ninput x float32[2,1]\nconst w float32[1,2] = [" + c.weight + "]\nconst m float32[2] = [" + c.mask +
				"]\na float32[2,2] = MatMul(x, w)\ny float32[2,2] = Add(a, m)\noutput y\n")
			if err == nil {
				err = ir.Infer(g)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = quant.Place(g, &quant.Recipe{Mode: mode})
			if got := fmt.Sprint(err); err == nil && c.want != "" || err != nil && got != c.want {
				t.Errorf("%s, weights %s, mask %s: %v, want %q", mode, c.weight, c.mask, err, c.want)
			}
		}
	}
}

func TestHalvesAreMeasured(t *testing.T) {
	st := observe.New(false)
	st.Observe(0, []float32{-1, 70000}, nil)
	g, pl := halved(t, &quant.Recipe{Mode: quant.Float16}, quant.Statistics{"c": st})
	types := typesOf(g)
	for node, want := range map[string]string{"a": "float16", "c": "float32", "h": "float32", "j": "float16"} {
		if types[node] != want {
			t.Errorf("%s is %s, want %s", node, types[node], want)
		}
	}
	found := false
	for _, s := range pl.Skipped {
		found = found || s.Node == "h" && strings.Contains(s.Reason, `7e+04 in "c" on the samples`)
	}
	if !found {
		t.Errorf("%+v", pl.Skipped)
	}
}

func TestStorageCastsBeforeUse(t *testing.T) {
	g, _ := halved(t, &quant.Recipe{Mode: quant.BFloat16}, nil)
	for _, n := range g.Nodes {
		if n.Op.Name() != "Cast" && n.Out[0].Type.String() != "float32" {
			t.Errorf("%s computes in %v", n.Name, n.Out[0].Type)
		}
	}
	// w, b, eps and big are stored, each with one Cast.
	if n := count(g, "Cast"); n != 4 {
		t.Errorf("%d Casts, want 4", n)
	}
	out, err := ir.Eval(g, op.Of(tensor.FromSlice([]float32{1, 0, 0, 0, 1, 0}, 2, 3)))
	if err != nil {
		t.Fatal(err)
	}
	if got := tensor.Data[float32](out[0].Tensor)[:2]; got[0] != 1 || got[1] != 8 {
		t.Errorf("got %v, want 1 and (2+2)*2", got)
	}
}

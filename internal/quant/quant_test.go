package quant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// residual is a small network: two convolutions, a residual sum, a pool, a
// classifier, and a LayerNormalization that stays float.
const residual = `graph residual
input x float32[n,1,4,4]
const w1 float32[1,1,3,3] = [0 0 0 0 1 0 0 0 0]
const b1 float32[1] = [0.5]
const w2 float32[1,1,1,1] = [2]
const fc float32[2,1] = [1 -1]
const gamma float32[2] = [1 1]
c1 float32[n,1,4,4] = Conv(x, w1, b1) {pads=i[1 1 1 1]} @conv1
r1 float32[n,1,4,4] = Relu(c1) @relu1
c2 float32[n,1,4,4] = Conv(r1, w2) @conv2
s float32[n,1,4,4] = Add(c2, r1) @sum
p float32[n,1,1,1] = GlobalAveragePool(s) @pool
f float32[n,1] = Flatten(p) @flatten
y float32[n,2] = Gemm(f, fc) {transB=1} @fc
z float32[n,2] = LayerNormalization(y, gamma) @norm
output z
`

func graph(t *testing.T, text string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return g
}

func place(t *testing.T, r quant.Recipe) *quant.Placement {
	t.Helper()
	p, err := quant.Place(graph(t, residual), &r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func points(p *quant.Placement, role quant.Role) []string {
	var out []string
	for _, pt := range p.Points {
		if pt.Role == role {
			out = append(out, pt.Value)
		}
	}
	slices.Sort(out)
	return out
}

func TestDefaultPlacement(t *testing.T) {
	p := place(t, quant.Recipe{})
	if got, want := points(p, quant.Activation), []string{"c2", "f", "p", "r1", "s", "x"}; !slices.Equal(got, want) {
		t.Errorf("activations %v, want %v: the classifier ends in float, as only a float operator reads it", got, want)
	}
	if got, want := points(p, quant.Weight), []string{"fc", "w1", "w2"}; !slices.Equal(got, want) {
		t.Errorf("weights %v, want %v", got, want)
	}
	if got := points(p, quant.Bias); !slices.Equal(got, []string{"b1"}) {
		t.Errorf("biases %v", got)
	}
	if !slices.Equal(p.Absorbed, []string{"r1"}) {
		t.Errorf("absorbed %v, want the Relu behind the first convolution", p.Absorbed)
	}
	if len(p.Skipped) != 1 || p.Skipped[0].Node != "norm" || !strings.Contains(p.Skipped[0].Reason, "onnxruntime-cpu") {
		t.Errorf("skipped %+v", p.Skipped)
	}
	for _, pt := range p.Points {
		if pt.Value == "f" && pt.Group != "p" {
			t.Errorf("Flatten's output has parameters of its own, want those of p, got group %q", pt.Group)
		}
		if pt.Value == "w1" && pt.Axis != 0 {
			t.Errorf("weight axis %d, want 0", pt.Axis)
		}
	}
}

func TestPatterns(t *testing.T) {
	p := place(t, quant.Recipe{Keep: []string{"conv*"}})
	if got := points(p, quant.Weight); !slices.Equal(got, []string{"fc"}) {
		t.Errorf("keep conv*: weights %v", got)
	}
	p = place(t, quant.Recipe{Only: []string{"op:Gemm"}})
	if got := points(p, quant.Weight); !slices.Equal(got, []string{"fc"}) {
		t.Errorf("only op:Gemm: weights %v", got)
	}
	p = place(t, quant.Recipe{Keep: []string{"op:Conv"}, Overrides: []quant.Override{{Match: "conv2", Precision: "w8a8"}}})
	if got := points(p, quant.Weight); !slices.Equal(got, []string{"fc", "w2"}) {
		t.Errorf("override brings conv2 back: weights %v", got)
	}
	_, err := quant.Place(graph(t, residual), &quant.Recipe{Keep: []string{"convv1"}})
	if err == nil || !strings.Contains(err.Error(), "matches no node") {
		t.Errorf("a pattern without a match: %v", err)
	}
}

// TestWanted: the nodes that stay float against the recipe's wish are told from
// those that it excludes and from those that read floats because of that.
func TestWanted(t *testing.T) {
	for _, c := range []struct {
		name   string
		recipe quant.Recipe
		wanted []string
	}{
		{"default", quant.Recipe{}, []string{"norm"}},
		{"keep", quant.Recipe{Keep: []string{"norm"}}, nil},
		{"only", quant.Recipe{Only: []string{"op:Conv"}}, nil},
		{"override", quant.Recipe{Overrides: []quant.Override{{Match: "op:LayerNormalization", Precision: "float"}}}, nil},
		{"a sum of what is kept", quant.Recipe{Keep: []string{"conv2"}}, []string{"norm"}},
		{"override after keep", quant.Recipe{Keep: []string{"norm"}, Overrides: []quant.Override{{Match: "norm", Precision: "w8a8"}}}, []string{"norm"}},
		{"parity", quant.Recipe{Parity: "onnxruntime", Keep: []string{"conv1"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range place(t, c.recipe).Skipped {
				if s.Wanted {
					got = append(got, s.Node)
				}
			}
			if !slices.Equal(got, c.wanted) {
				t.Errorf("wanted %v, want %v", got, c.wanted)
			}
		})
	}
}

func TestWordsThatAreNotBuilt(t *testing.T) {
	for _, r := range []quant.Recipe{
		{Weights: quant.Weights{DType: "float16"}}, {Activations: quant.Activations{DType: "bfloat16"}},
		{Parity: "tflite"}, {IO: "float16"},
	} {
		err := r.Check()
		if err == nil || !strings.Contains(err.Error(), "is not built in this release") || len(diag.Notes(err)) == 0 {
			t.Errorf("%+v: %v, notes %q", r, err, diag.Notes(err))
		}
	}
	for _, key := range []string{"weights.granularity", "parity", "onnx-form", "existing", "overrides.precision", "target"} {
		for _, w := range quant.WordsOf(key).Known {
			if err := quant.WordsOf(key).Check(key, w); err != nil {
				t.Errorf("%s %s: %v", key, w, err)
			}
		}
		if len(quant.WordsOf(key).Known) == 0 {
			t.Errorf("%s has no words", key)
		}
	}
}

func TestRecipesAreDecodedStrictly(t *testing.T) {
	r, err := quant.ParseRecipe([]byte("version: 1\ntarget: tensorrt\nactivations: {observer: mse}\noverrides: [{match: 'op:Conv', precision: float}]\n"))
	if err != nil || r.Target != "tensorrt" || r.Activations.Observer != "mse" || len(r.Overrides) != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	b, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := quant.ParseRecipe(b)
	if err != nil || again.Target != r.Target {
		t.Errorf("written and read again: %+v, %v\n%s", again, err, b)
	}
	for text, want := range map[string]string{"versoin: 1": "version", "version: 2": "version 1", "activations: {observer: 3, dtyp: x}": "dtype"} {
		_, err := quant.ParseRecipe([]byte(text))
		if err == nil {
			t.Errorf("%q: got nil, want an error", text)
			continue
		}
		notes := err.Error()
		for _, n := range diag.Notes(err) {
			notes += n
		}
		if !strings.Contains(notes, want) {
			t.Errorf("%q: %q does not mention %q", text, notes, want)
		}
	}
	for _, bad := range []quant.Recipe{{Target: "nowhere"}, {Parity: "nobody"}, {Activations: quant.Activations{DType: "float32"}},
		{Weights: quant.Weights{Granularity: "pixel"}}, {Activations: quant.Activations{Observer: "guess"}}, {OnnxForm: "x"}} {
		if _, err := quant.Place(graph(t, residual), &bad); err == nil {
			t.Errorf("%+v: got nil, want an error", bad)
		}
	}
}

func TestApplyWritesQDQ(t *testing.T) {
	g := graph(t, residual)
	r := quant.Recipe{Activations: quant.Activations{Observer: "minmax"}}
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
	before := ir.Format(g)
	q, err := quant.Apply(g, plan)
	if err != nil {
		t.Fatal(err)
	}
	if ir.Format(g) != before {
		t.Error("the float graph was changed")
	}
	if err := ir.Verify(q); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, n := range q.Nodes {
		count[n.Op.Name()]++
		if n.Op.Name() == "Conv" {
			for i, v := range n.In {
				if _, ok := q.Producers()[v].Op.(*op.DequantizeLinear); !ok {
					t.Errorf("%s: operand %d is not dequantized", n.Label(), i)
				}
			}
		}
	}
	if count["Relu"] != 0 || count["QuantizeLinear"] != 6 || count["DequantizeLinear"] != 6+3+1 {
		t.Errorf("operators %v", count)
	}
	x := tensor.FromSlice(make([]float32, 16), 1, 1, 4, 4)
	if out, err := ir.Eval(q, op.Of(x)); err != nil || out[0].Tensor.Type() != dtype.Float32 {
		t.Errorf("running it: %v", err)
	}
}

package algo

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func parse(t *testing.T, text string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(text)
	if err == nil {
		err = ir.Infer(g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func all(*ir.Node) bool { return true }

// run evaluates g for one input and returns all its values of the names asked
// for, which are outputs.
func run(t *testing.T, g *ir.Graph, x *tensor.Tensor) [][]float32 {
	t.Helper()
	out, err := ir.Eval(g, op.Of(x))
	if err != nil {
		t.Fatal(err)
	}
	var vals [][]float32
	for _, d := range out {
		vals = append(vals, tensor.Data[float32](d.Tensor))
	}
	return vals
}

// TestEqualizeKeepsTheFunction: the output stays the same within rounding, and
// the small channel comes nearer to the great one, for a second layer that is
// pointwise, depthwise, in groups, or a product, behind ReLU and ReLU6.
func TestEqualizeKeepsTheFunction(t *testing.T) {
	const head = "graph net\ninput x float32[1,2,1,2]\n" +
		"const w float32[4,2,1,1] = [1 0.5 0.02 -0.01 0.2 0.3 0.05 0.01]\nconst b float32[4] = [0.1 0.01 0 0.02]\n" +
		"c float32[1,4,1,2] = Conv(x, w, b)\n"
	for name, tail := range map[string]string{
		"pointwise": "a float32[1,4,1,2] = Relu(c)\nconst v float32[2,4,1,1] = [1 2 3 4 5 6 7 8]\ny float32[1,2,1,2] = Conv(a, v)\n",
		"depthwise": "const hi float32[] = [6]\nconst lo float32[] = [0]\na float32[1,4,1,2] = Clip(c, lo, hi)\nconst v float32[4,1,1,1] = [1 2 3 4]\ny float32[1,4,1,2] = Conv(a, v) {group=4}\n",
		"groups":    "a float32[1,4,1,2] = LeakyRelu(c)\nconst v float32[4,2,1,1] = [1 2 3 4 5 6 7 8]\ny float32[1,4,1,2] = Conv(a, v) {group=2}\n",
	} {
		for _, shared := range []bool{false, true} {
			g := parse(t, head+tail+"output y\noutput a\n")
			x := tensor.FromSlice([]float32{1, 2, -0.5, 3}, 1, 2, 1, 2)
			before := run(t, g, x)
			g.Outputs = g.Outputs[:1]
			pairs := Pairs(g, all)
			if len(pairs) != 1 {
				t.Fatalf("%s: %d pairs", name, len(pairs))
			}
			if value, axis := pairs[0].Value(); value != "a" || axis != 1 {
				t.Fatalf("%s: channels of %q on axis %d", name, value, axis)
			}
			greatest := make([]float32, 4)
			for i, v := range before[1] {
				greatest[i/2] = max(greatest[i/2], v, -v)
			}
			changed := pairs[0].Equalize(greatest, shared)
			if len(changed) != 2 {
				t.Fatalf("%s: %d values changed, want the two between", name, len(changed))
			}
			g.Outputs = append(g.Outputs, pairs[0].to.node.In[0])
			after := run(t, g, x)
			for i, v := range after[0] {
				if math.Abs(float64(v-before[0][i])) > 1e-5*math.Abs(float64(before[0][i])) {
					t.Errorf("%s: output %v, was %v", name, after[0], before[0])
					break
				}
			}
			spread := func(d []float32) float64 {
				var most [4]float64
				for i, v := range d {
					most[i/2] = max(most[i/2], math.Abs(float64(v)))
				}
				return max(most[0], most[1], most[2], most[3]) / min(most[0], most[1], most[2], most[3])
			}
			if s := spread(after[1]); s >= spread(before[1]) {
				t.Errorf("%s: the channels differ %.3g-fold, before %.3g-fold", name, s, spread(before[1]))
			}
		}
	}
}

// TestEqualizeLeavesALimitedChannel: a channel that reaches the limit of a
// ReLU6, or might with a little more data, is not raised.
func TestEqualizeLeavesALimitedChannel(t *testing.T) {
	g := parse(t, "graph net\ninput x float32[1,2,1,1]\nconst w float32[2,2,1,1] = [8 0 0 0.001]\nc float32[1,2,1,1] = Conv(x, w)\n"+
		"const lo float32[] = [0]\nconst hi float32[] = [6]\na float32[1,2,1,1] = Clip(c, lo, hi)\nconst v float32[2,1,1,1] = [1 1]\n"+
		"y float32[1,2,1,1] = Conv(a, v) {group=2}\noutput y\n")
	p := Pairs(g, all)
	if len(p) != 1 {
		t.Fatalf("%d pairs", len(p))
	}
	p[0].Equalize([]float32{6, 0.001}, false)
	w := tensor.Data[float32](p[0].from.weight.Const)
	if w[0] != 8 {
		t.Errorf("the channel at the limit was multiplied by %v", w[0]/8)
	}
	if f := w[3] / 0.001; f <= 1 || f*0.001*margin > 6 {
		t.Errorf("the small channel was multiplied by %v", f)
	}
}

// TestPairsAreLeftAlone where something else sees the channels, or they are
// mixed between.
func TestPairsAreLeftAlone(t *testing.T) {
	const conv = "graph net\ninput x float32[1,2,1,2]\nconst w float32[2,2,1,1] = [1 2 3 4]\nconst v float32[2,2,1,1] = [1 2 3 4]\nc float32[1,2,1,2] = Conv(x, w)\n"
	for name, tail := range map[string]string{
		"output":  "y float32[1,2,1,2] = Conv(c, v)\noutput y\noutput c\n",
		"readers": "y float32[1,2,1,2] = Conv(c, v)\nz float32[1,2,1,2] = Add(y, c)\noutput z\n",
		"sigmoid": "a float32[1,2,1,2] = Sigmoid(c)\ny float32[1,2,1,2] = Conv(a, v)\noutput y\n",
		"weight":  "a float32[1,2,1,2] = Relu(c)\ny float32[1,2,1,2] = Conv(a, w)\noutput y\n",
		"lower":   "const lo float32[] = [-1]\na float32[1,2,1,2] = Clip(c, lo)\ny float32[1,2,1,2] = Conv(a, v)\noutput y\n",
	} {
		if p := Pairs(parse(t, conv+tail), all); len(p) != 0 {
			t.Errorf("%s: %d pairs", name, len(p))
		}
	}
	g := parse(t, conv+"a float32[1,2,1,2] = Relu(c)\ny float32[1,2,1,2] = Conv(a, v)\noutput y\n")
	if p := Pairs(g, func(n *ir.Node) bool { return n.Out[0].Name != "y" }); len(p) != 0 {
		t.Errorf("a layer that stays float: %d pairs", len(p))
	}
}

// TestSmoothKeepsTheFunction: the output stays the same within rounding, the
// outlier shrinks where the layer reads it, and a residual that reads the
// normalization too still sees what it saw.
func TestSmoothKeepsTheFunction(t *testing.T) {
	const head = "graph net\ninput x float32[1,3,4]\nconst gain float32[4] = [1 40 1 0.5]\nconst shift float32[4] = [0 3 0.1 0]\n" +
		"const w float32[4,2] = [0.5 1 0.2 0.1 1 1 -1 0.3]\n"
	for name, c := range map[string]struct {
		tail   string
		copied bool
	}{
		"alone":    {"n float32[1,3,4] = LayerNormalization(x, gain, shift)\ny float32[1,3,2] = MatMul(n, w)\noutput y\n", false},
		"rms":      {"n float32[1,3,4] = RMSNormalization(x, gain)\ny float32[1,3,2] = MatMul(n, w)\noutput y\n", false},
		"residual": {"n float32[1,3,4] = LayerNormalization(x, gain, shift)\nm float32[1,3,2] = MatMul(n, w)\nconst u float32[2,4] = [1 2 3 4 5 6 7 8]\nk float32[1,3,4] = MatMul(m, u)\ny float32[1,3,4] = Add(n, k)\noutput y\n", true},
	} {
		g := parse(t, head+c.tail)
		x := tensor.FromSlice([]float32{1, 2, 3, 4, -1, 0.5, 2, 9, 0.1, 0.2, -3, 1}, 1, 3, 4)
		before := run(t, g, x)
		norms := Norms(g, all)
		if len(norms) != 1 || norms[0].Value() != "n" || norms[0].shared != c.copied {
			t.Fatalf("%s: %d normalizations", name, len(norms))
		}
		read := norms[0].Smooth(g, ir.NewNamer(g), []float32{1.5, 60, 1.6, 0.8})
		if read == nil || (read.Name != "n") != c.copied {
			t.Fatalf("%s: the layer reads %v", name, read)
		}
		if err := ir.Verify(g); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		g.Outputs = append(g.Outputs, read)
		after := run(t, g, x)
		for i, v := range after[0] {
			if math.Abs(float64(v-before[0][i])) > 1e-5*(1+math.Abs(float64(before[0][i]))) {
				t.Errorf("%s: output %v, was %v", name, after[0], before[0])
				break
			}
		}
		for i, v := range after[1] {
			if i%4 == 1 && math.Abs(float64(v)) > 10 {
				t.Errorf("%s: the outlier is still %v", name, v)
			}
		}
	}
	g := parse(t, head+"n float32[1,3,4] = LayerNormalization(x, gain, shift) {axis=-2}\ny float32[1,3,2] = MatMul(n, w)\noutput y\n")
	if n := Norms(g, all); len(n) != 0 {
		t.Error("a normalization over two axes has no gain for each channel")
	}
}

package octavo

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// integerGraph parses nodes between x, which Q and DQ with scale 0.1 and the zero
// point given make d of, and v, of which they make y, with scale sy and zero
// point -128.
func integerGraph(t *testing.T, shape string, zero int, sy float32, nodes, out string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(fmt.Sprintf(`graph case
input x float32[%[1]s]
const s float32[] = [0.1]
const z int8[] = [%[2]d]
const sy float32[] = [%[3]v]
const zy int8[] = [-128]
const ax int64[1] = [1]
const none float32[] = [0]
q int8[%[1]s] = QuantizeLinear(x, s, z)
d float32[%[1]s] = DequantizeLinear(q, s, z)
%[4]s
r int8[%[5]s] = QuantizeLinear(v, sy, zy)
y float32[%[5]s] = DequantizeLinear(r, sy, zy)
output y
`, shape, zero, sy, nodes, out))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// behindDequantize returns the operators behind a DEQUANTIZE of a file, but for
// the one that turns an output of the graph.
func behindDequantize(g *ir.Graph) []string {
	var out []string
	prod := g.Producers()
	for _, n := range g.Nodes {
		if _, same := n.Op.(*op.Identity); same || n.Op.Name() == "Reshape" && g.IsOutput(n.Out[0]) {
			continue
		}
		for _, v := range n.In {
			p := prod[v]
			if p != nil && p.Op.Name() == "Identity" {
				p = prod[p.In[0]]
			}
			if p != nil {
				if d, ok := p.Op.(*op.DequantizeLinear); ok && d.Apart {
					out = append(out, n.Op.Name())
				}
			}
		}
	}
	return out
}

// TestTFLiteIntegers: what LiteRT has of use on integers is written so, in the
// words that its kernels understand, and computes within a step of the floats.
func TestTFLiteIntegers(t *testing.T) {
	const quarter = "const one float32[] = [1]\ne float32[4,1] = ReduceMax(d, ax)\nqe int8[4,1] = QuantizeLinear(e, s, z)\nf float32[4,1] = DequantizeLinear(qe, s, z)\n"
	for _, c := range []struct {
		name  string
		zero  int
		sy    float32
		nodes string
		out   string
		want  []string // operators that are in the file
		float string   // the operator on floats that is, "" for none
	}{
		{"sum", -20, 0.9, "v float32[4] = ReduceSum(d, ax) {keepdims=0}", "4", []string{"ReduceMean", "Mul"}, ""},
		{"sum and limit", -20, 0.9, "t float32[4,1] = ReduceSum(d, ax)\nv float32[4,1] = Relu(t)", "4,1", []string{"ReduceMean", "Mul"}, ""},
		{"root", -128, 0.02, "v float32[4,9] = Sqrt(d)", "4,9", []string{"Sqrt"}, ""},
		{"root of negative numbers", -100, 0.02, "v float32[4,9] = Sqrt(d)", "4,9", []string{"Sqrt"}, "Sqrt"},
		{"logarithm", -128, 0.02, "v float32[4,9] = Log(d)", "4,9", []string{"Log"}, ""},
		{"gelu", -20, 0.1, "v float32[4,9] = Gelu(d)", "4,9", []string{"Gelu"}, ""},
		{"elu", -20, 0.1, "v float32[4,9] = Elu(d)", "4,9", []string{"Elu"}, ""},
		{"broadcast", -128, 0.1, "const to int64[3] = [2 4 9]\nv float32[2,4,9] = Expand(d, to)", "2,4,9", []string{"Expand"}, ""},
		{"slices", -128, 0.1, "const at int64[3,1] = [2 0 -1]\nv float32[3,9] = GatherND(d, at)", "3,9", []string{"GatherND"}, ""},
		{"global maximum", -128, 0.1, "const im int64[4] = [1 4 9 1]\nr4 float32[1,4,9,1] = Reshape(d, im)\nqr int8[1,4,9,1] = QuantizeLinear(r4, s, z)\ndr float32[1,4,9,1] = DequantizeLinear(qr, s, z)\nv float32[1,4,1,1] = GlobalMaxPool(dr)", "1,4,1,1", []string{"ReduceMax"}, ""},
		{"exponential", 127, 0.004, "v float32[4,9] = Exp(d)", "4,9", []string{"Exp"}, ""},
		{"quotient", -128, 0.004, quarter + "v float32[4,9] = Div(d, f)", "4,9", []string{"Div", "Max"}, ""},
		{"quotient by numbers of either sign", -100, 0.004, quarter + "v float32[4,9] = Div(d, f)", "4,9", []string{"Div"}, "Div"},
		{"choice", -128, 0.1, quarter + "c bool[4,1] = Equal(f, none)\nv float32[4,9] = Where(c, f, d)", "4,9", []string{"Where", "Equal"}, ""},
		{"choice by a number between two steps", -128, 0.1, quarter + "const h float32[] = [0.55]\nc bool[4,1] = Less(f, h)\nv float32[4,9] = Where(c, f, d)", "4,9", []string{"Where", "Less"}, "Less"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := integerGraph(t, "4,9", c.zero, c.sy, c.nodes, c.out)
			back := lite(t, g)
			for _, name := range c.want {
				if !slices.ContainsFunc(back.Nodes, func(n *ir.Node) bool { return n.Op.Name() == name }) {
					t.Errorf("no %s is in the file", name)
				}
			}
			floats := behindDequantize(back)
			if got := slices.Compact(slices.Sorted(slices.Values(floats))); c.float == "" && len(got) > 0 || c.float != "" && !slices.Equal(got, []string{c.float}) {
				t.Errorf("on floats: %v, want %q", got, c.float)
			}
			x := liteNoise(5, 4, 9)
			for i, v := range tensor.Data[float32](x) {
				tensor.Data[float32](x)[i] = float32(v * 12)
			}
			want, got := tensor.Data[float32](liteRun(t, g, x)), tensor.Data[float32](liteRun(t, back, x))
			for i := range want {
				// Of negative numbers a root is none, and a logarithm is the least.
				if d := math.Abs(float64(got[i] - want[i])); !(d <= 1.01*float64(c.sy)) && c.zero != -100 {
					t.Errorf("element %d is %v, want %v", i, got[i], want[i])
				}
			}
		})
	}
}

// TestTFLiteUnitLengths: rows of length 1 are of integers whose scale LiteRT fixes.
func TestTFLiteUnitLengths(t *testing.T) {
	g := integerGraph(t, "4,9", -20, 1.0/128, "v float32[4,9] = LpNormalization(d)", "4,9")
	for _, v := range g.Values() {
		if v.Name == "zy" {
			v.Const = tensor.Scalar(int8(0))
		}
	}
	back := lite(t, g)
	if floats := behindDequantize(back); len(floats) > 0 {
		t.Errorf("on floats: %v", floats)
	}
	x := liteNoise(5, 4, 9)
	want, got := tensor.Data[float32](liteRun(t, g, x)), tensor.Data[float32](liteRun(t, back, x))
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1.01/128 {
			t.Errorf("element %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// TestTFLiteFloatsRoundAsFloats: an operator between DEQUANTIZE and QUANTIZE is
// none on integers, whose roots are rounded down.
func TestTFLiteFloatsRoundAsFloats(t *testing.T) {
	const sy = float32(0.02)
	g := lite(t, integerGraph(t, "2,128", -100, sy, "v float32[2,128] = Sqrt(d)", "2,128"))
	x := make([]float32, 256)
	for i := range x {
		x[i] = float32(float32(max(i-128, -100)+100) * 0.1)
	}
	got := tensor.Data[float32](liteRun(t, g, tensor.FromSlice(x, 2, 128)))
	down := 0
	for i := range x {
		steps := math.Sqrt(float64(x[i])) / float64(sy)
		want := min(math.Round(steps), 255)
		if k := math.Round(float64(got[i] / sy)); k != want {
			t.Errorf("√%v is %v steps, want %v", x[i], k, want)
		}
		if math.Floor(steps) < want {
			down++
		}
	}
	if down < 50 {
		t.Errorf("%d roots alone would be other ones if they were rounded down", down)
	}
}

// TestTFLiteDividesSilence: a quotient by the integer 0, which LiteRT refuses, is
// by the least above it, and the choice behind it takes another number.
func TestTFLiteDividesSilence(t *testing.T) {
	g := lite(t, integerGraph(t, "4,9", -128, 0.004, `e float32[4,1] = ReduceMax(d, ax)
qe int8[4,1] = QuantizeLinear(e, s, z)
f float32[4,1] = DequantizeLinear(qe, s, z)
c bool[4,1] = Equal(f, none)
w float32[4,9] = Div(d, f)
qw int8[4,9] = QuantizeLinear(w, sy, zy)
dw float32[4,9] = DequantizeLinear(qw, sy, zy)
v float32[4,9] = Where(c, none, dw)`, "4,9"))
	x := make([]float32, 36)
	for i := range 9 {
		x[i], x[9+i] = 0, float32(i)
	}
	got := tensor.Data[float32](liteRun(t, g, tensor.FromSlice(x, 4, 9)))
	for i := range 9 {
		if want := math.Round(float64(i) / 8 * 250); got[i] != 0 || math.Abs(float64(got[9+i])/0.004-want) > 1.01 {
			t.Errorf("element %d: %v and %v, want 0 and %v", i, got[i], got[9+i], want/250)
		}
	}
}

// TestReportOfTFLiteTellsTheFile: an operator that the plan has on integers and
// the format has not is float in the report of what was saved, and refused where
// the recipe is strict.
func TestReportOfTFLiteTellsTheFile(t *testing.T) {
	g := liteGraph(t, "4,3", "w float32[5,3]", "b float32[4,5] = Gemm(x, w) {transB=1}\nt float32[4,5] = Tanh(b)\ny float32[4,5] = Div(b, t)")
	named := []Override{{Match: "*", Precision: "int8"}}
	for _, strict := range []bool{false, true} {
		m := textModel(t, ir.Format(g))
		var samples []Sample
		for seed := range uint32(8) {
			samples = append(samples, Sample{Inputs: Inputs{"x": liteNoise(seed, 4, 3)}})
		}
		q, err := Quantize(context.Background(), m, Recipe{Mode: Static, Target: "litert", Strict: strict, Overrides: named, Algorithms: []string{"none"}}, WithCalibration(inputsOf(samples)))
		if err != nil {
			t.Fatal(err)
		}
		if q.Report.Quantized != 3 || len(q.Report.Float) != 0 {
			t.Fatalf("%d operators on integers, %v float", q.Report.Quantized, q.Report.Float)
		}
		path := filepath.Join(t.TempDir(), "model.tflite")
		err = q.Save(path)
		if strict {
			if _, missing := os.Stat(path); err == nil || !strings.Contains(err.Error(), "strict") || missing == nil {
				t.Errorf("%v; %v", err, missing)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if r := q.Report; r.Quantized != 2 || len(r.Float) != 1 || r.Float[0].Op != "Div" || !r.Float[0].Wanted {
			t.Errorf("%d operators on integers, %v float", r.Quantized, r.Float)
		}
		if err := q.Save(filepath.Join(t.TempDir(), "model.onnx")); err != nil || q.Report.Quantized != 3 || len(q.Report.Float) != 0 {
			t.Errorf("as ONNX: %v; %d operators on integers, %v float", err, q.Report.Quantized, q.Report.Float)
		}
	}
}

// TestTFLiteKeepsFloats: what the recipe keeps float is so in the file, between
// integers, too.
func TestTFLiteKeepsFloats(t *testing.T) {
	g := liteGraph(t, "4,3", "w float32[5,3]\nu float32[2,5]", "a float32[4,5] = Gemm(x, w) {transB=1}\nb float32[4,5] = Tanh(a)\ny float32[4,2] = Gemm(b, u) {transB=1}")
	for keep, want := range map[string][]string{"": nil, "op:Tanh": {"Tanh"}} {
		var samples []Sample
		for seed := range uint32(8) {
			samples = append(samples, Sample{Inputs: Inputs{"x": liteNoise(seed, 4, 3)}})
		}
		r := Recipe{Mode: Static, Target: "litert", Algorithms: []string{"none"}}
		if keep != "" {
			r.Keep = []string{keep}
		}
		q, err := Quantize(context.Background(), textModel(t, ir.Format(g)), r, WithCalibration(inputsOf(samples)))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.tflite")
		if err := q.Save(path); err != nil {
			t.Fatal(err)
		}
		if got := behindDequantize(open(t, path).graph); !slices.Equal(got, want) {
			t.Errorf("keep %q: on floats are %v, want %v", keep, got, want)
		}
		if n := len(q.Report.Float); n != len(want) {
			t.Errorf("keep %q: %v", keep, q.Report.Float)
		}
	}
}

// TestConvertLeavesRootsFloat: pairs around a root in an ONNX model do not say
// that it is to be rounded down; a TensorFlow Lite file that has a root of
// integers is written anew with it.
func TestConvertLeavesRootsFloat(t *testing.T) {
	g := integerGraph(t, "4,9", -128, 0.02, "v float32[4,9] = Sqrt(d)", "4,9")
	path := filepath.Join(t.TempDir(), "model.tflite")
	if err := textModel(t, ir.Format(g)).Save(path); err != nil {
		t.Fatal(err)
	}
	if got := behindDequantize(open(t, path).graph); !slices.Equal(got, []string{"Sqrt"}) {
		t.Errorf("on floats are %v, want the root", got)
	}
	b, err := liteFile(g, format.EncodeOptions{})
	if err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	anew, _, err := savedAs(t, open(t, path), "anew.tflite")
	if err != nil {
		t.Fatal(err)
	}
	if got := behindDequantize(anew.graph); len(got) > 0 {
		t.Errorf("written anew, on floats are %v", got)
	}
}

package explain_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/validate/explain"
)

// plain scales by 1.25 and 1, then by 2 and 1.
const plain = `graph g
input x float32[1,2]
const w float32[2,2] = [1.25 0 0 1]
const v float32[2,2] = [2 0 0 1]
h float32[1,2] = MatMul(x, w) @first
y float32[1,2] = MatMul(h, v) @second
output y
`

// quantized is plain with 1.25 rounded to 1; grids hold all other values. H, HQ,
// HD and Y stand for the names of h in its three forms and of y.
const quantized = `graph g
input x float32[1,2]
const half float32[] = [0.5]
const quarter float32[] = [0.25]
const one float32[] = [1]
const zero int8[] = [0]
const wq int8[2,2] = [1 0 0 1]
const vq int8[2,2] = [2 0 0 1]
xq int8[1,2] = QuantizeLinear(x, half, zero)
xd float32[1,2] = DequantizeLinear(xq, half, zero)
wd float32[2,2] = DequantizeLinear(wq, one, zero)
H float32[1,2] = MatMul(xd, wd)
HQ int8[1,2] = QuantizeLinear(H, quarter, zero)
HD float32[1,2] = DequantizeLinear(HQ, quarter, zero)
vd float32[2,2] = DequantizeLinear(vq, one, zero)
Y float32[1,2] = MatMul(HD, vd)
output Y
`

func parse(t *testing.T, text string) *ir.Graph {
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

func samples(rows ...[]float32) iter.Seq2[runtime.Tensors, error] {
	return func(yield func(runtime.Tensors, error) bool) {
		for _, r := range rows {
			if !yield(runtime.Tensors{"x": tensor.FromSlice(r, 1, len(r))}, nil) {
				return
			}
		}
	}
}

func run(t *testing.T, float, quant string) (*explain.Result, error) {
	t.Helper()
	return explain.Run(context.Background(), parse(t, float), parse(t, quant), samples([]float32{1, 2}), explain.Options{Threads: 1})
}

func db(signal, noise float64) float64 { return 10 * math.Log10(signal/noise) }

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 1e-9 {
		if got == nil {
			t.Errorf("%s is not known, want %v", what, want)
			return
		}
		t.Errorf("%s is %v, want %v", what, *got, want)
	}
}

func TestErrorsAreThoseWorkedOutByHand(t *testing.T) {
	for name, names := range map[string][]string{
		"same names":       {"HQ", "h_q", "HD", "h_d", "H", "h", "Y", "y"},
		"suffixes of QDQ":  {"HQ", "h_QuantizeLinear_Output", "HD", "h_DequantizeLinear_Output", "H", "h", "Y", "y"},
		"integer operator": {"HQ", "h_quantized", "HD", "h_back", "H", "h_inner", "Y", "y"},
		"names are gone":   {"HQ", "17", "HD", "18", "H", "16", "Y", "19"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := run(t, plain, strings.NewReplacer(names...).Replace(quantized))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Layers) != 2 || len(r.Unmatched) != 0 || r.Samples != 1 {
				t.Fatalf("layers %+v, unmatched %v", r.Layers, r.Unmatched)
			}
			first, second := r.Layers[0], r.Layers[1]
			if first.Node != "first" || first.Value != "h" || first.Op != "MatMul" || first.Precision != "int8 x int8" || second.Node != "second" {
				t.Errorf("layers %+v", r.Layers)
			}
			// h is (1.25, 2); the quantized layer gives (1, 2).
			near(t, "first alone", first.Alone.SQNR, db(5.5625, 0.0625))
			near(t, "first accumulated", first.Accumulated.SQNR, db(5.5625, 0.0625))
			near(t, "largest error", first.Alone.Max, 0.25)
			// y is (2.5, 2): exact from the right h, (2, 2) after the first layer.
			if second.Alone.SQNR != nil {
				t.Errorf("the second layer is exact alone, got %v dB", *second.Alone.SQNR)
			}
			near(t, "largest error of an exact layer", second.Alone.Max, 0)
			near(t, "second accumulated", second.Accumulated.SQNR, db(10.25, 0.25))
			near(t, "cosine", second.Accumulated.Cosine, 9/math.Sqrt(10.25*8))
		})
	}
}

// TestInputsThatCauseTheError: a product reads one factor with an error
// and the other without.
func TestInputsThatCauseTheError(t *testing.T) {
	float := `graph g
input x float32[1,2]
const half float32[] = [0.5]
a float32[1,2] = Sub(x, half) @a
b float32[1,2] = Add(x, half) @b
y float32[1,2] = Mul(a, b) @product
output y
`
	quant := `graph g
input x float32[1,2]
const half float32[] = [0.5]
const one float32[] = [1]
const zero int8[] = [0]
a float32[1,2] = Sub(x, half)
b float32[1,2] = Add(x, half)
aq int8[1,2] = QuantizeLinear(a, one, zero)
ad float32[1,2] = DequantizeLinear(aq, one, zero)
bq int8[1,2] = QuantizeLinear(b, half, zero)
bd float32[1,2] = DequantizeLinear(bq, half, zero)
y float32[1,2] = Mul(ad, bd)
output y
`
	r, err := run(t, float, quant)
	if err != nil {
		t.Fatal(err)
	}
	// a is (0.5, 1.5), read as (0, 2); b is (1.5, 2.5) and read exactly.
	l := r.Layers[2]
	near(t, "alone", l.Alone.SQNR, db(0.75*0.75+3.75*3.75, 0.75*0.75+1.25*1.25))
	want := []explain.Input{{Value: "a", Node: "a", Op: "Sub", Share: 1}, {Value: "b", Node: "b", Op: "Add", Share: 0}}
	if !slices.Equal(l.Inputs, want) {
		t.Errorf("inputs %+v, want %+v", l.Inputs, want)
	}
	// All of y's error is a's doing, which has one of its own: (0, 2) for (0.5, 1.5).
	wrong := (0.75*0.75 + 1.25*1.25) / (0.75*0.75 + 3.75*3.75)
	near(t, "what a causes", r.Layers[0].Causes, db(1, wrong+0.5/2.5))
	if r.Layers[1].Causes != nil || l.Causes != nil {
		t.Errorf("b causes %v, the product %v; want nothing", r.Layers[1].Causes, l.Causes)
	}
	if got := r.Layers[1]; got.Alone == nil || len(got.Inputs) != 0 {
		t.Errorf("layer %+v: want one with its own rounding and exact inputs", got)
	}
}

// TestClampInTheRangeOfIntegers: the float model limits h to 0 and above; the
// quantized one does that by integers that hold nothing below.
func TestClampInTheRangeOfIntegers(t *testing.T) {
	float := `graph g
input x float32[1,2]
const w float32[2,2] = [1 0 0 -1]
const v float32[2,2] = [1 0 0 1]
h float32[1,2] = MatMul(x, w) @first
r float32[1,2] = Relu(h) @limit
y float32[1,2] = MatMul(r, v) @second
output y
`
	quant := `graph g
input x float32[1,2]
const one float32[] = [1]
const zero uint8[] = [0]
const w float32[2,2] = [1 0 0 -1]
const v float32[2,2] = [1 0 0 1]
h float32[1,2] = MatMul(x, w)
hq uint8[1,2] = QuantizeLinear(h, one, zero)
hd float32[1,2] = DequantizeLinear(hq, one, zero)
y float32[1,2] = MatMul(hd, v)
output y
`
	r, err := run(t, float, quant)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Layers) != 2 || len(r.Unmatched) != 0 {
		t.Fatalf("layers %+v, unmatched %v", r.Layers, r.Unmatched)
	}
	l := r.Layers[0]
	if l.Node != "first" || l.Value != "r" || l.Nodes != 2 {
		t.Errorf("layer %+v, want first and limit together", l)
	}
	near(t, "largest error", l.Alone.Max, 0)
	near(t, "accumulated", l.Accumulated.Max, 0)
}

// TestNothingIsGuessed: two products of the same value cannot be told apart
// where their names are gone, nor what follows them.
func TestNothingIsGuessed(t *testing.T) {
	float := `graph g
input x float32[1,2]
const w float32[2,2] = [1 0 0 1]
const v float32[2,2] = [2 0 0 2]
a float32[1,2] = MatMul(x, w) @left
b float32[1,2] = MatMul(x, v) @right
c float32[1,2] = Sigmoid(a) @gate
y float32[1,2] = Mul(c, b) @join
z float32[1,2] = Tanh(b) @loose
output y
output z
`
	quant := `graph g
input x float32[1,2]
const one float32[] = [1]
const zero int8[] = [0]
const w float32[2,2] = [1 0 0 1]
const v float32[2,2] = [2 0 0 2]
xq int8[1,2] = QuantizeLinear(x, one, zero)
xd float32[1,2] = DequantizeLinear(xq, one, zero)
1 float32[1,2] = MatMul(xd, v)
2 float32[1,2] = MatMul(xd, w)
3 float32[1,2] = Sigmoid(2)
y float32[1,2] = Mul(3, 1)
4 float32[1,2] = Tanh(1)
output y
output 4
`
	r, err := run(t, float, quant)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Layers) != 1 || r.Layers[0].Value != "y" || r.Layers[0].Nodes != 4 {
		t.Errorf("layers %+v, want all up to y as one", r.Layers)
	}
	if len(r.Unmatched) != 1 || r.Unmatched[0] != "loose" {
		t.Errorf("unmatched %v, want loose", r.Unmatched)
	}
}

func TestRefuses(t *testing.T) {
	good := strings.NewReplacer("HQ", "hq", "HD", "hd", "H", "h", "Y", "y").Replace(quantized)
	for _, c := range []struct{ name, float, quant, want string }{
		{"the wrong way round", good, plain, "the float model is quantized itself"},
		{"nothing quantized", plain, plain, "holds no quantized values"},
		{"another input", plain, strings.ReplaceAll(strings.ReplaceAll(good, "input x ", "input other "), "(x,", "(other,"), `no input "x"`},
		{"another type", plain, strings.NewReplacer("input x float32[1,2]", "input x int8[1,2]", "xq int8[1,2] = QuantizeLinear(x, half, zero)\n", "", "(xq,", "(x,").Replace(good), "is float32 in the float model, int8 in the quantized one"},
		{"another network", "graph g\ninput x float32[1,2]\nout float32[1,2] = Tanh(x) @t\noutput out\n", good, "nothing is found"},
		{"another size", strings.NewReplacer("[2,2] = [2 0 0 1]", "[2,3] = [2 0 0 1 1 1]", "y float32[1,2]", "y float32[1,3]").Replace(plain), good, "do not belong together"},
	} {
		_, err := run(t, c.float, c.quant)
		if err == nil || !strings.Contains(noted(err), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, noted(err), c.want)
		}
	}
	none := func(func(runtime.Tensors, error) bool) {}
	if _, err := explain.Run(context.Background(), parse(t, plain), parse(t, good), none, explain.Options{}); err == nil || !strings.Contains(err.Error(), "no samples") {
		t.Errorf("error %v of no samples", err)
	}
}

// noted is an error with its notes.
func noted(err error) string {
	if err == nil {
		return ""
	}
	var e *diag.Error
	s := err.Error()
	if errors.As(err, &e) {
		s += "\n" + strings.Join(e.Notes, "\n")
	}
	return s
}

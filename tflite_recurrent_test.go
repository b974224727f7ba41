package octavo

import (
	"context"
	"errors"

	"fmt"
	"path/filepath"

	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// cellCase is a recurrent operator with a data input x [5,2,3] or, batch first,
// [2,5,3], four hidden cells, and each state as an input.
type cellCase struct {
	name, attrs               string // GRU, LSTM or RNN
	both, batchFirst          bool
	biased, states, peepholes bool
	batch                     int // 0: 2
}

// graph returns the operator with all of its outputs.
func (c cellCase) graph(t *testing.T) *ir.Graph {
	t.Helper()
	gates := map[string]int{"RNN": 1, "GRU": 3, "LSTM": 4}[c.name]
	d, b := 1, 2
	if c.batch > 0 {
		b = c.batch
	}
	if c.both {
		d = 2
	}
	x, state, every := fmt.Sprintf("5,%d,3", b), fmt.Sprintf("float32[%d,%d,4]", d, b), fmt.Sprintf("float32[5,%d,%d,4]", d, b)
	if c.batchFirst {
		x, state, every = fmt.Sprintf("%d,5,3", b), fmt.Sprintf("float32[%d,%d,4]", b, d), fmt.Sprintf("float32[%d,5,%d,4]", b, d)
	}
	consts := fmt.Sprintf("w float32[%d,%d,3]\nr float32[%d,%d,4]\nb float32[%d,%d]\np float32[%d,12]", d, 4*gates, d, 4*gates, d, 8*gates, d)
	in, out := []string{"x", "w", "r", "_", "_", "_", "_", "_"}, []string{"y " + every, "last " + state, "cell " + state}
	if c.biased {
		in[3] = "b"
	}
	if c.states {
		in[5], in[6] = "h", "c"
	}
	if c.peepholes {
		in[7] = "p"
	}
	n := 8
	if c.name != "LSTM" {
		n, out = 6, out[:2]
	}
	text := ""
	if c.states {
		text = fmt.Sprintf("input h %s\ninput c %[1]s\n", state)
	}
	text += fmt.Sprintf("%s = %s(%s) {hidden_size=4%s}\noutput last", strings.Join(out, ", "), c.name, strings.Join(in[:n], ", "), c.attrs)
	if n == 8 {
		text += "\noutput cell"
	}
	return liteGraph(t, x, consts, text)
}

// noisy runs a graph on noise and returns what it computes, by the outputs' order.
func noisy(t *testing.T, g *ir.Graph) []*tensor.Tensor {
	t.Helper()
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := runtime.Tensors{}
	for i, v := range g.Inputs {
		shape, ok := v.Shape.Ints()
		if !ok {
			t.Fatalf("input %s of shape %v", v.Name, v.Shape)
		}
		in[v.Name] = liteNoise(uint32(i+1), shape...)
	}
	out, err := p.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	var list []*tensor.Tensor
	for _, v := range g.Outputs {
		list = append(list, out[v.Name])
	}
	return list
}

// countOps counts the nodes of g with one of the operators named.
func countOps(g *ir.Graph, names ...string) (count int) {
	for _, n := range g.Nodes {
		if slices.Contains(names, n.Op.Name()) {
			count++
		}
	}
	return count
}

// TestUnrolledCells: the steps of a recurrent operator, and the TensorFlow Lite
// file that holds them, compute what it computes, to 1e-6 of the range.
func TestUnrolledCells(t *testing.T) {
	var cases []cellCase
	for _, name := range []string{"GRU", "RNN", "LSTM"} {
		for _, attrs := range []string{"", `, direction="reverse"`, `, direction="bidirectional"`} {
			for mask := range 16 {
				c := cellCase{name: name, attrs: attrs, both: strings.Contains(attrs, "bi"), batchFirst: mask&1 > 0, biased: mask&2 > 0, states: mask&4 > 0, batch: 1 + mask&2/2}
				if c.batchFirst {
					c.attrs += ", layout=1"
				}
				if mask&8 > 0 {
					switch name {
					case "GRU":
						c.attrs += ", linear_before_reset=1"
					case "LSTM":
						c.peepholes = true
					case "RNN":
						c.attrs += ", clip=0.25f"
					}
				}
				cases = append(cases, c)
			}
		}
	}
	cases = append(cases,
		cellCase{name: "GRU", attrs: `, clip=0.25f, activations=s["Relu" "Sigmoid"]`, states: true, biased: true},
		cellCase{name: "GRU", attrs: `, direction="bidirectional", activations=s["Sigmoid" "Relu" "sigmoid" "tanh"]`, both: true, states: true},
		cellCase{name: "LSTM", attrs: ", clip=0.25f", biased: true},
		cellCase{name: "LSTM", attrs: ", input_forget=1", states: true, peepholes: true},
		cellCase{name: "LSTM", attrs: `, activations=s["Sigmoid" "Relu" "Sigmoid"]`, states: true},
		cellCase{name: "RNN", attrs: `, activations=s["Relu"]`, states: true, biased: true},
	)
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s%s/%v%v%v%v", c.name, c.attrs, c.biased, c.states, c.peepholes, c.batch), func(t *testing.T) {
			g := c.graph(t)
			want := noisy(t, g)
			low, _ := g.Clone()
			if err := pass.Lower(low, pass.Form{Arithmetic: ir.TFLite, ChannelsLast: true}); err != nil {
				t.Fatal(err)
			}
			if k := countOps(low, "GRU", "RNN", "LSTM"); k > 0 {
				t.Errorf("%d recurrent operators are left", k)
			}
			got := noisy(t, low)
			for i := range want {
				sameNumbers(t, got[i], want[i])
			}
			back := lite(t, g)
			got = noisy(t, back)
			for i := range want {
				sameNumbers(t, got[i], want[i])
			}
		})
	}
}

// TestUnrolledStepsOfAnyBatch: the batch may have a name, which stays.
func TestUnrolledStepsOfAnyBatch(t *testing.T) {
	for _, c := range []cellCase{
		{name: "GRU", both: true, biased: true, batch: 6, attrs: `, direction="bidirectional"`},
		{name: "LSTM", batchFirst: true, biased: true, batch: 6, attrs: ", layout=1"},
	} {
		g := c.graph(t)
		want := noisy(t, g)
		free, _ := g.Clone()
		for _, v := range append(slices.Clone(free.Inputs), free.Outputs...) {
			for i, d := range v.Shape {
				if d.Is(6) {
					v.Shape[i] = op.Sym("batch")
				}
			}
		}
		back := lite(t, free)
		if _, fixed := back.Inputs[0].Shape.Ints(); fixed {
			t.Errorf("%s: data of %v, want a batch without a size", c.name, back.Inputs[0].Shape)
		}
		back.Inputs[0].Shape = g.Inputs[0].Shape.Clone()
		for i, y := range noisy(t, back) {
			sameNumbers(t, y, want[i])
		}
	}
}

// TestUnrolledWeights: weights stay as they are stored, for each form that a mode
// writes, and what is quantized as the model runs still is.
func TestUnrolledWeights(t *testing.T) {
	const tail = "\ninput h float32[1,2,4]\ninput c float32[1,2,4]\n"
	codes := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(i*37%255 - 127)
		}
		return "[" + strings.Join(list, " ") + "]"
	}
	halves := func(n int) string { return "#" + strings.Repeat("002e0036", n/2) } // 0.09375 and 0.375
	rows := "const ws float32[16] = " + "[" + strings.TrimSpace(strings.Repeat("0.01 0.02 0.005 0.008 ", 4)) + "]\nconst wz int8[16] = [" + strings.TrimSpace(strings.Repeat("0 ", 16)) + "]"
	for _, c := range []struct{ name, consts, nodes, op string }{
		{"float16", "const wh float16[1,16,3] = " + halves(48) + "\nconst rh float16[1,16,4] = " + halves(64),
			tail + "w float32[1,16,3] = Cast(wh) {to=\"float32\"}\nr float32[1,16,4] = Cast(rh) {to=\"float32\"}\ny float32[5,1,2,4], last float32[1,2,4], cell float32[1,2,4] = LSTM(x, w, r, _, _, h, c) {hidden_size=4}", "Cast"},
		{"a scale for each row", rows + "\nconst wq int8[1,16,3] = " + codes(48) + "\nconst rq int8[1,16,4] = " + codes(64),
			tail + "w float32[1,16,3] = DequantizeLinear(wq, ws, wz) {axis=1}\nr float32[1,16,4] = DequantizeLinear(rq, ws, wz) {axis=1}\ny float32[5,1,2,4], last float32[1,2,4], cell float32[1,2,4] = LSTM(x, w, r, _, _, h, c) {hidden_size=4}", "DequantizeLinear"},
		{"a scale for each direction", "const s float32[2] = [0.01 0.02]\nconst z int8[2] = [0 0]\nconst wq int8[2,12,3] = " + codes(72) + "\nconst rq int8[2,12,4] = " + codes(96),
			"w float32[2,12,3] = DequantizeLinear(wq, s, z) {axis=0}\nr float32[2,12,4] = DequantizeLinear(rq, s, z) {axis=0}\n" + `y float32[5,2,2,4], last float32[2,2,4] = GRU(x, w, r) {hidden_size=4, direction="bidirectional"}`, "DequantizeLinear"},
		{"a scale for each row of each direction", "const s float32[2,12,1] = [" + strings.TrimSpace(strings.Repeat("0.01 0.02 0.005 0.008 0.03 0.007 0.012 0.004 ", 3)) + "]\nconst wq int8[2,12,3] = " + codes(72) + "\nconst rq int8[2,12,4] = " + codes(96),
			"w float32[2,12,3] = DequantizeLinear(wq, s) {axis=2, block_size=3}\nr float32[2,12,4] = DequantizeLinear(rq, s) {axis=2, block_size=4}\n" + `y float32[5,2,2,4], last float32[2,2,4] = GRU(x, w, r) {hidden_size=4, direction="bidirectional"}`, "DequantizeLinear"},
		{"one scale and quantized as it runs", "const s float32[] = [0.01]\nconst z int8[] = [0]\nconst wq int8[1,16,3] = " + codes(48) + "\nconst rq int8[1,16,4] = " + codes(64),
			tail + "xq int8[5,2,3], xs float32[5,2,1], xz int8[5,2,1] = DynamicQuantize(x) {type=\"int8\", axis=-1, .tflite=1}\nxd float32[5,2,3] = DequantizeLinear(xq, xs, xz) {axis=-1, block_size=3}\n" +
				"w float32[1,16,3] = DequantizeLinear(wq, s, z)\nr float32[1,16,4] = DequantizeLinear(rq, s, z)\n" + `y float32[5,1,2,4], last float32[1,2,4], cell float32[1,2,4] = LSTM(xd, w, r, _, _, h, c) {hidden_size=4, .live_state="asymmetric"}`, "DynamicQuantize"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := liteGraph(t, "5,2,3", c.consts, strings.TrimPrefix(c.nodes, "\n")+"\noutput last")
			want := noisy(t, g)
			back := lite(t, g)
			if k := countOps(back, c.op); k < 2 {
				t.Errorf("%d %s in the file, want one for the data and one for the states at least", k, c.op)
			}
			for i, y := range noisy(t, back) {
				sameNumbers(t, y, want[i])
			}
		})
	}
}

// TestUnrollingRefuses: what is not written step by step is named, with the node
// and what would work.
func TestUnrollingRefuses(t *testing.T) {
	const w = "w float32[1,12,3]\nr float32[1,12,4]\n"
	for _, c := range []struct{ name, in, consts, nodes, what, hint string }{
		{"no length", "5,2,3", w, "y float32[5,1,2,4] = GRU(x, w, r) {hidden_size=4} @cell", "unknown number of steps", "--dim"},
		{"far too long", "900000000000,2,3", w, "y float32[900000000000,1,2,4] = GRU(x, w, r) {hidden_size=4} @cell", "900000000000 steps", "--dim"},
		{"too long", "400,2,3", w, "y float32[400,1,2,4] = GRU(x, w, r) {hidden_size=4} @cell", "400 steps", "--shape"},
		{"a function", "5,2,3", w, `y float32[5,1,2,4] = GRU(x, w, r) {hidden_size=4, activations=s["Softsign" "Tanh"]} @cell`, "Softsign", ".onnx"},
		{"lengths", "5,2,3", w + "const n int32[2] = [5 3]", "y float32[5,1,2,4] = GRU(x, w, r, _, n) {hidden_size=4} @cell", "lengths", "one length"},
		{"computed weights", "5,2,3", w + "v float32[1,12,3]", "u float32[1,12,3] = Add(w, v)\ny float32[5,1,2,4] = GRU(x, u, r) {hidden_size=4} @cell", "weights that are computed", "constants"},
		{"computed biases", "5,2,3", w + "v float32[1,24]", "u float32[1,24] = Add(v, v)\ny float32[5,1,2,4] = GRU(x, w, r, u) {hidden_size=4} @cell", "biases or peepholes that are computed", "constants"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := liteGraph(t, c.in, c.consts, c.nodes)
			if c.name == "no length" {
				g.Inputs[0].Shape[0], g.Outputs[0].Shape[0] = op.Sym("time"), op.Sym("time")
			}
			_, err := liteFile(g, format.EncodeOptions{})
			var ue *diag.UnsupportedError
			if !errors.As(err, &ue) || !strings.Contains(ue.Where, "cell") || !strings.Contains(ue.What, c.what) || !strings.Contains(ue.Hint, c.hint) {
				t.Errorf("%v, want an UnsupportedError of the node that says %q, and %q as what would work", err, c.what, c.hint)
			}
		})
	}
}

// TestGRUFixtureAsTFLite: the digits' GRU gives the fixture's answers from a file
// of floats, and of float16 up to what that rounds.
func TestGRUFixtureAsTFLite(t *testing.T) {
	needFixtures(t)
	dir := filepath.Join(fixtures, "digits_gru")
	x, want := readArray(t, filepath.Join(dir, "inputs.npy")), tensor.Data[float32](readArray(t, filepath.Join(dir, "outputs.npy")))
	for _, file := range []string{"digits_gru.op13.onnx", "digits_gru.dynamo.onnx"} {
		for mode, part := range map[Mode]float64{"": 1e-5, Float16: 1e-2} {
			t.Run(file+string(mode), func(t *testing.T) {
				m := open(t, filepath.Join(dir, file))
				q, err := Convert(m, Conversion{Simplify: true})
				if mode != "" {
					q, err = Quantize(context.Background(), m, Recipe{Mode: mode, Target: "litert"})
				}
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(t.TempDir(), "model.tflite")
				if err := q.Save(path); err != nil {
					t.Fatal(err)
				}
				back := open(t, path)
				if mode == Float16 && countOps(back.graph, "Cast") < 2 {
					t.Error("weights are not float16")
				}
				got := tensor.Data[float32](liteRun(t, back.graph, x))
				closeTo(t, got, want, part)
				for i := 0; i < len(want); i += 10 {
					if largest(got[i:i+10]) != largest(want[i:i+10]) {
						t.Errorf("picture %d is another digit", i/10)
					}
				}
			})
		}
	}
}

// largest returns the index of the largest element.
func largest(v []float32) int { return slices.Index(v, slices.Max(v)) }

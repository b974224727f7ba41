package octavo

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

const lstmConstants = "w float32[1,16,3]\nr float32[1,16,4]\nb float32[1,32]\n"

// fromZeros runs a graph on x, all other inputs, its states, being zeros.
func fromZeros(t *testing.T, g *ir.Graph, x *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := runtime.Tensors{g.Inputs[0].Name: x}
	for _, v := range g.Inputs[1:] {
		shape, ok := v.Shape.Ints()
		if !ok {
			t.Fatalf("state %s of shape %v", v.Name, v.Shape)
		}
		in[v.Name] = tensor.New(v.Type, shape...)
	}
	out, err := p.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out[g.Outputs[0].Name]
}

// TestWritingTFLiteLSTM writes LSTMs of each form and reads them back: they
// compute the same, to 1e-6 of the range, from states of zeros.
func TestWritingTFLiteLSTM(t *testing.T) {
	both := strings.ReplaceAll(lstmConstants, "[1,", "[2,")
	for _, c := range []struct{ name, consts, nodes string }{
		{"forward", lstmConstants, "y float32[5,1,2,4] = LSTM(x, w, r, b) {hidden_size=4}"},
		{"without biases", "w float32[1,16,3]\nr float32[1,16,4]", "y float32[5,1,2,4] = LSTM(x, w, r) {hidden_size=4}"},
		{"backward", lstmConstants, `y float32[5,1,2,4] = LSTM(x, w, r, b) {hidden_size=4, direction="reverse"}`},
		{"both ways with peepholes", both + "p float32[2,12]", `y float32[5,2,2,4] = LSTM(x, w, r, b, _, _, _, p) {hidden_size=4, direction="bidirectional"}`},
		{"last outputs", lstmConstants, "a float32[5,1,2,4], y float32[1,2,4] = LSTM(x, w, r, b) {hidden_size=4}"},
		{"last outputs both ways", both, `a float32[5,2,2,4], y float32[2,2,4] = LSTM(x, w, r, b) {hidden_size=4, direction="bidirectional"}`},
		{"zeros of a computed shape", lstmConstants + "const n int64[3] = [1 2 4]",
			"z float32[1,2,4] = ConstantOfShape(n)\ny float32[5,1,2,4] = LSTM(x, w, r, b, _, z, z) {hidden_size=4}"},
		{"lengths that are all", lstmConstants + "const n int32[2] = [5 5]", "y float32[5,1,2,4] = LSTM(x, w, r, b, n) {hidden_size=4}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := liteGraph(t, "5,2,3", c.consts, c.nodes)
			back := lite(t, g)
			cells := 0
			for _, n := range back.Nodes {
				if _, ok := n.Op.(*op.LSTM); ok {
					cells++
				}
			}
			if cells == 0 || len(back.States) != 2*cells {
				t.Errorf("%d LSTMs with %d states, want two for each", cells, len(back.States))
			}
			x := liteNoise(1, 5, 2, 3)
			sameNumbers(t, fromZeros(t, back, x), fromZeros(t, g, x))
		})
	}
}

// TestWritingTFLiteLSTMRefuses: what neither the format can say of an LSTM nor
// steps do is named.
func TestWritingTFLiteLSTMRefuses(t *testing.T) {
	for _, c := range []struct{ name, consts, nodes, want string }{
		{"lengths", lstmConstants + "const n int32[2] = [5 3]", "y float32[5,1,2,4] = LSTM(x, w, r, b, n) {hidden_size=4}", "lengths of sequences"},
		{"other functions", lstmConstants, `y float32[5,1,2,4] = LSTM(x, w, r, b) {hidden_size=4, activations=s["Sigmoid" "Tanh" "Softsign"]}`, "Softsign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := liteFile(liteGraph(t, "5,2,3", c.consts, c.nodes), format.EncodeOptions{})
			var ue *diag.UnsupportedError
			if !errors.As(err, &ue) || !strings.Contains(err.Error(), c.want) || ue.Hint == "" {
				t.Errorf("%v, want an UnsupportedError that says %q and what would work", err, c.want)
			}
		})
	}
}

// TestTFLiteLSTMPrecisions writes an LSTM network in each precision and reads it:
// it gives the same, and weights are stored and data quantized as they should be.
func TestTFLiteLSTMPrecisions(t *testing.T) {
	needFixtures(t)
	in := readArray(t, filepath.Join(fixtures, "digits_lstm", "inputs.npy"))
	x := tensor.FromSlice(tensor.Data[float32](in)[:in.Len()/in.Shape()[0]], append([]int{1}, in.Shape()[1:]...)...)
	for _, c := range []struct {
		mode   Mode
		stored dtype.Type // of which there are constants, beside floats
		live   int
		hybrid bool
	}{{"", dtype.Float32, 0, false}, {Dynamic, dtype.Int8, 2, true}} {
		t.Run(string(c.mode), func(t *testing.T) {
			m := open(t, filepath.Join(fixtures, "digits_lstm", "digits_lstm.op13.onnx"))
			q, err := Convert(m, Conversion{Simplify: true})
			if c.mode != "" {
				q, err = Quantize(context.Background(), m, Recipe{Mode: c.mode, Target: "litert"})
			}
			if err != nil {
				t.Fatal(err)
			}
			low, _ := q.graph.Clone()
			if err := pass.Lower(low, pass.Form{Arithmetic: ir.TFLite, ChannelsLast: true}); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "model.tflite")
			if err := q.Save(path); err != nil {
				t.Fatal(err)
			}
			back := open(t, path)
			closeTo(t, tensor.Data[float32](fromZeros(t, back.graph, x)), tensor.Data[float32](liteRun(t, low, x)), 1e-5)
			stored, live := storedIn(back.graph)
			if stored[c.stored] == 0 || live != c.live {
				t.Errorf("constants by type: %v, want %v; %d values are quantized as the model runs, want %d", stored, c.stored, live, c.live)
			}
			for _, n := range back.graph.Nodes {
				if o, ok := n.Op.(*op.LSTM); ok && (o.LiveState == "asymmetric") != c.hybrid {
					t.Errorf("%s: states are quantized as %q", n.Label(), o.LiveState)
				}
			}
		})
	}
}

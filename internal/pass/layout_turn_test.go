package pass

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestTurnedOperatorsKeepBits evaluates every case of an operator that can be
// turned as it is and turned, on its own data and on random data, and compares
// every bit.
func TestTurnedOperatorsKeepBits(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	turnedOps := map[string]bool{}
	for _, c := range optest.All() {
		for _, random := range []bool{false, true} {
			n, in := nodeOf(r, c, random)
			if bothWays(t, c.Name, n, in) {
				turnedOps[n.Op.Name()] = true
			}
		}
	}
	t.Logf("%d operators", len(turnedOps))
	if len(turnedOps) < 20 {
		t.Errorf("%d operators were turned, want 20 at least", len(turnedOps))
	}
}

// bothWays evaluates a node as it is and turned, compares every bit, and reports
// whether it could be turned and evaluated.
func bothWays(t *testing.T, name string, n *ir.Node, in []*tensor.Tensor) bool {
	t.Helper()
	there, back := turnedEquals(t, name, way{}, n, in), turnedEquals(t, name, way{back: true}, n, in)
	return there || back
}

func turnedEquals(t *testing.T, name string, w way, n *ir.Node, in []*tensor.Tensor) bool {
	t.Helper()
	turn := w.turnOf(n)
	if turn == nil {
		return false
	}
	want, err := n.Op.(op.Evaluator).Eval(op.Of(in...))
	if err != nil {
		return false
	}
	moved := slices.Clone(in)
	for _, i := range turn.data {
		if moved[i], err = w.permuted(in[i], turn.rank); err != nil {
			t.Fatal(err)
		}
	}
	for i, l := range turn.lists {
		for len(moved) <= i {
			moved = append(moved, nil)
		}
		moved[i] = l
	}
	got, err := turn.op.(op.Evaluator).Eval(op.Of(moved...))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	for i, v := range n.Out {
		if v == nil || want[i].Tensor == nil {
			continue
		}
		y := got[i].Tensor
		if turn.turns(v) {
			y = tensor.Permute(y, w.inverse(len(v.Shape)))
		}
		if err := optest.Compare(y, want[i].Tensor, 0); err != nil {
			t.Errorf("%s, output %d: %v", name, i, err)
		}
	}
	return true
}

// TestOperatorsAreTurned evaluates operators with all kinds of attributes on
// data [2, 8, 4, 5] as they are and turned.
func TestOperatorsAreTurned(t *testing.T) {
	const head = `graph g
input a float32[2,8,4,5]
const eight float32[8] = [1 2 0.5 -1 3 0.25 -2 1.5]
const other float32[8] = [0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8]
const signs bool[8,1,1] = [1 0 1 1 0 0 1 0]
const pads int64[8] = [0 1 1 2 0 0 2 1]
const two int64[2] = [2 3]
const three int64[3] = [0 2 3]
const one int64[1] = [1]
const minus int64[1] = [-2]
const none int64[1] = [0]
const end int64[1] = [3]
const four int64[4] = [2 8 4 5]
const tiles int64[4] = [1 2 1 3]
const pick int64[3] = [3 0 3]
const scales float32[4] = [1 1 1.5 2]
const sizes int64[4] = [2 8 7 3]
const zeros uint8[8] = [1 2 3 4 5 6 7 8]
const scale float32[8] = [0.1 0.2 0.1 0.3 0.1 0.2 0.1 0.2]
const grid float32[2,3,2,2] = [0 0.5 -0.5 1 0.25 -1 0.75 0 1 1 -1 -1 0 0.5 -0.5 1 0.25 -1 0.75 0 1 1 -1 0.1]
`
	r := rand.New(rand.NewPCG(9, 9))
	for _, node := range []string{
		"Relu(a)", "Sigmoid(a)", "Neg(a)", "PRelu(a, signsf)", "Mul(a, a)", "Sub(signsf, a)", "Where(signs, a, x1)", "Max(a, signsf, a)",
		"Softmax(a) {axis=1}", "Softmax(a) {axis=2}", "LogSoftmax(a) {axis=-3}", "Hardmax(a) {axis=1}", "LpNormalization(a) {axis=1}", "ArgMax(a) {axis=1}", "ArgMin(a) {axis=1, keepdims=0}", "ArgMax(a) {axis=3}",
		"Concat(a, a) {axis=1}", "Concat(a, a) {axis=-1}", "Gather(a, pick) {axis=1}", "Gather(a, pick) {axis=2}",
		"Pad(a, pads)", `Pad(a, pads) {mode="edge"}`, `Pad(a, pads) {mode="wrap"}`, "Slice(a, none, end)", "Slice(a, one, end, minus)", "Tile(a, tiles)", "Expand(a, four)",
		`Resize(a, _, scales) {mode="linear"}`, `Resize(a, _, scales) {mode="cubic"}`, "Resize(a, _, scales)", `Resize(a, _, _, sizes) {mode="linear", antialias=1}`,
		"ReduceSum(a, one)", "ReduceSum(a, two)", "ReduceMean(a, two) {keepdims=0}", "ReduceMean(a, three)", "ReduceL2(a, one) {keepdims=0}", "ReduceLogSumExp(a, minus)", "ReduceMax(a, two) {keepdims=0}",
		"BatchNormalization(a, eight, other, other, scale)", "InstanceNormalization(a, eight, other)", "GroupNormalization(a, eight, other) {num_groups=2}", "LRN(a) {size=3}",
		"MaxPool(a) {kernel_shape=i[2 3], strides=i[1 2], pads=i[1 1 0 1]}", "AveragePool(a) {kernel_shape=i[3 2], pads=i[1 1 1 0], count_include_pad=1}", "LpPool(a) {kernel_shape=i[2 2], p=3}",
		"GlobalAveragePool(a)", "GlobalMaxPool(a)", "GlobalLpPool(a)", "DepthToSpace(a) {blocksize=2}", `DepthToSpace(a) {blocksize=2, mode="CRD"}`, "GridSample(a, grid)",
		"QuantizeLinear(a, scale, zeros) {axis=1}", "Dropout(a)", "Clip(a, low)",
	} {
		text := head + "const signsf float32[8,1,1] = [1 0 1 -1 0 2 1 0.5]\nconst x1 float32[1,8,4,1] = [" + strings.Repeat("0.5 -1 2 0.25 ", 8) + "]\nconst low float32[] = [-0.5]\n"
		g := inferred(t, text+"y ?[...] = "+node+"\noutput y\n")
		x := make([]float32, 2*8*4*5)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		var in []*tensor.Tensor
		for _, v := range g.Nodes[0].In {
			switch {
			case v == nil:
				in = append(in, nil)
			case v.Const != nil:
				in = append(in, v.Const)
			default:
				in = append(in, tensor.FromSlice(x, 2, 8, 4, 5))
			}
		}
		if !bothWays(t, node, g.Nodes[0], in) {
			t.Errorf("%s cannot be turned", node)
		}
	}
}

// nodeOf returns a node for a case, its first operand computed, those of a
// float type too, with random data if asked for.
func nodeOf(r *rand.Rand, c optest.Case, random bool) (*ir.Node, []*tensor.Tensor) {
	n, in := &ir.Node{Op: c.Op}, slices.Clone(c.In)
	facts := make([]op.Fact, len(in))
	for i, x := range in {
		if x == nil {
			n.In = append(n.In, nil)
			continue
		}
		data := i == 0 || x.Type() == dtype.Float32 && x.Rank() >= 3
		if random && data && x.Type() == dtype.Float32 && !strings.HasPrefix(c.Name, "Quantize") {
			v := make([]float32, x.Len())
			for k := range v {
				v[k] = float32(r.NormFloat64())
			}
			x = tensor.FromSlice(v, x.Shape()...)
			in[i] = x
		}
		v := ir.NewConst("", x)
		if data {
			v = &ir.Value{Fact: op.TensorFact(x.Type(), op.Known(x.Shape()...))}
		}
		n.In, facts[i] = append(n.In, v), v.Fact
	}
	out, err := c.Op.Infer(facts, len(c.Want))
	for i := range c.Want {
		v := &ir.Value{}
		if err == nil && i < len(out) {
			v.Fact = out[i]
		}
		n.Out = append(n.Out, v)
	}
	if len(n.Out) == 0 {
		n.Out = []*ir.Value{{}}
	}
	return n, in
}

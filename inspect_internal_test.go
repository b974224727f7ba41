package octavo

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestHard: channels are told apart along either axis, and weights behind the
// bound are counted, not read.
func TestHard(t *testing.T) {
	x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(1, 2))}
	g := &ir.Graph{Name: "g", Inputs: []*ir.Value{x}}
	for i, w := range [][]float32{{1, -100, 0.5, 2}, {1, 2, -100, 3}, {1, 2, 3, 4}} {
		gemm := op.New[op.Gemm]()
		gemm.TransB = i == 1 // channels are rows there
		y := &ir.Value{Name: "y" + string(rune('0'+i))}
		g.Nodes = append(g.Nodes, &ir.Node{Name: "layer" + string(rune('0'+i)), Op: gemm, Out: []*ir.Value{y},
			In: []*ir.Value{x, ir.NewConst("w"+string(rune('0'+i)), tensor.FromSlice(w, 2, 2))}})
	}
	for _, tt := range []struct {
		most          int64
		lines, unread int
	}{{48, 2, 0}, {47, 2, 1}, {16, 1, 2}, {0, 0, 3}} {
		lines, unread, err := hard(g, tt.most)
		if err != nil || len(lines) != tt.lines || unread != tt.unread {
			t.Errorf("%d bytes: %q and %d unread (%v), want %d and %d", tt.most, lines, unread, err, tt.lines, tt.unread)
		}
	}
	lines, _, err := hard(g, 48)
	if err != nil || !strings.Contains(lines[0], "layer0") || !strings.Contains(lines[0], "100-fold") || !strings.Contains(lines[1], "50-fold") {
		t.Errorf("%q, %v", lines, err)
	}
}

// TestPrecisionMap: limits belong to what they limit, and behind a conversion that
// is an operator of its own are floats.
func TestPrecisionMap(t *testing.T) {
	g, err := ir.Parse(`graph g
input x int8[1,2]
const s float32[] = [0.1]
const w int8[2,2] = [1 2 3 4]
d float32[1,2] = DequantizeLinear(x, s)
v float32[2,2] = DequantizeLinear(w, s)
m float32[1,2] = MatMul(d, v)
r float32[1,2] = Relu(m)
q int8[1,2] = QuantizeLinear(r, s)
e float32[1,2] = DequantizeLinear(q, s)
f float32[1,2] = Sigmoid(e)
a float32[1,2] = DequantizeLinear(q, s) {.apart=1}
y float32[1,2] = Neg(a)
output f
output y
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []ComputeInfo{{"float32", "Neg", 1}, {"int8", "Sigmoid", 1}, {"int8, weights int8", "MatMul", 1}}
	if got := precisionMap(g); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

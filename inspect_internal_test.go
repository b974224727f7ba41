package octavo

import (
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

package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Edge says how an input or output of a file differs from the one that it
// stands for in the model the file was made from.
type Edge struct {
	Value string
	// Params map its integers to what they stand for; the zero Params where
	// the type is the same. QuantizeEdges reads the Type and fills in the rest.
	Params affine.Params
	// ChannelsLast says that its axis 1 was put last.
	ChannelsLast bool
	// ChannelsFirst says that its last axis was put at 1, and As what it is
	// called in the model, where that is another name. RestoreEdges alone reads
	// them.
	ChannelsFirst bool
	As            string
}

// turned reports whether the axes have another order.
func (e Edge) turned() bool { return e.ChannelsLast || e.ChannelsFirst }

// toFile and toModel are the orders of axes that turn the model's value into the
// file's and back.
func (e Edge) toFile(rank int) []int {
	if e.ChannelsLast {
		return firstLast(rank)
	}
	return lastFirst(rank)
}

func (e Edge) toModel(rank int) []int {
	if e.ChannelsLast {
		return lastFirst(rank)
	}
	return firstLast(rank)
}

// edges is what a quantized graph goes through where its inputs and outputs are
// to differ from the model's, in this order.
var edges = []struct {
	Name string
	Run  func(*ir.Graph, []Edge) (bool, error)
}{
	{"quantize_edges", QuantizeEdges}, // a Q must read the input itself
	{"transpose_edges", TransposeEdges},
}

// WriteEdges gives the inputs and outputs of g the types and layouts of list,
// and fills in the parameters there. It is no part of Prepare: what the edges
// are is the user's wish. RestoreEdges takes it back.
func WriteEdges(g *ir.Graph, list []Edge) error {
	for _, p := range edges {
		if _, err := p.Run(g, list); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return ir.Infer(g)
}

// edgeOf returns the input or output that e is of.
func edgeOf(g *ir.Graph, e Edge) (v *ir.Value, input bool, err error) {
	for _, v := range g.Inputs {
		if v.Name == e.Value {
			if g.IsOutput(v) {
				return nil, true, fmt.Errorf("value %q is an input and an output at once", e.Value)
			}
			return v, true, nil
		}
	}
	for _, v := range g.Outputs {
		if v.Name == e.Value && v.Const == nil {
			return v, false, nil
		}
	}
	return nil, false, fmt.Errorf("value %q is no input and no computed output", e.Value)
}

// edgeParams returns the nodes' view of parameters with one scale.
func edgeParams(names *ir.Namer, base string, p affine.Params) []*ir.Value {
	return []*ir.Value{
		ir.NewConst(names.Name(base+"_scale"), tensor.FromSlice(p.Scale)),
		ir.NewConst(names.Name(base+"_zero_point"), tensor.FromInts(p.Type, []int64{p.Zero(0)})),
	}
}

// quantizeNode returns y = QuantizeLinear(x) for params as nodes see them.
func quantizeNode(names *ir.Namer, x, y *ir.Value, params []*ir.Value) *ir.Node {
	return &ir.Node{Name: names.Name(y.Name + "_QuantizeLinear"), Op: op.New[op.QuantizeLinear](), In: append([]*ir.Value{x}, params...), Out: []*ir.Value{y}}
}

// dequantizeNode returns y = DequantizeLinear(x).
func dequantizeNode(names *ir.Namer, x, y *ir.Value, params []*ir.Value) *ir.Node {
	return &ir.Node{Name: names.Name(x.Name + "_DequantizeLinear"), Op: op.New[op.DequantizeLinear](), In: append([]*ir.Value{x}, params...), Out: []*ir.Value{y}}
}

// transposeNode returns y = Transpose(x).
func transposeNode(names *ir.Namer, x, y *ir.Value, perm []int) *ir.Node {
	o := op.New[op.Transpose]()
	o.Perm = perm
	return &ir.Node{Name: names.Name(y.Name + "_Transpose"), Op: o, In: []*ir.Value{x}, Out: []*ir.Value{y}}
}

// produce makes the node that computed old compute v instead.
func produce(n *ir.Node, old, v *ir.Value) {
	for i, o := range n.Out {
		if o == old {
			n.Out[i] = v
		}
	}
}

// floatFact is the fact of what integers of that shape stand for.
func floatFact(v *ir.Value) op.Fact { return op.TensorFact(dtype.Float32, v.Shape.Clone()) }

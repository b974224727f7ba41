package runtime

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/lut"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// tabled is a sum or product of bytes whose operands are one tensor and a
// function of it: a function of one byte.
type tabled struct {
	op.Op
	table *[256]byte
}

// Infer returns the operand's shape in the type of the result.
func (t *tabled) Infer(in []op.Fact, _ int) ([]op.Fact, error) {
	return []op.Fact{op.TensorFact(t.Op.(*op.Quantized).Out[0].Type, in[0].Shape)}, nil
}

// Eval looks every byte up.
func (t *tabled) Eval(in []op.Datum) ([]op.Datum, error) {
	y := tensor.New(t.Op.(*op.Quantized).Out[0].Type, in[0].Tensor.Shape()...)
	lut.Apply(y.Bytes(), in[0].Tensor.Bytes(), t.table)
	return op.Of(y), nil
}

// fuseTables joins sums and products of integers, x·sigmoid(x) for one, to the
// function that makes one operand of the other, where only they read it.
func fuseTables(g *ir.Graph, keep map[string]bool) error {
	prod, uses := g.Producers(), g.Uses()
	gone := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		q, ok := n.Op.(*op.Quantized)
		if !ok {
			continue
		}
		switch q.Inner.(type) {
		case *op.Add, *op.Mul:
		default:
			continue
		}
		for i, y := range n.In {
			x, p := n.In[1-i], prod[y]
			if x == nil || p == nil || len(uses[y]) != 1 || g.IsOutput(y) || keep[y.Name] || keep[x.Name] || len(p.In) != 1 || p.In[0] != x {
				continue
			}
			f, ok := p.Op.(*op.Quantized)
			if !ok {
				continue
			}
			first, ok, err := f.Table()
			if err != nil {
				return err
			}
			if !ok || q.Out[0].Type.Bits() != 8 || q.In[1-i].Type != x.Type {
				continue
			}
			operands := []*tensor.Tensor{tensor.New(x.Type, 256), tensor.New(x.Type, 256)}
			operands[i] = tensor.New(y.Type, 256)
			for b := range first {
				operands[1-i].Bytes()[b], operands[i].Bytes()[b] = byte(b), first[b]
			}
			out, err := q.Eval(op.Of(operands...))
			if err != nil {
				return err
			}
			res := out[0].Tensor.Bytes()
			n.Op, n.In = &tabled{q, lut.Build(func(b byte) byte { return res[b] })}, []*ir.Value{x}
			gone[p] = true
			break
		}
	}
	kept := g.Nodes[:0]
	for _, n := range g.Nodes {
		if !gone[n] {
			kept = append(kept, n)
		}
	}
	g.Nodes = kept
	return nil
}

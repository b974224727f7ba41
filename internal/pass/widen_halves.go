package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// halfKept are the operators, beside those that move elements, that handle 16
// bits as they are.
var halfKept = []string{
	"Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "DynamicQuantize", "DynamicQuantizeLinear", "MatMulNBits", "Where", "Concat",
	"Expand", "Tile", "Identity", "ConstantOfShape", "Constant", "If", "Loop", "Scan",
}

// WidenHalves computes in float32 what is float16 or bfloat16, and rounds each
// result, which is what those operators mean: kernels know float32.
//
// Before: y = MatMul(x, w), 16 bits
// After:  y = Cast(MatMul(Cast(x), w′))
//
// Constants are widened once. Bits stay.
func WidenHalves(g *ir.Graph) error {
	half := func(v *ir.Value) bool {
		return v != nil && v.Kind == op.TensorKind && (v.Type == dtype.Float16 || v.Type == dtype.BFloat16)
	}
	names := ir.NewNamer(g)
	wide := map[*ir.Value]*ir.Value{}
	var out []*ir.Node
	convert := func(from, to *ir.Value, t dtype.Type) {
		c := op.New[op.Cast]()
		c.To = t
		out = append(out, &ir.Node{Name: names.Name(to.Name + "_Cast"), Op: c, In: []*ir.Value{from}, Out: []*ir.Value{to}})
	}
	changed := false
	for _, n := range g.Nodes {
		_, evaluates := n.Op.(op.Evaluator)
		q, quantizable := n.Op.(op.Quantizable)
		if !evaluates || quantizable && q.Quantization().Moves || slices.Contains(halfKept, n.Op.Name()) || !slices.ContainsFunc(n.In, half) {
			out = append(out, n)
			continue
		}
		changed = true
		for i, v := range n.In {
			if !half(v) {
				continue
			}
			w := wide[v]
			if w == nil {
				if v.Const != nil {
					t, err := op.Convert(v.Const, dtype.Float32)
					if err != nil {
						return err
					}
					w = ir.NewConst(names.Name(v.Name+"_float32"), t)
				} else {
					w = &ir.Value{Name: names.Name(v.Name + "_float32"), Fact: op.TensorFact(dtype.Float32, v.Shape.Clone())}
					convert(v, w, dtype.Float32)
				}
				wide[v] = w
			}
			n.In[i] = w
		}
		out = append(out, n)
		for i, v := range n.Out {
			if half(v) {
				n.Out[i] = &ir.Value{Name: names.Name(v.Name + "_unrounded"), Fact: op.TensorFact(dtype.Float32, v.Shape.Clone())}
				convert(n.Out[i], v, v.Type)
			}
		}
	}
	if !changed {
		return nil
	}
	g.Nodes = out
	return ir.Infer(g)
}

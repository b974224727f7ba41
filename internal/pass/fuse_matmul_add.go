package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// FuseMatMulAdd makes a Gemm of a matrix product and the bias added to it.
//
// Before: y = Add(MatMul(a, B), c)    After: y = Gemm(a, B, c)
//
// Conditions: a and B are matrices, B and c are constant, c is one row of B's
// columns; nothing else reads the product. Bits stay: Gemm accumulates as
// MatMul and adds the bias last.
func FuseMatMulAdd(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	changed := false
	for i, n := range g.Nodes {
		if _, ok := n.Op.(*op.Add); !ok {
			continue
		}
		bias, prod, ok := operands(n, func(v *ir.Value) bool {
			// One row of a 2-D product; a scalar or column is another matter.
			return v.Const != nil && len(v.Shape) >= 1 && len(v.Shape) <= 2 && (len(v.Shape) == 1 || v.Shape[0].Is(1))
		})
		if !ok || !m.only(prod) {
			continue
		}
		mm, _, ok := from[*op.MatMul](m, prod)
		if !ok || len(mm.In[0].Shape) != 2 || mm.In[1].Const == nil || len(mm.In[1].Shape) != 2 || !mm.In[0].Type.IsFloat() {
			continue
		}
		columns := bias.Shape[len(bias.Shape)-1]
		if !columns.Same(mm.In[1].Shape[1]) {
			continue
		}
		in := []*ir.Value{mm.In[0], mm.In[1], bias}
		if len(bias.Shape) == 2 {
			flat, err := bias.Const.Reshape(bias.Const.Shape()[1])
			if err != nil {
				return changed, err
			}
			in[2] = ir.NewConst(ir.NewNamer(g).Name(bias.Name+"_row"), flat)
		}
		g.Nodes[i] = &ir.Node{Name: mm.Name, Op: op.New[op.Gemm](), In: in, Out: n.Out, Origin: mm.Origin}
		mm.Out = nil
		changed = true
		m = newMatcher(g)
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return len(n.Out) == 0 })
	return changed, nil
}

// FuseRowBiases makes a Gemm over rows of a product of data of more than two axes
// and the bias added to it, for who adds biases inside of products alone, as
// FULLY_CONNECTED of TensorFlow Lite does.
//
// Before: y = Add(MatMul(a, B), c)
// After:  y = Reshape(Gemm(Reshape(a, [-1, k]), B, c), shape of y)
//
// Conditions: those of [FuseMatMulAdd] but for a's rank; at most one of its
// leading sizes is unknown. Products of the same data share its rows.
func FuseRowBiases(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	names := ir.NewNamer(g)
	rows := map[*ir.Value]*ir.Value{}
	var gone []*ir.Node
	var nodes []*ir.Node
	reshape := func(x *ir.Value, to []int, y *ir.Value) {
		shape := ir.NewConst(names.Name(y.Name+"_shape"), list(to))
		nodes = append(nodes, &ir.Node{Name: names.Name(y.Name + "_Reshape"), Op: op.New[op.Reshape](), In: []*ir.Value{x, shape}, Out: []*ir.Value{y}})
	}
	for _, n := range g.Nodes {
		mm, bias, leading, ok := m.rowBias(n)
		if !ok {
			nodes = append(nodes, n)
			continue
		}
		k, _ := mm.In[1].Shape[0].Int()
		columns, _ := mm.In[1].Shape[1].Int()
		x, y := mm.In[0], n.Out[0]
		if rows[x] == nil {
			rows[x] = &ir.Value{Name: names.Name(x.Name + "_rows"), Fact: op.TensorFact(x.Type, nil)}
			reshape(x, []int{-1, k}, rows[x])
		}
		product := &ir.Value{Name: names.Name(y.Name + "_rows"), Fact: op.TensorFact(y.Type, nil)}
		nodes = append(nodes, &ir.Node{Name: mm.Name, Op: op.New[op.Gemm](), In: []*ir.Value{rows[x], mm.In[1], bias}, Out: []*ir.Value{product}, Origin: mm.Origin})
		reshape(product, append(leading, columns), y)
		gone = append(gone, mm)
	}
	if gone == nil {
		return false, nil
	}
	g.Nodes = slices.DeleteFunc(nodes, func(n *ir.Node) bool { return slices.Contains(gone, n) })
	return true, ir.Infer(g)
}

// rowBias returns the product of an Add of a bias to rows, the bias, and the
// sizes before the rows, -1 for one that is not known.
func (m *matcher) rowBias(n *ir.Node) (mm *ir.Node, bias *ir.Value, leading []int, ok bool) {
	if _, add := n.Op.(*op.Add); !add {
		return nil, nil, nil, false
	}
	bias, prod, ok := operands(n, func(v *ir.Value) bool { return v.Const != nil && len(v.Shape) == 1 })
	if !ok || !m.only(prod) {
		return nil, nil, nil, false
	}
	mm, _, ok = from[*op.MatMul](m, prod)
	if !ok || mm.In[1].Const == nil || len(mm.In[1].Shape) != 2 || len(mm.In[0].Shape) < 3 || !mm.In[0].Type.IsFloat() || !bias.Shape[0].Same(mm.In[1].Shape[1]) {
		return nil, nil, nil, false
	}
	unknown := 0
	for _, d := range mm.In[0].Shape[:len(mm.In[0].Shape)-1] {
		k, known := d.Int()
		if !known {
			k = -1
			unknown++
		}
		leading = append(leading, k)
	}
	return mm, bias, leading, unknown < 2 && !slices.Contains(leading, 0)
}

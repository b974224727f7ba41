package octavo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// ComputeInfo counts the operators that compute on one precision.
type ComputeInfo struct {
	Precision string `json:"precision"`
	Op        string `json:"op"`
	Count     int    `json:"count"`
}

// precisionMap counts what operators compute on, in bodies too: those that only
// move numbers or convert them, those on integers by nature, and those whose
// bodies compute are left out.
func precisionMap(g *ir.Graph) []ComputeInfo {
	out := []ComputeInfo{}
	var count func(g *ir.Graph)
	count = func(g *ir.Graph) {
		prod := g.Producers()
		for _, n := range g.Nodes {
			for _, b := range n.Bodies {
				count(b)
			}
			p := precisionOf(n, prod)
			if p == "" || len(n.Bodies) > 0 {
				continue
			}
			i := slices.IndexFunc(out, func(c ComputeInfo) bool { return c.Precision == p && c.Op == n.Op.Name() })
			if i < 0 {
				i = len(out)
				out = append(out, ComputeInfo{Precision: p, Op: n.Op.Name()})
			}
			out[i].Count++
		}
	}
	count(g)
	slices.SortStableFunc(out, func(a, b ComputeInfo) int {
		return cmp.Or(cmp.Compare(a.Precision, b.Precision), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Op, b.Op))
	})
	return out
}

// precisionOf says what a node computes on, "" where that is nothing to tell.
func precisionOf(n *ir.Node, prod map[*ir.Value]*ir.Node) string {
	switch o := n.Op.(type) {
	case *op.QuantizeLinear, *op.DequantizeLinear, *op.DynamicQuantize, *op.Cast, *op.Constant:
		return ""
	case *op.MatMulNBits:
		return fmt.Sprintf("weights of %d bits in groups of %d", o.Bits, o.BlockSize)
	case *op.DynamicQuantizeLSTM:
		return fmt.Sprintf("dynamic, weights %v", n.In[1].Type)
	}
	switch n.Op.(type) {
	case *op.Relu, *op.Clip:
		if source := prod[n.In[0]]; source != nil {
			if p := precisionOf(source, prod); strings.HasPrefix(p, "int") || strings.HasPrefix(p, "uint") {
				return "" // a part of what it limits
			}
		}
	}
	if q, ok := n.Op.(op.Quantizable); ok && q.Quantization().Moves {
		if table := dequantizes(n.In[0], prod); table == nil || table.In[0].Const == nil {
			return ""
		}
	}
	if len(n.Out) == 0 || n.Out[0] == nil || !n.Out[0].Type.IsFloat() {
		return ""
	}
	activation, weight := "", ""
	for _, v := range n.In {
		dq := dequantizes(v, prod)
		if dq == nil {
			continue
		}
		source := prod[dq.In[0]]
		apart := dq.Op.(*op.DequantizeLinear).Apart // an operator of its own, behind which are floats
		switch {
		case dq.In[0].Const != nil:
			if p, ok, err := ir.ParamsOf(dq); weight == "" && dq.In[0].Type != dtype.Int32 {
				if weight = dq.In[0].Type.String(); ok && err == nil && p.BlockSize > 0 {
					weight += fmt.Sprintf(" in groups of %d", p.BlockSize)
				}
			}
		case source != nil && source.Op.Name() == "DynamicQuantize":
			activation = "dynamic"
		case activation == "" && !apart:
			activation = dq.In[0].Type.String()
		}
	}
	switch {
	case activation != "" && weight != "":
		return activation + ", weights " + weight
	case activation != "":
		return activation
	case weight != "":
		return "weights " + weight
	}
	return n.Out[0].Type.String()
}

// dequantizes returns the node that makes v of integers, nil if none does.
func dequantizes(v *ir.Value, prod map[*ir.Value]*ir.Node) *ir.Node {
	if v == nil || prod[v] == nil {
		return nil
	}
	if _, ok := prod[v].Op.(*op.DequantizeLinear); !ok {
		return nil
	}
	return prod[v]
}

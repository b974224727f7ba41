package onnx

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Expansions of operators that an older opset lacks, by their definitions in
// the ONNX specification.

// downgradeGelu: 0.5·x·(1+erf(x/√2)), or 0.5·x·(1+tanh(√(2/π)·(x+0.044715·x³))).
func downgradeGelu(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= sinceOpset["Gelu"] {
		return []*node{r}, nil
	}
	e, x, typ := l.begin(r), r.in[0], n.In[0].Type
	c := map[string]string{}
	// In a fixed order: the same graph must give the same bytes.
	for _, k := range []struct {
		name  string
		value float64
	}{{"root", math.Sqrt2}, {"one", 1}, {"half", 0.5}, {"cubic", 0.044715}, {"slope", math.Sqrt(2 / math.Pi)}} {
		var err error
		if c[k.name], err = e.scalar(typ, k.value); err != nil {
			return nil, err
		}
	}
	var inner string
	if mode, _ := r.attribute("approximate"); mode == "tanh" {
		cube := e.add("Mul", []string{x, e.add("Mul", []string{x, x}, "")}, "")
		sum := e.add("Add", []string{x, e.add("Mul", []string{cube, c["cubic"]}, "")}, "")
		inner = e.add("Tanh", []string{e.add("Mul", []string{sum, c["slope"]}, "")}, "")
	} else {
		inner = e.add("Erf", []string{e.add("Div", []string{x, c["root"]}, "")}, "")
	}
	double := e.add("Mul", []string{x, e.add("Add", []string{inner, c["one"]}, "")}, "")
	e.add("Mul", []string{double, c["half"]}, r.out[0])
	return e.out, nil
}

// downgradeHardSwish: x·max(0, min(1, x/6+0.5)).
func downgradeHardSwish(l *lowering, r *node, _ *ir.Node) ([]*node, error) {
	if l.opset >= sinceOpset["HardSwish"] {
		return []*node{r}, nil
	}
	e := l.begin(r)
	gate := e.add("HardSigmoid", r.in, "", op.Attr{Name: "alpha", Value: float32(1) / 6}, op.Attr{Name: "beta", Value: float32(0.5)})
	e.add("Mul", []string{r.in[0], gate}, r.out[0])
	return e.out, nil
}

// downgradeSwish: x·sigmoid(alpha·x).
func downgradeSwish(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= sinceOpset["Swish"] {
		return []*node{r}, nil
	}
	e, x := l.begin(r), r.in[0]
	if a, ok := r.attribute("alpha"); ok {
		c, err := e.scalar(n.In[0].Type, float64(a.(float32)))
		if err != nil {
			return nil, err
		}
		x = e.add("Mul", []string{x, c}, "")
	}
	e.add("Mul", []string{r.in[0], e.add("Sigmoid", []string{x}, "")}, r.out[0])
	return e.out, nil
}

// downgradeMish: x·tanh(softplus(x)).
func downgradeMish(l *lowering, r *node, _ *ir.Node) ([]*node, error) {
	if l.opset >= sinceOpset["Mish"] {
		return []*node{r}, nil
	}
	e := l.begin(r)
	e.add("Mul", []string{r.in[0], e.add("Tanh", []string{e.add("Softplus", r.in, "")}, "")}, r.out[0])
	return e.out, nil
}

// downgradeLayerNormalization: (x−mean)/√(var+epsilon)·scale+bias over the
// axes from axis on.
func downgradeLayerNormalization(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= sinceOpset["LayerNormalization"] {
		return []*node{r}, nil
	}
	for _, o := range r.out[1:] {
		if o != "" {
			return nil, l.need(17, "LayerNormalization with the outputs Mean and InvStdDev")
		}
	}
	e := l.begin(r)
	d, err := e.centred(r, n)
	if err != nil {
		return nil, err
	}
	norm, err := e.normalized(r, n, d)
	if err != nil {
		return nil, err
	}
	if len(r.in) < 3 || r.in[2] == "" {
		e.add("Mul", []string{norm, r.in[1]}, r.out[0])
		return e.out, nil
	}
	e.add("Add", []string{e.add("Mul", []string{norm, r.in[1]}, ""), r.in[2]}, r.out[0])
	return e.out, nil
}

// downgradeRMSNormalization: x/√(mean(x²)+epsilon)·scale.
func downgradeRMSNormalization(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= sinceOpset["RMSNormalization"] {
		return []*node{r}, nil
	}
	e := l.begin(r)
	norm, err := e.normalized(r, n, r.in[0])
	if err != nil {
		return nil, err
	}
	e.add("Mul", []string{norm, r.in[1]}, r.out[0])
	return e.out, nil
}

// lastAxes returns the normalized axes as negative numbers.
func lastAxes(r *node, n *ir.Node) ([]int64, error) {
	axis := int64(-1)
	if a, ok := r.attribute("axis"); ok {
		axis = a.(int64)
	}
	if axis >= 0 {
		if n.In[0].Shape == nil {
			return nil, fmt.Errorf("the rank of its input must be known to expand it")
		}
		axis -= int64(len(n.In[0].Shape))
	}
	var axes []int64
	for ; axis < 0; axis++ {
		axes = append(axes, axis)
	}
	return axes, nil
}

// mean averages over the normalized axes.
func (e *expansion) mean(x string, axes []int64) string {
	return e.add("ReduceMean", []string{x}, "", op.Attr{Name: "axes", Value: axes}, op.Attr{Name: "keepdims", Value: int64(1)})
}

// centred subtracts the mean.
func (e *expansion) centred(r *node, n *ir.Node) (string, error) {
	axes, err := lastAxes(r, n)
	if err != nil {
		return "", err
	}
	return e.add("Sub", []string{r.in[0], e.mean(r.in[0], axes)}, ""), nil
}

// normalized divides by the root of the mean square plus epsilon.
func (e *expansion) normalized(r *node, n *ir.Node, x string) (string, error) {
	axes, err := lastAxes(r, n)
	if err != nil {
		return "", err
	}
	epsilon := float32(1e-5)
	if a, ok := r.attribute("epsilon"); ok {
		epsilon = a.(float32)
	}
	eps, err := e.scalar(n.In[0].Type, float64(epsilon))
	if err != nil {
		return "", err
	}
	if e.l.opset >= 18 {
		axesIn := e.l.value(e.stem+"_axes", tensor.FromSlice(axes, len(axes)))
		square := e.add("ReduceMean", []string{e.add("Mul", []string{x, x}, ""), axesIn}, "")
		return e.add("Div", []string{x, e.add("Sqrt", []string{e.add("Add", []string{square, eps}, "")}, "")}, ""), nil
	}
	square := e.mean(e.add("Mul", []string{x, x}, ""), axes)
	return e.add("Div", []string{x, e.add("Sqrt", []string{e.add("Add", []string{square, eps}, "")}, "")}, ""), nil
}

func downgradeGroupNormalization(l *lowering, r *node, _ *ir.Node) ([]*node, error) {
	return []*node{r}, l.need(21, "GroupNormalization with one scale a channel")
}

package onnx

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// downgrades rewrites nodes of the newest form for older opsets; each looks at
// l.opset.
var downgrades = map[string]func(l *lowering, r *node, n *ir.Node) ([]*node, error){
	"ReduceMean":         axesToAttribute,
	"ReduceMax":          axesToAttribute,
	"ReduceMin":          axesToAttribute,
	"ReduceProd":         axesToAttribute,
	"ReduceL1":           axesToAttribute,
	"ReduceL2":           axesToAttribute,
	"ReduceLogSum":       axesToAttribute,
	"ReduceLogSumExp":    axesToAttribute,
	"ReduceSumSquare":    axesToAttribute,
	"Split":              downgradeSplit,
	"Pad":                downgradePad,
	"Shape":              downgradeShape,
	"QuantizeLinear":     downgradeQuantize,
	"DequantizeLinear":   downgradeQuantize,
	"Gelu":               downgradeGelu,
	"HardSwish":          downgradeHardSwish,
	"Swish":              downgradeSwish,
	"Mish":               downgradeMish,
	"LayerNormalization": downgradeLayerNormalization,
	"RMSNormalization":   downgradeRMSNormalization,
	"GroupNormalization": downgradeGroupNormalization,
	"RoiAlign":           downgradeRoiAlign,
	"CastLike":           downgradeCastLike,
	"GridSample":         downgradeGridSample,
	"DFT":                downgradeDFT,
}

// expansion builds the nodes that stand for one.
type expansion struct {
	l    *lowering
	stem string
	out  []*node
}

// add appends a node with one output and returns the output's name; an empty
// name asks for a fresh one.
func (e *expansion) add(typ string, in []string, name string, set ...op.Attr) string {
	if name == "" {
		name = e.l.names.Name(e.stem + "_" + typ)
	}
	nodeName := e.stem + "_" + typ
	e.out = append(e.out, &node{nodeProto: nodeProto{name: e.l.names.Name(nodeName), op: typ, in: in, out: []string{name}}, set: set})
	return name
}

// scalar adds a constant of the given float type and value.
func (e *expansion) scalar(typ dtype.Type, v float64) (string, error) {
	t, err := op.Convert(tensor.Scalar(v), typ)
	if err != nil {
		return "", err
	}
	return e.l.value(e.stem+"_constant", t), nil
}

// begin starts an expansion of a node whose first output exists.
func (l *lowering) begin(r *node) *expansion { return &expansion{l: l, stem: r.first()} }

func axesToAttribute(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= 18 {
		return []*node{r}, nil
	}
	if len(r.in) > 1 {
		if r.in[1] != "" {
			axes := n.In[1]
			if axes.Const == nil {
				return nil, l.need(18, "a reduction over computed axes")
			}
			v, _ := tensor.Ints(axes.Const)
			if len(v) > 0 {
				r.set = append(r.set, op.Attr{Name: "axes", Value: v})
			} else if k, ok := r.attribute("noop_with_empty_axes"); ok && k == int64(1) {
				r.op, r.set = "Identity", nil
				r.in = r.in[:1]
				return []*node{r}, nil
			}
		}
		r.in = r.in[:1]
	}
	r.drop("noop_with_empty_axes")
	return []*node{r}, nil
}

func downgradeSplit(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	num, ok := r.attribute("num_outputs")
	if !ok || l.opset >= 18 && len(r.in) == 1 {
		return []*node{r}, nil
	}
	r.drop("num_outputs")
	if len(r.in) > 1 {
		return []*node{r}, nil // the sizes say it already
	}
	// An older Split without sizes has equal parts; unequal ones are given.
	axis := int64(0)
	if a, ok := r.attribute("axis"); ok {
		axis = a.(int64)
	}
	shape := n.In[0].Shape
	ax, err := op.Axis(int(axis), len(shape))
	if err != nil {
		return []*node{r}, nil
	}
	if size, ok := shape[ax].Int(); ok && num.(int64) > 0 && size%int(num.(int64)) != 0 {
		k := int(num.(int64))
		part := (size + k - 1) / k
		sizes := make([]int64, k)
		for i := range sizes {
			sizes[i] = int64(max(0, min(part, size-i*part)))
		}
		r.in = append(r.in, l.value(r.first()+"_split", tensor.FromSlice(sizes, k)))
	}
	return []*node{r}, nil
}

func downgradePad(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= 18 || len(r.in) < 4 {
		return []*node{r}, nil
	}
	pads, axes, rank := n.In[1], n.In[3], len(n.In[0].Shape)
	if pads == nil || pads.Const == nil || axes.Const == nil || n.In[0].Shape == nil {
		return nil, l.need(18, "Pad with computed axes")
	}
	pv, _ := tensor.Ints(pads.Const)
	av, _ := tensor.Ints(axes.Const)
	full := make([]int64, 2*rank)
	for i, a := range av {
		ax, err := op.Axis(int(a), rank)
		if err != nil || len(pv) != 2*len(av) {
			return nil, fmt.Errorf("pads and axes do not fit together")
		}
		full[ax], full[rank+ax] = pv[i], pv[len(av)+i]
	}
	r.in = r.in[:3]
	r.in[1] = l.value(r.first()+"_pads", tensor.FromSlice(full, len(full)))
	return []*node{r}, nil
}

// downgradeShape: before opset 15 the whole shape was given, so a part of it
// is cut out.
func downgradeShape(l *lowering, r *node, _ *ir.Node) ([]*node, error) {
	start, hasStart := r.attribute("start")
	end, hasEnd := r.attribute("end")
	if l.opset >= 15 || !hasStart && !hasEnd {
		return []*node{r}, nil
	}
	from, to := int64(0), int64(1)<<31
	if hasStart {
		from = start.(int64)
	}
	if hasEnd {
		to = end.(int64)
	}
	e := l.begin(r)
	one := func(v int64) string { return l.value(e.stem+"_bound", tensor.FromSlice([]int64{v}, 1)) }
	whole := e.add("Shape", r.in, "")
	e.add("Slice", []string{whole, one(from), one(to)}, r.out[0])
	return e.out, nil
}

// downgradeQuantize drops what opset 13 to 22 do not have; output_dtype is
// said by a zero point there.
func downgradeQuantize(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset < 23 {
		if r.op == "DequantizeLinear" {
			if _, ok := r.attribute("output_dtype"); ok && n.In[1].Type != n.Out[0].Type {
				return nil, l.need(23, "output_dtype of DequantizeLinear")
			}
			r.drop("output_dtype")
		}
	}
	if l.opset < 21 && r.op == "QuantizeLinear" {
		if _, ok := r.attribute("output_dtype"); ok {
			r.drop("output_dtype")
			if len(r.in) < 3 {
				shape, known := n.In[1].Shape.Ints()
				if !known {
					return nil, l.need(21, "output_dtype of QuantizeLinear with a scale of unknown shape")
				}
				r.input(2, l.value(r.first()+"_zero_point", tensor.New(n.Out[0].Type, shape...)))
			}
		}
	}
	if l.opset < 19 {
		r.drop("saturate")
	}
	return []*node{r}, nil
}

func downgradeCastLike(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= 15 {
		return []*node{r}, nil
	}
	num := dataNumbers[n.In[1].Type]
	if num == 0 {
		return nil, l.need(15, "CastLike to an unknown type")
	}
	r.op, r.in, r.set = "Cast", r.in[:1], []op.Attr{{Name: "to", Value: num}}
	return []*node{r}, nil
}

func downgradeGridSample(l *lowering, r *node, _ *ir.Node) ([]*node, error) {
	if mode, ok := r.attribute("mode"); ok && l.opset < 20 {
		r.drop("mode")
		old := map[any]string{"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}[mode]
		r.set = append(r.set, op.Attr{Name: "mode", Value: old})
	}
	return []*node{r}, nil
}

// downgradeRoiAlign: before opset 16 coordinates had no half pixel.
func downgradeRoiAlign(l *lowering, r *node, _ *ir.Node) ([]*node, error) {
	if l.opset >= 16 {
		return []*node{r}, nil
	}
	if _, ok := r.attribute("coordinate_transformation_mode"); !ok {
		return nil, l.need(16, "RoiAlign with half_pixel coordinates")
	}
	r.drop("coordinate_transformation_mode")
	return []*node{r}, nil
}

// downgradeDFT: before opset 20 the axis was an attribute, and it is the axis
// before the last that is meant where none is given.
func downgradeDFT(l *lowering, r *node, n *ir.Node) ([]*node, error) {
	if l.opset >= 20 {
		return []*node{r}, nil
	}
	axis := int64(-2)
	if len(r.in) > 2 && r.in[2] != "" {
		if n.In[2].Const == nil {
			return nil, l.need(20, "DFT along a computed axis")
		}
		v, ok := tensor.Ints(n.In[2].Const)
		if !ok || len(v) != 1 {
			return nil, fmt.Errorf("the axis is no integer")
		}
		axis = v[0]
	}
	r.in = r.in[:min(len(r.in), 2)]
	if len(r.in) == 2 && r.in[1] == "" {
		r.in = r.in[:1]
	}
	r.set = append(r.set, op.Attr{Name: "axis", Value: axis})
	return []*node{r}, nil
}

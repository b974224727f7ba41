package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// upgrader rewrites the nodes of one graph to the newest opset.
type upgrader struct {
	d        *decoder
	sc       *scope
	opset    int64
	taken    map[string]bool // values
	nodes    map[string]bool
	declared map[string]op.Fact
	ranks    map[string]int // of computed values, as far as they are followed
}

// upgrades rewrites, by operator, nodes of older forms; each function looks at
// u.opset. The result replaces the node.
var upgrades = map[string]func(u *upgrader, n *node) ([]*node, error){
	"Squeeze":            axesToInput(13),
	"Unsqueeze":          axesToInput(13),
	"ReduceSum":          axesToInput(13),
	"ReduceMean":         axesToInput(18),
	"ReduceMax":          axesToInput(18),
	"ReduceMin":          axesToInput(18),
	"ReduceProd":         axesToInput(18),
	"ReduceL1":           axesToInput(18),
	"ReduceL2":           axesToInput(18),
	"ReduceLogSum":       axesToInput(18),
	"ReduceLogSumExp":    axesToInput(18),
	"ReduceSumSquare":    axesToInput(18),
	"Clip":               upgradeClip,
	"Pad":                upgradePad,
	"Slice":              upgradeSlice,
	"Split":              upgradeSplit,
	"Dropout":            upgradeDropout,
	"TopK":               upgradeTopK,
	"Softmax":            upgradeSoftmax,
	"LogSoftmax":         upgradeSoftmax,
	"Hardmax":            upgradeSoftmax,
	"Resize":             upgradeResize,
	"Upsample":           upgradeUpsample,
	"BatchNormalization": upgradeBatchNormalization,
	"GroupNormalization": upgradeGroupNormalization,
	"Scatter":            upgradeScatter,
	"GridSample":         upgradeGridSample,
	"RoiAlign":           upgradeRoiAlign,
	"DFT":                upgradeDFT,
	"Add":                upgradeBroadcast,
	"And":                upgradeBroadcast,
	"Div":                upgradeBroadcast,
	"Equal":              upgradeBroadcast,
	"Greater":            upgradeBroadcast,
	"Less":               upgradeBroadcast,
	"Mul":                upgradeBroadcast,
	"Or":                 upgradeBroadcast,
	"Pow":                upgradeBroadcast,
	"Sub":                upgradeBroadcast,
	"Xor":                upgradeBroadcast,
	"PRelu":              upgradePRelu,
	"Cast":               upgradeCast,
	"Concat":             upgradeConcat,
	"Reshape":            upgradeReshape,
	"Gemm":               dropped(7, "broadcast"),
	"GRU":                dropped(7, "output_sequence"),
	"LSTM":               dropped(7, "output_sequence"),
	"RNN":                dropped(7, "output_sequence"),
	"Selu":               upgradeSelu,
	"LpPool":             upgradeNorm,
	"GlobalLpPool":       upgradeNorm,
	"Tile":               upgradeTile,
	"Affine":             upgradeAffine,
	"ImageScaler":        upgradeImageScaler,
	"ParametricSoftplus": upgradeParametricSoftplus,
	"Scale":              upgradeScale,
	"ScaledTanh":         upgradeScaledTanh,
	"Scan":               upgradeScan,
}

// microsoft is the domain of ONNX Runtime's own operators; standard are those
// that ai.onnx took over with the same inputs and attributes: quantization of
// 16 and 4 bits, and Gelu by erf.
const microsoft = "com.microsoft"

var standard = map[string]bool{"QuantizeLinear": true, "DequantizeLinear": true, "Gelu": true}

// upgrade returns the nodes of gp in the newest form. Constant nodes become
// constants of the scope.
func (d *decoder) upgrade(gp *graphProto, sc *scope, declared map[string]op.Fact) ([]*node, error) {
	u := &upgrader{d: d, sc: sc, taken: map[string]bool{}, nodes: map[string]bool{}, declared: declared, ranks: map[string]int{}}
	for name := range sc.values {
		u.taken[name] = true
	}
	for i := range gp.nodes {
		u.nodes[gp.nodes[i].name] = true
		for _, name := range gp.nodes[i].out {
			u.taken[name] = true
		}
	}
	var out []*node
	for i := range gp.nodes {
		n := &node{nodeProto: gp.nodes[i]}
		if u.opset = d.opsets[""]; n.opset != 0 {
			u.opset = n.opset
		}
		if n.domain == microsoft && standard[n.op] {
			n.domain = "" // the same operator, from before the standard had it
			out = append(out, n)
			continue
		}
		if n.domain == "" && u.opset == 0 {
			return nil, fmt.Errorf("node %q (%s): the model imports no version of ai.onnx", n.name, n.op)
		}
		if n.domain == "" && n.op == "Constant" {
			if err := u.constant(n); err != nil {
				return nil, fmt.Errorf("node %q (Constant): %w", n.name, err)
			}
			continue
		}
		if n.domain == "" && u.opset < 6 {
			n.take("consumed_inputs") // said which inputs may be overwritten
		}
		u.follow(n)
		f := upgrades[n.op]
		if n.domain != "" || f == nil {
			out = append(out, n)
			continue
		}
		typ := n.op
		ns, err := f(u, n)
		if err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.name, n.op, err)
		}
		u.tellApart(ns, typ)
		out = append(out, ns...)
	}
	return out, nil
}

// tellApart gives the nodes that one node became names of their own: runtimes
// refuse a file in which two are alike. The one that does the work keeps it.
func (u *upgrader) tellApart(ns []*node, typ string) {
	kept := max(slices.IndexFunc(ns, func(n *node) bool { return n.op == typ }), 0)
	for i, n := range ns {
		if i == kept || n.name == "" {
			continue
		}
		base := n.name + "_" + n.op
		n.name = base
		for k := 1; u.nodes[n.name]; k++ {
			n.name = fmt.Sprintf("%s_%d", base, k)
		}
		u.nodes[n.name] = true
	}
}

// constant adds the value of a Constant node to the scope.
func (u *upgrader) constant(n *node) error {
	if len(n.out) != 1 || len(n.attrs) != 1 {
		return errors.New("want one output and one value attribute")
	}
	if u.sc.values[n.out[0]] != nil {
		return fmt.Errorf("value %q is computed twice", n.out[0])
	}
	val, ok, err := u.d.attr(n.attrs[0])
	if err != nil {
		return err
	}
	var t *tensor.Tensor
	switch v := val.(type) {
	case *tensor.Tensor:
		t = v
	case float32:
		t = tensor.Scalar(v)
	case int64:
		t = tensor.Scalar(v)
	case []float32:
		t = tensor.FromSlice(v, len(v))
	case []int64:
		t = tensor.FromSlice(v, len(v))
	case string:
		t, err = tensor.FromStrings([]string{v})
	case []string:
		t, err = tensor.FromStrings(v, len(v))
	}
	if !ok || t == nil || err != nil {
		return fmt.Errorf("attribute %q is not a value that is read", n.attrs[0].name)
	}
	u.sc.values[n.out[0]] = ir.NewConst(n.out[0], t)
	return nil
}

// name returns an unused value name.
func (u *upgrader) name(base string) string {
	name := base
	for i := 1; u.taken[name] || u.sc.values[name] != nil; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	u.taken[name] = true
	return name
}

// value adds a constant to the scope and returns its name.
func (u *upgrader) value(base string, t *tensor.Tensor) string {
	name := u.name(base)
	u.sc.values[name] = ir.NewConst(name, t)
	return name
}

func (u *upgrader) ints(base string, v []int64) string {
	return u.value(base, tensor.FromSlice(v, len(v)))
}

// number adds a scalar of the element type of n's first input.
func (u *upgrader) number(n *node, what string, x float32) (string, error) {
	t, err := op.Convert(tensor.Scalar(x), u.floatType(n))
	if err != nil {
		return "", err
	}
	return u.value(n.first()+"_"+what, t), nil
}

// floatType returns the type of n's first input; one that the file does not
// tell is taken for Float32.
func (u *upgrader) floatType(n *node) dtype.Type {
	typ := dtype.Float32
	if len(n.in) > 0 {
		name := n.in[0]
		f := u.declared[name]
		if v := u.sc.values[name]; v != nil {
			f = v.Fact
		} else if !u.taken[name] { // else a node of this graph computes it
			if v := u.sc.lookup(name); v != nil {
				f = v.Fact
			}
		}
		if f.Type.IsFloat() {
			typ = f.Type
		}
	}
	return typ
}

// first returns the name of a node's first output, the stem of new names.
func (n *node) first() string {
	for _, o := range n.out {
		if o != "" {
			return o
		}
	}
	return n.name
}

// take removes an attribute and returns it.
func (n *node) take(name string) (attrProto, bool) {
	for i, a := range n.attrs {
		if a.name == name {
			n.attrs = append(append([]attrProto(nil), n.attrs[:i]...), n.attrs[i+1:]...)
			return a, true
		}
	}
	return attrProto{}, false
}

// input sets input i, extending the list with absent ones.
func (n *node) input(i int, name string) {
	for len(n.in) <= i {
		n.in = append(n.in, "")
	}
	n.in[i] = name
}

// axesToInput moves the attribute axes to input 1, for opsets before since.
func axesToInput(since int64) func(*upgrader, *node) ([]*node, error) {
	return func(u *upgrader, n *node) ([]*node, error) {
		if u.opset < since {
			if a, ok := n.take("axes"); ok {
				n.input(1, u.ints(n.first()+"_axes", a.ints))
			}
		}
		return []*node{n}, nil
	}
}

func upgradeClip(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 11 {
		for i, name := range []string{"min", "max"} {
			if a, ok := n.take(name); ok {
				bound, err := u.number(n, name, a.f)
				if err != nil {
					return nil, err
				}
				n.input(i+1, bound)
			}
		}
	}
	return []*node{n}, nil
}

func upgradePad(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 11 {
		a, ok := n.take("pads")
		if u.opset < 2 && !ok {
			a, ok = n.take("paddings")
		}
		if !ok {
			return nil, errors.New("attribute pads is missing")
		}
		n.input(1, u.ints(n.first()+"_pads", a.ints))
		if v, ok := n.take("value"); ok && v.f != 0 {
			fill, err := u.number(n, "value", v.f)
			if err != nil {
				return nil, err
			}
			n.input(2, fill)
		}
	}
	return []*node{n}, nil
}

func upgradeSlice(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 10 {
		for i, name := range []string{"starts", "ends", "axes"} {
			if a, ok := n.take(name); ok {
				n.input(i+1, u.ints(n.first()+"_"+name, a.ints))
			} else if name != "axes" {
				return nil, fmt.Errorf("attribute %s is missing", name)
			}
		}
	}
	return []*node{n}, nil
}

func upgradeSplit(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 13 {
		if a, ok := n.take("split"); ok {
			n.input(1, u.ints(n.first()+"_split", a.ints))
		}
	}
	var out []*node
	if u.opset < 2 && len(n.in) > 1 && n.in[1] != "" {
		// The sizes could be given in the type of the data.
		if f := u.sc.values[n.in[1]]; f == nil || !f.Type.IsInteger() {
			whole := u.name(n.first() + "_sizes")
			out = append(out, n.made("Cast", []string{n.in[1]}, whole, op.Attr{Name: "to", Value: "int64"}))
			n.in[1] = whole
		}
	}
	if u.opset < 18 && (len(n.in) < 2 || n.in[1] == "") {
		n.set = append(n.set, op.Attr{Name: "num_outputs", Value: int64(len(n.out))})
	}
	return append(out, n), nil
}

func upgradeDropout(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 12 {
		// Before opset 12 the operator is the identity outside training.
		n.take("ratio")
		n.take("is_test")
	}
	return []*node{n}, nil
}

func upgradeTopK(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 10 {
		a, ok := n.take("k")
		if !ok {
			return nil, errors.New("attribute k is missing")
		}
		n.input(1, u.ints(n.first()+"_k", []int64{a.i}))
	}
	return []*node{n}, nil
}

// upgradeSoftmax writes the form before opset 13, which takes the input as a
// matrix split at axis, as Flatten, Softmax over the last axis, and Reshape.
func upgradeSoftmax(u *upgrader, n *node) ([]*node, error) {
	if u.opset >= 13 {
		return []*node{n}, nil
	}
	axis := int64(1)
	if a, ok := n.take("axis"); ok {
		axis = a.i
	}
	if len(n.in) != 1 || len(n.out) != 1 {
		return nil, errors.New("want one input and one output")
	}
	stem := n.first()
	shape, flat, soft := u.name(stem+"_shape"), u.name(stem+"_flat"), u.name(stem+"_soft")
	return []*node{
		n.made("Shape", n.in, shape),
		n.made("Flatten", n.in, flat, op.Attr{Name: "axis", Value: axis}),
		n.made(n.op, []string{flat}, soft, op.Attr{Name: "axis", Value: int64(-1)}),
		n.made("Reshape", []string{soft, shape}, n.out[0]),
	}, nil
}

func upgradeResize(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 11 {
		// Inputs were (X, scales); positions had no offset.
		if len(n.in) != 2 {
			return nil, errors.New("want the inputs X and scales")
		}
		n.in = []string{n.in[0], "", n.in[1]}
		n.legacyResize()
	}
	return []*node{n}, nil
}

func (n *node) legacyResize() {
	n.set = append(n.set,
		op.Attr{Name: "coordinate_transformation_mode", Value: "asymmetric"},
		op.Attr{Name: "nearest_mode", Value: "floor"})
}

func upgradeUpsample(u *upgrader, n *node) ([]*node, error) {
	n.op = "Resize"
	if m, ok := n.take("mode"); ok {
		mode := string(m.s)
		if mode == "bilinear" {
			mode = "linear" // its name before opset 7
		}
		n.set = append(n.set, op.Attr{Name: "mode", Value: mode})
	}
	if u.opset < 7 {
		h, hok := n.take("height_scale")
		w, wok := n.take("width_scale")
		if !hok || !wok || len(n.in) != 1 {
			return nil, errors.New("scales are missing")
		}
		n.attrs = append(n.attrs, attrProto{name: "scales", typ: attrFloats, floats: []float32{1, 1, h.f, w.f}})
	}
	if a, ok := n.take("scales"); ok && len(n.in) == 1 {
		n.in = []string{n.in[0], "", u.value(n.first()+"_scales", tensor.FromSlice(a.floats, len(a.floats)))}
	} else if len(n.in) == 2 {
		n.in = []string{n.in[0], "", n.in[1]}
	} else {
		return nil, errors.New("scales are missing")
	}
	n.legacyResize()
	return []*node{n}, nil
}

func upgradeBatchNormalization(u *upgrader, n *node) ([]*node, error) {
	// Before opset 7 the number of outputs told as well whether it is training.
	if u.opset < 7 {
		n.take("is_test")
	}
	if u.opset < 14 && len(n.out) > 1 {
		for _, o := range n.out[1:] {
			if o != "" {
				return nil, errors.New("outputs of training are not read; export the model for inference")
			}
		}
		n.out = n.out[:1]
	}
	if u.opset < 9 {
		if a, ok := n.take("spatial"); ok && a.i == 0 {
			return u.plainNormalization(n)
		}
	}
	return []*node{n}, nil
}

// upgradeGroupNormalization: before opset 21 scale and bias had one element a
// group; each is repeated for the channels of its group.
func upgradeGroupNormalization(u *upgrader, n *node) ([]*node, error) {
	if u.opset >= 21 || len(n.in) != 3 {
		return []*node{n}, nil
	}
	stem := n.first()
	shape, channels, groups := u.name(stem+"_shape"), u.name(stem+"_channels"), u.name(stem+"_groups")
	count := u.name(stem + "_per_group")
	full := u.ints(stem+"_flat", []int64{-1})
	column := u.ints(stem+"_column", []int64{-1, 1})
	out := []*node{
		n.made("Shape", []string{n.in[0]}, channels, op.Attr{Name: "start", Value: int64(1)}, op.Attr{Name: "end", Value: int64(2)}),
		n.made("Shape", []string{n.in[1]}, groups),
		n.made("Div", []string{channels, groups}, count),
		n.made("Concat", []string{groups, count}, shape, op.Attr{Name: "axis", Value: int64(0)}),
	}
	for i := 1; i <= 2; i++ {
		col, wide, flat := u.name(stem+"_c"), u.name(stem+"_w"), u.name(stem+"_f")
		out = append(out,
			n.made("Reshape", []string{n.in[i], column}, col),
			n.made("Expand", []string{col, shape}, wide),
			n.made("Reshape", []string{wide, full}, flat))
		n.in[i] = flat
	}
	return append(out, n), nil
}

func upgradeScatter(_ *upgrader, n *node) ([]*node, error) {
	n.op = "ScatterElements"
	return []*node{n}, nil
}

func upgradeGridSample(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 20 {
		if a, ok := n.take("mode"); ok {
			mode := map[string]string{"bilinear": "linear", "bicubic": "cubic"}[string(a.s)]
			if mode == "" {
				mode = string(a.s)
			}
			n.set = append(n.set, op.Attr{Name: "mode", Value: mode})
		}
	}
	return []*node{n}, nil
}

// upgradeRoiAlign: before opset 16 coordinates had no half pixel.
func upgradeRoiAlign(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 16 {
		n.set = append(n.set, op.Attr{Name: "coordinate_transformation_mode", Value: "output_half_pixel"})
	}
	return []*node{n}, nil
}

package onnx

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Rewrites of the forms that operators had before opset 7 (ONNX operator
// changelog).

// made returns a node that a rewrite of n adds.
func (n *node) made(typ string, in []string, out string, set ...op.Attr) *node {
	return &node{nodeProto: nodeProto{name: n.name, op: typ, in: in, out: []string{out}}, set: set}
}

// keepsRank are the operators whose output has the rank of their first input.
var keepsRank = map[string]bool{
	"Add": true, "AveragePool": true, "BatchNormalization": true, "Conv": true, "ConvTranspose": true, "Div": true,
	"Dropout": true, "Elu": true, "InstanceNormalization": true, "LRN": true, "LeakyRelu": true, "MaxPool": true,
	"Mul": true, "PRelu": true, "Relu": true, "Sigmoid": true, "Sub": true, "Tanh": true,
}

// rank returns the rank of a value, where the file tells it.
func (u *upgrader) rank(name string) (int, bool) {
	if r, ok := u.ranks[name]; ok {
		return r, true
	}
	f := u.declared[name]
	if v := u.sc.values[name]; v != nil {
		f = v.Fact
	}
	return len(f.Shape), f.Shape != nil
}

// follow notes the rank of what n computes.
func (u *upgrader) follow(n *node) {
	if r, ok := u.known(n); ok {
		u.ranks[n.out[0]] = r
	}
}

func (u *upgrader) known(n *node) (int, bool) {
	if n.domain != "" || !keepsRank[n.op] || len(n.in) == 0 || len(n.out) == 0 {
		return 0, false
	}
	return u.rank(n.in[0])
}

// broadcastAt reshapes input i of n, whose axes stand beside those of input 0
// from axis on, so that they do so from the end as broadcasting has it. It
// returns the nodes that compute the new input.
func (u *upgrader) broadcastAt(n *node, i int, axis int64) []*node {
	x, y, stem := n.in[0], n.in[i], n.first()
	whole, known := u.rank(x)
	part, also := u.rank(y)
	if known && also {
		if axis < 0 {
			axis += int64(whole)
		}
		missing := int64(whole) - axis - int64(part)
		if missing <= 0 {
			return nil
		}
		axes := make([]int64, missing)
		for k := range axes {
			axes[k] = int64(part + k)
		}
		n.in[i] = u.name(stem + "_aligned")
		return []*node{n.made("Unsqueeze", []string{y, u.ints(stem+"_axes", axes)}, n.in[i])}
	}
	// The ranks are those of tensors that are not known yet: y gets the shape
	// of y followed by ones.
	name := func(what string) string { return u.name(stem + "_" + what) }
	xs, ys, xr, yr := name("x_shape"), name("y_shape"), name("x_rank"), name("y_rank")
	missing, ones, shape := name("missing"), name("ones"), name("shape")
	out := []*node{
		n.made("Shape", []string{x}, xs), n.made("Shape", []string{xs}, xr),
		n.made("Shape", []string{y}, ys), n.made("Shape", []string{ys}, yr),
	}
	var behind string // how many axes of x there are from axis on
	if axis < 0 {
		behind = u.ints(stem+"_behind", []int64{-axis})
	} else {
		behind = name("behind")
		out = append(out, n.made("Sub", []string{xr, u.ints(stem+"_axis", []int64{axis})}, behind))
	}
	n.in[i] = name("aligned")
	return append(out,
		n.made("Sub", []string{behind, yr}, missing),
		n.made("ConstantOfShape", []string{missing}, ones, op.Attr{Name: "value", Value: tensor.FromSlice([]int64{1}, 1)}),
		n.made("Concat", []string{ys, ones}, shape, op.Attr{Name: "axis", Value: int64(0)}),
		n.made("Reshape", []string{y, shape}, n.in[i]))
}

// upgradeBroadcast: before opset 7 operands had one shape, or with broadcast
// the second lay beside the first from axis on.
func upgradeBroadcast(u *upgrader, n *node) ([]*node, error) {
	if u.opset >= 7 {
		return []*node{n}, nil
	}
	n.take("broadcast")
	axis, ok := n.take("axis")
	if !ok {
		return []*node{n}, nil
	}
	if len(n.in) != 2 || n.in[0] == "" || n.in[1] == "" {
		return nil, errors.New("want two inputs")
	}
	if v := u.sc.values[n.in[1]]; v != nil && v.Const != nil && v.Const.Len() == 1 {
		return []*node{n}, nil
	}
	return append(u.broadcastAt(n, 1, axis.i), n), nil
}

// upgradePRelu: before opset 7 a slope of more than one element was one for
// each channel.
func upgradePRelu(u *upgrader, n *node) ([]*node, error) {
	if u.opset >= 7 || len(n.in) != 2 || n.in[0] == "" || n.in[1] == "" {
		return []*node{n}, nil
	}
	if v := u.sc.values[n.in[1]]; v != nil && v.Const != nil && v.Const.Len() == 1 {
		return []*node{n}, nil
	}
	if r, ok := u.rank(n.in[1]); ok && r != 1 {
		return []*node{n}, nil
	}
	return append(u.broadcastAt(n, 1, 1), n), nil
}

// upgradeCast: before opset 6 the type was given by name.
func upgradeCast(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 6 {
		to, ok := n.take("to")
		if !ok {
			return nil, errors.New("attribute to is missing")
		}
		num := to.i
		if to.typ == attrString {
			if num, ok = typeNames[strings.ToUpper(string(to.s))]; !ok {
				return nil, fmt.Errorf("attribute to: unknown element type %q", to.s)
			}
		}
		typ, ok := dataTypes[num]
		if !ok {
			return nil, fmt.Errorf("attribute to: unknown element type %d", num)
		}
		n.set = append(n.set, op.Attr{Name: "to", Value: typ.String()})
	}
	return []*node{n}, nil
}

// typeNames are the names of TensorProto.DataType that there were then.
var typeNames = map[string]int64{
	"FLOAT": 1, "UINT8": 2, "INT8": 3, "UINT16": 4, "INT16": 5, "INT32": 6, "INT64": 7, "STRING": 8,
	"BOOL": 9, "FLOAT16": 10, "DOUBLE": 11, "UINT32": 12, "UINT64": 13, "COMPLEX64": 14, "COMPLEX128": 15,
}

// upgradeConcat: before opset 4 the axis could be left out.
func upgradeConcat(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 4 {
		if a, ok := n.take("axis"); ok {
			n.set = append(n.set, op.Attr{Name: "axis", Value: a.i})
		} else {
			n.set = append(n.set, op.Attr{Name: "axis", Value: int64(1)})
		}
	}
	return []*node{n}, nil
}

func upgradeReshape(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 5 {
		a, ok := n.take("shape")
		if !ok {
			return nil, errors.New("attribute shape is missing")
		}
		n.input(1, u.ints(n.first()+"_shape", a.ints))
	}
	return []*node{n}, nil
}

// dropped removes attributes that say nothing from the given opset on.
func dropped(before int64, names ...string) func(*upgrader, *node) ([]*node, error) {
	return func(u *upgrader, n *node) ([]*node, error) {
		if u.opset < before {
			for _, name := range names {
				n.take(name)
			}
		}
		return []*node{n}, nil
	}
}

// upgradeSelu: before opset 6 the defaults had five digits.
func upgradeSelu(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 6 {
		for _, d := range []struct {
			name  string
			value float32
		}{{"alpha", 1.6732}, {"gamma", 1.0507}} {
			if a, ok := n.take(d.name); ok {
				d.value = a.f
			}
			n.set = append(n.set, op.Attr{Name: d.name, Value: d.value})
		}
	}
	return []*node{n}, nil
}

// upgradeNorm: before opset 2 the exponent was a float.
func upgradeNorm(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 2 {
		if p, ok := n.take("p"); ok {
			if p.f != float32(math.Trunc(float64(p.f))) || p.f < 1 || p.f > math.MaxInt16 {
				return nil, fmt.Errorf("attribute p: a norm of %g is not read", p.f)
			}
			n.set = append(n.set, op.Attr{Name: "p", Value: int64(p.f)})
		}
	}
	return []*node{n}, nil
}

// upgradeTile: before opset 6 one axis was repeated: the inputs were the data,
// the count and the axis.
func upgradeTile(u *upgrader, n *node) ([]*node, error) {
	if u.opset >= 6 {
		return []*node{n}, nil
	}
	if len(n.in) != 3 {
		return nil, errors.New("want the inputs data, tiles and axis")
	}
	name := func(what string) string { return u.name(n.first() + "_" + what) }
	one, i64 := u.ints(n.first()+"_one", []int64{1}), op.Attr{Name: "to", Value: "int64"}
	shape, rank, ones, repeats := name("shape"), name("rank"), name("ones"), name("repeats")
	var out []*node
	var lists []string
	for _, in := range n.in[1:] {
		whole, list := name("integer"), name("list")
		out = append(out, n.made("Cast", []string{in}, whole, i64), n.made("Reshape", []string{whole, one}, list))
		lists = append(lists, list)
	}
	out = append(out,
		n.made("Shape", n.in[:1], shape), n.made("Shape", []string{shape}, rank),
		n.made("ConstantOfShape", []string{rank}, ones, op.Attr{Name: "value", Value: tensor.FromSlice([]int64{1}, 1)}),
		n.made("ScatterElements", []string{ones, lists[1], lists[0]}, repeats))
	n.in = []string{n.in[0], repeats}
	return append(out, n), nil
}

// plainNormalization writes BatchNormalization with spatial=0, whose operands
// have one element for each of an image: (x-mean)/√(var+epsilon)·scale+bias.
func (u *upgrader) plainNormalization(n *node) ([]*node, error) {
	if len(n.in) != 5 {
		return nil, errors.New("want five inputs")
	}
	epsilon := float32(1e-5)
	if a, ok := n.take("epsilon"); ok {
		epsilon = a.f
	}
	eps, err := u.number(n, "epsilon", epsilon)
	if err != nil {
		return nil, err
	}
	name := func(what string) string { return u.name(n.first() + "_" + what) }
	centred, variance, std, normal, scaled := name("centred"), name("variance"), name("std"), name("normal"), name("scaled")
	return []*node{
		n.made("Sub", []string{n.in[0], n.in[3]}, centred),
		n.made("Add", []string{n.in[4], eps}, variance),
		n.made("Sqrt", []string{variance}, std),
		n.made("Div", []string{centred, std}, normal),
		n.made("Mul", []string{normal, n.in[1]}, scaled),
		n.made("Add", []string{scaled, n.in[2]}, n.out[0]),
	}, nil
}

// upgradeDFT: before opset 20 the axis was an attribute, 1 by default.
func upgradeDFT(u *upgrader, n *node) ([]*node, error) {
	if u.opset < 20 {
		axis := int64(1)
		if a, ok := n.take("axis"); ok {
			axis = a.i
		}
		n.input(2, u.value(n.first()+"_axis", tensor.Scalar(axis)))
	}
	return []*node{n}, nil
}

// Operators that were experimental in opset 1 and are no more.

// upgradeAffine: alpha·x+beta.
func upgradeAffine(u *upgrader, n *node) ([]*node, error) {
	return u.linear(n, "alpha", "beta")
}

// upgradeScale: scale·x.
func upgradeScale(u *upgrader, n *node) ([]*node, error) {
	return u.linear(n, "scale", "")
}

// linear writes factor·x+summand of two attributes, 1 and 0 by default.
func (u *upgrader) linear(n *node, factor, summand string) ([]*node, error) {
	if len(n.in) != 1 || len(n.out) != 1 {
		return nil, errors.New("want one input and one output")
	}
	a, b := float32(1), float32(0)
	if v, ok := n.take(factor); ok {
		a = v.f
	}
	if v, ok := n.take(summand); ok {
		b = v.f
	}
	by, err := u.number(n, "factor", a)
	if err != nil {
		return nil, err
	}
	if b == 0 {
		return []*node{n.made("Mul", []string{n.in[0], by}, n.out[0])}, nil
	}
	plus, err := u.number(n, "summand", b)
	if err != nil {
		return nil, err
	}
	product := u.name(n.first() + "_product")
	return []*node{n.made("Mul", []string{n.in[0], by}, product), n.made("Add", []string{product, plus}, n.out[0])}, nil
}

// upgradeImageScaler: scale·x+bias, one bias for each channel of [N, C, H, W].
func upgradeImageScaler(u *upgrader, n *node) ([]*node, error) {
	bias, ok := n.take("bias")
	if !ok {
		return u.linear(n, "scale", "")
	}
	if len(n.in) != 1 || len(n.out) != 1 {
		return nil, errors.New("want one input and one output")
	}
	final := n.out[0]
	product := u.name(final + "_product")
	n.out = []string{product}
	out, err := u.linear(n, "scale", "")
	if err != nil {
		return nil, err
	}
	t, err := op.Convert(tensor.FromSlice(bias.floats, len(bias.floats), 1, 1), u.floatType(n))
	if err != nil {
		return nil, err
	}
	return append(out, n.made("Add", []string{product, u.value(final+"_bias", t)}, final)), nil
}

// upgradeParametricSoftplus: alpha·log(1+e^(beta·x)).
func upgradeParametricSoftplus(u *upgrader, n *node) ([]*node, error) {
	return u.around(n, "Softplus")
}

// upgradeScaledTanh: alpha·tanh(beta·x).
func upgradeScaledTanh(u *upgrader, n *node) ([]*node, error) { return u.around(n, "Tanh") }

// around writes alpha·f(beta·x).
func (u *upgrader) around(n *node, f string) ([]*node, error) {
	if len(n.in) != 1 || len(n.out) != 1 {
		return nil, errors.New("want one input and one output")
	}
	var factor [2]string
	for i, name := range []string{"alpha", "beta"} {
		v, ok := n.take(name)
		if !ok {
			return nil, fmt.Errorf("attribute %s is missing", name)
		}
		var err error
		if factor[i], err = u.number(n, name, v.f); err != nil {
			return nil, err
		}
	}
	inner, outer := u.name(n.first()+"_inner"), u.name(n.first()+"_outer")
	return []*node{
		n.made("Mul", []string{n.in[0], factor[1]}, inner),
		n.made(f, []string{inner}, outer),
		n.made("Mul", []string{outer, factor[0]}, n.out[0]),
	}, nil
}

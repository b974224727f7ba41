package ir

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Format writes g as text, one line a node, constants in full:
//
//	graph net
//	input x float32[batch,4]
//	const w float32[4,2] = [1 0 0 1 0.5 0 0 2]
//	y float32[batch,2] = MatMul(x, w) @layer1
//	z float32[batch,2] = LeakyRelu(y) {alpha=0.25f}
//	output z
//
// Absent operands are _, names that are not plain are quoted, bodies stand
// indented in braces behind their node, whose captured operands are those
// behind a semicolon. Parse reads it back to an equal graph, except for what
// formats keep for themselves (Keep, Origin).
func Format(g *Graph) string {
	p := printer{}
	p.graph(g, "")
	return p.b.String()
}

type printer struct{ b strings.Builder }

func (p *printer) graph(g *Graph, indent string) {
	seen := map[*Value]bool{}
	line := func(format string, args ...any) {
		p.b.WriteString(indent)
		fmt.Fprintf(&p.b, format, args...)
		p.b.WriteByte('\n')
	}
	line("graph %s", quote(g.Name))
	if g.Arithmetic == TFLite {
		line("arithmetic tflite")
	}
	for _, k := range slices.Sorted(maps.Keys(g.Meta)) {
		line("meta %s %s", strconv.Quote(k), strconv.Quote(g.Meta[k]))
	}
	for _, v := range g.Inputs {
		line("input %s %s", quote(v.Name), typeText(v.Fact))
		seen[v] = true
	}
	consts := func(vs []*Value) {
		for _, v := range vs {
			if v != nil && v.Const != nil && !seen[v] {
				seen[v] = true
				line("const %s %s", quote(v.Name), TensorText(v.Const))
			}
		}
	}
	for _, n := range g.Nodes {
		consts(n.In)
		outs := make([]string, len(n.Out))
		for i, v := range n.Out {
			outs[i] = "_"
			if v != nil {
				outs[i] = quote(v.Name) + " " + typeText(v.Fact)
			}
		}
		ins := operands(n.In[:len(n.In)-n.Captured])
		if n.Captured > 0 {
			ins += "; " + operands(n.In[len(n.In)-n.Captured:])
		}
		s := fmt.Sprintf("%s = %s(%s)", strings.Join(outs, ", "), opName(n.Op), ins)
		if attrs := op.Attrs(n.Op); len(attrs) > 0 {
			parts := make([]string, len(attrs))
			for i, a := range attrs {
				parts[i] = quote(a.Name) + "=" + attrText(a.Value)
			}
			s += " {" + strings.Join(parts, ", ") + "}"
		}
		if n.Name != "" {
			s += " @" + quote(n.Name)
		}
		line("%s", s)
		for _, b := range n.Bodies {
			line("{")
			p.graph(b, indent+"  ")
			line("}")
		}
	}
	consts(g.Outputs)
	for _, v := range g.Outputs {
		line("output %s", quote(v.Name))
	}
	for _, s := range g.States {
		init := "_"
		if s.Init != nil {
			init = TensorText(s.Init)
		}
		line("state %s %s %s", quote(s.In.Name), quote(s.Out.Name), init)
	}
}

func operands(vs []*Value) string {
	names := make([]string, len(vs))
	for i, v := range vs {
		names[i] = "_"
		if v != nil {
			names[i] = quote(v.Name)
		}
	}
	return strings.Join(names, ", ")
}

var plain = regexp.MustCompile(`^[A-Za-z/.][A-Za-z0-9_/.:\-]*$`)

func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

func opName(o op.Op) string {
	if c, ok := o.(*op.Custom); ok {
		return strconv.Quote(c.Domain + "::" + c.Type)
	}
	return o.Name()
}

func typeText(f op.Fact) string {
	switch f.Kind {
	case op.SequenceKind, op.OptionalKind:
		elem := "?[...]"
		if f.Elem != nil {
			elem = typeText(*f.Elem)
		}
		if f.Kind == op.SequenceKind {
			return "seq(" + elem + ")"
		}
		return "optional(" + elem + ")"
	}
	name := "?"
	if f.Type != dtype.Invalid {
		name = f.Type.String()
	}
	return name + f.Shape.String()
}

// TensorText writes a tensor as its type, shape and elements in a form that
// loses no bit.
func TensorText(t *tensor.Tensor) string {
	head := typeText(op.TensorFact(t.Type(), op.Known(t.Shape()...)))
	return head + " = " + elementsText(t)
}

func elementsText(t *tensor.Tensor) string {
	var parts []string
	switch t.Type() {
	case dtype.Float32:
		for _, v := range tensor.Data[float32](t) {
			parts = append(parts, floatText(float64(v), 32, uint64(math.Float32bits(v))))
		}
	case dtype.Float64:
		for _, v := range tensor.Data[float64](t) {
			parts = append(parts, floatText(v, 64, math.Float64bits(v)))
		}
	case dtype.String:
		for _, s := range t.Strings() {
			parts = append(parts, strconv.Quote(s))
		}
	case dtype.Uint64:
		for _, v := range tensor.Data[uint64](t) {
			parts = append(parts, strconv.FormatUint(v, 10))
		}
	default:
		if ints, ok := tensor.Ints(t); ok || t.Type() == dtype.Bool {
			for _, v := range ints {
				parts = append(parts, strconv.FormatInt(v, 10))
			}
			break
		}
		// Types without a Go form are given by their bytes.
		return "#" + hex.EncodeToString(t.Bytes())
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// floatText gives the shortest text that parses back to the same bits; a NaN
// is given by its bits.
func floatText(v float64, size int, bits uint64) string {
	if v != v {
		return fmt.Sprintf("nan:%x", bits)
	}
	return strconv.FormatFloat(v, 'g', -1, size)
}

func attrText(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float32:
		return floatText(float64(v), 32, uint64(math.Float32bits(v))) + "f"
	case string:
		return strconv.Quote(v)
	case []int64:
		return listText("i", v)
	case []float32:
		return listText("f", v)
	case []string:
		return listText("s", v)
	case *tensor.Tensor:
		return "<" + TensorText(v) + ">"
	}
	panic(fmt.Sprintf("ir: attribute of type %T", v))
}

func listText[T any](kind string, vs []T) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = strings.TrimSuffix(attrText(any(v)), "f")
		if kind == "s" {
			parts[i] = attrText(any(v))
		}
	}
	return kind + "[" + strings.Join(parts, " ") + "]"
}

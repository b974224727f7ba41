package ir

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Parse reads what Format writes. Blank lines and lines that start with // are
// passed over. Errors give the line. The result is verified.
func Parse(text string) (*Graph, error) {
	p := &parser{lines: strings.Split(text, "\n"), values: map[string]*Value{}}
	g, err := p.graph()
	if err != nil {
		return nil, fmt.Errorf("ir: line %d: %w", p.at, err)
	}
	if p.next() {
		return nil, fmt.Errorf("ir: line %d: text behind the graph", p.at)
	}
	if err := Verify(g); err != nil {
		return nil, fmt.Errorf("ir: %w", err)
	}
	return g, nil
}

const maxNesting = 64

type parser struct {
	lines  []string
	at     int // number of lines read
	depth  int
	s      string // rest of the current line
	values map[string]*Value
}

// next moves to the next line with content.
func (p *parser) next() bool {
	for p.at < len(p.lines) {
		p.s = strings.TrimSpace(p.lines[p.at])
		p.at++
		if p.s != "" && !strings.HasPrefix(p.s, "//") {
			return true
		}
	}
	return false
}

func (p *parser) skip() { p.s = strings.TrimLeft(p.s, " \t") }

func (p *parser) eat(tok string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.s, tok)
	if ok {
		p.s = rest
	}
	return ok
}

func (p *parser) expect(tok string) error {
	if !p.eat(tok) {
		return fmt.Errorf("want %q at %q", tok, clip(p.s))
	}
	return nil
}

func clip(s string) string {
	if len(s) > 30 {
		return s[:30] + "…"
	}
	return s
}

// word reads a plain or quoted name.
func (p *parser) word() (string, error) {
	p.skip()
	if strings.HasPrefix(p.s, `"`) {
		q, err := strconv.QuotedPrefix(p.s)
		if err != nil {
			return "", fmt.Errorf("bad quoted text at %q", clip(p.s))
		}
		p.s = p.s[len(q):]
		return strconv.Unquote(q)
	}
	i := strings.IndexFunc(p.s, func(r rune) bool {
		return !(r == '_' || r == '/' || r == '.' || r == ':' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
	if i < 0 {
		i = len(p.s)
	}
	if i == 0 {
		return "", fmt.Errorf("want a name at %q", clip(p.s))
	}
	w := p.s[:i]
	p.s = p.s[i:]
	return w, nil
}

func (p *parser) define(name string, f op.Fact) (*Value, error) {
	if p.values[name] != nil {
		return nil, fmt.Errorf("value %q is defined twice", name)
	}
	v := &Value{Name: name, Fact: f}
	p.values[name] = v
	return v, nil
}

func (p *parser) graph() (*Graph, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("bodies are nested too deep")
	}
	defer func() { p.depth-- }()
	g := &Graph{}
	if !p.next() {
		return nil, fmt.Errorf("want a graph")
	}
	if err := p.expect("graph"); err != nil {
		return nil, err
	}
	var err error
	if g.Name, err = p.word(); err != nil {
		return nil, err
	}
	for p.next() {
		if p.s == "}" {
			if p.depth == 1 {
				return nil, fmt.Errorf("unexpected }")
			}
			return g, nil
		}
		if err := p.line(g); err != nil {
			return nil, err
		}
	}
	if p.depth > 1 {
		return nil, fmt.Errorf("want } behind the body")
	}
	return g, nil
}

func (p *parser) line(g *Graph) error {
	first, _, _ := strings.Cut(p.s, " ")
	switch first {
	case "arithmetic":
		g.Arithmetic = TFLite
		return p.end(p.expect("arithmetic tflite"))
	case "meta":
		p.eat("meta")
		k, err := p.word()
		if err != nil {
			return err
		}
		v, err := p.word()
		if err != nil {
			return err
		}
		if g.Meta == nil {
			g.Meta = map[string]string{}
		}
		g.Meta[k] = v
		return p.end(nil)
	case "input", "const":
		return p.end(p.source(g, first))
	case "output":
		p.eat("output")
		v, err := p.use()
		if err != nil {
			return err
		}
		g.Outputs = append(g.Outputs, v)
		return p.end(nil)
	case "state":
		return p.end(p.state(g))
	case "{":
		if len(g.Nodes) == 0 {
			return fmt.Errorf("a body without a node")
		}
		n := g.Nodes[len(g.Nodes)-1]
		outer := p.values
		p.values = map[string]*Value{}
		b, err := p.graph()
		p.values = outer
		n.Bodies = append(n.Bodies, b)
		return err
	}
	return p.end(p.node(g))
}

func (p *parser) end(err error) error {
	if err == nil && strings.TrimSpace(p.s) != "" {
		return fmt.Errorf("unexpected %q", clip(p.s))
	}
	return err
}

func (p *parser) source(g *Graph, what string) error {
	p.eat(what)
	name, err := p.word()
	if err != nil {
		return err
	}
	f, err := p.fact()
	if err != nil {
		return err
	}
	if what == "const" {
		t, err := p.elements(f)
		if err != nil {
			return fmt.Errorf("const %q: %w", name, err)
		}
		f = op.ConstFact(t)
	}
	v, err := p.define(name, f)
	if what == "input" {
		g.Inputs = append(g.Inputs, v)
	}
	return err
}

func (p *parser) state(g *Graph) error {
	p.eat("state")
	in, err := p.use()
	if err != nil {
		return err
	}
	out, err := p.use()
	if err != nil || in == nil || out == nil {
		return fmt.Errorf("a state needs an input and an output: %w", err)
	}
	s := State{In: in, Out: out}
	if !p.eat("_") {
		f, err := p.fact()
		if err != nil {
			return err
		}
		if s.Init, err = p.elements(f); err != nil {
			return err
		}
	}
	g.States = append(g.States, s)
	return nil
}

// use reads the name of a value; _ is none.
func (p *parser) use() (*Value, error) {
	name, err := p.word()
	if err != nil || name == "_" {
		return nil, err
	}
	v := p.values[name]
	if v == nil {
		return nil, fmt.Errorf("value %q is not defined above", name)
	}
	return v, nil
}

func (p *parser) node(g *Graph) error {
	n := &Node{}
	for {
		name, err := p.word()
		if err != nil {
			return err
		}
		var v *Value
		if name != "_" {
			f, err := p.fact()
			if err != nil {
				return err
			}
			if v, err = p.define(name, f); err != nil {
				return err
			}
		}
		n.Out = append(n.Out, v)
		if !p.eat(",") {
			break
		}
	}
	if err := p.expect("="); err != nil {
		return err
	}
	name, err := p.word()
	if err != nil {
		return err
	}
	if domain, typ, ok := strings.Cut(name, "::"); ok {
		n.Op = &op.Custom{Domain: domain, Type: typ}
	} else if n.Op, err = op.ByName(name); err != nil {
		return err
	}
	if err := p.expect("("); err != nil {
		return err
	}
	captured := -1 // not come to yet
	for !p.eat(")") {
		if captured < 0 && p.eat(";") {
			captured = 0
		}
		v, err := p.use()
		if err != nil {
			return err
		}
		n.In = append(n.In, v)
		if captured >= 0 {
			captured++
		}
		p.eat(",")
	}
	n.Captured = max(captured, 0)
	if p.eat("{") {
		if err := p.attrs(n.Op); err != nil {
			return err
		}
	}
	if p.eat("@") {
		if n.Name, err = p.word(); err != nil {
			return err
		}
	}
	g.Nodes = append(g.Nodes, n)
	return nil
}

func (p *parser) attrs(o op.Op) error {
	var attrs []op.Attr
	for !p.eat("}") {
		name, err := p.word()
		if err != nil {
			return err
		}
		if err := p.expect("="); err != nil {
			return err
		}
		val, err := p.attr()
		if err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
		attrs = append(attrs, op.Attr{Name: name, Value: val})
		p.eat(",")
	}
	unknown, err := op.SetAttrs(o, attrs)
	if err == nil && len(unknown) > 0 {
		err = fmt.Errorf("%s has no attribute %q", o.Name(), unknown[0].Name)
	}
	return err
}

func (p *parser) attr() (any, error) {
	switch {
	case strings.HasPrefix(p.s, `"`):
		return p.word()
	case p.eat("<"):
		f, err := p.fact()
		if err != nil {
			return nil, err
		}
		t, err := p.elements(f)
		if err != nil {
			return nil, err
		}
		return t, p.expect(">")
	case strings.HasPrefix(p.s, "i["), strings.HasPrefix(p.s, "f["), strings.HasPrefix(p.s, "s["):
		kind := p.s[0]
		p.s = p.s[1:]
		words, err := p.list()
		if err != nil {
			return nil, err
		}
		switch kind {
		case 's':
			return words, nil
		case 'i':
			return each(words, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
		}
		return each(words, parseFloat32)
	}
	i := strings.IndexAny(p.s, ",} ")
	if i < 0 {
		return nil, fmt.Errorf("unfinished at %q", clip(p.s))
	}
	w := p.s[:i]
	p.s = p.s[i:]
	if num, ok := strings.CutSuffix(w, "f"); ok && !strings.HasSuffix(w, "Inf") {
		return parseFloat32(num)
	}
	return strconv.ParseInt(w, 10, 64)
}

func each[T any](words []string, f func(string) (T, error)) ([]T, error) {
	out := make([]T, len(words))
	for i, w := range words {
		v, err := f(w)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func parseFloat32(s string) (float32, error) {
	if b, ok := strings.CutPrefix(s, "nan:"); ok {
		n, err := strconv.ParseUint(b, 16, 32)
		return math.Float32frombits(uint32(n)), err
	}
	v, err := strconv.ParseFloat(s, 32)
	return float32(v), err
}

func parseFloat64(s string) (float64, error) {
	if b, ok := strings.CutPrefix(s, "nan:"); ok {
		n, err := strconv.ParseUint(b, 16, 64)
		return math.Float64frombits(n), err
	}
	return strconv.ParseFloat(s, 64)
}

// list reads [a b "c d"].
func (p *parser) list() ([]string, error) {
	if err := p.expect("["); err != nil {
		return nil, err
	}
	var out []string
	for !p.eat("]") {
		p.skip()
		if strings.HasPrefix(p.s, `"`) {
			w, err := p.word()
			if err != nil {
				return nil, err
			}
			out = append(out, w)
			continue
		}
		i := strings.IndexAny(p.s, " ]")
		if i <= 0 {
			return nil, fmt.Errorf("unfinished list at %q", clip(p.s))
		}
		out = append(out, p.s[:i])
		p.s = p.s[i:]
	}
	return out, nil
}

func (p *parser) fact() (op.Fact, error) {
	for kind, word := range map[op.Kind]string{op.SequenceKind: "seq(", op.OptionalKind: "optional("} {
		if p.eat(word) {
			if p.depth++; p.depth > maxNesting {
				return op.Fact{}, fmt.Errorf("types are nested too deep")
			}
			elem, err := p.fact()
			p.depth--
			if err != nil {
				return op.Fact{}, err
			}
			return op.Fact{Kind: kind, Elem: &elem}, p.expect(")")
		}
	}
	p.skip()
	i := strings.IndexByte(p.s, '[')
	if i < 0 {
		return op.Fact{}, fmt.Errorf("want a type at %q", clip(p.s))
	}
	var f op.Fact
	if name := p.s[:i]; name != "?" {
		var err error
		if f.Type, err = dtype.Parse(name); err != nil {
			return f, err
		}
	}
	p.s = p.s[i+1:]
	if p.eat("...]") {
		return f, nil
	}
	f.Shape = op.Known()
	depth, from := 0, 0
	for i := 0; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '(' || c == '{':
			depth++
		case c == ')' || c == '}':
			depth--
		case (c == ',' || c == ']') && depth == 0:
			if d := p.s[from:i]; d != "" {
				f.Shape = append(f.Shape, op.ParseDim(d))
			} else if c == ',' || len(f.Shape) > 0 {
				return f, fmt.Errorf("an empty dimension")
			}
			if c == ']' {
				p.s = p.s[i+1:]
				return f, nil
			}
			from = i + 1
		}
	}
	return f, fmt.Errorf("unfinished shape")
}

// elements reads "= [1 2 3]" or "= #hex" as a tensor of the given type.
func (p *parser) elements(f op.Fact) (*tensor.Tensor, error) {
	shape, ok := f.Shape.Ints()
	if _, fits := tensor.Count(shape); !ok || !fits || f.Type == dtype.Invalid {
		return nil, fmt.Errorf("a constant needs a known type and shape")
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	if p.eat("#") {
		i := strings.IndexAny(p.s, " >")
		if i < 0 {
			i = len(p.s)
		}
		b, err := hex.DecodeString(p.s[:i])
		p.s = p.s[i:]
		if err != nil {
			return nil, err
		}
		return tensor.FromBytes(f.Type, shape, b)
	}
	words, err := p.list()
	if err != nil {
		return nil, err
	}
	if n, _ := tensor.Count(shape); n != len(words) {
		return nil, fmt.Errorf("%d elements for shape %v", len(words), shape)
	}
	return fill(f.Type, shape, words)
}

func fill(typ dtype.Type, shape []int, words []string) (*tensor.Tensor, error) {
	switch typ {
	case dtype.String:
		return tensor.FromStrings(words, shape...)
	case dtype.Float32:
		v, err := each(words, parseFloat32)
		if err != nil {
			return nil, err
		}
		return tensor.FromSlice(v, shape...), nil
	case dtype.Float64:
		v, err := each(words, parseFloat64)
		if err != nil {
			return nil, err
		}
		return tensor.FromSlice(v, shape...), nil
	case dtype.Uint64:
		v, err := each(words, func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) })
		if err != nil {
			return nil, err
		}
		return tensor.FromSlice(v, shape...), nil
	}
	if !typ.IsInteger() && typ != dtype.Bool {
		return nil, fmt.Errorf("%v constants are given by their bytes", typ)
	}
	lo, hi := typ.Range()
	if typ == dtype.Bool {
		hi = 1
	}
	v, err := each(words, func(s string) (int64, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err == nil && (n < lo || n > hi) {
			err = fmt.Errorf("%d is outside %v", n, typ)
		}
		return n, err
	})
	if err != nil {
		return nil, err
	}
	return tensor.FromInts(typ, v, shape...), nil
}

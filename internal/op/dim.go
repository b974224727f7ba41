package op

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Dim is one dimension or one element of a shape tensor: a number, a
// polynomial over named symbols with integer coefficients, or unknown. Dims
// are comparable with ==: equal expressions are equal Dims. The zero Dim is
// the number 0.
type Dim struct {
	n    int
	expr string // canonical text of the polynomial; "" for a number; "?" unknown
}

// Unknown is a dimension of which nothing is known; it equals no other
// dimension in meaning.
var Unknown = Dim{expr: "?"}

// Size returns the number n as a Dim.
func Size(n int) Dim { return Dim{n: n} }

// Sym returns the dimension with the given name. Names that hold characters
// with a meaning in expressions are kept as one symbol.
func Sym(name string) Dim {
	if name == "" || name == "?" {
		return Unknown
	}
	if n, err := strconv.Atoi(name); err == nil {
		return Size(n)
	}
	if strings.ContainsAny(name, "+-*(){} ,[]=?") {
		name = "{" + strings.NewReplacer("{", "(", "}", ")").Replace(name) + "}"
	}
	return Dim{expr: name}
}

// Int returns the number and whether d is one.
func (d Dim) Int() (int, bool) { return d.n, d.expr == "" }

// IsUnknown reports whether nothing is known of d.
func (d Dim) IsUnknown() bool { return d.expr == "?" }

// Is reports whether d is the number n.
func (d Dim) Is(n int) bool { return d.expr == "" && d.n == n }

// Same reports whether a and b are known to be equal.
func (d Dim) Same(e Dim) bool { return d == e && !d.IsUnknown() }

// String returns a number, an expression such as "2*batch+1", or "?".
func (d Dim) String() string {
	if d.expr == "" {
		return strconv.Itoa(d.n)
	}
	return d.expr
}

// Name returns the text that names d in a file: a lone symbol as it was given.
func (d Dim) Name() string {
	s := d.String()
	if strings.HasPrefix(s, "{") && strings.Index(s, "}") == len(s)-1 {
		return s[1 : len(s)-1]
	}
	return s
}

// poly maps a product of symbols (sorted, joined by *) to its coefficient; the
// empty product is the constant term.
type poly map[string]int

func (d Dim) poly() poly {
	if d.expr == "" {
		return poly{"": d.n}
	}
	p := poly{}
	for _, term := range splitTop(d.expr, '+') {
		coef, key := 1, []string{}
		for _, f := range splitTop(term, '*') {
			if n, err := strconv.Atoi(f); err == nil {
				coef *= n
			} else {
				key = append(key, f)
			}
		}
		p[strings.Join(key, "*")] += coef
	}
	return p
}

// splitTop splits at sep outside brackets.
func splitTop(s string, sep byte) []string {
	var out []string
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case sep:
			if depth == 0 {
				out = append(out, s[from:i])
				from = i + 1
			}
		}
	}
	return append(out, s[from:])
}

// maxExpr bounds the text of a dimension: products of sums grow without end.
const maxExpr = 512

// expression returns the dimension with the given canonical text, Unknown where
// it is too long to follow.
func expression(text string) Dim {
	if len(text) > maxExpr {
		return Unknown
	}
	return Dim{expr: text}
}

func (p poly) dim() Dim {
	keys := make([]string, 0, len(p))
	for k, c := range p {
		if c != 0 {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return Size(0)
	}
	if len(keys) == 1 && keys[0] == "" {
		return Size(p[""])
	}
	// Long products first, the constant last: a+b reads better than 1+a.
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(b, "*"), strings.Count(a, "*")), cmp.Compare(b2i(a == ""), b2i(b == "")), cmp.Compare(a, b))
	})
	terms := make([]string, len(keys))
	for i, k := range keys {
		switch c := p[k]; {
		case k == "":
			terms[i] = strconv.Itoa(c)
		case c == 1:
			terms[i] = k
		default:
			terms[i] = strconv.Itoa(c) + "*" + k
		}
	}
	return expression(strings.Join(terms, "+"))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Add returns d+e.
func (d Dim) Add(e Dim) Dim {
	if d.IsUnknown() || e.IsUnknown() {
		return Unknown
	}
	if d.expr == "" && e.expr == "" {
		return Size(d.n + e.n)
	}
	p := d.poly()
	for k, c := range e.poly() {
		p[k] += c
	}
	return p.dim()
}

// Sub returns d−e.
func (d Dim) Sub(e Dim) Dim { return d.Add(e.Mul(Size(-1))) }

// Mul returns d·e.
func (d Dim) Mul(e Dim) Dim {
	if d.Is(0) || e.Is(0) {
		return Size(0)
	}
	if d.IsUnknown() || e.IsUnknown() {
		return Unknown
	}
	if d.expr == "" && e.expr == "" {
		return Size(d.n * e.n)
	}
	p := poly{}
	for k1, c1 := range d.poly() {
		for k2, c2 := range e.poly() {
			factors := slices.DeleteFunc(append(splitTop(k1, '*'), splitTop(k2, '*')...), func(s string) bool { return s == "" })
			slices.Sort(factors)
			p[strings.Join(factors, "*")] += c1 * c2
		}
	}
	return p.dim()
}

// Div returns the quotient rounded down; dividing by zero gives Unknown.
func (d Dim) Div(e Dim) Dim {
	if d.IsUnknown() || e.IsUnknown() || e.Is(0) {
		return Unknown
	}
	if d == e || d.Is(0) {
		return Size(b2i(d == e && !d.Is(0)))
	}
	a, aok := d.Int()
	b, bok := e.Int()
	if aok && bok {
		q := a / b
		if a%b != 0 && (a < 0) != (b < 0) {
			q--
		}
		return Size(q)
	}
	if q, ok := exact(d.poly(), e.poly()); ok {
		return q.dim()
	}
	return expression(fmt.Sprintf("floor((%s)/(%s))", d, e))
}

// exact divides p by a divisor of one term where nothing remains.
func exact(p, by poly) (poly, bool) {
	if len(by) != 1 {
		return nil, false
	}
	out := poly{}
	for bk, bc := range by {
		for k, c := range p {
			if c%bc != 0 {
				return nil, false
			}
			rest := splitTop(k, '*')
			for _, f := range splitTop(bk, '*') {
				if f == "" {
					continue
				}
				i := slices.Index(rest, f)
				if i < 0 {
					return nil, false
				}
				rest = slices.Delete(rest, i, i+1)
			}
			out[strings.Join(rest, "*")] += c / bc
		}
	}
	return out, true
}

// CeilDiv returns the quotient rounded up, for a positive divisor.
func (d Dim) CeilDiv(e Dim) Dim { return d.Add(e).Sub(Size(1)).Div(e) }

// ParseDim reads what String writes.
func ParseDim(s string) Dim {
	if n, err := strconv.Atoi(s); err == nil {
		return Size(n)
	}
	if s == "" || s == "?" {
		return Unknown
	}
	return Dim{expr: s}.poly().dim()
}

// Substitute returns d with numbers in the place of symbols, which go by the
// text of Name. A quotient in which a substituted symbol may stand becomes
// Unknown: inference computes it anew.
func (d Dim) Substitute(sizes map[string]int) Dim {
	if d.expr == "" || d.IsUnknown() {
		return d
	}
	out := poly{}
	for key, c := range d.poly() {
		var rest []string
		for _, f := range splitTop(key, '*') {
			size, ok := sizes[Dim{expr: f}.Name()]
			switch {
			case f == "":
			case ok:
				c *= size
			case strings.HasPrefix(f, "floor("):
				for name := range sizes {
					if strings.Contains(f, name) {
						return Unknown
					}
				}
				rest = append(rest, f)
			default:
				rest = append(rest, f)
			}
		}
		out[strings.Join(rest, "*")] += c
	}
	return out.dim()
}

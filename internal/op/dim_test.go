package op_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/op"
	"pgregory.net/rapid"
)

// env gives symbols their numbers.
type env map[string]int

// names are the symbols of the properties below; some hold characters that
// mean something in expressions.
var names = []string{"n", "batch", "seq len", "a*b", "x+1"}

func envs(lo int) *rapid.Generator[env] {
	return rapid.Custom(func(t *rapid.T) env {
		e := env{}
		for _, n := range names {
			e[n] = rapid.IntRange(lo, 40).Draw(t, n)
		}
		return e
	})
}

// value computes the text of a Dim; it knows nothing of package op.
func (e env) value(t *rapid.T, s string) int {
	sum := 0
	for _, term := range topLevel(s, '+') {
		product := 1
		for _, f := range topLevel(term, '*') {
			n, err := strconv.Atoi(f)
			switch {
			case err == nil:
			case strings.HasPrefix(f, "floor((") && strings.HasSuffix(f, "))"):
				q := topLevel(f[len("floor("):len(f)-1], '/')
				if len(q) != 2 {
					t.Fatalf("%q is no quotient", f)
				}
				n = floorDiv(e.value(t, q[0][1:len(q[0])-1]), e.value(t, q[1][1:len(q[1])-1]))
			default:
				var ok bool
				if n, ok = e[strings.Trim(f, "{}")]; !ok {
					t.Fatalf("%q of %q is no symbol", f, s)
				}
			}
			product *= n
		}
		sum += product
	}
	return sum
}

func topLevel(s string, sep rune) []string {
	depth := 0
	return strings.FieldsFunc(s, func(r rune) bool {
		depth += strings.Count("({", string(r)) - strings.Count(")}", string(r))
		return r == sep && depth == 0
	})
}

func floorDiv(a, b int) int { return int(math.Floor(float64(a) / float64(b))) }

// expressions draws a Dim and what it stands for.
func expression(t *rapid.T, e env, depth int) (op.Dim, int) {
	if depth == 0 || rapid.Bool().Draw(t, "leaf") {
		if rapid.Bool().Draw(t, "symbol") {
			n := rapid.SampledFrom(names).Draw(t, "name")
			return op.Sym(n), e[n]
		}
		n := rapid.IntRange(-4, 12).Draw(t, "number")
		return op.Size(n), n
	}
	a, x := expression(t, e, depth-1)
	b, y := expression(t, e, depth-1)
	switch rapid.SampledFrom([]string{"+", "-", "*", "/"}).Draw(t, "operator") {
	case "+":
		return a.Add(b), x + y
	case "-":
		return a.Sub(b), x - y
	case "*":
		return a.Mul(b), x * y
	}
	if y == 0 {
		return a, x
	}
	return a.Div(b), floorDiv(x, y)
}

// TestDimsAgreeWithIntegers: whatever is done to symbols and then given
// numbers is what the same arithmetic does to the numbers.
func TestDimsAgreeWithIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := envs(1).Draw(t, "env")
		d, want := expression(t, e, 4)
		if d.IsUnknown() {
			t.Skip("the text is longer than what is followed")
		}
		if got := e.value(t, d.String()); got != want {
			t.Fatalf("%v is %d with %v, want %d", d, got, e, want)
		}
		if n, ok := d.Int(); ok && n != want {
			t.Fatalf("%v is the number %d, want %d", d, n, want)
		}
		if back := op.ParseDim(d.String()); back != d {
			t.Fatalf("%v read again is %v", d, back)
		}
	})
}

// TestEqualExpressionsAreEqualDims: the laws of arithmetic hold under ==.
func TestEqualExpressionsAreEqualDims(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := envs(1).Draw(t, "env")
		a, _ := expression(t, e, 2)
		b, _ := expression(t, e, 2)
		c, _ := expression(t, e, 2)
		for law, pair := range map[string][2]op.Dim{
			"a+b = b+a":             {a.Add(b), b.Add(a)},
			"a*b = b*a":             {a.Mul(b), b.Mul(a)},
			"(a+b)+c = a+(b+c)":     {a.Add(b).Add(c), a.Add(b.Add(c))},
			"(a*b)*c = a*(b*c)":     {a.Mul(b).Mul(c), a.Mul(b.Mul(c))},
			"(a+b)*c = a*c+b*c":     {a.Add(b).Mul(c), a.Mul(c).Add(b.Mul(c))},
			"(a+b)-b = a":           {a.Add(b).Sub(b), a},
			"a-a = 0":               {a.Sub(a), op.Size(0)},
			"(a*6*n)/(6*n) = a":     {a.Mul(op.Size(6)).Mul(op.Sym("n")).Div(op.Size(6).Mul(op.Sym("n"))), a},
			"a*1 = a, a*0 = 0, a+0": {a.Mul(op.Size(1)).Add(a.Mul(op.Size(0))), a.Add(op.Size(0))},
		} {
			if pair[0] != pair[1] {
				t.Fatalf("%s: %v and %v for a=%v b=%v c=%v", law, pair[0], pair[1], a, b, c)
			}
		}
	})
}

func TestCeilDivRoundsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := envs(0).Draw(t, "env")
		by := rapid.IntRange(1, 9).Draw(t, "by")
		d, x := expression(t, e, 2)
		if got, want := e.value(t, d.CeilDiv(op.Size(by)).String()), -floorDiv(-x, by); got != want {
			t.Fatalf("ceil(%v/%d) = %d with %v, want %d", d, by, got, e, want)
		}
	})
}

func TestDimText(t *testing.T) {
	n, b := op.Sym("n"), op.Sym("batch")
	for _, c := range []struct {
		dim  op.Dim
		want string
	}{
		{op.Size(-3), "-3"},
		{op.Sym("17"), "17"},
		{op.Sym(""), "?"},
		{op.Sym("seq len"), "{seq len}"},
		{op.Sym("a{b}"), "{a(b)}"},
		{n.Mul(op.Size(2)).Add(op.Size(1)), "2*n+1"},
		{op.Size(1).Add(n.Mul(b)).Add(n), "batch*n+n+1"},
		{n.Sub(op.Size(2)), "n+-2"},
		{n.Add(op.Size(1)).Div(op.Size(2)), "floor((n+1)/(2))"},
		{n.Sub(n), "0"},
	} {
		if got := c.dim.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	for name, want := range map[string]string{"batch": "batch", "seq len": "seq len", "a*b": "a*b", "?": "?"} {
		if got := op.Sym(name).Name(); got != want {
			t.Errorf("the name of %q is %q, want %q", name, got, want)
		}
	}
	if got := op.Sym("seq len").Add(op.Sym("a*b")).Name(); got != "{a*b}+{seq len}" {
		t.Errorf("the name of a sum is %q", got)
	}
}

func TestUnknownStaysUnknown(t *testing.T) {
	n := op.Sym("n")
	for what, d := range map[string]op.Dim{
		"+": op.Unknown.Add(n), "-": n.Sub(op.Unknown), "*": n.Mul(op.Unknown), "/": op.Unknown.Div(op.Size(2)),
		"by 0": n.Div(op.Size(0)), "5 by 0": op.Size(5).Div(op.Size(0)), "-unknown": op.Unknown.Sub(op.Unknown),
	} {
		if !d.IsUnknown() || d.Same(d) {
			t.Errorf("%s: got %v, want unknown", what, d)
		}
	}
	if d := op.Unknown.Mul(op.Size(0)); !d.Is(0) {
		t.Errorf("0 times an unknown size is %v, want 0", d)
	}
	if !n.Same(op.Sym("n")) || n.Same(op.Sym("m")) {
		t.Error("Same must hold for equal names alone")
	}
}

// TestParseDimTakesAnything: a file may hold any text where a dimension stands.
func TestParseDimTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune("ab12+*-(){}/?")), 0, 12, -1)).Draw(t, "text")
		once := op.ParseDim(text)
		if twice := op.ParseDim(once.String()); twice != once {
			t.Fatalf("%q gives %v, and that %v", text, once, twice)
		}
		_ = fmt.Sprint(once.Name(), once.Mul(op.Sym("n")).Sub(once))
	})
}

func TestSubstitute(t *testing.T) {
	sizes := map[string]int{"n": 4, "a b": 5}
	for _, c := range []struct{ in, want op.Dim }{
		{op.Size(3), op.Size(3)},
		{op.Unknown, op.Unknown},
		{op.Sym("n"), op.Size(4)},
		{op.Sym("a b"), op.Size(5)},
		{op.Sym("m"), op.Sym("m")},
		{op.Sym("n").Mul(op.Sym("m")).Add(op.Sym("n")).Add(op.Size(1)), op.Sym("m").Mul(op.Size(4)).Add(op.Size(5))},
		{op.Sym("n").Mul(op.Sym("n")), op.Size(16)},
		{op.Sym("n").Add(op.Size(1)).Div(op.Size(2)), op.Unknown},
		{op.Sym("m").Div(op.Size(2)).Add(op.Sym("n")), op.Sym("m").Div(op.Size(2)).Add(op.Size(4))},
	} {
		if got := c.in.Substitute(sizes); got != c.want {
			t.Errorf("%v: got %v, want %v", c.in, got, c.want)
		}
	}
}

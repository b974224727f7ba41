package npy

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// tuple and list are Python's; the other values of a literal are string, bool,
// int64, nil (None) and map[string]any.
type (
	tuple []any
	list  []any
)

// maxLiteralDepth bounds nesting. NumPy needs two levels, structured types a
// few more.
const maxLiteralDepth = 16

// literal reads the Python literals that NumPy writes in headers: a small and
// strict subset.
type literal struct {
	s    string
	pos  int
	long bool // integers may end in L, as Python 2 wrote them
}

// parseDict reads text as one dict, with white space around it.
func parseDict(text string, long bool) (map[string]any, error) {
	p := &literal{s: text, long: long}
	v, err := p.value(maxLiteralDepth)
	if err == nil && p.peek() != 0 {
		err = errors.New("text after the value")
	}
	if err != nil {
		return nil, fmt.Errorf("offset %d: %w", p.pos, err)
	}
	d, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not a dict")
	}
	return d, nil
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *literal) peek() byte {
	for p.pos < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.pos]) >= 0 {
		p.pos++
	}
	if p.pos == len(p.s) {
		return 0
	}
	if p.s[p.pos] == 0 {
		return 0xff // a NUL in the text is no end
	}
	return p.s[p.pos]
}

func (p *literal) value(depth int) (any, error) {
	if depth == 0 {
		return nil, errors.New("nested too deeply")
	}
	switch c := p.peek(); {
	case c == '{':
		return p.dict(depth)
	case c == '(':
		items, comma, err := p.items(')', depth)
		if err != nil {
			return nil, err
		}
		if len(items) == 1 && !comma {
			return items[0], nil // parentheses around one value are no tuple
		}
		return tuple(items), nil
	case c == '[':
		items, _, err := p.items(']', depth)
		return list(items), err
	case c == '\'' || c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.integer()
	}
	for _, w := range []struct {
		word  string
		value any
	}{{"True", true}, {"False", false}, {"None", nil}} {
		if strings.HasPrefix(p.s[p.pos:], w.word) {
			p.pos += len(w.word)
			return w.value, nil
		}
	}
	return nil, errors.New("no Python literal")
}

// items reads what stands between a bracket and its partner, and whether a
// comma ends it.
func (p *literal) items(end byte, depth int) (items []any, comma bool, err error) {
	p.pos++
	for p.peek() != end {
		if len(items) > 0 && !comma {
			return nil, false, fmt.Errorf("want a comma or %q", end)
		}
		v, err := p.value(depth - 1)
		if err != nil {
			return nil, false, err
		}
		items = append(items, v)
		if comma = p.peek() == ','; comma {
			p.pos++
		}
	}
	p.pos++
	return items, comma, nil
}

func (p *literal) dict(depth int) (map[string]any, error) {
	p.pos++
	d := map[string]any{}
	comma := true
	for p.peek() != '}' {
		if !comma {
			return nil, errors.New("want a comma or '}'")
		}
		if c := p.peek(); c != '\'' && c != '"' {
			return nil, errors.New("want a string as key")
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if _, twice := d[key]; twice {
			return nil, fmt.Errorf("key %q stands twice", key)
		}
		if p.peek() != ':' {
			return nil, errors.New("want ':'")
		}
		p.pos++
		if d[key], err = p.value(depth - 1); err != nil {
			return nil, err
		}
		if comma = p.peek() == ','; comma {
			p.pos++
		}
	}
	p.pos++
	return d, nil
}

// str reads a string without escapes: NumPy's names of types need none.
func (p *literal) str() (string, error) {
	quote := p.s[p.pos]
	rest := p.s[p.pos+1:]
	n := strings.IndexByte(rest, quote)
	if n < 0 {
		return "", errors.New("a string does not end")
	}
	if strings.ContainsAny(rest[:n], "\\\n\r") {
		return "", errors.New("a string with escapes or line ends")
	}
	p.pos += n + 2
	return rest[:n], nil
}

func (p *literal) integer() (int64, error) {
	negative := p.s[p.pos] == '-'
	if negative {
		p.pos++
	}
	start, n := p.pos, int64(0)
	for ; p.pos < len(p.s) && p.s[p.pos] >= '0' && p.s[p.pos] <= '9'; p.pos++ {
		digit := int64(p.s[p.pos] - '0')
		if n > (math.MaxInt64-digit)/10 {
			return 0, errors.New("an integer beyond 64 bits")
		}
		n = n*10 + digit
	}
	if p.pos == start || p.s[start] == '0' && p.pos > start+1 {
		return 0, errors.New("no integer")
	}
	if p.long && p.pos < len(p.s) && p.s[p.pos] == 'L' {
		p.pos++
	}
	if negative {
		n = -n
	}
	return n, nil
}

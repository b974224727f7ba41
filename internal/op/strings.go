package op

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// StringConcat appends the second of two broadcast operands to the first.
type StringConcat struct{}

// Name returns "StringConcat".
func (*StringConcat) Name() string { return "StringConcat" }

// Infer returns strings of the broadcast shape.
func (*StringConcat) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.String, isText)
}

// Eval joins every element.
func (o *StringConcat) Eval(in []Datum) ([]Datum, error) {
	return evalTexts(o, in, func(dst, a, b []string) {
		eltwise.Zip(dst, a, b, func(x, y string) string { return x + y })
	})
}

// RegexFullMatch tells which strings match a pattern as a whole. The syntax is
// that of RE2 (package regexp).
type RegexFullMatch struct {
	Pattern string `attr:"pattern"`
}

// Name returns "RegexFullMatch".
func (*RegexFullMatch) Name() string { return "RegexFullMatch" }

func (o *RegexFullMatch) compile() (*regexp.Regexp, error) {
	return regexp.Compile(`\A(?:` + o.Pattern + `)\z`)
}

// Infer returns Bool of the operand's shape.
func (o *RegexFullMatch) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferOf(in, isText)
	if err != nil {
		return nil, err
	}
	if _, err := o.compile(); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", o.Pattern, err)
	}
	out[0].Type = dtype.Bool
	return out, nil
}

// Eval matches every element.
func (o *RegexFullMatch) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	re, err := o.compile()
	if err != nil {
		return nil, err
	}
	y := make([]bool, arg(in, 0).Len())
	eltwise.Map(y, arg(in, 0).Strings(), re.MatchString)
	return Of(tensor.FromSlice(y, arg(in, 0).Shape()...)), nil
}

// StringSplit cuts strings at Delimiter, or at white space where it is empty,
// Maxsplit times at most. The parts lie along a new last axis, filled up with
// empty strings; the second output is the number of parts.
type StringSplit struct {
	Delimiter string   `attr:"delimiter"`
	Maxsplit  Opt[int] `attr:"maxsplit"`
}

// Name returns "StringSplit".
func (*StringSplit) Name() string { return "StringSplit" }

// Infer adds an axis of unknown size.
func (*StringSplit) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferOf(in, isText)
	if err != nil {
		return nil, err
	}
	out = append(out, TensorFact(dtype.Int64, out[0].Shape))
	if out[0].Shape != nil {
		out[0].Shape = append(out[0].Shape.Clone(), Unknown)
	}
	return out, nil
}

// Eval cuts every element.
func (o *StringSplit) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 2); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	parts, counts, most := make([][]string, x.Len()), make([]int64, x.Len()), 0
	for i, s := range x.Strings() {
		parts[i] = o.cut(s)
		counts[i], most = int64(len(parts[i])), max(most, len(parts[i]))
	}
	c, err := canvasOf(dtype.String, append(slices.Clone(x.Shape()), most)...)
	if err != nil {
		return nil, err
	}
	for i, p := range parts {
		copy(c.t.Strings()[i*most:], p)
	}
	return Of(c.t, tensor.FromSlice(counts, x.Shape()...)), nil
}

// cut returns the parts of a string, as Python's str.split does: an empty one
// has none at white space, and is its own part otherwise; what is left after
// Maxsplit cuts keeps the white space at its end.
func (o *StringSplit) cut(s string) []string {
	limit := -1
	if o.Maxsplit.Set && o.Maxsplit.Value >= 0 {
		limit = o.Maxsplit.Value
	}
	if o.Delimiter != "" {
		if limit < 0 || limit >= len(s) {
			return strings.Split(s, o.Delimiter)
		}
		return strings.SplitN(s, o.Delimiter, limit+1)
	}
	var out []string
	for s = strings.TrimLeftFunc(s, unicode.IsSpace); s != ""; s = strings.TrimLeftFunc(s, unicode.IsSpace) {
		end := strings.IndexFunc(s, unicode.IsSpace)
		if end < 0 || len(out) == limit {
			return append(out, s)
		}
		out, s = append(out, s[:end]), s[end:]
	}
	return out
}

// StringNormalizer removes the strings that are Stopwords from a list [n] or
// [1, n], and turns the others into lower or upper case if CaseChangeAction is
// LOWER or UPPER. Without IsCaseSensitive stop words are compared whatever
// their case. A list of which nothing is left becomes one empty string. Cases
// are those of Unicode; Locale is kept and not used.
type StringNormalizer struct {
	CaseChangeAction string   `attr:"case_change_action,default=NONE"`
	IsCaseSensitive  bool     `attr:"is_case_sensitive,default=0"`
	Locale           string   `attr:"locale"`
	Stopwords        []string `attr:"stopwords"`
}

// Name returns "StringNormalizer".
func (*StringNormalizer) Name() string { return "StringNormalizer" }

// Infer forgets the length where stop words may be removed.
func (o *StringNormalizer) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferOf(in, isText)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"NONE", "LOWER", "UPPER"}, o.CaseChangeAction) {
		return nil, fmt.Errorf("case_change_action %q", o.CaseChangeAction)
	}
	s := out[0].Shape
	if s == nil {
		return out, nil
	}
	if len(s) == 2 {
		if _, err := Merge(s[:1], Known(1)); err != nil {
			return nil, fmt.Errorf("strings of shape %v, want [n] or [1, n]", s)
		}
		s[0] = Size(1)
	} else if len(s) != 1 {
		return nil, fmt.Errorf("strings of shape %v, want [n] or [1, n]", s)
	}
	if n, ok := s[len(s)-1].Int(); !ok || n == 0 || len(o.Stopwords) > 0 {
		s[len(s)-1] = Unknown
	}
	return out, nil
}

// Eval filters the list.
func (o *StringNormalizer) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	fold := func(s string) string {
		if o.IsCaseSensitive {
			return s
		}
		return strings.ToLower(s)
	}
	stop := map[string]bool{}
	for _, s := range o.Stopwords {
		stop[fold(s)] = true
	}
	kept := []string{}
	for _, s := range arg(in, 0).Strings() {
		if stop[fold(s)] {
			continue
		}
		switch o.CaseChangeAction {
		case "LOWER":
			s = strings.ToLower(s)
		case "UPPER":
			s = strings.ToUpper(s)
		}
		kept = append(kept, s)
	}
	if len(kept) == 0 {
		kept = []string{""}
	}
	shape := []int{len(kept)}
	if arg(in, 0).Rank() == 2 {
		shape = []int{1, len(kept)}
	}
	y, err := tensor.FromStrings(kept, shape...)
	return Of(y), err
}

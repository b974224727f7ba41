package octavo

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
)

// Fix gives dynamic dimensions of the inputs their sizes. Shapes are of the
// form "input=1x3x224x224", dims "batch=1" for all dimensions of that name. A
// name stands for one size: fixing it in one input fixes it everywhere. What is
// made from m, and what m saves, has the fixed sizes.
//
// Errors are of kind usage: an unknown input or symbol, another rank, a size
// that contradicts the model or another flag, no number from 1 up. They leave m
// as it was.
func (m *Model) Fix(shapes, dims []string) error {
	return m.fix(shapes, dims, nil)
}

func (m *Model) fix(shapes, dims []string, others []otherDim) error {
	if len(shapes) == 0 && len(dims) == 0 && len(others) == 0 {
		return nil
	}
	g, _ := m.graph.Clone()
	f := fixer{graph: g, sizes: map[string]int{}, by: map[string]string{}}
	for _, s := range dims {
		if err := f.dim(s); err != nil {
			return m.usage(err)
		}
	}
	for _, o := range others {
		if err := f.other(o); err != nil {
			return m.usage(err)
		}
	}
	for _, s := range shapes {
		if err := f.shape(s); err != nil {
			return m.usage(err)
		}
	}
	if err := pass.FixDims(g, f.sizes); err != nil {
		return m.usage(diag.Usagef("%w", err))
	}
	m.graph, m.prepared, m.looked, m.source = g, nil, nil, nil
	for _, s := range shapes {
		m.fixed = append(m.fixed, "--shape", s)
	}
	for _, name := range slices.Sorted(maps.Keys(f.sizes)) {
		if strings.HasPrefix(f.by[name], "--shape") {
			continue
		}
		m.fixed = append(m.fixed, "--dim", fmt.Sprintf("%s=%d", name, f.sizes[name]))
	}
	return nil
}

func (m *Model) usage(e *diag.Error) error {
	e.Err = m.wrap(e.Err)
	return e
}

type fixer struct {
	graph *ir.Graph
	sizes map[string]int    // of symbols
	by    map[string]string // the flag that fixed a symbol
}

func (f *fixer) dim(s string) *diag.Error {
	flag := fmt.Sprintf("--dim %q", s)
	i := strings.LastIndex(s, "=")
	if i <= 0 {
		return diag.Usagef("%s: want SYMBOL=NUMBER", flag).Note("such as --dim batch=1")
	}
	name := s[:i]
	n, err := parseExtent(s[i+1:])
	if err != nil {
		return diag.Usagef("%s: %w", flag, err)
	}
	symbols := freeSymbols(f.graph)
	if !slices.Contains(symbols, name) {
		e := diag.Usagef("%s: no input has a dimension %q", flag, name)
		if len(symbols) == 0 {
			return e.Note("no dimension of the inputs has a name: --shape fixes dimensions by their place")
		}
		return e.Suggest(name, symbols, "dimensions")
	}
	return f.fix(name, n, flag)
}

func (f *fixer) fix(symbol string, n int, flag string) *diag.Error {
	if old, ok := f.sizes[symbol]; ok && old != n {
		return diag.Usagef("%s: dimension %q is %d by %s, not %d", flag, symbol, old, f.by[symbol], n)
	}
	f.sizes[symbol], f.by[symbol] = n, flag
	return nil
}

func (f *fixer) shape(s string) *diag.Error {
	flag := fmt.Sprintf("--shape %q", s)
	i := strings.LastIndex(s, "=")
	if i <= 0 {
		return diag.Usagef("%s: want INPUT=SIZES", flag).Note("such as --shape input=1x3x224x224")
	}
	at := slices.IndexFunc(f.graph.Inputs, func(v *ir.Value) bool { return v.Name == s[:i] })
	if at < 0 {
		var names []string
		for _, v := range f.graph.Inputs {
			names = append(names, v.Name)
		}
		return diag.Usagef("%s: the model has no input %q", flag, s[:i]).Suggest(s[:i], names, "inputs")
	}
	var sizes []int
	if s[i+1:] != "" { // a scalar's shape is empty
		for word := range strings.SplitSeq(s[i+1:], "x") {
			n, err := parseExtent(word)
			if err != nil {
				return diag.Usagef("%s: %w", flag, err)
			}
			sizes = append(sizes, n)
		}
	}
	v := f.graph.Inputs[at]
	if v.Shape == nil {
		v.Shape = op.Known(sizes...)
		return nil
	}
	if len(sizes) != len(v.Shape) {
		return diag.Usagef("%s: input %q is %v, of rank %d; got %d sizes", flag, v.Name, v.Shape, len(v.Shape), len(sizes))
	}
	for k, d := range v.Shape {
		n, known := d.Int()
		switch {
		case known && n != sizes[k]:
			return diag.Usagef("%s: dimension %d of input %q is fixed at %d, not %d", flag, k, v.Name, n, sizes[k]).
				Note("only dynamic dimensions can be chosen: the input is %v", v.Shape)
		case known:
		case d.IsUnknown():
			v.Shape[k] = op.Size(sizes[k])
		default:
			if err := f.fix(d.Name(), sizes[k], flag); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseExtent reads a number from 1 up. Sizes above 2³¹−1 are refused, as
// products of them leave the range of numbers.
func parseExtent(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is no number from 1 to %d", s, math.MaxInt32)
	}
	return int(n), nil
}

// freeSymbols returns the names of the inputs' dynamic dimensions, in order.
func freeSymbols(g *ir.Graph) []string {
	var out []string
	for _, v := range g.Inputs {
		for _, d := range v.Shape {
			if _, known := d.Int(); !known && !d.IsUnknown() && !slices.Contains(out, d.Name()) {
				out = append(out, d.Name())
			}
		}
	}
	return out
}

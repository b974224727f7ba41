package octavo

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/op"
)

// FixAll is Fix for models that are given the same samples. A dimension that
// one of them calls by the name is that size in all, whatever the others call
// it; one that another has at that size already is in order.
func FixAll(models []*Model, shapes, dims []string) error {
	own, others := make([][]string, len(models)), make([][]otherDim, len(models))
	for _, d := range dims {
		places := placesOf(models, d)
		for i, m := range models {
			if i := strings.LastIndex(d, "="); len(places) > 0 && !slices.Contains(freeSymbols(m.graph), d[:i]) {
				continue
			}
			own[i] = append(own[i], d)
		}
		for i, m := range models {
			if !slices.Contains(own[i], d) {
				others[i] = append(others[i], missingIn(m, places)...)
			}
		}
	}
	for i, m := range models {
		if err := m.fix(shapes, own[i], others[i]); err != nil {
			return err
		}
	}
	return nil
}

// FixedBy returns the flags of the command line that give the model of m's
// file the sizes that Fix and FixAll gave m.
func (m *Model) FixedBy() []string { return slices.Clone(m.fixed) }

// otherDim is a dimension that another model calls by the name of a flag.
type otherDim struct {
	flag, input string
	axis, size  int
}

// placesOf returns where models have the symbol of "SYMBOL=NUMBER"; none where
// it is not of that form.
func placesOf(models []*Model, flag string) []otherDim {
	i := strings.LastIndex(flag, "=")
	if i <= 0 {
		return nil
	}
	size, err := parseExtent(flag[i+1:])
	if err != nil {
		return nil
	}
	var out []otherDim
	for _, m := range models {
		for _, v := range m.graph.Inputs {
			for axis, d := range v.Shape {
				if _, known := d.Int(); !known && !d.IsUnknown() && d.Name() == flag[:i] {
					out = append(out, otherDim{"--dim \"" + flag + "\"", v.Name, axis, size})
				}
			}
		}
	}
	return out
}

// missingIn returns the places that m has, too.
func missingIn(m *Model, places []otherDim) []otherDim {
	var out []otherDim
	for _, p := range places {
		for _, v := range m.graph.Inputs {
			if v.Name == p.input && p.axis < len(v.Shape) {
				out = append(out, p)
			}
		}
	}
	return out
}

// other fixes a dimension by its place.
func (f *fixer) other(o otherDim) *diag.Error {
	for _, v := range f.graph.Inputs {
		if v.Name != o.input {
			continue
		}
		d := v.Shape[o.axis]
		n, known := d.Int()
		switch {
		case known && n != o.size:
			return diag.Usagef("%s: dimension %d of input %q is fixed at %d, not %d", o.flag, o.axis, v.Name, n, o.size)
		case known:
		case d.IsUnknown():
			v.Shape[o.axis] = op.Size(o.size)
		default:
			return f.fix(d.Name(), o.size, o.flag)
		}
	}
	return nil
}

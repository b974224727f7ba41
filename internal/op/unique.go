package op

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Unique returns the distinct elements of its flat data, or with Axis the
// distinct slices along it, in ascending or in their first order; where each
// stood first; which of them each element is; and how often each occurs.
type Unique struct {
	Axis   Opt[int] `attr:"axis"`
	Sorted bool     `attr:"sorted,default=1"`
}

// Name returns "Unique".
func (o *Unique) Name() string { return "Unique" }

// Infer knows all but the number of distinct slices.
func (o *Unique) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	out, items := OfRank(1), x.Count()
	if o.Axis.Set {
		out, items = x.Clone(), Unknown
		if x != nil {
			axis, err := Axis(o.Axis.Value, len(x))
			if err != nil {
				return nil, err
			}
			out[axis], items = Unknown, x[axis]
		}
	}
	list := func(d Dim) Fact { return TensorFact(dtype.Int64, Shape{d}) }
	return []Fact{TensorFact(in[0].Type, out), list(Unknown), list(items), list(Unknown)}, nil
}

// Eval sorts and groups.
func (o *Unique) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 4); err != nil {
		return nil, err
	}
	x, axis, err := alongOrFlat(in[0].Tensor, o.Axis)
	if err != nil {
		return nil, err
	}
	n := x.Shape()[axis]
	if n > 0 && x.Len() == 0 {
		return nil, fmt.Errorf("slices of %v along axis %d are empty", x, axis)
	}
	perm := allAxes(x.Rank())
	perm = slices.Insert(slices.Delete(perm, axis, axis+1), 0, axis)
	items, err := (&Transpose{Perm: perm}).Eval(Of(x))
	if err != nil {
		return nil, err
	}
	compare, err := comparer(items[0].Tensor, n)
	if err != nil {
		return nil, err
	}
	sorted := allAxes(n)
	slices.SortFunc(sorted, func(i, j int) int { return cmp.Or(compare(i, j), i-j) })
	var groups [][]int
	for k, i := range sorted {
		if k == 0 || compare(sorted[k-1], i) != 0 {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], i)
	}
	if !o.Sorted {
		slices.SortFunc(groups, func(a, b []int) int { return a[0] - b[0] })
	}
	firsts := make([]int, len(groups))
	indices, counts, inverse := make([]int64, len(groups)), make([]int64, len(groups)), make([]int64, n)
	for g, members := range groups {
		firsts[g], indices[g], counts[g] = members[0], int64(members[0]), int64(len(members))
		for _, i := range members {
			inverse[i] = int64(g)
		}
	}
	y, err := taken(x, axis, firsts)
	if err != nil {
		return nil, err
	}
	return Of(y, tensor.FromSlice(indices, len(indices)), tensor.FromSlice(inverse, n), tensor.FromSlice(counts, len(counts))), nil
}

// comparer orders the n equal parts of t element by element.
func comparer(t *tensor.Tensor, n int) (func(i, j int) int, error) {
	switch typ := t.Type(); {
	case typ == dtype.String:
		return rowOrder(t.Strings(), n, cmp.Compare[string]), nil
	case typ == dtype.Float64:
		return rowOrder(tensor.Data[float64](t), n, order[float64]), nil
	case typ == dtype.Uint64:
		return rowOrder(tensor.Data[uint64](t), n, order[uint64]), nil
	case typ.IsFloat():
		w, err := Convert(t, dtype.Float32)
		if err != nil {
			return nil, err
		}
		return rowOrder(tensor.Data[float32](w), n, order[float32]), nil
	}
	v, ok := tensor.Ints(t)
	if !ok {
		return nil, fmt.Errorf("order of type %v", t.Type())
	}
	return rowOrder(v, n, order[int64]), nil
}

func rowOrder[T any](d []T, n int, compare func(a, b T) int) func(i, j int) int {
	row := len(d) / max(n, 1)
	return func(i, j int) int {
		return slices.CompareFunc(d[i*row:(i+1)*row], d[j*row:(j+1)*row], compare)
	}
}

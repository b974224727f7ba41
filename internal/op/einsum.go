package op

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Einsum sums products of its operands over the indices that Equation names on
// the left but not on the right of its arrow, as NumPy's einsum. Operands are
// contracted from left to right, each pair as a stack of matrix products.
type Einsum struct {
	Equation string `attr:"equation"`
}

// Name returns "Einsum".
func (o *Einsum) Name() string { return "Einsum" }

// An index is a letter, or for the axes under an ellipsis -1 for the last, -2
// for the one before and so on.
type index int

// subscripts are the indices of every axis of the operands and the output.
type subscripts struct {
	in  [][]index
	out []index
}

// parse reads the equation for operands of the given ranks.
func (o *Einsum) parse(ranks []int) (subscripts, error) {
	bad := func(format string, args ...any) (subscripts, error) {
		return subscripts{}, fmt.Errorf("equation %q: %s", o.Equation, fmt.Sprintf(format, args...))
	}
	left, right, explicit := strings.Cut(strings.ReplaceAll(o.Equation, " ", ""), "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(ranks) {
		return bad("%d terms for %d operands", len(terms), len(ranks))
	}
	var s subscripts
	wide := 0
	for i, t := range terms {
		letters := len(t)
		if strings.Contains(t, "...") {
			letters -= 3
		}
		hidden := ranks[i] - letters
		if hidden < 0 || hidden > 0 && letters == len(t) {
			return bad("term %q for an operand of rank %d", t, ranks[i])
		}
		ids, ok := indicesOf(t, hidden)
		if !ok {
			return bad("term %q", t)
		}
		wide = max(wide, hidden)
		s.in = append(s.in, ids)
	}
	if explicit {
		ids, ok := indicesOf(right, wide)
		if !ok {
			return bad("output %q", right)
		}
		s.out = ids
	} else {
		s.out = implied(s.in, wide)
	}
	for i, id := range s.out {
		if slices.Contains(s.out[:i], id) || !slices.ContainsFunc(s.in, func(t []index) bool { return slices.Contains(t, id) }) {
			return bad("index %q of the output", rune(id))
		}
	}
	return s, nil
}

// indicesOf reads one term whose ellipsis, if any, stands for hidden axes.
func indicesOf(term string, hidden int) ([]index, bool) {
	var ids []index
	dots := false
	for i := 0; i < len(term); i++ {
		switch c := term[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			ids = append(ids, index(c))
		case strings.HasPrefix(term[i:], "...") && !dots:
			for k := hidden; k > 0; k-- {
				ids = append(ids, index(-k))
			}
			i, dots = i+2, true
		default:
			return nil, false
		}
	}
	return ids, true
}

// implied returns the output of an equation without an arrow: the axes under
// the ellipsis, then all letters that occur once, in alphabetical order.
func implied(in [][]index, hidden int) []index {
	var out []index
	for k := hidden; k > 0; k-- {
		out = append(out, index(-k))
	}
	seen := map[index]int{}
	for _, t := range in {
		for _, id := range t {
			seen[id]++
		}
	}
	for id := index('A'); id <= 'z'; id++ {
		if seen[id] == 1 {
			out = append(out, id)
		}
	}
	return out
}

// Infer returns the sizes of the output's indices.
func (o *Einsum) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, -1); err != nil {
		return nil, err
	}
	typ, err := wantNumbers(in...)
	if err != nil {
		return nil, err
	}
	ranks := make([]int, len(in))
	for i, f := range in {
		if f.Shape == nil {
			return []Fact{TensorFact(typ, nil)}, nil
		}
		ranks[i] = len(f.Shape)
	}
	s, err := o.parse(ranks)
	if err != nil {
		return nil, err
	}
	size := map[index]Shape{}
	for i, ids := range s.in {
		for k, id := range ids {
			d := Shape{in[i].Shape[k]}
			if have, ok := size[id]; ok {
				if d, err = Broadcast(have, d); err != nil {
					return nil, fmt.Errorf("equation %q: operand %d: %w", o.Equation, i, err)
				}
			}
			size[id] = d
		}
	}
	out := make(Shape, len(s.out))
	for i, id := range s.out {
		out[i] = size[id][0]
	}
	return []Fact{TensorFact(typ, out)}, nil
}

// Eval contracts.
func (o *Einsum) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		y, err := room(out[0], in[0].Tensor.Type())
		if err != nil {
			return nil, err
		}
		if y.Len() == 0 {
			return Of(y), nil
		}
		ranks := make([]int, len(in))
		for i, d := range in {
			ranks[i] = d.Tensor.Rank()
		}
		s, err := o.parse(ranks)
		if err != nil {
			return nil, err
		}
		f := byType(y.Type(), einsum[float32], einsum[float64], einsum[int64], einsum[int32], einsum[int16], einsum[int8])
		return Of(y), f(y, in, s)
	})
}

// term is an operand whose indices all differ.
type term[T eltwise.Number] struct {
	ids  []index
	dims []int
	data []T
}

func einsum[T eltwise.Number](y *tensor.Tensor, in []Datum, s subscripts) error {
	var acc term[T]
	for i, ids := range s.in {
		t := diagonal(term[T]{ids, in[i].Tensor.Shape(), tensor.Data[T](in[i].Tensor)})
		keep := func(id index) bool {
			return slices.Contains(s.out, id) ||
				slices.ContainsFunc(s.in[i+1:], func(l []index) bool { return slices.Contains(l, id) })
		}
		if i == 0 {
			acc = t
			continue
		}
		var err error
		if acc, err = contract(acc, t, keep); err != nil {
			return err
		}
	}
	acc = acc.reduce(func(id index) bool { return slices.Contains(s.out, id) })
	copy(tensor.Data[T](y), acc.arrange(s.out, y.Shape()))
	return nil
}

// strides returns the distance between neighbours along an index, 0 where the
// term does not have it or repeats its only element.
func (t term[T]) strides(ids []index) []int {
	own := tensor.Strides(t.dims)
	out := make([]int, len(ids))
	for k, id := range t.ids {
		if i := slices.Index(ids, id); i >= 0 && t.dims[k] != 1 {
			out[i] += own[k]
		}
	}
	return out
}

// size returns the number of elements along an index, 1 where the term does
// not have it.
func (t term[T]) size(id index) int {
	n := 1
	for k, own := range t.ids {
		if own == id && t.dims[k] != 1 {
			n = t.dims[k]
		}
	}
	return n
}

// arrange returns the elements in row-major order of the given indices, each of
// which the term has as often as dims says or once.
func (t term[T]) arrange(ids []index, dims []int) []T {
	n, _ := tensor.Count(dims)
	out := make([]T, 0, n)
	if n == 0 {
		return out
	}
	eltwise.Walk(dims, [][]int{t.strides(ids)}, func(n int, at, step []int) {
		for i := range n {
			out = append(out, t.data[at[0]+i*step[0]])
		}
	})
	return out
}

// diagonal leaves one of each index.
func diagonal[T eltwise.Number](t term[T]) term[T] {
	var ids []index
	var dims []int
	for _, id := range t.ids {
		if !slices.Contains(ids, id) {
			ids, dims = append(ids, id), append(dims, t.size(id))
		}
	}
	if len(ids) == len(t.ids) {
		return t
	}
	return term[T]{ids, dims, t.arrange(ids, dims)}
}

// reduce sums over the indices that are not kept.
func (t term[T]) reduce(keep func(index) bool) term[T] {
	var out term[T]
	row := 1
	var gone []index
	var lost []int
	for k, id := range t.ids {
		if keep(id) {
			out.ids, out.dims = append(out.ids, id), append(out.dims, t.dims[k])
		} else {
			gone, lost, row = append(gone, id), append(lost, t.dims[k]), row*t.dims[k]
		}
	}
	if gone == nil {
		return t
	}
	data := t.arrange(append(slices.Clone(out.ids), gone...), append(slices.Clone(out.dims), lost...))
	out.data = make([]T, inner(out.dims, 0))
	for i := range out.data {
		out.data[i] = addUp(data[i*row : i*row+row])
	}
	return out
}

// addUp adds floats in the order that all reductions have; integers wrap.
func addUp[T eltwise.Number](x []T) T {
	switch x := any(x).(type) {
	case []float32:
		return T(sum(x))
	case []float64:
		return T(sum(x))
	}
	var s T
	for _, v := range x {
		s += v
	}
	return s
}

// contract multiplies two terms and sums over the indices that are not kept.
func contract[T eltwise.Number](a, b term[T], keep func(index) bool) (term[T], error) {
	in := func(t term[T]) func(index) bool {
		return func(id index) bool { return keep(id) || slices.Contains(t.ids, id) }
	}
	a, b = a.reduce(in(b)), b.reduce(in(a))
	var batch, left, right, both []index
	for _, id := range a.ids {
		switch {
		case !slices.Contains(b.ids, id):
			left = append(left, id)
		case keep(id):
			batch = append(batch, id)
		default:
			both = append(both, id)
		}
	}
	for _, id := range b.ids {
		if !slices.Contains(a.ids, id) {
			right = append(right, id)
		}
	}
	size := func(ids []index) []int {
		out := make([]int, len(ids))
		for i, id := range ids {
			if out[i] = a.size(id); out[i] == 1 {
				out[i] = b.size(id)
			}
		}
		return out
	}
	out := term[T]{ids: slices.Concat(batch, left, right)}
	out.dims = size(out.ids)
	for _, ids := range [][]index{out.ids, slices.Concat(batch, left, both), slices.Concat(batch, both, right)} {
		if n, ok := tensor.Count(size(ids)); !ok || n > maxBytes/8 {
			return out, fmt.Errorf("a product of %v elements is too large", size(ids))
		}
	}
	x := a.arrange(slices.Concat(batch, left, both), size(slices.Concat(batch, left, both)))
	w := b.arrange(slices.Concat(batch, both, right), size(slices.Concat(batch, both, right)))
	m, k, n := inner(size(left), 0), inner(size(both), 0), inner(size(right), 0)
	out.data = make([]T, inner(out.dims, 0))
	for i := range inner(size(batch), 0) {
		multiply(out.data[i*m*n:], n, m, n, k, matrix[T]{x[i*m*k:], k, 1}, matrix[T]{w[i*k*n:], n, 1})
	}
	return out, nil
}

// Quantization says that every operand that is not constant is data.
func (o *Einsum) Quantization() Facts { return NoFacts() }

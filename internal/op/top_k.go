package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TopK returns the k (second input) greatest elements along Axis, or the least
// ones, in order, and where they stood. Of equal elements the first ones win;
// NaN counts as greater than every number. The result is ordered even where
// Sorted does not ask for it.
type TopK struct {
	Axis    int  `attr:"axis,default=-1"`
	Largest bool `attr:"largest,default=1"`
	Sorted  bool `attr:"sorted,default=1"`
}

// Name returns "TopK".
func (o *TopK) Name() string { return "TopK" }

// Infer puts k in the place of the axis.
func (o *TopK) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	l, err := listAt(in, 1, "k")
	if err != nil {
		return nil, err
	}
	if l.n >= 0 && l.n != 1 {
		return nil, fmt.Errorf("k has %d elements", l.n)
	}
	out := in[0].Shape.Clone()
	if out != nil {
		axis, err := Axis(o.Axis, len(out))
		if err != nil {
			return nil, err
		}
		k := Unknown
		if l.vals != nil {
			k = l.vals[0]
		}
		n, known := k.Int()
		if d, ok := out[axis].Int(); known && (n < 0 || ok && n > d) {
			return nil, fmt.Errorf("k is %d for an axis of %v", n, out[axis])
		}
		out[axis] = k
	}
	return []Fact{TensorFact(in[0].Type, out), TensorFact(dtype.Int64, out)}, nil
}

// Eval selects and sorts.
func (o *TopK) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 2)
	if err != nil {
		return nil, err
	}
	c, err := newCanvas(out[0])
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	axis, err := Axis(o.Axis, x.Rank())
	if err != nil {
		return nil, err
	}
	places := tensor.New(dtype.Int64, c.shape...)
	if c.len() == 0 {
		return Of(c.done(), places), nil
	}
	n, k, row := x.Shape()[axis], c.shape[axis], inner(c.shape, axis+1)
	sel := selection{n, k, row, o.Largest, tensor.Data[int64](places)}
	switch typ := x.Type(); {
	case typ == dtype.Float64:
		selectTop(sel, tensor.Data[float64](x))
	case typ == dtype.Uint64:
		selectTop(sel, tensor.Data[uint64](x))
	case typ.IsInteger():
		v, _ := tensor.Ints(x)
		selectTop(sel, v)
	case typ.IsFloat():
		w, err := Convert(x, dtype.Float32)
		if err != nil {
			return nil, err
		}
		selectTop(sel, tensor.Data[float32](w))
	default:
		return nil, fmt.Errorf("order of type %v", typ)
	}
	at := make([]int, c.len())
	for i, p := range sel.places {
		at[i] = (i/row/k*n+int(p))*row + i%row
	}
	c.draw(x, 0, 0, lane{n: len(at), to: 1, fromAt: at})
	return Of(c.done(), places), nil
}

// Quantization says that the data is moved.
func (o *TopK) Quantization() Facts { return moving() }

// selection asks for the k first of n elements that lie row apart; places gets
// where they stood.
type selection struct {
	n, k, row int
	largest   bool
	places    []int64
}

type orderedNumber interface {
	~float32 | ~float64 | ~int64 | ~uint64
}

// order compares numbers, NaN being the greatest.
func order[T orderedNumber](a, b T) int {
	switch {
	case a < b || a == a && b != b:
		return -1
	case a > b || a != a && b == b:
		return 1
	}
	return 0
}

func selectTop[T orderedNumber](s selection, x []T) {
	heap := make([]int, 0, s.k)
	for base := 0; base < len(s.places)/(s.k*s.row); base++ {
		for r := range s.row {
			line := x[base*s.n*s.row+r:]
			// before says that element i comes before element j.
			before := func(i, j int) int {
				a, b := line[i*s.row], line[j*s.row]
				if s.largest {
					a, b = b, a
				}
				if c := order(a, b); c != 0 {
					return c
				}
				return i - j
			}
			heap = heap[:0]
			for i := range s.n {
				heap = offer(heap, i, s.k, before)
			}
			slices.SortFunc(heap, before)
			for j, i := range heap {
				s.places[(base*s.k+j)*s.row+r] = int64(i)
			}
		}
	}
}

// offer keeps the k first elements in a heap whose root is the last of them.
func offer(heap []int, i, k int, before func(i, j int) int) []int {
	if len(heap) < k {
		heap = append(heap, i)
		for c := len(heap) - 1; c > 0; {
			p := (c - 1) / 2
			if before(heap[p], heap[c]) > 0 {
				break
			}
			heap[p], heap[c] = heap[c], heap[p]
			c = p
		}
		return heap
	}
	if before(i, heap[0]) > 0 {
		return heap
	}
	heap[0] = i
	for p := 0; ; {
		c := 2*p + 1
		if c+1 < k && before(heap[c+1], heap[c]) > 0 {
			c++
		}
		if c >= k || before(heap[c], heap[p]) < 0 {
			return heap
		}
		heap[p], heap[c] = heap[c], heap[p]
		p = c
	}
}

package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// heads is attention at work: y = softmax(scale·q·kᵀ + what is added)·v for
// every head, as MatMul, Mul, Add, Softmax and MatMul of ONNX compute it, each
// step rounded to float32. q is [batch, heads, queries, size]; k is [batch,
// groups, keys, size] and v [batch, groups, keys, wide], where heads is a
// multiple of groups and neighbouring heads share a group.
type heads struct {
	batch, heads, groups, queries, keys, size, wide int
	q, k, v                                         []float32
	scale                                           float32 // 0: 1/√size
	softcap                                         float32 // 0: none
	// bias is added to the scores, [batch or 1, heads or 1, queries, any
	// number from keys that are looked at on]; nil adds nothing.
	bias *tensor.Tensor
	// mask adds to the scores of one query; nil adds nothing.
	mask func(b, s int, row []float32)
	// span tells which keys a query looks at; nil: all of them.
	span func(b, s int) (lo, hi int)
	// sink is what each head adds to the denominator: e to the power of it.
	sink func(h int) (float32, bool)
	// before and after take the scores of a query, where they are wanted.
	before, after func(b, h, s int, row []float32)
}

// run returns y [batch, queries, heads·wide].
func (a *heads) run() (*tensor.Tensor, error) {
	y, err := room(Fact{Shape: Known(a.batch, a.queries, a.heads*a.wide)}, dtype.Float32)
	if err != nil || y.Len() == 0 || a.keys == 0 {
		return y, err
	}
	all, err := room(Fact{Shape: Known(a.queries, a.keys)}, dtype.Float32)
	if err != nil {
		return nil, err
	}
	scores, out := tensor.Data[float32](all), tensor.Data[float32](y)
	scale := a.scale
	if scale == 0 {
		scale = 1 / float32(math.Sqrt(float64(a.size)))
	}
	for b := range a.batch {
		for h := range a.heads {
			g := b*a.groups + h/(a.heads/a.groups)
			q := matrix[float32]{a.q[(b*a.heads+h)*a.queries*a.size:], a.size, 1}
			k := matrix[float32]{a.k[g*a.keys*a.size:], a.size, 1}
			multiply(scores, a.keys, a.queries, a.keys, a.size, q, k.transposed())
			for s := range a.queries {
				a.weigh(b, h, s, scores[s*a.keys:(s+1)*a.keys], scale)
			}
			v := matrix[float32]{a.v[g*a.keys*a.wide:], a.wide, 1}
			multiply(out[b*a.queries*a.heads*a.wide+h*a.wide:], a.heads*a.wide, a.queries, a.wide, a.keys, matrix[float32]{scores, a.keys, 1}, v)
		}
	}
	return y, nil
}

// weigh turns the products of one query into weights.
func (a *heads) weigh(b, h, s int, row []float32, scale float32) {
	lo, hi := 0, len(row)
	if a.span != nil {
		lo, hi = a.span(b, s)
	}
	clear(row[:lo])
	clear(row[hi:])
	seen := row[lo:hi]
	for t, v := range seen {
		seen[t] = v * scale
	}
	if a.softcap > 0 {
		for t, v := range seen {
			seen[t] = a.softcap * eltwise.Tanh(v/a.softcap)
		}
	}
	if add := a.added(b, h, s); add != nil {
		for t, v := range add[lo:hi] {
			seen[t] += v
		}
	}
	if a.mask != nil {
		a.mask(b, s, row)
	}
	if a.before != nil {
		a.before(b, h, s, row)
	}
	var sink float32
	sunk := false
	if a.sink != nil {
		sink, sunk = a.sink(h)
	}
	if sunk {
		softmaxWith(seen, sink)
	} else {
		reduce.Softmax(seen, seen)
	}
	if a.after != nil {
		a.after(b, h, s, row)
	}
}

// added returns the row of the bias that belongs to a query.
func (a *heads) added(b, h, s int) []float32 {
	if a.bias == nil {
		return nil
	}
	d := a.bias.Shape()
	at := (b*b2i(d[0] > 1)*d[1]+h*b2i(d[1] > 1))*d[2] + s
	return tensor.Data[float32](a.bias)[at*d[3] : (at+1)*d[3]]
}

// softmaxWith is softmax of a row with one more element, which is dropped.
func softmaxWith(row []float32, sink float32) {
	if len(row) == 0 {
		return
	}
	m := max(reduce.Max(row), sink)
	eltwise.ExpAll(row, row, m)
	reduce.Divide(row, reduce.SumF32(row)+float32(eltwise.Exp(sink-m)))
}

// inHeads lays data [batch, length, width] out as [batch, heads, length, size]:
// head h begins at from+h·step of each row. bias [heads·size] is added first;
// nil adds nothing.
func inHeads(x []float32, batch, length, width, from, heads, size, step int, bias []float32) []float32 {
	out := make([]float32, batch*heads*length*size)
	for b := range batch {
		for h := range heads {
			for s := range length {
				dst := out[((b*heads+h)*length+s)*size:][:size]
				copy(dst, x[(b*length+s)*width+from+h*step:])
				if bias != nil {
					for i, v := range bias[h*size : (h+1)*size] {
						dst[i] += v
					}
				}
			}
		}
	}
	return out
}

// extend puts past [rows, before, size] and x [rows, length, size] after one
// another along the second axis.
func extend(past, x []float32, rows, before, length, size int) []float32 {
	if before == 0 {
		return x
	}
	out := make([]float32, 0, len(past)+len(x))
	for i := range rows {
		out = append(out, past[i*before*size:(i+1)*before*size]...)
		out = append(out, x[i*length*size:(i+1)*length*size]...)
	}
	return out
}

// padding is a mask of keys in one of the forms of ONNX Runtime: an end for
// each sequence [batch] (or of a list that begins with them, [3·batch+2]), ends
// and then starts [2·batch], a flag a key [batch, keys], or one a query and key
// [batch, queries, keys]. Keys outside get filter added to their score.
type padding struct {
	flags  []int64
	rank   int
	starts bool // rank 1 with starts
	batch  int
	// queries and keys are those of the scores, past the keys before the
	// first query's own.
	queries, keys, past int
	filter              float32
	causal              bool
}

// inferPadding checks the shape of a mask.
func inferPadding(f Fact, batch, queries, keys Dim) error {
	if !f.Present() {
		return nil
	}
	if f.Type != dtype.Invalid && f.Type != dtype.Int32 {
		return fmt.Errorf("mask of type %v, want int32", f.Type)
	}
	var err error
	switch len(f.Shape) {
	case 0:
		if f.Shape != nil {
			err = fmt.Errorf("mask of rank 0")
		}
	case 1:
		if n, known := f.Shape[0].Int(); known {
			if b, ok := batch.Int(); ok && n != b && n != 2*b && n != 3*b+2 {
				err = fmt.Errorf("mask of %d elements for %d sequences", n, b)
			}
		}
	case 2:
		_, err = Merge(f.Shape, Shape{batch, keys})
	case 3:
		_, err = Merge(f.Shape, Shape{batch, queries, keys})
	default:
		err = fmt.Errorf("mask of rank %d; ranks 1 to 3 are supported", len(f.Shape))
	}
	if err != nil {
		return fmt.Errorf("mask: %w", err)
	}
	return nil
}

// paddingOf returns the function that adds a mask, nil if there is nothing to
// add.
func paddingOf(t *tensor.Tensor, p padding) func(b, s int, row []float32) {
	p.causal = p.causal && p.queries > 1
	if t != nil {
		p.flags, p.rank = integers(t), t.Rank()
		p.starts = p.rank == 1 && len(p.flags) == 2*p.batch
	} else if !p.causal {
		return nil
	}
	return p.add
}

func (p padding) add(b, s int, row []float32) {
	switch p.rank {
	case 1:
		end, start := p.flags[b], int64(0)
		if p.starts {
			start = p.flags[p.batch+b]
		}
		for t := range row {
			if int64(t) >= end || int64(t) < start {
				row[t] += p.filter
			}
		}
	case 2, 3:
		at := b
		if p.rank == 3 {
			at = b*p.queries + s
		}
		for t, v := range p.flags[at*p.keys : (at+1)*p.keys] {
			if v <= 0 {
				row[t] += p.filter
			}
		}
	}
	if p.causal {
		for t := min(p.past+s+1, len(row)); t < len(row); t++ {
			row[t] += -math.MaxFloat32
		}
	}
}

// inferScoreBias checks what is added to the scores.
func inferScoreBias(f Fact, batch, heads, queries, keys Dim) error {
	if f.Shape == nil {
		return nil
	}
	want := Shape{batch, heads, queries, keys}
	if len(f.Shape) != 4 {
		return fmt.Errorf("attention_bias of shape %v, want %v", f.Shape, want)
	}
	for i, d := range f.Shape {
		if contradict(d, want[i]) && !(i < 2 && d.Is(1)) {
			return fmt.Errorf("attention_bias of shape %v, want %v", f.Shape, want)
		}
	}
	return nil
}

// checkHeads checks a number of heads and a factor of the scores.
func checkHeads(n int, scale float32) error {
	if n < 1 || n > maxExtent {
		return fmt.Errorf("num_heads %d, want 1 or more", n)
	}
	if math.IsNaN(float64(scale)) || math.IsInf(float64(scale), 0) {
		return fmt.Errorf("scale %v", scale)
	}
	return nil
}

// headSize divides a hidden size by the number of heads.
func headSize(hidden Dim, n int, what string) (Dim, error) {
	h, ok := hidden.Int()
	if !ok {
		return Unknown, nil
	}
	if h < n || h%n != 0 {
		return Unknown, fmt.Errorf("%s of %d for %d heads", what, h, n)
	}
	return Size(h / n), nil
}

func floats(t *tensor.Tensor) []float32 {
	if t == nil {
		return nil
	}
	return tensor.Data[float32](t)
}

package op

import "fmt"

// Split cuts its data along Axis into the pieces whose sizes its second input
// lists, or into NumOutputs equal pieces, the last one smaller where they do
// not come out even.
type Split struct {
	Axis       int `attr:"axis,default=0"`
	NumOutputs int `attr:"num_outputs,default=0"`
}

// Name returns "Split".
func (o *Split) Name() string { return "Split" }

// maxOutputs bounds the pieces that a file asks for.
const maxOutputs = 1 << 16

// Infer returns one fact for each piece.
func (o *Split) Infer(in []Fact, outs int) ([]Fact, error) {
	if err := need(in, 1, 2); err != nil {
		return nil, err
	}
	split, err := listAt(in, 1, "split")
	if err != nil {
		return nil, err
	}
	count := outs
	switch {
	case split.given && split.n >= 0:
		count = split.n
	case !split.given && o.NumOutputs != 0:
		count = o.NumOutputs
	}
	if count < 1 || count > maxOutputs {
		return nil, fmt.Errorf("%d outputs", count)
	}
	out := make([]Fact, count)
	x := in[0].Shape
	if x == nil {
		for i := range out {
			out[i] = TensorFact(in[0].Type, nil)
		}
		return out, nil
	}
	axis, err := Axis(o.Axis, len(x))
	if err != nil {
		return nil, err
	}
	sizes, err := o.sizes(x[axis], split, count)
	if err != nil {
		return nil, err
	}
	vals, known := values(in[0])
	lo := 0
	for i := range out {
		s := x.Clone()
		s[axis] = sizes[i]
		out[i] = TensorFact(in[0].Type, s)
		if n, ok := sizes[i].Int(); known && ok && lo+n <= len(vals) {
			out[i].Values = vals[lo : lo+n : lo+n]
			lo += n
		} else {
			known = false
		}
	}
	return out, nil
}

// sizes returns the sizes of the pieces of a dimension d.
func (o *Split) sizes(d Dim, split list, count int) ([]Dim, error) {
	switch {
	case split.vals != nil:
		sum := Size(0)
		for _, v := range split.vals {
			if n, ok := v.Int(); ok && n < 0 {
				return nil, fmt.Errorf("split %v has a negative size", Shape(split.vals))
			}
			sum = sum.Add(v)
		}
		if a, ok := sum.Int(); ok {
			if n, ok := d.Int(); ok && n != a {
				return nil, fmt.Errorf("split %v does not add up to %d", Shape(split.vals), n)
			}
		}
		return split.vals, nil
	case split.given:
		return OfRank(count), nil
	}
	each := d.CeilDiv(Size(count))
	if q := d.Div(Size(count)); q.Mul(Size(count)).Same(d) {
		each = q
	}
	last := d.Sub(each.Mul(Size(count - 1)))
	if n, ok := last.Int(); ok && n < 0 {
		return nil, fmt.Errorf("a dimension of %v does not split into %d", d, count)
	}
	out := make([]Dim, count)
	for i := range out {
		out[i] = each
	}
	out[count-1] = last
	return out, nil
}

// Eval returns the pieces.
func (o *Split) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 0)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	axis, err := Axis(o.Axis, x.Rank())
	if err != nil {
		return nil, err
	}
	sizes := make([]int, len(out))
	sum := 0
	for i, f := range out {
		n, ok := f.Shape[axis].Int()
		if !ok || n > x.Shape()[axis]-sum {
			return nil, fmt.Errorf("piece %d of size %v", i, f.Shape[axis])
		}
		sizes[i] = n
		sum += n
	}
	ts, err := parts(x, axis, sizes)
	return Of(ts...), err
}

// Quantization says that the data is moved.
func (o *Split) Quantization() Facts { return moving() }

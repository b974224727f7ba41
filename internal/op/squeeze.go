package op

import "fmt"

// Squeeze removes dimensions of 1: those its second input names, or all.
type Squeeze struct{}

// Name returns "Squeeze".
func (o *Squeeze) Name() string { return "Squeeze" }

// Infer drops the named axes.
func (o *Squeeze) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 2); err != nil {
		return nil, err
	}
	axes, err := listAt(in, 1, "axes")
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	drop := make([]bool, len(x))
	nums, known := axes.numbers()
	switch {
	case !axes.given:
		for i, d := range x {
			if _, ok := d.Int(); !ok {
				return []Fact{TensorFact(in[0].Type, nil)}, nil
			}
			drop[i] = d.Is(1)
		}
	case !known:
		if axes.n < 0 || axes.n > len(x) {
			return []Fact{TensorFact(in[0].Type, nil)}, nil
		}
		return []Fact{TensorFact(in[0].Type, OfRank(len(x)-axes.n))}, nil
	default:
		named, err := axesOf(nums, len(x))
		if err != nil {
			return nil, err
		}
		for _, a := range named {
			if n, ok := x[a].Int(); ok && n != 1 {
				return nil, fmt.Errorf("axis %d of %v is not 1", a, x)
			}
			drop[a] = true
		}
	}
	out := Known()
	for i, d := range x {
		if !drop[i] {
			out = append(out, d)
		}
	}
	return []Fact{reshaped(in[0], out)}, nil
}

// Eval returns the data without the dimensions.
func (o *Squeeze) Eval(in []Datum) ([]Datum, error) { return evalReshaped(o, in) }

// Quantization says that the data is moved.
func (o *Squeeze) Quantization() Facts { return moving() }

// Unsqueeze inserts dimensions of 1 at the axes, counted in the output, that
// its second input names.
type Unsqueeze struct{}

// Name returns "Unsqueeze".
func (o *Unsqueeze) Name() string { return "Unsqueeze" }

// Infer inserts the axes.
func (o *Unsqueeze) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	axes, err := listAt(in, 1, "axes")
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	nums, known := axes.numbers()
	if x == nil || !known {
		var out Shape
		if x != nil && axes.n >= 0 {
			out = OfRank(len(x) + axes.n)
		}
		return []Fact{TensorFact(in[0].Type, out)}, nil
	}
	named, err := axesOf(nums, len(x)+len(nums))
	if err != nil {
		return nil, err
	}
	out := make(Shape, len(x)+len(nums))
	inserted := make([]bool, len(out))
	for _, a := range named {
		inserted[a] = true
	}
	k := 0
	for i := range out {
		if inserted[i] {
			out[i] = Size(1)
			continue
		}
		out[i] = x[k]
		k++
	}
	return []Fact{reshaped(in[0], out)}, nil
}

// Eval returns the data with the dimensions.
func (o *Unsqueeze) Eval(in []Datum) ([]Datum, error) { return evalReshaped(o, in) }

// Quantization says that the data is moved.
func (o *Unsqueeze) Quantization() Facts { return moving() }

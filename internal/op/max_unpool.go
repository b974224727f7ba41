package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MaxUnpool puts the results of a [MaxPool] back to where its indices say,
// among zeros. The third input, if given, is the output's shape.
type MaxUnpool struct {
	KernelShape []int `attr:"kernel_shape"`
	Pads        []int `attr:"pads"`
	Strides     []int `attr:"strides"`
}

// Name returns "MaxUnpool".
func (o *MaxUnpool) Name() string { return "MaxUnpool" }

// Infer returns the shape that was pooled.
func (o *MaxUnpool) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	if t := in[1].Type; t != dtype.Int64 && t != dtype.Invalid {
		return nil, fmt.Errorf("indices of type %v, want int64", t)
	}
	typ, err := wantFloats(in[0])
	if err != nil {
		return nil, err
	}
	x, err := Merge(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, fmt.Errorf("indices: %w", err)
	}
	rank := len(o.KernelShape) + 2
	if x != nil && len(x) != rank {
		return nil, fmt.Errorf("kernel_shape %v for data of shape %v", o.KernelShape, x)
	}
	w, err := window{kernel: o.KernelShape, strides: o.Strides, pads: o.Pads}.resolve(rank - 2)
	if err != nil {
		return nil, err
	}
	natural := OfRank(rank)
	if x != nil {
		copy(natural, x[:2])
		for i := range w.kernel {
			d := deconvolution{window: w, extra: make([]int, rank-2)}
			if natural[2+i], err = d.size(i, x[2+i]); err != nil {
				return nil, err
			}
		}
	}
	shape, err := listAt(in, 2, "output_shape")
	if err != nil {
		return nil, err
	}
	if !shape.given {
		return []Fact{TensorFact(typ, natural)}, nil
	}
	if shape.n >= 0 && shape.n != rank {
		return nil, fmt.Errorf("an output_shape of %d numbers for data of rank %d", shape.n, rank)
	}
	if shape.vals == nil {
		return []Fact{TensorFact(typ, OfRank(rank))}, nil
	}
	if err := checkDims(shape.vals); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(typ, append(Shape{}, shape.vals...))}, nil
}

// Eval places the elements. The indices count in the shape that the kernel and
// the strides give, whose corner lies in that of the output.
func (o *MaxUnpool) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x, idx := in[0].Tensor, in[1].Tensor
		y, err := room(out[0], x.Type())
		if err != nil {
			return nil, err
		}
		from := y.Shape()
		if arg(in, 2) != nil {
			natural, err := o.Infer(factsOf(in[:2]), 1)
			if err != nil {
				return nil, err
			}
			from, _ = natural[0].Shape.Ints()
		}
		at, err := o.places(tensor.Data[int64](idx), from, y.Shape())
		if err != nil {
			return nil, err
		}
		if x.Type() == dtype.Float64 {
			place(tensor.Data[float64](y), tensor.Data[float64](x), at)
		} else {
			place(tensor.Data[float32](y), tensor.Data[float32](x), at)
		}
		return Of(y), nil
	})
}

// places turns indices into a tensor of shape from into those of the same
// elements of a tensor of shape to.
func (o *MaxUnpool) places(idx []int64, from, to []int) ([]int, error) {
	n, ok := tensor.Count(from)
	if !ok {
		return nil, fmt.Errorf("an output of shape %v", from)
	}
	at := make([]int, len(idx))
	coords := make([]int, len(from))
	for i, v := range idx {
		if v < 0 || v >= int64(n) {
			return nil, fmt.Errorf("index %d is outside %d elements", v, n)
		}
		unravel(coords, int(v), from)
		for k, c := range coords {
			if c >= to[k] {
				return nil, fmt.Errorf("index %d lies outside an output of shape %v", v, to)
			}
			at[i] = at[i]*to[k] + c
		}
	}
	return at, nil
}

func place[T float32 | float64](y, x []T, at []int) {
	for i, v := range x {
		y[at[i]] = v
	}
}

// Quantization says that every output is a copy of an input or zero.
func (o *MaxUnpool) Quantization() Facts { return moving() }

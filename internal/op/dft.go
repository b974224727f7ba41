package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// DFT is the discrete Fourier transform along one axis of a signal whose last
// axis holds real numbers (1) or real and imaginary parts (2). The second
// operand is the length, to which the signal is cut or filled up with zeros,
// the third the axis, -2 where it is absent.
//
// Onesided keeps the first length/2+1 frequencies of a real signal; with
// Inverse it takes these and gives the real signal, of length 2·(n-1) unless
// the second operand says otherwise. Only the inverse is divided by the
// length. It is computed in float64.
type DFT struct {
	Inverse  bool `attr:"inverse,default=0"`
	Onesided bool `attr:"onesided,default=0"`
}

// Name returns "DFT".
func (*DFT) Name() string { return "DFT" }

// Infer changes the axis and the parts of a number.
func (o *DFT) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 3); err != nil {
		return nil, err
	}
	if err := accept(plainFloat, in[0]); err != nil {
		return nil, err
	}
	length, err := scalarOf(in, 1, "length")
	if err != nil {
		return nil, err
	}
	if n, ok := length.Int(); ok && (n < 1 || n > maxExtent) {
		return nil, fmt.Errorf("a length of %d", n)
	}
	at, err := scalarOf(in, 2, "axis")
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	last := len(x) - 1
	if last < 1 {
		return nil, fmt.Errorf("a signal of shape %v, want an axis and the parts of a number", x)
	}
	if n, ok := x[last].Int(); ok && n != 1 && n != 2 || ok && n != 1 && o.Onesided && !o.Inverse {
		return nil, fmt.Errorf("a signal of shape %v has %d parts a number", x, n)
	}
	parts := Size(2)
	if o.Inverse && o.Onesided {
		parts = Size(1)
	}
	if input(in, 2).Present() && at.IsUnknown() {
		out := OfRank(len(x))
		out[last] = parts
		return []Fact{TensorFact(in[0].Type, out)}, nil
	}
	axis, err := o.axis(at, len(x))
	if err != nil {
		return nil, err
	}
	if !input(in, 1).Present() {
		length = o.natural(x[axis])
		if n, ok := length.Int(); ok && n < 1 {
			return nil, fmt.Errorf("axis %d of the signal has %v elements", axis, x[axis])
		}
	}
	out := x.Clone()
	out[last] = parts
	out[axis] = length
	if o.Onesided && !o.Inverse {
		out[axis] = length.Div(Size(2)).Add(Size(1))
	}
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

func (o *DFT) axis(at Dim, rank int) (int, error) {
	n, ok := at.Int()
	if !ok {
		n = -2
	}
	axis, err := Axis(n, rank)
	if err == nil && axis == rank-1 {
		err = fmt.Errorf("axis %d holds the parts of a number", n)
	}
	return axis, err
}

// natural returns the length for an axis of n elements.
func (o *DFT) natural(n Dim) Dim {
	if o.Inverse && o.Onesided {
		return n.Sub(Size(1)).Mul(Size(2))
	}
	return n
}

// Eval transforms every line.
func (o *DFT) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	facts := factsOf(in)
	at, err := scalarOf(facts, 2, "axis")
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	axis, err := o.axis(at, x.Rank())
	if err != nil {
		return nil, err
	}
	length, err := scalarOf(facts, 1, "length")
	if err != nil {
		return nil, err
	}
	n, ok := length.Int()
	if !ok {
		n, _ = o.natural(Size(x.Shape()[axis])).Int()
	}
	wide, err := Convert(x, dtype.Float64)
	if err != nil {
		return nil, err
	}
	c, err := room(out[0], dtype.Float64)
	if err != nil {
		return nil, err
	}
	if c.Len() > 0 {
		o.lines(c, wide, axis, n)
	}
	y, err := Convert(c, x.Type())
	return Of(y), err
}

// lines transforms each line of x along axis, with length n, into y.
func (o *DFT) lines(y, x *tensor.Tensor, axis, n int) {
	src, dst := tensor.Data[float64](x), tensor.Data[float64](y)
	given, bins := x.Shape()[axis], y.Shape()[axis]
	from, to := x.Shape()[x.Rank()-1], y.Shape()[y.Rank()-1]
	stride := inner(x.Shape()[:x.Rank()-1], axis+1)
	f := newFourier(n)
	re, im := make([]float64, n), make([]float64, n)
	for line := range inner(y.Shape()[:axis], 0) * stride {
		clear(re)
		clear(im)
		at := (line/stride*given*stride + line%stride) * from
		for k := range min(given, n) {
			re[k] = src[at+k*stride*from]
			if from == 2 {
				im[k] = src[at+k*stride*from+1]
			}
		}
		if o.Inverse {
			if o.Onesided {
				mirror(re, im)
			}
			f.inverse(re, im)
			for k := range re {
				re[k], im[k] = re[k]/float64(n), im[k]/float64(n)
			}
		} else {
			f.transform(re, im)
		}
		at = (line/stride*bins*stride + line%stride) * to
		for k := range bins {
			dst[at+k*stride*to] = re[k]
			if to == 2 {
				dst[at+k*stride*to+1] = im[k]
			}
		}
	}
}

// mirror fills in the upper frequencies of a real signal: the conjugates of the
// lower ones. The parts that must be real are.
func mirror(re, im []float64) {
	n := len(re)
	im[0] = 0
	if n%2 == 0 {
		im[n/2] = 0
	}
	for k := n/2 + 1; k < n; k++ {
		re[k], im[k] = re[n-k], -im[n-k]
	}
}

// scalarOf reads input i as one integer: Unknown where it is absent or not
// known.
func scalarOf(in []Fact, i int, what string) (Dim, error) {
	l, err := listAt(in, i, what)
	if err != nil {
		return Unknown, err
	}
	if l.given && l.n >= 0 && l.n != 1 {
		return Unknown, fmt.Errorf("%s has %d elements, want one", what, l.n)
	}
	if len(l.vals) != 1 {
		return Unknown, nil
	}
	return l.vals[0], nil
}

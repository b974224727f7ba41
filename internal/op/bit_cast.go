package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// BitCast reads the bits of its operand as elements of another type of the same
// width. Of a byte read as Bool every value but 0 is true.
type BitCast struct {
	To dtype.Type `attr:"to"`
}

// Name returns "BitCast".
func (*BitCast) Name() string { return "BitCast" }

// Infer returns the operand's shape with the new type.
func (o *BitCast) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferUnary(in)
	if err != nil {
		return nil, err
	}
	if o.To.Bits() == 0 || in[0].Type != dtype.Invalid && in[0].Type.Bits() != o.To.Bits() {
		return nil, fmt.Errorf("%v and %v do not have the same width", in[0].Type, o.To)
	}
	out[0].Type = o.To
	return out, nil
}

// Eval returns the same bytes.
func (o *BitCast) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	b := x.Bytes()
	if o.To == dtype.Bool && x.Type() != dtype.Bool {
		flags := make([]bool, len(b))
		for i, v := range b {
			flags[i] = v != 0
		}
		return Of(tensor.FromSlice(flags, x.Shape()...)), nil
	}
	y, err := tensor.FromBytes(o.To, x.Shape(), b)
	return Of(y), err
}

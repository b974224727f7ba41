package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Trilu keeps the upper or lower triangle of the matrices in the last two
// axes, including the diagonal that lies k (its second input, default 0) above
// the main one; the other elements become zero.
type Trilu struct {
	Upper bool `attr:"upper,default=1"`
}

// Name returns "Trilu".
func (o *Trilu) Name() string { return "Trilu" }

// Infer gives the data's type and shape.
func (o *Trilu) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 2); err != nil {
		return nil, err
	}
	if s := in[0].Shape; s != nil && len(s) < 2 {
		return nil, fmt.Errorf("data of shape %v is no matrix", s)
	}
	if k := input(in, 1); k.Present() {
		if n, ok := k.Shape.Count().Int(); ok && n != 1 || k.Type != dtype.Int64 {
			return nil, fmt.Errorf("k of %v%v, want one int64", k.Type, k.Shape)
		}
	}
	return []Fact{TensorFact(in[0].Type, in[0].Shape)}, nil
}

// Eval copies the triangle.
func (o *Trilu) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	var k int64
	if t := arg(in, 1); t != nil {
		k = tensor.Data[int64](t)[0]
	}
	rank := len(c.shape)
	rows, cols := c.shape[rank-2], c.shape[rank-1]
	outer := inner(c.shape[:rank-2], 0)
	// Beyond the matrix all diagonals are alike.
	d := int(min(max(k, int64(-rows)), int64(cols)))
	for i := range rows {
		lo, hi := 0, min(max(i+d+1, 0), cols)
		if o.Upper {
			lo, hi = min(max(i+d, 0), cols), cols
		}
		at := i*cols + lo
		c.draw(in[0].Tensor, at, at, lane{n: outer, to: rows * cols, from: rows * cols}, lane{n: hi - lo, to: 1, from: 1})
		if c.len() == 0 {
			break
		}
	}
	return Of(c.done()), nil
}

// Quantization says that the data is moved and zeros inserted.
func (o *Trilu) Quantization() Facts { return moving() }

// EyeLike returns a matrix of its input's shape with ones on the diagonal K
// above the main one and zeros elsewhere, of type DType or else the input's.
type EyeLike struct {
	DType Opt[dtype.Type] `attr:"dtype"`
	K     int             `attr:"k,default=0"`
}

// Name returns "EyeLike".
func (o *EyeLike) Name() string { return "EyeLike" }

// Infer gives the input's shape.
func (o *EyeLike) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if s := in[0].Shape; s != nil && len(s) != 2 {
		return nil, fmt.Errorf("input of shape %v is no matrix", s)
	}
	typ := in[0].Type
	if o.DType.Set {
		typ = o.DType.Value
	}
	if typ == dtype.String {
		return nil, fmt.Errorf("ones of type %v", typ)
	}
	return []Fact{TensorFact(typ, in[0].Shape)}, nil
}

// Eval draws the diagonal.
func (o *EyeLike) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	one, err := Convert(tensor.Scalar[float32](1), c.typ)
	if err != nil {
		return nil, err
	}
	rows, cols := c.shape[0], c.shape[1]
	k := min(max(o.K, -rows), cols)
	i, j := max(-k, 0), max(k, 0)
	c.draw(one, i*cols+j, 0, lane{n: max(min(rows-i, cols-j), 0), to: cols + 1})
	return Of(c.done()), nil
}

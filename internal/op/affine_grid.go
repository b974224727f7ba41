package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// AffineGrid maps the places of an image through matrices: operands are theta
// [N, r, r+1] for r spatial axes, 2 or 3, and the image's shape [N, C, ...].
// The output [N, ..., r] is for GridSample: each axis runs from -1 to 1, which
// lie at the middles of the outermost elements if AlignCorners and else at
// their outer edges, and a place names the last axis first. An axis of one
// element has 0. It is computed in float64.
type AffineGrid struct {
	AlignCorners bool `attr:"align_corners,default=0"`
}

// Name returns "AffineGrid".
func (*AffineGrid) Name() string { return "AffineGrid" }

// Infer replaces the channels of the image by coordinates.
func (*AffineGrid) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if err := accept(plainFloat, in[0]); err != nil {
		return nil, err
	}
	size, err := listAt(in, 1, "size")
	if err != nil {
		return nil, err
	}
	theta, err := Merge(in[0].Shape, OfRank(3))
	if err != nil {
		return nil, fmt.Errorf("theta: %w", err)
	}
	rank := size.n - 2
	if size.n < 0 {
		n, ok := theta[1].Int()
		if !ok {
			return []Fact{TensorFact(in[0].Type, nil)}, nil
		}
		rank = n
	}
	if rank != 2 && rank != 3 {
		return nil, fmt.Errorf("%d spatial axes, want 2 or 3", rank)
	}
	if theta, err = Merge(theta, Shape{Unknown, Size(rank), Size(rank + 1)}); err != nil {
		return nil, fmt.Errorf("theta: %w", err)
	}
	out := OfRank(rank + 2)
	out[0], out[rank+1] = theta[0], Size(rank)
	if size.vals == nil {
		return []Fact{TensorFact(in[0].Type, out)}, nil
	}
	batch, err := Merge(out[:1], size.vals[:1])
	if err != nil {
		return nil, fmt.Errorf("theta and size: %w", err)
	}
	out[0] = batch[0]
	copy(out[1:], size.vals[2:])
	for _, d := range out {
		if n, ok := d.Int(); ok && (n < 0 || n > maxExtent) {
			return nil, fmt.Errorf("a size of %v", size.vals)
		}
	}
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// Eval maps every place.
func (o *AffineGrid) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	wide, err := Convert(arg(in, 0), dtype.Float64)
	if err != nil {
		return nil, err
	}
	c, err := room(out[0], dtype.Float64)
	if err != nil {
		return nil, err
	}
	rank := c.Rank() - 2
	dims := c.Shape()[1 : 1+rank]
	theta, dst := tensor.Data[float64](wide), tensor.Data[float64](c)
	at, places := make([]int, rank), inner(dims, 0)
	for i := range len(dst) / rank {
		unravel(at, i%places, dims)
		m := theta[i/places*rank*(rank+1):]
		for row := range rank {
			line := m[row*(rank+1):][:rank+1]
			v := line[rank]
			for k := range rank {
				v += float64(line[k] * o.coordinate(at[rank-1-k], dims[rank-1-k]))
			}
			dst[i*rank+row] = v
		}
	}
	y, err := Convert(c, out[0].Type)
	return Of(y), err
}

// coordinate returns where element i of n lies between -1 and 1.
func (o *AffineGrid) coordinate(i, n int) float64 {
	if n == 1 {
		return 0
	}
	if o.AlignCorners {
		return float64(2*i)/float64(n-1) - 1
	}
	return float64(2*i+1)/float64(n) - 1
}

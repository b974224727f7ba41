package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MaxRoiPool takes the greatest elements in the cells of boxes (Girshick, "Fast
// R-CNN", 2015, 2.1): operands are the data [N, C, H, W] and boxes [count, 5],
// each an image and x1, y1, x2, y2, which SpatialScale brings to elements of
// the data; both corners belong to the box. The output is [count, C,
// PooledShape]; a cell without elements gives 0. Computed in float32.
type MaxRoiPool struct {
	PooledShape  []int   `attr:"pooled_shape"`
	SpatialScale float32 `attr:"spatial_scale,default=1"`
}

// Name returns "MaxRoiPool".
func (*MaxRoiPool) Name() string { return "MaxRoiPool" }

// Infer returns the number of boxes and the fixed size.
func (o *MaxRoiPool) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	p := o.PooledShape
	if len(p) != 2 || min(p[0], p[1]) < 1 || max(p[0], p[1]) > maxWindow {
		return nil, fmt.Errorf("pooled_shape %v", p)
	}
	typ, err := wantFloats(in...)
	if err != nil {
		return nil, err
	}
	x, err := Merge(in[0].Shape, OfRank(4))
	if err != nil {
		return nil, err
	}
	boxes, err := Merge(in[1].Shape, Shape{Unknown, Size(5)})
	if err != nil {
		return nil, fmt.Errorf("boxes: %w", err)
	}
	return []Fact{TensorFact(typ, Shape{boxes[0], x[1], Size(p[0]), Size(p[1])})}, nil
}

// Eval pools the boxes.
func (o *MaxRoiPool) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, out []Fact) ([]Datum, error) {
		y, err := room(out[0], dtype.Float32)
		if err != nil {
			return nil, err
		}
		x, boxes := arg(in, 0), tensor.Data[float32](arg(in, 1))
		src, dst, s := tensor.Data[float32](x), tensor.Data[float32](y), x.Shape()
		for r := range y.Shape()[0] {
			box := boxes[r*5:][:5]
			if !(box[0] >= 0 && box[0] < float32(s[0])) {
				return nil, fmt.Errorf("box %d is of image %g of %d", r, box[0], s[0])
			}
			rows, err := o.cells(box[2], box[4], s[2], o.PooledShape[0])
			if err != nil {
				return nil, err
			}
			cols, err := o.cells(box[1], box[3], s[3], o.PooledShape[1])
			if err != nil {
				return nil, err
			}
			for c := range s[1] {
				plane := src[(int(box[0])*s[1]+c)*s[2]*s[3]:][:s[2]*s[3]]
				for i, row := range rows {
					for j, col := range cols {
						at := ((r*s[1]+c)*len(rows)+i)*len(cols) + j
						dst[at] = greatest(plane, s[3], row, col)
					}
				}
			}
		}
		return Of(y), nil
	})
}

// cells divides the elements from one corner to the other, along an axis of n,
// into count cells: each a first element and the one behind the last.
func (o *MaxRoiPool) cells(from, to float32, n, count int) ([][2]int, error) {
	const limit = 1 << 24
	first, last := math.Round(float64(from*o.SpatialScale)), math.Round(float64(to*o.SpatialScale))
	if !(math.Abs(first) < limit && math.Abs(last) < limit) {
		return nil, fmt.Errorf("a box from %g to %g", from, to)
	}
	size := float32(max(last-first+1, 1)) / float32(count)
	out := make([][2]int, count)
	for i := range out {
		lo := int(first) + int(math.Floor(float64(float32(i)*size)))
		hi := int(first) + int(math.Ceil(float64(float32(i+1)*size)))
		out[i] = [2]int{min(max(lo, 0), n), min(max(hi, 0), n)}
	}
	return out, nil
}

// greatest returns the greatest element in a part of a plane, 0 where it has
// none.
func greatest(plane []float32, width int, rows, cols [2]int) float32 {
	if rows[0] >= rows[1] || cols[0] >= cols[1] {
		return 0
	}
	most := float32(math.Inf(-1))
	for i := rows[0]; i < rows[1]; i++ {
		for _, v := range plane[i*width+cols[0] : i*width+cols[1]] {
			most = max(most, v)
		}
	}
	return most
}

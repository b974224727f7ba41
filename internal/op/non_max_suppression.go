package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// NonMaxSuppression selects boxes by score, class by class, leaving out those
// that overlap a selected one by more than a threshold. The inputs are boxes
// [batch, n, 4], scores [batch, class, n], and optionally the most boxes for
// each class, the greatest intersection over union, and the score that must be
// exceeded. Each row of the output is batch, class and box.
type NonMaxSuppression struct {
	// CenterPointBox says that boxes are centre x, centre y, width, height
	// instead of two corners y1, x1, y2, x2.
	CenterPointBox bool `attr:"center_point_box,default=0"`
}

// Name returns "NonMaxSuppression".
func (o *NonMaxSuppression) Name() string { return "NonMaxSuppression" }

// Infer knows the columns alone.
func (o *NonMaxSuppression) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 5); err != nil {
		return nil, err
	}
	for i, f := range in {
		want := dtype.Float32
		if i == 2 {
			want = dtype.Int64
		}
		if f.Present() && f.Type != want && f.Type != dtype.Invalid {
			return nil, fmt.Errorf("input %d of type %v, want %v", i, f.Type, want)
		}
		if n, ok := f.Shape.Count().Int(); i > 1 && f.Present() && ok && n != 1 {
			return nil, fmt.Errorf("input %d has %d elements, want one", i, n)
		}
	}
	boxes, err := Merge(in[0].Shape, Shape{Unknown, Unknown, Size(4)})
	if err != nil {
		return nil, fmt.Errorf("boxes: %w", err)
	}
	if _, err := Merge(in[1].Shape, Shape{boxes[0], Unknown, boxes[1]}); err != nil {
		return nil, fmt.Errorf("scores: %w", err)
	}
	return []Fact{TensorFact(dtype.Int64, Shape{Unknown, Size(3)})}, nil
}

// Eval selects greedily, of equal scores the first box.
func (o *NonMaxSuppression) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	boxes, scores := in[0].Tensor, tensor.Data[float32](in[1].Tensor)
	batch, classes, n := boxes.Shape()[0], in[1].Tensor.Shape()[1], boxes.Shape()[1]
	var most int64
	var overlap, least float32
	if t := arg(in, 2); t != nil {
		most = tensor.Data[int64](t)[0]
	}
	if t := arg(in, 3); t != nil {
		overlap = tensor.Data[float32](t)[0]
	}
	floor := arg(in, 4)
	if floor != nil {
		least = tensor.Data[float32](floor)[0]
	}
	if overlap < 0 || overlap > 1 {
		return nil, fmt.Errorf("an overlap threshold of %g", overlap)
	}
	all := o.corners(tensor.Data[float32](boxes))
	var out []int64
	for b := range batch {
		if n == 0 || most <= 0 {
			break
		}
		mine := all[b*n : (b+1)*n]
		for c := range classes {
			s := scores[(b*classes+c)*n:][:n]
			var order []int
			for i, v := range s {
				if floor == nil || v > least {
					order = append(order, i)
				}
			}
			slices.SortStableFunc(order, func(i, j int) int {
				switch {
				case s[i] > s[j]:
					return -1
				case s[i] < s[j]:
					return 1
				}
				return 0
			})
			var kept []int
			for _, i := range order {
				if int64(len(kept)) >= most {
					break
				}
				if !slices.ContainsFunc(kept, func(k int) bool { return mine[k].overlap(mine[i]) > overlap }) {
					kept = append(kept, i)
					out = append(out, int64(b), int64(c), int64(i))
				}
			}
		}
	}
	return Of(tensor.FromSlice(out, len(out)/3, 3)), nil
}

// box is a rectangle by its least and greatest coordinates.
type box struct{ y1, x1, y2, x2 float32 }

func (o *NonMaxSuppression) corners(d []float32) []box {
	out := make([]box, len(d)/4)
	for i := range out {
		v := d[4*i:]
		if o.CenterPointBox {
			h, w := float32(v[3]/2), float32(v[2]/2)
			out[i] = box{v[1] - h, v[0] - w, v[1] + h, v[0] + w}
			continue
		}
		out[i] = box{min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])}
	}
	return out
}

// overlap returns the intersection over the union, 0 where a box is empty.
func (a box) overlap(b box) float32 {
	areaA, areaB := float32((a.y2-a.y1)*(a.x2-a.x1)), float32((b.y2-b.y1)*(b.x2-b.x1))
	h, w := min(a.y2, b.y2)-max(a.y1, b.y1), min(a.x2, b.x2)-max(a.x1, b.x1)
	if !(areaA > 0 && areaB > 0 && h > 0 && w > 0) {
		return 0
	}
	common := float32(h * w)
	return common / (areaA + areaB - common)
}

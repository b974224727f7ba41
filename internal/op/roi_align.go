package op

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// RoiAlign pools boxes of images to a fixed size by bilinear samples (He et
// al., "Mask R-CNN", 3): inputs are the data [N, C, H, W], the boxes [count,
// 4] as x1, y1, x2, y2, and the image of each box. Computed in float32.
type RoiAlign struct {
	Coordinates   string  `attr:"coordinate_transformation_mode,default=half_pixel"`
	Mode          string  `attr:"mode,default=avg"`
	OutputHeight  int     `attr:"output_height,default=1"`
	OutputWidth   int     `attr:"output_width,default=1"`
	SamplingRatio int     `attr:"sampling_ratio,default=0"`
	SpatialScale  float32 `attr:"spatial_scale,default=1"`
}

// maxSamples bounds the samples that a box takes along one axis of an output.
const maxSamples = 1 << 12

// Name returns "RoiAlign".
func (o *RoiAlign) Name() string { return "RoiAlign" }

// Infer returns the number of boxes and the fixed size.
func (o *RoiAlign) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"half_pixel", "output_half_pixel"}, o.Coordinates) || o.Mode != "avg" && o.Mode != "max" {
		return nil, fmt.Errorf("coordinate_transformation_mode %q, mode %q", o.Coordinates, o.Mode)
	}
	if min(o.OutputHeight, o.OutputWidth) < 1 || max(o.OutputHeight, o.OutputWidth) > maxWindow ||
		o.SamplingRatio < 0 || o.SamplingRatio > maxSamples {
		return nil, fmt.Errorf("an output of %d by %d with sampling_ratio %d", o.OutputHeight, o.OutputWidth, o.SamplingRatio)
	}
	typ, err := wantFloats(in[0], in[1])
	if err != nil {
		return nil, err
	}
	x, err := Merge(in[0].Shape, OfRank(4))
	if err != nil {
		return nil, err
	}
	boxes, err := Merge(in[1].Shape, Shape{Unknown, Size(4)})
	if err != nil {
		return nil, fmt.Errorf("boxes: %w", err)
	}
	if err := wantLength(in[2], "batch_indices", boxes[0]); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(typ, Shape{boxes[0], x[1], Size(o.OutputHeight), Size(o.OutputWidth)})}, nil
}

// Eval samples the boxes.
func (o *RoiAlign) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		y, err := room(out[0], dtype.Float32)
		if err != nil || y.Len() == 0 {
			return Of(y), err
		}
		images, err := indices(in[2].Tensor, x.Shape()[0])
		if err != nil || x.Len() == 0 {
			return Of(y), err
		}
		boxes, src, dst := tensor.Data[float32](in[1].Tensor), tensor.Data[float32](x), tensor.Data[float32](y)
		c, h, w := x.Shape()[1], x.Shape()[2], x.Shape()[3]
		for i, n := range images {
			box := boxes[i*4 : i*4+4]
			rows, ny, err := o.samples(box[1], box[3], h, o.OutputHeight)
			if err != nil {
				return nil, fmt.Errorf("box %v: %w", box, err)
			}
			cols, nx, err := o.samples(box[0], box[2], w, o.OutputWidth)
			if err != nil {
				return nil, fmt.Errorf("box %v: %w", box, err)
			}
			vals := make([]float32, 0, ny*nx)
			for k := range c * o.OutputHeight * o.OutputWidth {
				ch, py, px := k/(o.OutputHeight*o.OutputWidth), k/o.OutputWidth%o.OutputHeight, k%o.OutputWidth
				img := src[(n*c+ch)*h*w:][:h*w]
				vals = vals[:0]
				for _, r := range rows[py*ny : py*ny+ny] {
					for _, q := range cols[px*nx : px*nx+nx] {
						vals = append(vals, o.sample(img, w, r, q))
					}
				}
				dst[i*c*o.OutputHeight*o.OutputWidth+k] = o.pool(vals)
			}
		}
		return Of(y), nil
	})
}

// spot is a coordinate between two neighbours of an axis, with their weights;
// both weights are 0 outside the image.
type spot struct {
	lo, hi   int
	low, upp float32
}

// samples returns where an axis of n elements is sampled for a box from a to b:
// each times for each of out outputs.
func (o *RoiAlign) samples(a, b float32, n, out int) (spots []spot, each int, err error) {
	offset := float32(0)
	if o.Coordinates == "half_pixel" {
		offset = 0.5
	}
	start := float32(a*o.SpatialScale) - offset
	length := float32(b*o.SpatialScale) - offset - start
	if o.Coordinates == "output_half_pixel" {
		length = max(length, 1)
	}
	bin := length / float32(out)
	if each = o.SamplingRatio; each == 0 {
		t := math.Ceil(float64(bin))
		if !(t <= maxSamples) {
			return nil, 0, fmt.Errorf("%g samples along an axis, at most %d are supported", t, maxSamples)
		}
		each = max(int(t), 0)
	}
	for i := range out {
		for k := range each {
			p := start + float32(float32(i)*bin) + float32((float32(k)+0.5)*bin)/float32(each)
			spots = append(spots, spotAt(p, n))
		}
	}
	return spots, each, nil
}

func spotAt(p float32, n int) spot {
	if !(p >= -1 && p <= float32(n)) || n == 0 {
		return spot{}
	}
	p = max(p, 0)
	lo := int(p)
	if lo >= n-1 {
		return spot{n - 1, n - 1, 1, 0}
	}
	f := p - float32(lo)
	return spot{lo, lo + 1, 1 - f, f}
}

// sample returns the four neighbours of a place, weighted: their sum, or in
// mode max the greatest of them.
func (o *RoiAlign) sample(img []float32, w int, r, c spot) float32 {
	v := [4]float32{
		float32(float32(r.low*c.low) * img[r.lo*w+c.lo]), float32(float32(r.low*c.upp) * img[r.lo*w+c.hi]),
		float32(float32(r.upp*c.low) * img[r.hi*w+c.lo]), float32(float32(r.upp*c.upp) * img[r.hi*w+c.hi]),
	}
	if o.Mode == "max" {
		return max(v[0], v[1], v[2], v[3])
	}
	return v[0] + v[1] + v[2] + v[3]
}

// pool reduces the samples of one output; 0 without any.
func (o *RoiAlign) pool(vals []float32) float32 {
	switch {
	case len(vals) == 0:
		return 0
	case o.Mode == "max":
		return slices.Max(vals)
	}
	return sum(vals) / float32(len(vals))
}

// Quantization says that the image is data and the boxes are not.
func (o *RoiAlign) Quantization() Facts { return dataOnly() }

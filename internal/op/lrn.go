package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// LRN divides each element by a power of the squares around it in neighbouring
// channels (Krizhevsky et al., "ImageNet Classification with Deep Convolutional
// Neural Networks", 3.3): x / (Bias + Alpha/Size · Σx²)^Beta, in float32.
type LRN struct {
	Alpha  float32 `attr:"alpha,default=1e-4"`
	Beta   float32 `attr:"beta,default=0.75"`
	Bias   float32 `attr:"bias,default=1"`
	Size   int     `attr:"size"`
	Layout Layout  `attr:".layout"`
}

// Name returns "LRN".
func (o *LRN) Name() string { return "LRN" }

// Infer returns the data's shape.
func (o *LRN) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if o.Size < 1 || o.Size > maxWindow {
		return nil, fmt.Errorf("size %d", o.Size)
	}
	typ, err := wantFloats(in[0])
	if err == nil && in[0].Shape != nil && len(in[0].Shape) < 2 {
		err = fmt.Errorf("data of shape %v has no channels", in[0].Shape)
	}
	return []Fact{TensorFact(typ, in[0].Shape.Clone())}, err
}

// Eval divides.
func (o *LRN) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		y, err := room(out[0], dtype.Float32)
		if err != nil {
			return nil, err
		}
		src, dst, p := tensor.Data[float32](x), tensor.Data[float32](y), planeOf(o.Layout, x.Shape())
		factor := o.Alpha / float32(o.Size)
		before, after := (o.Size-1)/2, o.Size/2
		var square []float32
		for i := range len(src) / max(p.channels, 1) {
			n, place := i/p.places, i%p.places
			for c := range p.channels {
				square = square[:0]
				for k := max(0, c-before); k <= min(p.channels-1, c+after); k++ {
					v := src[p.at(n, k, place)]
					square = append(square, v*v)
				}
				at := p.at(n, c, place)
				dst[at] = src[at] / eltwise.Pow(o.Bias+float32(factor*sum(square)), o.Beta)
			}
		}
		return Of(y), nil
	})
}

// Quantization says that the data is an activation.
func (o *LRN) Quantization() Facts { return dataOnly() }

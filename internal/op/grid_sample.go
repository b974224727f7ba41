package op

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// GridSample samples images [N, C, spatial…] at the places that a grid
// [N, out…, spatial rank] names, in coordinates from -1 to 1 with the last
// spatial axis first. The grid has the same layout for either Layout.
type GridSample struct {
	AlignCorners bool   `attr:"align_corners,default=0"`
	Mode         string `attr:"mode,default=linear"`
	PaddingMode  string `attr:"padding_mode,default=zeros"`
	Layout       Layout `attr:".layout"`
}

// Name returns "GridSample".
func (o *GridSample) Name() string { return "GridSample" }

// Infer takes batch and channels from the data and the rest from the grid.
func (o *GridSample) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"linear", "nearest", "cubic"}, o.Mode) {
		return nil, fmt.Errorf("mode %q", o.Mode)
	}
	if !slices.Contains([]string{"zeros", "border", "reflection"}, o.PaddingMode) {
		return nil, fmt.Errorf("padding_mode %q", o.PaddingMode)
	}
	x, grid := in[0].Shape, in[1].Shape
	if x == nil || grid == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	if len(x) < 3 || len(x) != len(grid) {
		return nil, fmt.Errorf("data of shape %v and a grid of shape %v", x, grid)
	}
	if n, ok := grid[len(grid)-1].Int(); ok && n != len(x)-2 {
		return nil, fmt.Errorf("a grid of %d coordinates for %d axes", n, len(x)-2)
	}
	n, err := Merge(x[:1], grid[:1])
	if err != nil {
		return nil, err
	}
	out := make(Shape, len(x))
	out[0], out[o.Layout.Channel(len(x))] = n[0], x[o.Layout.Channel(len(x))]
	copy(out[o.Layout.Spatial():][:len(x)-2], grid[1:])
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// Eval samples the images.
func (o *GridSample) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	c, err := newCanvas(out[0])
	if err != nil {
		return nil, err
	}
	if c.len() == 0 {
		return Of(c.done()), nil
	}
	x := in[0].Tensor
	for i, d := range x.Shape() {
		if d == 0 {
			return nil, fmt.Errorf("axis %d of the data is empty", i)
		}
	}
	grid, err := Convert(in[1].Tensor, dtype.Float64)
	if err != nil {
		return nil, err
	}
	coords := tensor.Data[float64](grid)
	if x.Type() == dtype.Float64 {
		sampleGrid(o, tensor.Data[float64](c.t), tensor.Data[float64](x), coords, c.shape, x.Shape())
		return Of(c.t), nil
	}
	return throughFloat32(x.Type(), []*tensor.Tensor{x}, func(w []*tensor.Tensor) ([]Datum, error) {
		y := tensor.New(dtype.Float32, c.shape...)
		sampleGrid(o, tensor.Data[float32](y), tensor.Data[float32](w[0]), coords, c.shape, x.Shape())
		if x.Type().IsInteger() {
			y = rounded(y, x.Type())
		}
		return Of(y), nil
	})
}

// tap is one weighted input pixel.
type tap struct {
	at     int
	weight float64
}

// taps returns the pixels that make up the sample at p, of the coordinates of
// one place, last spatial axis first.
func (o *GridSample) taps(p []float64, dims, strides []int) []tap {
	out := []tap{{0, 1}}
	for axis, n := range dims {
		var line []tap
		for _, t := range o.line(p[len(p)-1-axis], n) {
			line = append(line, tap{t.at * strides[axis], t.weight})
		}
		next := make([]tap, 0, len(out)*len(line))
		for _, a := range out {
			for _, b := range line {
				next = append(next, tap{a.at + b.at, a.weight * b.weight})
			}
		}
		out = next
	}
	return out
}

// line returns the elements of one axis of n that make up coordinate p.
func (o *GridSample) line(p float64, n int) []tap {
	const huge = 1 << 30
	pos := (float64((p+1)*float64(n)) - 1) / 2
	if o.AlignCorners {
		pos = float64((p + 1) / 2 * float64(n-1))
	}
	if !(math.Abs(pos) < huge) {
		pos = -huge
	}
	if o.Mode == "nearest" {
		return o.element(nil, int(math.RoundToEven(pos)), n, 1)
	}
	floor := math.Floor(pos)
	r, i := pos-floor, int(floor)
	if o.Mode == "linear" {
		return o.element(o.element(nil, i, n, 1-r), i+1, n, r)
	}
	keys := Resize{Mode: "cubic", CubicA: -0.75}
	var out []tap
	for k := -1; k <= 2; k++ {
		out = o.element(out, i+k, n, keys.filter(float64(k)-r))
	}
	return out
}

// element adds element i of n, where it lies inside or the padding puts it.
func (o *GridSample) element(to []tap, i, n int, weight float64) []tap {
	if weight == 0 {
		return to
	}
	if i < 0 || i >= n {
		switch {
		case o.PaddingMode == "zeros":
			return to
		case o.PaddingMode == "border":
			i = min(max(i, 0), n-1)
		case o.AlignCorners:
			i = (&Pad{Mode: "reflect"}).source(i, n)
		default:
			// The mirror lies half an element outside.
			i = ((i % (2 * n)) + 2*n) % (2 * n)
			i = min(i, 2*n-1-i)
		}
	}
	return append(to, tap{i, weight})
}

// sampleGrid fills dst of shape out from src of shape in.
func sampleGrid[T float32 | float64](o *GridSample, dst, src []T, coords []float64, out, in []int) {
	rank := len(in) - 2
	sp, ch := o.Layout.Spatial(), o.Layout.Channel(len(in))
	dims, strides := in[sp:sp+rank], tensor.Strides(in)
	places, channels := inner(out[sp:sp+rank], 0), in[ch]
	place, channel := 1, places
	if o.Layout == ChannelsLast {
		place, channel = channels, 1
	}
	for n := range in[0] {
		for i := range places {
			taps := o.taps(coords[(n*places+i)*rank:][:rank], dims, strides[sp:sp+rank])
			for c := range channels {
				var sum T
				for k, t := range taps {
					v := T(T(t.weight) * src[n*strides[0]+c*strides[ch]+t.at])
					if k == 0 {
						sum = v
					} else {
						sum += v
					}
				}
				dst[n*places*channels+i*place+c*channel] = sum
			}
		}
	}
}

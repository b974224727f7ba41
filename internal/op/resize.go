package op

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Resize samples its data on a grid of another size (ONNX Resize, opset 19).
// The inputs are the data, a region of interest for tf_crop_and_resize, and
// either scales or sizes, for all axes or for Axes. Coordinates are computed
// in float32, in the order of the operations that the specification gives.
type Resize struct {
	Antialias      bool    `attr:"antialias,default=0"`
	Axes           []int   `attr:"axes"`
	Coordinates    string  `attr:"coordinate_transformation_mode,default=half_pixel"`
	CubicA         float32 `attr:"cubic_coeff_a,default=-0.75"`
	ExcludeOutside bool    `attr:"exclude_outside,default=0"`
	Extrapolation  float32 `attr:"extrapolation_value,default=0"`
	AspectRatio    string  `attr:"keep_aspect_ratio_policy,default=stretch"`
	Mode           string  `attr:"mode,default=nearest"`
	NearestMode    string  `attr:"nearest_mode,default=round_prefer_floor"`
}

const cropAndResize = "tf_crop_and_resize"

// maxLine bounds the elements of one resized axis.
const maxLine = math.MaxInt >> 16

// Name returns "Resize".
func (o *Resize) Name() string { return "Resize" }

// check looks at the enumerations.
func (o *Resize) check() error {
	for _, c := range []struct {
		what, got string
		want      []string
	}{
		{"mode", o.Mode, []string{"nearest", "linear", "cubic"}},
		{"nearest_mode", o.NearestMode, []string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}},
		{"keep_aspect_ratio_policy", o.AspectRatio, []string{"stretch", "not_larger", "not_smaller"}},
		{"coordinate_transformation_mode", o.Coordinates, []string{"half_pixel", "half_pixel_symmetric",
			"pytorch_half_pixel", "align_corners", "asymmetric", cropAndResize}},
	} {
		if !slices.Contains(c.want, c.got) {
			return fmt.Errorf("%s %q", c.what, c.got)
		}
	}
	if o.Mode == "nearest" && o.Antialias {
		return fmt.Errorf("antialias with mode nearest")
	}
	return nil
}

// sampled is how one axis is resized.
type sampled struct {
	out    Dim
	scale  float32 // 0 where it is not known
	length float32 // the output's length before rounding
}

// resizeArgs are the optional inputs; exporters write empty tensors for absent
// ones.
func resizeArgs(in []Fact) (scales, sizes Fact) {
	given := func(i int) Fact {
		f := input(in, i)
		if f.Shape.Count().Is(0) {
			return Fact{}
		}
		return f
	}
	return given(2), given(3)
}

func counted(f Fact) bool { _, ok := f.Shape.Count().Int(); return ok }

// plan resolves the axes of an input of shape x. known is false where the
// scales or sizes are not.
func (o *Resize) plan(in []Fact, x Shape) (axes []int, out []sampled, known bool, err error) {
	if err := o.check(); err != nil {
		return nil, nil, false, err
	}
	axes = allAxes(len(x))
	if len(o.Axes) > 0 {
		if axes, err = axesOf(o.Axes, len(x)); err != nil {
			return nil, nil, false, err
		}
	}
	scales, sizes := resizeArgs(in)
	out = make([]sampled, len(axes))
	if scales.Present() == sizes.Present() {
		if scales.Present() && (!counted(scales) || !counted(sizes)) {
			return axes, out, false, nil // one of them may turn out to be empty
		}
		return nil, nil, false, fmt.Errorf("want either scales or sizes")
	}
	if scales.Present() {
		known, err = o.byScales(scales, x, axes, out)
	} else {
		known, err = o.bySizes(in, sizes, x, axes, out)
	}
	return axes, out, known, err
}

func (o *Resize) byScales(f Fact, x Shape, axes []int, out []sampled) (bool, error) {
	if f.Type != dtype.Float32 && f.Type != dtype.Invalid {
		return false, fmt.Errorf("scales of type %v, want float32", f.Type)
	}
	if n, ok := f.Shape.Count().Int(); ok && n != len(axes) {
		return false, fmt.Errorf("%d scales for %d axes", n, len(axes))
	}
	if f.Const == nil {
		return false, nil
	}
	for i, s := range tensor.Data[float32](f.Const) {
		if !(s > 0) || math.IsInf(float64(s), 1) {
			return false, fmt.Errorf("a scale of %g", s)
		}
		d := x[axes[i]]
		out[i] = sampled{out: Unknown, scale: s}
		if n, ok := d.Int(); ok {
			length := float32(n) * s
			if length > maxLine {
				return false, fmt.Errorf("an output of %g elements on one axis", length)
			}
			out[i].out, out[i].length = Size(int(length)), length
		} else if k := int(min(s, 1<<20)); float32(k) == s {
			out[i].out = d.Mul(Size(k))
		} else if k := int(min(1/s, 1<<20)); 1/float32(k) == s {
			out[i].out = d.Div(Size(k))
		}
	}
	return true, nil
}

func (o *Resize) bySizes(in []Fact, f Fact, x Shape, axes []int, out []sampled) (bool, error) {
	l, err := listAt(in, 3, "sizes")
	if err != nil {
		return false, err
	}
	if l.n >= 0 && l.n != len(axes) {
		return false, fmt.Errorf("%d sizes for %d axes", l.n, len(axes))
	}
	if l.vals == nil {
		return false, nil
	}
	if err := checkDims(l.vals); err != nil {
		return false, err
	}
	for i, d := range l.vals {
		out[i].out = d
		m, mok := d.Int()
		n, nok := x[axes[i]].Int()
		if !mok || !nok {
			continue
		}
		if n == 0 && m != 0 {
			return false, fmt.Errorf("cannot resize an empty axis to %d", m)
		}
		if m > maxLine {
			return false, fmt.Errorf("an output of %d elements on one axis", m)
		}
		out[i].length, out[i].scale = float32(m), 1
		if n > 0 {
			out[i].scale = float32(m) / float32(n)
		}
	}
	if o.AspectRatio == "stretch" {
		return true, nil
	}
	return true, o.keepAspect(x, axes, out)
}

// keepAspect makes all scales equal to the least or the greatest of them.
func (o *Resize) keepAspect(x Shape, axes []int, out []sampled) error {
	for _, s := range out {
		if s.scale == 0 {
			for i := range out {
				out[i] = sampled{out: Unknown}
			}
			return nil
		}
	}
	scale := out[0].scale
	for _, s := range out[1:] {
		if o.AspectRatio == "not_larger" {
			scale = min(scale, s.scale)
		} else {
			scale = max(scale, s.scale)
		}
	}
	for i, a := range axes {
		n, _ := x[a].Int()
		m := math.Floor(float64(float32(n)*scale) + 0.5)
		if m > maxLine {
			return fmt.Errorf("an output of %g elements on one axis", m)
		}
		out[i] = sampled{out: Size(int(m)), scale: scale, length: float32(n) * scale}
	}
	return nil
}

// Infer returns the sizes, or the dimensions times the scales.
func (o *Resize) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 4); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, o.check()
	}
	axes, plan, known, err := o.plan(in, x)
	if err != nil {
		return nil, err
	}
	out := x.Clone()
	for i, a := range axes {
		out[a] = Unknown
		if known {
			out[a] = plan[i].out
		}
	}
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// coordinate returns where output element i of an axis of n elements lies in
// the input. lo and hi are the region of interest.
func (o *Resize) coordinate(i, n int, s sampled, lo, hi float32) float32 {
	x, last := float32(i), float32(n-1)
	m, _ := s.out.Int()
	switch o.Coordinates {
	case "align_corners":
		if s.length == 1 {
			return 0
		}
		return float32(x*last) / (s.length - 1)
	case "asymmetric":
		return x / s.scale
	case "pytorch_half_pixel":
		if m <= 1 {
			return 0
		}
	case cropAndResize:
		if m <= 1 {
			return 0.5 * (lo + hi) * last
		}
		return float32(lo*last) + float32(float32(x*(hi-lo))*last)/float32(m-1)
	case "half_pixel_symmetric":
		adjust := float32(m) / s.length
		offset := float32(float32(n) / 2 * (1 - adjust))
		return offset + (x+0.5)/s.scale - 0.5
	}
	return (x+0.5)/s.scale - 0.5
}

// region returns the region of interest of each axis, [0, 1] by default.
func (o *Resize) region(roi *tensor.Tensor, axes int) (lo, hi []float32, err error) {
	lo, hi = make([]float32, axes), make([]float32, axes)
	for i := range hi {
		hi[i] = 1
	}
	if o.Coordinates != cropAndResize || roi == nil || roi.Len() == 0 {
		return lo, hi, nil
	}
	w, err := Convert(roi, dtype.Float32)
	if err != nil {
		return nil, nil, err
	}
	vals := tensor.Data[float32](w)
	if len(vals) != 2*axes {
		return nil, nil, fmt.Errorf("a region of %d numbers for %d axes", len(vals), axes)
	}
	copy(lo, vals)
	copy(hi, vals[axes:])
	return lo, hi, nil
}

// Eval samples the data.
func (o *Resize) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	axes, plan, known, err := o.plan(factsOf(in), Known(x.Shape()...))
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, fmt.Errorf("the sizes are not known")
	}
	lo, hi, err := o.region(arg(in, 1), len(axes))
	if err != nil {
		return nil, err
	}
	if n, ok := out[0].Shape.Count().Int(); ok && n == 0 {
		c, err := newCanvas(out[0])
		if err != nil {
			return nil, err
		}
		return Of(c.done()), nil
	}
	at := func(k int) func(i int) float32 {
		return func(i int) float32 { return o.coordinate(i, x.Shape()[axes[k]], plan[k], lo[k], hi[k]) }
	}
	still := func(k int) bool {
		return o.Coordinates != cropAndResize && plan[k].scale == 1 && plan[k].out.Is(x.Shape()[axes[k]])
	}
	if o.Mode == "nearest" {
		return o.nearest(x, out[0], axes, at, still)
	}
	return o.interpolate(x, axes, plan, at, still)
}

// nearest copies the elements at the rounded coordinates.
func (o *Resize) nearest(x *tensor.Tensor, out Fact, axes []int, at func(int) func(int) float32, still func(int) bool) ([]Datum, error) {
	c, err := newCanvas(out)
	if err != nil {
		return nil, err
	}
	lanes := lanesOf(c.shape, tensor.Strides(x.Shape()))
	outside := false
	for k, a := range axes {
		if still(k) {
			continue
		}
		l, n, coordinate := &lanes[a], x.Shape()[a], at(k)
		fromAt, toAt := make([]int, 0, l.n), make([]int, 0, l.n)
		for i := range l.n {
			p := coordinate(i)
			if o.Coordinates == cropAndResize && !(p >= 0 && p <= float32(n-1)) {
				outside = true
				continue
			}
			fromAt = append(fromAt, o.round(p, n)*l.from)
			toAt = append(toAt, i*l.to)
		}
		if len(toAt) < l.n {
			l.toAt = toAt
		}
		l.n, l.fromAt = len(fromAt), fromAt
	}
	if outside {
		v, err := Convert(tensor.Scalar(o.Extrapolation), x.Type())
		if err != nil {
			return nil, err
		}
		c.fill(v)
	}
	c.draw(x, 0, 0, lanes...)
	return Of(c.done()), nil
}

// round returns the element of n that stands for coordinate p.
func (o *Resize) round(p float32, n int) int {
	v := float64(p)
	switch o.NearestMode {
	case "round_prefer_floor":
		v = math.Ceil(v - 0.5)
	case "round_prefer_ceil":
		v = math.Floor(v + 0.5)
	case "floor":
		v = math.Floor(v)
	case "ceil":
		v = math.Ceil(v)
	}
	return int(min(max(v, 0), float64(n-1)))
}

// Moves reports whether all elements of the result are elements of the data.
func (o *Resize) Moves() bool { return o.Mode == "nearest" && o.Coordinates != cropAndResize }

// Quantization says that mode nearest moves the data.
func (o *Resize) Quantization() Facts {
	if o.Mode == "nearest" {
		return moving()
	}
	f := NoFacts()
	f.Data = []int{0}
	return f
}

package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// inferCosines is Infer of a window of the length in the only operand.
func inferCosines(in []Fact, typ dtype.Type) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if !isNumber(typ) {
		return nil, fmt.Errorf("a window of type %v", typ)
	}
	n, err := scalarOf(in, 0, "size")
	if err != nil {
		return nil, err
	}
	if v, ok := n.Int(); ok && (v < 0 || v > maxExtent) {
		return nil, fmt.Errorf("a window of %d", v)
	}
	return []Fact{TensorFact(typ, Shape{n})}, nil
}

// evalCosines computes terms[0] + terms[1]·cos(t) + terms[2]·cos(2t) at n
// places t that divide a turn in n parts, or in n-1 unless periodic.
func evalCosines(o Op, in []Datum, periodic bool, terms ...float64) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	c, err := room(out[0], dtype.Float64)
	if err != nil {
		return nil, err
	}
	vals := tensor.Data[float64](c)
	parts := len(vals)
	if !periodic {
		parts--
	}
	for i := range vals {
		for k := len(terms) - 1; k >= 0; k-- {
			cos, _ := turn(k*i, max(parts, 1))
			vals[i] += float64(terms[k] * cos)
		}
	}
	y, err := Convert(c, out[0].Type)
	return Of(y), err
}

// HannWindow computes 0.5 - 0.5·cos(2πi/N) for each i below the operand, N being
// the operand, or one less unless Periodic.
type HannWindow struct {
	OutputDatatype dtype.Type `attr:"output_datatype,default=float32"`
	Periodic       bool       `attr:"periodic,default=1"`
}

// Name returns "HannWindow".
func (*HannWindow) Name() string { return "HannWindow" }

// Infer returns a vector.
func (o *HannWindow) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferCosines(in, o.OutputDatatype)
}

// Eval computes the window.
func (o *HannWindow) Eval(in []Datum) ([]Datum, error) {
	return evalCosines(o, in, o.Periodic, 0.5, -0.5)
}

// HammingWindow computes 25/46 - 21/46·cos(2πi/N), as HannWindow.
type HammingWindow struct {
	OutputDatatype dtype.Type `attr:"output_datatype,default=float32"`
	Periodic       bool       `attr:"periodic,default=1"`
}

// Name returns "HammingWindow".
func (*HammingWindow) Name() string { return "HammingWindow" }

// Infer returns a vector.
func (o *HammingWindow) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferCosines(in, o.OutputDatatype)
}

// Eval computes the window.
func (o *HammingWindow) Eval(in []Datum) ([]Datum, error) {
	return evalCosines(o, in, o.Periodic, 25.0/46, -21.0/46)
}

// BlackmanWindow computes 0.42 - 0.5·cos(2πi/N) + 0.08·cos(4πi/N), as
// HannWindow.
type BlackmanWindow struct {
	OutputDatatype dtype.Type `attr:"output_datatype,default=float32"`
	Periodic       bool       `attr:"periodic,default=1"`
}

// Name returns "BlackmanWindow".
func (*BlackmanWindow) Name() string { return "BlackmanWindow" }

// Infer returns a vector.
func (o *BlackmanWindow) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferCosines(in, o.OutputDatatype)
}

// Eval computes the window.
func (o *BlackmanWindow) Eval(in []Datum) ([]Datum, error) {
	return evalCosines(o, in, o.Periodic, 0.42, -0.5, 0.08)
}

// MelWeightMatrix gives the weights [length/2+1, bands] by which a spectrum of
// linear frequencies becomes one of bands: triangles that overlap by half, at
// equal distances between two frequencies on the mel scale 2595·log10(1+f/700).
// Operands are the number of bands, the length of the Fourier transform, the
// samples a second, and the lowest and highest frequency in hertz. The corners
// of the triangles are cut down to whole frequencies of the spectrum.
type MelWeightMatrix struct {
	OutputDatatype dtype.Type `attr:"output_datatype,default=float32"`
}

// Name returns "MelWeightMatrix".
func (*MelWeightMatrix) Name() string { return "MelWeightMatrix" }

// Infer returns the shape of the matrix.
func (o *MelWeightMatrix) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 5, 5); err != nil {
		return nil, err
	}
	if !isNumber(o.OutputDatatype) {
		return nil, fmt.Errorf("weights of type %v", o.OutputDatatype)
	}
	var n [3]Dim
	for i, what := range []string{"number of bands", "length", "sample rate"} {
		var err error
		if n[i], err = scalarOf(in, i, what); err != nil {
			return nil, err
		}
		if v, ok := n[i].Int(); ok && (v < 1 || v > maxExtent) {
			return nil, fmt.Errorf("a %s of %d", what, v)
		}
	}
	for _, f := range in[3:] {
		if err := accept(dtype.Type.IsFloat, f); err != nil {
			return nil, err
		}
		if k, ok := f.Shape.Count().Int(); ok && k != 1 {
			return nil, fmt.Errorf("a frequency of shape %v, want one number", f.Shape)
		}
	}
	return []Fact{TensorFact(o.OutputDatatype, Shape{n[1].Div(Size(2)).Add(Size(1)), n[0]})}, nil
}

// Eval computes the matrix.
func (o *MelWeightMatrix) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	p, err := realScalars(arg(in, 1), arg(in, 2), arg(in, 3), arg(in, 4))
	if err != nil {
		return nil, err
	}
	c, err := room(out[0], dtype.Float64)
	if err != nil {
		return nil, err
	}
	bins, bands := c.Shape()[0], c.Shape()[1]
	const ln10 = 2.302585092994045684
	mel := func(f float64) float64 { return float64(2595 / ln10 * eltwise.Log64(1+f/700)) }
	low, high := mel(p[2]), mel(p[3])
	step := (high - low) / float64(bands+2)
	corners := make([]int, bands+2)
	for i := range corners {
		hertz := float64(700 * (eltwise.Exp64((low+float64(float64(i)*step))*(ln10/2595)) - 1))
		// A float64 exponential is off by 1e-11 at most: a whole number that it
		// misses by that is meant.
		at := (p[0] + 1) * hertz / p[1]
		at += float64(1e-10 * at)
		if !(at >= 0 && at < float64(bins)) {
			return nil, fmt.Errorf("frequencies from %g to %g Hz are not those of a spectrum of %g samples a second", p[2], p[3], p[1])
		}
		corners[i] = int(at)
	}
	w := tensor.Data[float64](c)
	for i := range bands {
		left, top, right := corners[i], corners[i+1], corners[i+2]
		for j := left; j < top; j++ {
			w[j*bands+i] = float64(j-left) / float64(top-left)
		}
		w[top*bands+i] = 1
		for j := top + 1; j < right; j++ {
			w[j*bands+i] = float64(right-j) / float64(right-top)
		}
	}
	y, err := Convert(c, o.OutputDatatype)
	return Of(y), err
}

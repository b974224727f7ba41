package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// STFT is the Fourier transform of frames of a signal [batch, length, 1 or 2].
// Operands are the signal, the distance between frames, an optional window by
// which each frame is multiplied, and the length of frames, which the window
// tells otherwise. A window shorter than the frames lies at their middle. The
// output is [batch, frames, frequencies, 2], with length/2+1 frequencies if
// Onesided. It is computed in float64.
type STFT struct {
	Onesided bool `attr:"onesided,default=1"`
}

// Name returns "STFT".
func (*STFT) Name() string { return "STFT" }

// frame returns the length of a frame.
func (*STFT) frame(in []Fact) (Dim, error) {
	n, err := scalarOf(in, 3, "frame length")
	if err != nil {
		return Unknown, err
	}
	window := input(in, 2)
	if window.Shape != nil {
		if len(window.Shape) != 1 {
			return Unknown, fmt.Errorf("a window of shape %v, want a vector", window.Shape)
		}
		have, ok := window.Shape[0].Int()
		most, known := n.Int()
		if ok && known && have > most {
			return Unknown, fmt.Errorf("a window of %d for frames of %d", have, most)
		}
		if !input(in, 3).Present() {
			n = window.Shape[0]
		}
	}
	if !window.Present() && !input(in, 3).Present() {
		return Unknown, fmt.Errorf("neither a window nor the length of frames is given")
	}
	if v, ok := n.Int(); ok && (v < 1 || v > maxExtent) {
		return Unknown, fmt.Errorf("frames of %d", v)
	}
	return n, nil
}

// Infer counts the frames that fit.
func (o *STFT) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 4); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0], input(in, 2))
	if err != nil {
		return nil, err
	}
	step, err := scalarOf(in, 1, "frame step")
	if err != nil {
		return nil, err
	}
	if n, ok := step.Int(); ok && (n < 1 || n > maxExtent) {
		return nil, fmt.Errorf("a frame step of %d", n)
	}
	n, err := o.frame(in)
	if err != nil {
		return nil, err
	}
	x, err := Merge(in[0].Shape, OfRank(3))
	if err != nil {
		return nil, err
	}
	if p, ok := x[2].Int(); ok && p != 1 && (p != 2 || o.Onesided) {
		return nil, fmt.Errorf("a signal of shape %v has %d parts a number", x, p)
	}
	frames := Unknown
	if s, ok := step.Int(); ok {
		room := x[1].Sub(n)
		if v, ok := room.Int(); ok && v < 0 {
			return nil, fmt.Errorf("frames of %v in a signal of %v", n, x[1])
		}
		frames = room.Div(Size(s)).Add(Size(1))
	}
	bins := n
	if o.Onesided {
		bins = n.Div(Size(2)).Add(Size(1))
	}
	return []Fact{TensorFact(typ, Shape{x[0], frames, bins, Size(2)})}, nil
}

// Eval transforms every frame.
func (o *STFT) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	length, err := o.frame(factsOf(in))
	if err != nil {
		return nil, err
	}
	n, _ := length.Int()
	x, step := in[0].Tensor, int(integers(in[1].Tensor)[0])
	wide, err := Convert(x, dtype.Float64)
	if err != nil {
		return nil, err
	}
	window := make([]float64, n)
	if w := arg(in, 2); w != nil {
		if w, err = Convert(w, dtype.Float64); err != nil {
			return nil, err
		}
		copy(window[(n-w.Len())/2:], tensor.Data[float64](w))
	} else {
		for i := range window {
			window[i] = 1
		}
	}
	c, err := room(out[0], dtype.Float64)
	if err != nil {
		return nil, err
	}
	src, dst := tensor.Data[float64](wide), tensor.Data[float64](c)
	parts, frames, bins := x.Shape()[2], c.Shape()[1], c.Shape()[2]
	f := newFourier(n)
	re, im := make([]float64, n), make([]float64, n)
	for i := range c.Shape()[0] * frames {
		from := src[(i/frames*x.Shape()[1]+i%frames*step)*parts:]
		clear(im)
		for k, w := range window {
			re[k] = from[k*parts] * w
			if parts == 2 {
				im[k] = from[k*parts+1] * w
			}
		}
		f.transform(re, im)
		to := dst[i*bins*2:]
		for k := range bins {
			to[2*k], to[2*k+1] = re[k], im[k]
		}
	}
	y, err := Convert(c, x.Type())
	return Of(y), err
}

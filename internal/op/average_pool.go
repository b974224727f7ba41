package op

// AveragePool is the mean of each window, over the elements of the input or,
// with CountIncludePad, over those of the input with its padding.
type AveragePool struct {
	AutoPad         string `attr:"auto_pad,default=NOTSET"`
	CeilMode        bool   `attr:"ceil_mode,default=0"`
	CountIncludePad bool   `attr:"count_include_pad,default=0"`
	Dilations       []int  `attr:"dilations"`
	KernelShape     []int  `attr:"kernel_shape"`
	Pads            []int  `attr:"pads"`
	Strides         []int  `attr:"strides"`
	Layout          Layout `attr:".layout"`
}

// Name returns "AveragePool".
func (o *AveragePool) Name() string { return "AveragePool" }

func (o *AveragePool) window() window {
	return window{o.AutoPad, o.KernelShape, o.Strides, o.Pads, o.Dilations, o.CeilMode}
}

// Geometry places the windows on data of shape x.
func (o *AveragePool) Geometry(x []int) (Geometry, error) {
	return o.window().geometry(x, o.Layout)
}

// Infer returns the places of the windows.
func (o *AveragePool) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferFloatPool(in, o.window(), o.Layout)
}

func inferFloatPool(in []Fact, w window, l Layout) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0])
	if err != nil {
		return nil, err
	}
	out, err := w.inferPool(in[0].Shape, l)
	return []Fact{TensorFact(typ, out)}, err
}

// Eval averages.
func (o *AveragePool) Eval(in []Datum) ([]Datum, error) {
	return evalFloatPool(o, in, o.Geometry, func(g Geometry) (func([]float32, int) float32, func([]float64, int) float64) {
		return averager[float32](o, g), averager[float64](o, g)
	})
}

func averager[T float32 | float64](o *AveragePool, g Geometry) func([]T, int) T {
	return func(vals []T, place int) T {
		n := len(vals)
		if o.CountIncludePad {
			n = g.Padded(place)
		}
		if n == 0 {
			return 0
		}
		return sum(vals) / T(n)
	}
}

// Quantization says that the data is an activation.
func (o *AveragePool) Quantization() Facts { return channelwise(dataOnly()) }

package op

// QLinearAveragePool is AveragePool on integers: X and Y, each with scale and
// zero point.
type QLinearAveragePool struct {
	AutoPad         string `attr:"auto_pad,default=NOTSET"`
	CeilMode        bool   `attr:"ceil_mode,default=0"`
	ChannelsLast    bool   `attr:"channels_last,default=0"`
	CountIncludePad bool   `attr:"count_include_pad,default=0"`
	KernelShape     []int  `attr:"kernel_shape"`
	Pads            []int  `attr:"pads"`
	Strides         []int  `attr:"strides"`
}

// Name returns "QLinearAveragePool".
func (o *QLinearAveragePool) Name() string { return "QLinearAveragePool" }

func (o *QLinearAveragePool) form() qform {
	p := New[AveragePool]()
	p.AutoPad, p.CeilMode, p.CountIncludePad, p.KernelShape, p.Pads, p.Strides = o.AutoPad, o.CeilMode, o.CountIncludePad, o.KernelShape, o.Pads, o.Strides
	p.Layout = layoutOf(o.ChannelsLast)
	return unaryForm(p)
}

func layoutOf(last bool) Layout {
	if last {
		return ChannelsLast
	}
	return ChannelsFirst
}

// Infer returns the places of the windows.
func (o *QLinearAveragePool) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().inferUnary(in) }

// Eval averages; see Quantized for the arithmetic.
func (o *QLinearAveragePool) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// QLinearGlobalAveragePool is GlobalAveragePool on integers: X and Y, each with
// scale and zero point.
type QLinearGlobalAveragePool struct {
	ChannelsLast bool `attr:"channels_last,default=0"`
}

// Name returns "QLinearGlobalAveragePool".
func (o *QLinearGlobalAveragePool) Name() string { return "QLinearGlobalAveragePool" }

func (o *QLinearGlobalAveragePool) form() qform {
	p := New[GlobalAveragePool]()
	p.Layout = layoutOf(o.ChannelsLast)
	return unaryForm(p)
}

// Infer makes every spatial axis 1.
func (o *QLinearGlobalAveragePool) Infer(in []Fact, _ int) ([]Fact, error) {
	return o.form().inferUnary(in)
}

// Eval averages; see Quantized for the arithmetic.
func (o *QLinearGlobalAveragePool) Eval(in []Datum) ([]Datum, error) {
	return evalForm(o, in, o.form())
}

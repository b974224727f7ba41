package op

// RNN is the plain recurrent cell of Elman. Computed in float32: the products,
// then the biases.
type RNN struct {
	Alpha       []float32    `attr:"activation_alpha"`
	Beta        []float32    `attr:"activation_beta"`
	Activations []string     `attr:"activations"`
	Clip        Opt[float32] `attr:"clip"`
	Direction   string       `attr:"direction,default=forward"`
	HiddenSize  int          `attr:"hidden_size"`
	BatchFirst  bool         `attr:"layout,default=0"`
}

// Name returns "RNN".
func (o *RNN) Name() string { return "RNN" }

func (o *RNN) recurrent() recurrent {
	return recurrent{1, 1, o.Activations, []string{"Tanh"}, o.Alpha, o.Beta, o.Clip, o.Direction, o.HiddenSize, o.BatchFirst}
}

// Infer returns all outputs and the last output.
func (o *RNN) Infer(in []Fact, _ int) ([]Fact, error) { return o.recurrent().infer(in, 6) }

// Quantization names the weights of the data and of the state.
func (*RNN) Quantization() Facts { return recurrentFacts() }

// Eval runs the cells.
func (o *RNN) Eval(in []Datum) ([]Datum, error) {
	return o.recurrent().eval(o, in, o.step)
}

func (o *RNN) step(c *cell, xw []float32, states [][]float32) {
	h := states[0]
	hr := make([]float32, len(xw))
	c.recur(hr, h, 0, c.hidden)
	for at := range h {
		k := at % c.hidden
		h[at] = c.f[0](c.clipped(xw[at] + hr[at] + (c.wb[k] + c.rb[k])))
	}
}

package op

import "github.com/octavo-ml/octavo/internal/dtype"

// LSTM is the long short-term memory of Hochreiter and Schmidhuber with
// optional peepholes. Gates are ordered input, output, forget, cell. Inputs
// beyond the common ones are the initial cell state and the peepholes
// [directions, 3·hidden]. InputForget couples the gates: forget = 1 − input.
// Computed in float32: the products, then the peephole, then the biases.
// CellClip limits the cell's state to ±CellClip, as TensorFlow Lite does; ONNX
// has no word for that.
type LSTM struct {
	Alpha       []float32    `attr:"activation_alpha"`
	Beta        []float32    `attr:"activation_beta"`
	Activations []string     `attr:"activations"`
	Clip        Opt[float32] `attr:"clip"`
	Direction   string       `attr:"direction,default=forward"`
	HiddenSize  int          `attr:"hidden_size"`
	InputForget bool         `attr:"input_forget,default=0"`
	BatchFirst  bool         `attr:"layout,default=0"`
	CellClip    Opt[float32] `attr:".cell_clip"`
	// LiveState is how LiteRT's hybrid kernels quantize the states before they
	// meet the recurrent weights, each sample's by its own range: "symmetric",
	// "asymmetric", or "" where they do not. ONNX has no word for that either.
	LiveState string `attr:".live_state"`
}

// Live returns the quantization of states; nil for none.
func (o *LSTM) Live() *DynamicQuantize {
	if o.LiveState == "" {
		return nil
	}
	return &DynamicQuantize{Type: dtype.Int8, Symmetric: o.LiveState == "symmetric", Axis: Some(-1), TFLite: true}
}

// Name returns "LSTM".
func (o *LSTM) Name() string { return "LSTM" }

func (o *LSTM) recurrent() recurrent {
	return recurrent{4, 2, o.Activations, []string{"Sigmoid", "Tanh", "Tanh"}, o.Alpha, o.Beta, o.Clip, o.Direction, o.HiddenSize, o.BatchFirst}
}

// Infer returns all outputs, the last output and the last cell state.
func (o *LSTM) Infer(in []Fact, _ int) ([]Fact, error) { return o.recurrent().infer(in, 8) }

// Quantization names the weights of the data and of the state.
func (*LSTM) Quantization() Facts { return recurrentFacts() }

// Eval runs the cells.
func (o *LSTM) Eval(in []Datum) ([]Datum, error) {
	return o.recurrent().eval(o, in, o.step)
}

func (o *LSTM) step(c *cell, xw []float32, states [][]float32) {
	h, mem := states[0], states[1]
	n, gh := c.hidden, 4*c.hidden
	hr := make([]float32, len(xw))
	if live := o.Live(); live != nil {
		rounded := make([]float32, len(h))
		for b := range c.batch {
			live.FakeQuantize(rounded[b*n:(b+1)*n], h[b*n:(b+1)*n])
		}
		c.recur(hr, rounded, 0, gh)
	} else {
		c.recur(hr, h, 0, gh)
	}
	f, g, out := c.f[0], c.f[1], c.f[2]
	for b := range c.batch {
		for j := range n {
			at := b*n + j
			sum := func(gate, peephole int, state float32) float32 {
				k := gate*n + j
				v := xw[b*gh+k] + hr[b*gh+k]
				if c.peephole != nil && peephole >= 0 {
					v += float32(c.peephole[peephole*n+j] * state)
				}
				return c.clipped(v + (c.wb[k] + c.rb[k]))
			}
			old := mem[at]
			i := f(sum(0, 0, old))
			forget := 1 - i
			if !o.InputForget {
				forget = f(sum(2, 2, old))
			}
			mem[at] = float32(forget*old) + float32(i*g(sum(3, -1, 0)))
			if o.CellClip.Set {
				mem[at] = min(max(mem[at], -o.CellClip.Value), o.CellClip.Value)
			}
			h[at] = f(sum(1, 1, mem[at])) * out(mem[at])
		}
	}
}

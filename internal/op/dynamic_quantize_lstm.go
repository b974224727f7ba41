package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// DynamicQuantizeLSTM is LSTM with weights of 8 bits (ONNX Runtime,
// com.microsoft): W [directions, features, 4·hidden] and R [directions, hidden,
// 4·hidden], each with scales and zero points [directions] or [directions,
// 4·hidden], which follow LSTM's inputs. The data as a whole, and the states of
// the batch at each step, are quantized with DynamicQuantizeLinear and
// multiplied on integers; all other steps are LSTM's.
type DynamicQuantizeLSTM struct {
	Alpha       []float32    `attr:"activation_alpha"`
	Beta        []float32    `attr:"activation_beta"`
	Activations []string     `attr:"activations"`
	Clip        Opt[float32] `attr:"clip"`
	Direction   string       `attr:"direction,default=forward"`
	HiddenSize  int          `attr:"hidden_size"`
	InputForget bool         `attr:"input_forget,default=0"`
	CellClip    Opt[float32] `attr:".cell_clip"`
}

// Name returns "DynamicQuantizeLSTM".
func (*DynamicQuantizeLSTM) Name() string { return "DynamicQuantizeLSTM" }

func (o *DynamicQuantizeLSTM) lstm() *LSTM {
	l := New[LSTM]()
	l.Alpha, l.Beta, l.Activations, l.Clip = o.Alpha, o.Beta, o.Activations, o.Clip
	l.Direction, l.HiddenSize, l.InputForget, l.CellClip = o.Direction, o.HiddenSize, o.InputForget, o.CellClip
	return l
}

// Infer returns all outputs, the last output and the last cell state.
func (o *DynamicQuantizeLSTM) Infer(in []Fact, outs int) ([]Fact, error) {
	if err := needOnly(in, 12, 12, 0, 1, 2, 8, 10); err != nil {
		return nil, err
	}
	real := append([]Fact(nil), in[:8]...)
	for i, at := range []int{1, 2} {
		w, scale, zero := in[at], in[8+2*i], in[9+2*i]
		if t := w.Type; t != dtype.Invalid && t != dtype.Int8 && t != dtype.Uint8 {
			return nil, fmt.Errorf("input %d of type %v, want 8 bits", at, t)
		}
		if zero.Type != dtype.Invalid && w.Type != dtype.Invalid && zero.Type != w.Type {
			return nil, fmt.Errorf("input %d of type %v with a zero point of %v", at, w.Type, zero.Type)
		}
		if _, err := wantFloats(scale); err != nil {
			return nil, err
		}
		s, err := Merge(w.Shape, OfRank(3))
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", at, err)
		}
		for _, f := range []Fact{scale, zero} {
			if f.Shape == nil {
				continue
			}
			if _, err := Merge(f.Shape, Shape{s[0], s[2]}[:max(min(len(f.Shape), 2), 1)]); err != nil {
				return nil, fmt.Errorf("parameters of input %d: %w", at, err)
			}
		}
		if zero.Shape != nil && scale.Shape != nil && contradict(zero.Shape.Count(), scale.Shape.Count()) && !zero.Shape.Count().Is(1) {
			return nil, fmt.Errorf("input %d with scales of shape %v and zero points of %v", at, scale.Shape, zero.Shape)
		}
		real[at] = TensorFact(dtype.Float32, Shape{s[0], s[2], s[1]})
	}
	return o.lstm().Infer(real, outs)
}

// Eval runs the cells.
func (o *DynamicQuantizeLSTM) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 3, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		l := o.lstm()
		r := l.recurrent()
		dirs, _, err := r.directions()
		if err != nil {
			return nil, err
		}
		w, err := quantizedRows(arg(in, 1), arg(in, 8), arg(in, 9), dirs)
		if err != nil {
			return nil, err
		}
		u, err := quantizedRows(arg(in, 2), arg(in, 10), arg(in, 11), dirs)
		if err != nil {
			return nil, err
		}
		var failed error
		p := products{arg(in, 2).Shape()[1],
			func(dst, x []float32, d, rows int) {
				if err := w[d].multiply(dst, x, rows); err != nil {
					failed = err
				}
			},
			func(dst, h []float32, d, batch, _, _ int) {
				if err := u[d].multiply(dst, h, batch); err != nil {
					failed = err
				}
			}}
		out, err := r.runAll(in[:8], p, l.step)
		if failed != nil {
			err = failed
		}
		return out, err
	})
}

// quantizedMatrix is a weight [rows, columns] of 8 bits with one scale, or one a
// column.
type quantizedMatrix struct{ codes, scale, zero *tensor.Tensor }

// quantizedRows returns the weight of each direction.
func quantizedRows(codes, scale, zero *tensor.Tensor, dirs int) ([]quantizedMatrix, error) {
	out := make([]quantizedMatrix, dirs)
	for d := range out {
		part := func(t *tensor.Tensor, shape ...int) (*tensor.Tensor, error) {
			if t == nil {
				return nil, nil
			}
			n := t.Len() / dirs
			if len(shape) == 0 {
				shape = []int{n}
			}
			flat, err := t.Reshape(t.Len())
			if err != nil {
				return nil, err
			}
			return flat.Slice(d*n, d*n+n).Reshape(shape...)
		}
		var err error
		if out[d].codes, err = part(codes, codes.Shape()[1:]...); err != nil {
			return nil, err
		}
		if out[d].scale, err = part(scale); err != nil {
			return nil, err
		}
		if out[d].zero, err = part(zero); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// multiply stores the products of rows of x with the weight.
func (m quantizedMatrix) multiply(dst, x []float32, rows int) error {
	k := m.codes.Shape()[0]
	q, err := dynamicUint8.Eval(Of(tensor.FromSlice(x[:rows*k], rows, k)))
	if err != nil {
		return err
	}
	return m.multiplyBy(dst, quantizedOnce{q[0].Tensor, q[1].Tensor, q[2].Tensor})
}

// quantizedOnce is a matrix [rows, columns] with one scale.
type quantizedOnce struct{ codes, scale, zero *tensor.Tensor }

// multiplyBy stores the product of x with the weight.
func (m quantizedMatrix) multiplyBy(dst []float32, x quantizedOnce) error {
	acc, err := multiplyCentered(x.codes, m.codes, x.zero, m.zero, TensorFact(dtype.Int32, Known(x.codes.Shape()[0], m.codes.Shape()[1])))
	if err != nil {
		return err
	}
	y, err := rescale(acc, x.scale, m.scale, nil)
	if err != nil {
		return err
	}
	copy(dst, floats(y))
	return nil
}

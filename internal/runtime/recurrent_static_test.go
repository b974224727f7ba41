package runtime_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// staticCell is a recurrent operator between pairs of quantization.
type staticCell struct {
	inner                         op.Op
	gates                         int
	direction                     string
	time, batch, features, hidden int
	data, weight                  dtype.Type
	channels, bias, states        bool
	zero                          int64 // distance of the weights' zero points from the middle
}

// make returns the operator on integers with what it reads, the same as a graph
// of QDQ form, and real numbers for its operands.
func (c staticCell) make(r *rand.Rand) (o *op.Quantized, in []*tensor.Tensor, g *ir.Graph, real []*tensor.Tensor) {
	dirs := 1
	if c.direction == "bidirectional" {
		dirs = 2
	}
	floats := func(spread float32, shape ...int) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64()) * spread
		}
		return tensor.FromSlice(v, shape...)
	}
	o = &op.Quantized{Inner: c.inner, Out: make([]affine.Params, 2)}
	g = &ir.Graph{Name: "cell"}
	n := &ir.Node{Name: "cell", Op: c.inner}
	operand := func(x *tensor.Tensor, p affine.Params, constant bool) {
		name := string(rune('a' + len(in)))
		if x == nil {
			in, real, n.In, o.In = append(in, nil), append(real, nil), append(n.In, nil), append(o.In, affine.Params{})
			return
		}
		v := ir.NewConst(name, x)
		if !constant {
			v = &ir.Value{Name: name, Fact: op.TensorFact(x.Type(), op.Known(x.Shape()...))}
			g.Inputs = append(g.Inputs, v)
		}
		if p.Present() {
			shape := []int{}
			dq := op.New[op.DequantizeLinear]()
			if !p.IsPerTensor() {
				shape, dq.Axis = []int{len(p.Scale)}, p.Axis
			}
			wide := &ir.Value{Name: name + "_real"}
			g.Nodes = append(g.Nodes, &ir.Node{Op: dq, In: []*ir.Value{v, ir.NewConst(name+"_scale", tensor.FromSlice(p.Scale, shape...)),
				ir.NewConst(name+"_zero", tensor.FromInts(p.Type, p.ZeroPoint, shape...))}, Out: []*ir.Value{wide}})
			v = wide
			t, err := affine.Dequantize(x, p, dtype.Float32)
			if err != nil {
				panic(err)
			}
			real = append(real, t)
		} else {
			real = append(real, x)
		}
		in, n.In, o.In = append(in, x), append(n.In, v), append(o.In, p)
	}
	ints := func(typ dtype.Type, shape ...int) *tensor.Tensor {
		count, _ := tensor.Count(shape)
		lo, hi := typ.Range()
		v := make([]int64, count)
		for i := range v {
			v[i] = lo + r.Int64N(hi-lo+1)
		}
		return tensor.FromInts(typ, v, shape...)
	}
	weight := func(k int) {
		p := affine.Params{Type: c.weight, Axis: affine.PerTensorAxis}
		count := 1
		if c.channels {
			p.Axis, count = 1, c.gates*c.hidden
		}
		for range count {
			p.Scale = append(p.Scale, (0.5+r.Float32())/200)
			p.ZeroPoint = append(p.ZeroPoint, c.zero+int64(map[dtype.Type]int{dtype.Uint8: 128}[c.weight]))
		}
		operand(ints(c.weight, dirs, c.gates*c.hidden, k), p, true)
	}
	lo, _ := c.data.Range()
	scale, zero := float32(0.013), int64(117)
	if c.data.Bits() == 16 {
		scale, zero = scale/256, 117<<8+93
	}
	operand(ints(c.data, c.time, c.batch, c.features), affine.PerTensor(c.data, scale, lo+zero), false)
	weight(c.features)
	weight(c.hidden)
	operand(nil, affine.Params{}, true)
	if c.bias {
		in[3] = floats(0.5, dirs, 2*c.gates*c.hidden)
		n.In[3], real[3] = ir.NewConst("bias", in[3]), in[3]
	}
	operand(nil, affine.Params{}, true)
	if c.states {
		operand(floats(1, dirs, c.batch, c.hidden), affine.Params{}, false)
	}
	for i := range o.Out {
		n.Out = append(n.Out, &ir.Value{Name: fmt.Sprint("out", i)})
	}
	g.Nodes, g.Outputs = append(g.Nodes, n), n.Out
	return o, in, g, real
}

func lstmOf(direction string, hidden int) op.Op {
	return with(op.New[op.LSTM](), func(o *op.LSTM) { o.Direction, o.HiddenSize = direction, hidden })
}

// TestStaticCellsEqualTheReference compares cells between pairs with the
// reference meaning, to the bit, and that with the cell of real numbers; only
// weights whose zero points are elsewhere than in the middle stay real numbers.
func TestStaticCellsEqualTheReference(t *testing.T) {
	var cases []staticCell
	for i, size := range [][4]int{{1, 1, 1, 1}, {3, 1, 40, 128}, {5, 3, 17, 19}, {2, 2, 64, 33}} {
		for k, direction := range []string{"forward", "reverse", "bidirectional"} {
			for kind := range 4 {
				c := staticCell{time: size[0], batch: size[1], features: size[2], hidden: size[3], direction: direction, data: dtype.Uint8, weight: dtype.Int8}
				switch kind {
				case 0:
					c.gates, c.inner = 4, lstmOf(direction, c.hidden)
				case 1, 2:
					c.gates, c.inner = 3, with(op.New[op.GRU](), func(o *op.GRU) { o.Direction, o.LinearBeforeReset = direction, kind == 2 })
				default:
					c.gates, c.inner = 1, with(op.New[op.RNN](), func(o *op.RNN) { o.Direction = direction })
				}
				c.data = []dtype.Type{dtype.Uint8, dtype.Int8, dtype.Uint16, dtype.Int16}[(i+k+kind)%4]
				if (i+kind)%3 == 1 {
					c.weight = dtype.Uint8
				}
				c.channels, c.bias, c.states = (i+k+kind)%3 > 0, i%2 == 0, k != 1
				cases = append(cases, c)
			}
		}
	}
	odd := staticCell{inner: lstmOf("forward", 20), gates: 4, direction: "forward", time: 4, batch: 1, features: 12, hidden: 20, data: dtype.Uint8, weight: dtype.Int8, zero: 3}
	r := rand.New(rand.NewPCG(6, 8))
	for _, c := range append(cases, odd) {
		o, in, g, real := c.make(r)
		if err := ir.Infer(g); err != nil {
			t.Fatal(err)
		}
		exact, err := c.inner.(op.Evaluator).Eval(op.Of(real...))
		if err != nil {
			t.Fatal(err)
		}
		want := exact
		if c.zero == 0 {
			if want, err = o.Eval(op.Of(in...)); err != nil {
				t.Fatal(err)
			}
		}
		p, err := runtime.Compile(g, runtime.Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		feed := runtime.Tensors{"a": in[0]}
		if c.states {
			feed["f"] = in[5]
		}
		out := runtime.Tensors{}
		for range 2 {
			if out, err = p.Run(context.Background(), feed); err != nil {
				t.Fatal(err)
			}
			for i, v := range g.Outputs {
				if err := optest.Compare(out[v.Name], want[i].Tensor, 0); err != nil {
					t.Fatalf("%T %+v, output %d: %v", c.inner, c, i, err)
				}
				if db := closeness(tensor.Data[float32](exact[i].Tensor), tensor.Data[float32](want[i].Tensor)); db < 25 {
					t.Errorf("%T %+v, output %d: %.1f dB to the cell of real numbers", c.inner, c, i, db)
				}
			}
		}
		if _, rnn := c.inner.(*op.RNN); !rnn && len(p.Reference()) > 0 {
			t.Errorf("%+v runs by its reference", c)
		}
		if n := testing.AllocsPerRun(5, func() { err = p.RunInto(context.Background(), feed, out) }); err != nil || n != 0 && c.gates > 1 {
			t.Errorf("%T %+v: %v allocations in a run that is not the first, %v", c.inner, c, n, err)
		}
	}
}

// closeness returns the ratio of signal to noise in dB.
func closeness(want, got []float32) float64 {
	signal, noise := 0.0, 1e-30
	for i, w := range want {
		d := float64(w) - float64(got[i])
		signal, noise = signal+float64(float64(w)*float64(w)), noise+float64(d*d)
	}
	return 10 * math.Log10(signal/noise)
}

package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// liveLSTM is a DynamicQuantizeLSTM of some size with what it reads.
type liveLSTM struct {
	time, batch, features, hidden int
	direction                     string
	unsigned, channels            bool // weights
	zero                          int  // distance of their zero points from the middle; 1000: none are given
	bias, states                  bool
	spread                        float32
}

func (c liveLSTM) make(r *rand.Rand) (op.Op, []*tensor.Tensor) {
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
	weight := func(rows int) (w, scale, zero *tensor.Tensor) {
		n, shape := 4*c.hidden, []int{dirs}
		if c.channels {
			shape = []int{dirs, n}
		}
		bytes := make([]byte, dirs*rows*n)
		for i := range bytes {
			bytes[i] = byte(r.UintN(256))
		}
		count, _ := tensor.Count(shape)
		scales := make([]float32, count)
		for i := range scales {
			scales[i] = (0.5 + r.Float32()) / 200
		}
		if c.unsigned {
			w, zero = tensor.FromSlice(bytes, dirs, rows, n), tensor.FromSlice(slices.Repeat([]uint8{uint8(128 + c.zero)}, count), shape...)
		} else {
			ints := make([]int8, len(bytes))
			for i, b := range bytes {
				ints[i] = int8(b)
			}
			w, zero = tensor.FromSlice(ints, dirs, rows, n), tensor.FromSlice(slices.Repeat([]int8{int8(c.zero)}, count), shape...)
		}
		if c.zero == 1000 {
			zero = nil
		}
		return w, tensor.FromSlice(scales, shape...), zero
	}
	in := make([]*tensor.Tensor, 12)
	in[0] = floats(c.spread, c.time, c.batch, c.features)
	in[1], in[8], in[9] = weight(c.features)
	in[2], in[10], in[11] = weight(c.hidden)
	if c.bias {
		in[3] = floats(0.5, dirs, 8*c.hidden)
	}
	if c.states {
		in[5], in[6] = floats(1, dirs, c.batch, c.hidden), floats(1, dirs, c.batch, c.hidden)
	}
	return with(op.New[op.DynamicQuantizeLSTM](), func(o *op.DynamicQuantizeLSTM) { o.Direction, o.HiddenSize = c.direction, c.hidden }), in
}

// TestLiveLSTMsEqualTheReference compares every bit with the reference meaning;
// only weights with other zero points than the kernels know are left to that.
func TestLiveLSTMsEqualTheReference(t *testing.T) {
	var cases []liveLSTM
	for i, size := range [][4]int{{1, 1, 1, 1}, {3, 1, 40, 128}, {3, 1, 8, 200}, {7, 1, 9, 16}, {5, 3, 17, 19}, {2, 2, 64, 33}} {
		for k, direction := range []string{"forward", "reverse", "bidirectional"} {
			c := liveLSTM{time: size[0], batch: size[1], features: size[2], hidden: size[3], direction: direction, spread: 1}
			c.unsigned, c.channels, c.bias, c.states = (i+k)%2 == 1, (i+k)%3 > 0, i%2 == 0, k != 1
			cases = append(cases, c)
		}
	}
	base := liveLSTM{time: 4, batch: 1, features: 12, hidden: 20, direction: "forward", channels: true, bias: true, spread: 1}
	for _, change := range []func(c *liveLSTM){
		func(c *liveLSTM) { c.zero = 3 },
		func(c *liveLSTM) { c.zero, c.unsigned = -7, true },
		func(c *liveLSTM) { c.zero = 1000 },
		func(c *liveLSTM) { c.spread = 0 },
		func(c *liveLSTM) { c.spread = 1e30 },
	} {
		c := base
		change(&c)
		cases = append(cases, c)
	}
	r := rand.New(rand.NewPCG(6, 7))
	for _, c := range cases {
		o, in := c.make(r)
		want, err := o.(op.Evaluator).Eval(op.Of(in...))
		if err != nil {
			t.Fatal(err)
		}
		cs := optest.Case{Op: o, In: in}
		for _, w := range want {
			cs.Want = append(cs.Want, w.Tensor)
		}
		g, feed := single(cs, func(i int) bool { return i != 0 && i != 5 && i != 6 })
		p, err := runtime.Compile(g, runtime.Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			out, err := p.Run(context.Background(), feed)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range g.Outputs {
				if err := optest.Compare(out[v.Name], want[i].Tensor, 0); err != nil {
					t.Fatalf("%+v, output %d: %v", c, i, err)
				}
			}
		}
		odd := c.zero != 0 && c.zero != 1000
		if left := len(p.Reference()) > 0; left != odd {
			t.Errorf("%+v runs by its reference: %v, want %v", c, left, odd)
		}
		out := runtime.Tensors{}
		for i, v := range g.Outputs {
			out[v.Name] = want[i].Tensor.Clone()
		}
		if n := testing.AllocsPerRun(5, func() { err = p.RunInto(context.Background(), feed, out) }); err != nil || n != 0 && !odd {
			t.Errorf("%s: %v allocations in a run that is not the first, %v", fmt.Sprintf("%+v", c), n, err)
		}
	}
}

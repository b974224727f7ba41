package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func randomTensor(rng *rand.Rand, shape ...int) *tensor.Tensor {
	t := tensor.New(dtype.Float32, shape...)
	d := tensor.Data[float32](t)
	for i := range d {
		d[i] = float32(rng.NormFloat64())
	}
	return t
}

// swap returns activations with their channels on the other side.
func swap(t *tensor.Tensor, toLast bool) *tensor.Tensor {
	perm := []int{0}
	if toLast {
		for i := 2; i < t.Rank(); i++ {
			perm = append(perm, i)
		}
		return tensor.Permute(t, append(perm, 1))
	}
	perm = append(perm, t.Rank()-1)
	for i := 1; i < t.Rank()-1; i++ {
		perm = append(perm, i)
	}
	return tensor.Permute(t, perm)
}

func evalOne(t *testing.T, o op.Evaluator, in ...*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	out, err := o.Eval(op.Of(in...))
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Tensor
}

// direct is a convolution by its definition: one fused chain for each output,
// taps outermost, then the channels of the group, padding as zeros.
func direct(x, w, b []float32, g op.Geometry) []float32 {
	cg, mg := g.Channels/g.Group, g.Filters/g.Group
	y := make([]float32, g.Batch*g.Filters*g.Places())
	for i := range y {
		place, m, n := i%g.Places(), i/g.Places()%g.Filters, i/g.Places()/g.Filters
		acc := float32(0)
		for tap := range g.Taps() {
			off, inside := 0, true
			p, u := place, tap
			area := 1
			for ax := len(g.In) - 1; ax >= 0; ax-- {
				s, ok := g.Source(ax, p%g.Out[ax], u%g.Kernel[ax])
				p, u, inside = p/g.Out[ax], u/g.Kernel[ax], inside && ok
				off += s * area
				area *= g.In[ax]
			}
			for c := range cg {
				in := m/mg*cg + c
				at := (m*cg+c)*g.Taps() + tap
				if g.Transposed {
					at = (in*mg+m%mg)*g.Taps() + tap
				}
				v := float32(0)
				if inside {
					v = x[(n*g.Channels+in)*area+off]
				}
				acc = exact.FMA32(v, w[at], acc)
			}
		}
		if b != nil {
			acc += b[m]
		}
		y[i] = acc
	}
	return y
}

// TestConvolutionBits compares convolutions with their definition and with the
// kernel package, bit for bit.
func TestConvolutionBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	between := func(lo, hi int) int { return lo + rng.IntN(hi-lo+1) }
	for i := range 120 {
		rank, group, cg, mg := between(1, 3), between(1, 3), between(1, 4), between(1, 3)
		var spatial, kernel, strides, dilations []int
		for range rank {
			spatial, kernel = append(spatial, between(5, 8)), append(kernel, between(1, 3))
			strides, dilations = append(strides, between(1, 3)), append(dilations, between(1, 2))
		}
		auto := []string{"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}[i%4]
		x := randomTensor(rng, append([]int{between(1, 2), group * cg}, spatial...)...)
		b := randomTensor(rng, group*mg)
		var o op.Evaluator
		var g op.Geometry
		var err error
		w := randomTensor(rng, append([]int{group * mg, cg}, kernel...)...)
		if i%3 == 0 {
			w = randomTensor(rng, append([]int{group * cg, mg}, kernel...)...)
			c := op.New[op.ConvTranspose]()
			c.AutoPad, c.Group, c.Strides, c.Dilations = auto, group, strides, dilations
			g, err = c.Geometry(x.Shape(), w.Shape())
			o = c
		} else {
			c := op.New[op.Conv]()
			c.AutoPad, c.Group, c.Strides, c.Dilations = auto, group, strides, dilations
			g, err = c.Geometry(x.Shape(), w.Shape())
			o = c
		}
		if err != nil {
			t.Fatal(err)
		}
		got := tensor.Data[float32](evalOne(t, o, x, w, b))
		xd, wd, bd := tensor.Data[float32](x), tensor.Data[float32](w), tensor.Data[float32](b)
		if want := direct(xd, wd, bd, g); !slices.Equal(got, want) {
			t.Fatalf("%+v: differs from the definition", g)
		}
		p := conv.NewPlan(conv.Geometry{Batch: g.Batch, In: g.Channels, Out: g.Filters, Group: g.Group, Size: g.In, Kernel: g.Kernel,
			Stride: g.Strides, Dilate: g.Dilations, Pad: g.Begin, Result: g.Out, Transposed: g.Transposed}, conv.Float32)
		packed, last := make([]float32, p.WeightLen()), make([]float32, len(got))
		p.Pack(packed, wd)
		p.Run(last, nil, tensor.Data[float32](swap(x, true)), packed, p.FloatEnds(bd, false, 0, 0), 0, p.Blocks(), make([]float32, p.ScratchLen()))
		shape := append(append([]int{g.Batch}, g.Out...), g.Filters)
		y := tensor.Data[float32](swap(tensor.FromSlice(last, shape...), false))
		if !slices.Equal(got, y) {
			t.Fatalf("%+v: differs from the kernels", g)
		}
	}
}

// TestLayouts runs spatial operators in both layouts: the bits are the same.
func TestLayouts(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	vector := func() *tensor.Tensor { return randomTensor(rng, 6) }
	for _, c := range []struct {
		make func(l op.Layout) op.Evaluator
		rest func(kernel []int) []*tensor.Tensor
	}{
		{func(l op.Layout) op.Evaluator {
			o := op.New[op.Conv]()
			o.Layout, o.Group, o.AutoPad = l, 2, "SAME_UPPER"
			return o
		}, func(k []int) []*tensor.Tensor {
			return []*tensor.Tensor{randomTensor(rng, append([]int{4, 3}, k...)...), randomTensor(rng, 4)}
		}},
		{func(l op.Layout) op.Evaluator {
			o := op.New[op.ConvTranspose]()
			o.Layout, o.Group = l, 2
			return o
		}, func(k []int) []*tensor.Tensor {
			return []*tensor.Tensor{randomTensor(rng, append([]int{6, 3}, k...)...), vector()}
		}},
		{func(l op.Layout) op.Evaluator { o := op.New[op.GlobalAveragePool](); o.Layout = l; return o }, nil},
		{func(l op.Layout) op.Evaluator { o := op.New[op.GlobalLpPool](); o.Layout = l; return o }, nil},
		{func(l op.Layout) op.Evaluator { o := op.New[op.LRN](); o.Layout, o.Size = l, 4; return o }, nil},
		{func(l op.Layout) op.Evaluator { o := op.New[op.BatchNormalization](); o.Layout = l; return o },
			func([]int) []*tensor.Tensor {
				return []*tensor.Tensor{vector(), vector(), vector(), tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 6)}
			}},
		{func(l op.Layout) op.Evaluator { o := op.New[op.InstanceNormalization](); o.Layout = l; return o },
			func([]int) []*tensor.Tensor { return []*tensor.Tensor{vector(), vector()} }},
		{func(l op.Layout) op.Evaluator {
			o := op.New[op.GroupNormalization]()
			o.Layout, o.NumGroups = l, 3
			return o
		}, func([]int) []*tensor.Tensor { return []*tensor.Tensor{vector(), vector()} }},
	} {
		for rank := 1; rank <= 3; rank++ {
			o := c.make(op.ChannelsFirst)
			t.Run(fmt.Sprintf("%s/%d", o.Name(), rank), func(t *testing.T) {
				x := randomTensor(rng, append([]int{2, 6}, []int{4, 5, 3}[:rank]...)...)
				var rest []*tensor.Tensor
				if c.rest != nil {
					rest = c.rest([]int{3, 2, 2}[:rank])
				}
				want := evalOne(t, o, append([]*tensor.Tensor{x}, rest...)...)
				got := evalOne(t, c.make(op.ChannelsLast), append([]*tensor.Tensor{swap(x, true)}, rest...)...)
				if !tensor.Equal(swap(got, false), want) {
					t.Error("the layouts differ")
				}
			})
		}
	}
}

// TestPoolLayouts does the same for windows.
func TestPoolLayouts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for rank := 1; rank <= 3; rank++ {
		x := randomTensor(rng, append([]int{2, 3}, []int{6, 7, 5}[:rank]...)...)
		kernel, strides, pads := []int{3, 2, 3}[:rank], []int{2, 1, 2}[:rank], []int{1, 1, 0, 0, 1, 2}[:2*rank]
		for _, pair := range [][2]op.Evaluator{
			{&op.MaxPool{KernelShape: kernel, Strides: strides, Pads: pads, CeilMode: true},
				&op.MaxPool{KernelShape: kernel, Strides: strides, Pads: pads, CeilMode: true, Layout: op.ChannelsLast}},
			{&op.AveragePool{KernelShape: kernel, Strides: strides, Pads: pads, CountIncludePad: true},
				&op.AveragePool{KernelShape: kernel, Strides: strides, Pads: pads, CountIncludePad: true, Layout: op.ChannelsLast}},
			{&op.LpPool{KernelShape: kernel, Strides: strides, P: 2}, &op.LpPool{KernelShape: kernel, Strides: strides, P: 2, Layout: op.ChannelsLast}},
		} {
			want, got := evalOne(t, pair[0], x), evalOne(t, pair[1], swap(x, true))
			if !tensor.Equal(swap(got, false), want) {
				t.Errorf("%s of rank %d: the layouts differ", pair[0].Name(), rank)
			}
		}
	}
}

// TestHalfPrecision: half-precision types are computed in float32 and rounded
// once.
func TestHalfPrecision(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	to := func(x *tensor.Tensor, typ dtype.Type) *tensor.Tensor {
		y, err := op.Convert(x, typ)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	v, m := randomTensor(rng, 5), randomTensor(rng, 5, 5)
	for _, typ := range []dtype.Type{dtype.Float16, dtype.BFloat16} {
		for _, c := range []struct {
			o  op.Evaluator
			in []*tensor.Tensor
		}{
			{op.New[op.MatMul](), []*tensor.Tensor{randomTensor(rng, 3, 5), m}},
			{op.New[op.Gemm](), []*tensor.Tensor{randomTensor(rng, 3, 5), m, v}},
			{op.New[op.LayerNormalization](), []*tensor.Tensor{randomTensor(rng, 3, 5), v, v}},
			{op.New[op.Conv](), []*tensor.Tensor{randomTensor(rng, 1, 2, 6), randomTensor(rng, 5, 2, 3), v}},
			{op.New[op.GlobalAveragePool](), []*tensor.Tensor{randomTensor(rng, 1, 2, 6)}},
			{&op.MaxPool{KernelShape: []int{2}}, []*tensor.Tensor{randomTensor(rng, 1, 2, 6)}},
		} {
			half, wide := make([]*tensor.Tensor, len(c.in)), make([]*tensor.Tensor, len(c.in))
			for i, x := range c.in {
				half[i] = to(x, typ)
				wide[i] = to(half[i], dtype.Float32)
			}
			if got, want := evalOne(t, c.o, half...), to(evalOne(t, c.o, wide...), typ); !tensor.Equal(got, want) {
				t.Errorf("%s in %v: not the float32 result rounded", c.o.Name(), typ)
			}
		}
	}
}

// TestSymbolicWindows: output sizes follow symbolic input sizes.
func TestSymbolicWindows(t *testing.T) {
	x := op.TensorFact(dtype.Float32, op.Shape{op.Sym("N"), op.Size(3), op.Sym("H"), op.Unknown})
	w := op.TensorFact(dtype.Float32, op.Known(8, 3, 3, 3))
	for _, c := range []struct {
		name string
		o    op.Op
		in   []op.Fact
		want string
	}{
		{"Conv", op.New[op.Conv](), []op.Fact{x, w}, "[N,8,H+-2,?]"},
		{"same size", &op.Conv{Group: 1, Pads: []int{1, 1, 1, 1}}, []op.Fact{x, w}, "[N,8,H,?]"},
		{"stride", &op.Conv{Group: 1, Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}}, []op.Fact{x, w}, "[N,8,floor((H+-1)/(2))+1,?]"},
		{"SAME", &op.Conv{Group: 1, AutoPad: "SAME_UPPER"}, []op.Fact{x, w}, "[N,8,H,?]"},
		{"unknown weight", op.New[op.Conv](), []op.Fact{x, op.TensorFact(dtype.Float32, nil)}, "[N,?,?,?]"},
		{"unknown data", op.New[op.Conv](), []op.Fact{op.TensorFact(dtype.Float32, nil), w}, "[?,8,?,?]"},
		{"nothing known", op.New[op.Conv](), []op.Fact{op.TensorFact(dtype.Float32, nil), op.TensorFact(dtype.Float32, nil)}, "[...]"},
		{"ConvTranspose", &op.ConvTranspose{Group: 2, Strides: []int{2, 2}},
			[]op.Fact{x, op.TensorFact(dtype.Float32, op.Known(3, 4, 2, 2))}, ""},
		{"ConvTranspose", &op.ConvTranspose{Group: 1, Strides: []int{2, 2}},
			[]op.Fact{x, op.TensorFact(dtype.Float32, op.Known(3, 4, 2, 2))}, "[N,4,2*H,?]"},
		{"MaxPool", &op.MaxPool{KernelShape: []int{2, 2}}, []op.Fact{x}, "[N,3,H+-1,?]"},
		{"ceil within reach", &op.MaxPool{KernelShape: []int{2, 2}, Strides: []int{2, 2}, CeilMode: true}, []op.Fact{x}, "[N,3,floor((H+-1)/(2))+1,?]"},
		{"ceil beyond", &op.MaxPool{KernelShape: []int{2, 2}, Strides: []int{3, 3}, CeilMode: true}, []op.Fact{x}, "[N,3,?,?]"},
		{"GlobalAveragePool", op.New[op.GlobalAveragePool](), []op.Fact{x}, "[N,3,1,1]"},
		{"MatMul", op.New[op.MatMul](), []op.Fact{x, op.TensorFact(dtype.Float32, op.Shape{op.Unknown, op.Sym("K")})}, "[N,3,H,K]"},
		{"Einsum", &op.Einsum{Equation: "nchw,wk->nk"}, []op.Fact{x, op.TensorFact(dtype.Float32, op.Shape{op.Unknown, op.Sym("K")})}, "[N,K]"},
		{"LSTM", op.New[op.LSTM](), []op.Fact{op.TensorFact(dtype.Float32, op.Shape{op.Sym("T"), op.Sym("N"), op.Size(4)}),
			op.TensorFact(dtype.Float32, op.Known(1, 20, 4)), op.TensorFact(dtype.Float32, op.Known(1, 20, 5))}, "[T,1,N,5]"},
	} {
		out, err := c.o.Infer(c.in, 1)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: no error", c.name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := out[0].Shape.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNeuralFacts checks what quantization is told.
func TestNeuralFacts(t *testing.T) {
	gemm := &op.Gemm{Alpha: 1, Beta: 0.5, TransB: true}
	for _, c := range []struct {
		o                  op.Quantizable
		weight, axis, bias int
		factor             float64
		moves              bool
	}{
		{op.New[op.Conv](), 1, 0, 2, 1, false},
		{op.New[op.ConvTranspose](), 1, 1, 2, 1, false},
		{&op.ConvTranspose{Group: 2}, 1, op.NoAxis, 2, 1, false},
		{op.New[op.Gemm](), 1, 1, 2, 1, false},
		{gemm, 1, 0, 2, 0.5, false},
		{op.New[op.MatMul](), 1, -1, op.None, 1, false},
		{op.New[op.MaxPool](), op.None, 0, op.None, 1, true},
		{op.New[op.AveragePool](), op.None, 0, op.None, 1, false},
		{op.New[op.LayerNormalization](), op.None, 0, op.None, 1, false},
	} {
		f := c.o.Quantization()
		if f.Weight != c.weight || f.WeightAxis != c.axis || f.Bias != c.bias || f.BiasFactor != c.factor || f.Moves != c.moves {
			t.Errorf("%s: %+v", c.o.Name(), f)
		}
	}
	if _, err := op.Axis(op.NoAxis, math.MaxInt); err == nil {
		t.Error("NoAxis is an axis")
	}
}

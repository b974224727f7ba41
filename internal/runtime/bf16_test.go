package runtime_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// drawer makes tensors, all of small integers, which bfloat16 holds, or of any
// floats.
type drawer struct {
	r    *rand.Rand
	ints bool
}

func (d drawer) tensor(shape ...int) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	v := make([]float32, n)
	for i := range v {
		if v[i] = float32(d.r.NormFloat64()); d.ints {
			v[i] = float32(d.r.IntN(3) - 1)
		}
	}
	return tensor.FromSlice(v, shape...)
}

// residualGraph is convolutions with residual sums, a product at the end, and
// outputs in between as asked.
func residualGraph(d drawer, outputs ...string) *ir.Graph {
	v := map[string]*ir.Value{}
	at := func(name string) *ir.Value {
		if v[name] == nil {
			v[name] = &ir.Value{Name: name}
		}
		return v[name]
	}
	v["x"] = &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(2, 7, 9, 3))}
	g := &ir.Graph{Name: "residual", Inputs: []*ir.Value{v["x"]}}
	node := func(o op.Op, out string, in ...*ir.Value) {
		g.Nodes = append(g.Nodes, &ir.Node{Name: "n" + out, Op: o, In: in, Out: []*ir.Value{at(out)}})
	}
	conv := func(out, in string, from, to, size int) {
		o := op.New[op.Conv]()
		pad := size / 2
		o.Layout, o.Pads = op.ChannelsLast, []int{pad, pad, pad, pad}
		node(o, out, at(in), ir.NewConst("w"+out, d.tensor(to, from, size, size)), ir.NewConst("b"+out, d.tensor(to)))
	}
	conv("a", "x", 3, 70, 3)
	limit := func(out, in string) { // keeps integers small
		node(&op.Clip{}, out, at(in), ir.NewConst("lo"+out, tensor.FromSlice([]float32{-3})), ir.NewConst("hi"+out, tensor.FromSlice([]float32{3})))
	}
	limit("c", "a")
	conv("d", "c", 70, 8, 1)
	limit("e", "d")
	conv("f", "e", 8, 70, 3)
	node(&op.Add{}, "g", at("f"), at("c"))
	limit("h", "g")
	conv("i", "h", 70, 70, 1)
	node(&op.Add{}, "j", at("i"), at("h"))
	limit("k", "j")
	conv("q", "k", 70, 10, 1)
	node(op.New[op.Reshape](), "l", at("q"), ir.NewConst("shape", tensor.FromSlice([]int64{18, 70}, 2)))
	node(&op.MatMul{}, "m", at("l"), ir.NewConst("wm", d.tensor(70, 33)))
	node(&op.Add{}, "n", at("m"), ir.NewConst("bm", d.tensor(33)))
	limit("o", "n")
	node(&op.MatMul{}, "p", at("o"), ir.NewConst("wp", d.tensor(33, 66)))
	for _, name := range append(outputs, "p") {
		g.Outputs = append(g.Outputs, at(name))
	}
	return g
}

// TestBFloat16KeepsWhatItHolds runs graphs of small integers: nothing is
// rounded, so that results are those of float32, whichever values are stored
// as bfloat16.
func TestBFloat16KeepsWhatItHolds(t *testing.T) {
	for i, outputs := range [][]string{nil, {"c"}, {"h"}, {"e", "k"}, {"a", "g", "o"}} {
		d := drawer{rand.New(rand.NewPCG(5, uint64(i))), true}
		g := residualGraph(d, outputs...)
		in := runtime.Tensors{"x": d.tensor(2, 7, 9, 3)}
		want, err := runGraph(g, in, runtime.Options{NoFusion: true})
		if err != nil {
			t.Fatal(err)
		}
		// One of the convolutions is added to what it reads.
		if got, err := runGraph(g, in, runtime.Options{Threads: 1}); err != nil || !tensor.Equal(got["p"], want["p"]) {
			t.Errorf("outputs %v: float32 gives %v (%v), want %v", outputs, got["p"], err, want["p"])
		}
		for _, o := range []runtime.Options{{Threads: 1}, {Threads: 2}, {Threads: 2, Keep: []string{"c", "f"}}, {NoFusion: true}} {
			o.BFloat16 = true
			got, err := runGraph(g, in, o)
			if err != nil {
				t.Fatal(err)
			}
			for name := range want {
				if !tensor.Equal(got[name], want[name]) {
					t.Errorf("outputs %v, %+v: %s is %v, want %v", outputs, o, name, got[name], want[name])
				}
			}
		}
	}
}

// TestBFloat16IsStored checks which values are stored as bfloat16: those that
// products and sums alone read.
func TestBFloat16IsStored(t *testing.T) {
	for _, c := range []struct {
		outputs []string
		want    string
	}{
		{nil, "c e h k o"},     // q is reshaped
		{[]string{"c"}, "e o"}, // what is added to float32 is float32,
		{[]string{"q", "e"}, "c h k o"},
	} {
		d := drawer{rand.New(rand.NewPCG(5, 0)), false}
		p, err := runtime.Compile(residualGraph(d, c.outputs...), runtime.Options{BFloat16: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(context.Background(), runtime.Tensors{"x": d.tensor(2, 7, 9, 3)}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.Shortened(), " "); got != c.want {
			t.Errorf("with outputs %v %q are stored as bfloat16, want %q", c.outputs, got, c.want)
		}
	}
}

// TestBFloat16DependsOnNothing compares results with several threads with those
// of one thread to the bit, for each instruction set that adds in an order of its
// own, and those of vectors with those of Go alone.
func TestBFloat16DependsOnNothing(t *testing.T) {
	d := drawer{rand.New(rand.NewPCG(6, 0)), false}
	g, in := residualGraph(d), runtime.Tensors{"x": d.tensor(2, 7, 9, 3)}
	var vectors *tensor.Tensor
	for _, level := range []string{"amx", "avx512", "generic"} {
		restore, err := cpu.Override(level)
		if err != nil {
			t.Logf("not compared: %v", err)
			continue
		}
		defer restore()
		if level != "generic" && !runtime.HasBF16() {
			t.Logf("%s: this machine has no instructions for bfloat16", level)
			continue
		}
		var results []*tensor.Tensor
		for threads := range 3 {
			out, err := runGraph(g, in, runtime.Options{Threads: 1 + threads, BFloat16: true})
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, out["p"])
		}
		for i, r := range results {
			if !tensor.Equal(r, results[0]) {
				t.Errorf("%s: %d threads give other results than one", level, 1+i)
			}
		}
		switch {
		case level == "avx512":
			vectors = results[0]
		case level == "generic" && vectors != nil && !tensor.Equal(results[0], vectors):
			t.Error("Go gives other results than vectors")
		}
	}
}

// TestBFloat16IsNear compares trained models in bfloat16 with float32, and
// checks that float32 is as if there were no bfloat16.
func TestBFloat16IsNear(t *testing.T) {
	for _, c := range []struct {
		model string
		sqnr  float64
	}{
		{"digits_resnet/digits_resnet.op13.onnx", 40},
		{"digits_vit/digits_vit.op14.onnx", 40},
		{"digits_mobilenet/digits_mobilenet.op13.onnx", 40},
	} {
		t.Run(filepath.Base(c.model), func(t *testing.T) {
			g := preparedFile(t, filepath.Join("../../../shared/fixtures", c.model))
			data := make([]float32, 16*64)
			for i := range data {
				data[i] = float32(i*i%17) / 16
			}
			in := runtime.Tensors{g.Inputs[0].Name: tensor.FromSlice(data, 16, 1, 8, 8)}
			want, err := runGraph(g, in, runtime.Options{})
			if err != nil {
				t.Fatal(err)
			}
			short, err := runGraph(g, in, runtime.Options{BFloat16: true})
			if err != nil {
				t.Fatal(err)
			}
			again, err := ir.Eval(g, op.Of(in[g.Inputs[0].Name]))
			if err != nil {
				t.Fatal(err)
			}
			name := g.Outputs[0].Name
			x, y := tensor.Data[float32](want[name]), tensor.Data[float32](short[name])
			if !tensor.Equal(again[0].Tensor, want[name]) {
				t.Error("float32 differs from the reference")
			}
			var e metric.Error
			e.Add(x, y)
			if got := e.SQNR(); got < c.sqnr {
				t.Errorf("SQNR is %.1f dB, want %v", got, c.sqnr)
			} else {
				t.Logf("SQNR is %.1f dB", got)
			}
			if slices.Equal(x, y) {
				t.Error("nothing was rounded")
			}
		})
	}
}

// TestBFloat16MultipliesActivations compares products of two activations with
// float32 where that rounds nothing, fused with what moves them and alone.
func TestBFloat16MultipliesActivations(t *testing.T) {
	d := drawer{rand.New(rand.NewPCG(8, 8)), true}
	for _, c := range [][2][]int{
		{{3, 2, 70, 33}, {3, 2, 33, 66}},
		{{5, 7}, {2, 7, 9}},
		{{2, 1, 49, 64}, {3, 64, 16}},
	} {
		a := &ir.Value{Name: "a", Fact: op.TensorFact(dtype.Float32, op.Known(c[0]...))}
		b := &ir.Value{Name: "b", Fact: op.TensorFact(dtype.Float32, op.Known(c[1]...))}
		y := &ir.Value{Name: "y"}
		g := &ir.Graph{Name: "products", Inputs: []*ir.Value{a, b}, Outputs: []*ir.Value{y}, Nodes: []*ir.Node{
			{Name: "m", Op: &op.MatMul{}, In: []*ir.Value{a, b}, Out: []*ir.Value{y}},
		}}
		in := runtime.Tensors{"a": d.tensor(c[0]...), "b": d.tensor(c[1]...)}
		want, err := runGraph(g, in, runtime.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []runtime.Options{{Threads: 2, BFloat16: true}, {NoFusion: true, BFloat16: true}} {
			got, err := runGraph(g, in, o)
			if err != nil {
				t.Fatal(err)
			}
			if !tensor.Equal(got["y"], want["y"]) {
				t.Errorf("%v: %+v: %v, want %v", c, o, got["y"], want["y"])
			}
		}
	}
}

// TestBFloat16BetweenProducts runs what stands between products and stores
// bfloat16 for them: a pool, a depthwise convolution, a function of an element.
func TestBFloat16BetweenProducts(t *testing.T) {
	d := drawer{rand.New(rand.NewPCG(9, 9)), true}
	v := func(name string) *ir.Value { return &ir.Value{Name: name} }
	conv := func(name string, in *ir.Value, to, from, size, group int) *ir.Node {
		o := op.New[op.Conv]()
		pad := size / 2
		o.Layout, o.Group, o.Pads = op.ChannelsLast, group, []int{pad, pad, pad, pad}
		return &ir.Node{Name: "n" + name, Op: o, In: []*ir.Value{in, ir.NewConst("w"+name, d.tensor(to, from, size, size)), ir.NewConst("b"+name, d.tensor(to))}, Out: []*ir.Value{v(name)}}
	}
	pool := op.New[op.MaxPool]()
	pool.Layout, pool.KernelShape, pool.Strides, pool.Pads = op.ChannelsLast, []int{3, 3}, []int{2, 2}, []int{1, 1, 1, 1}
	x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(2, 9, 11, 5))}
	a := conv("a", x, 20, 5, 1, 1)
	b := &ir.Node{Name: "nb", Op: pool, In: a.Out, Out: []*ir.Value{v("b")}}
	i := conv("i", b.Out[0], 20, 20, 1, 1)
	c := conv("c", i.Out[0], 20, 1, 3, 20)
	e := conv("e", c.Out[0], 70, 20, 1, 1)
	f := &ir.Node{Name: "nf", Op: &op.Relu{}, In: []*ir.Value{e.Out[0]}, Out: []*ir.Value{v("f")}}
	h := &ir.Node{Name: "nh", Op: &op.Mul{}, In: []*ir.Value{e.Out[0], f.Out[0]}, Out: []*ir.Value{v("h")}}
	g := &ir.Graph{Name: "between", Inputs: []*ir.Value{x}, Outputs: h.Out, Nodes: []*ir.Node{a, b, i, c, e, f, h}}
	in := runtime.Tensors{"x": d.tensor(2, 9, 11, 5)}
	want, err := runGraph(g, in, runtime.Options{NoFusion: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := runGraph(g, in, runtime.Options{}); err != nil || !tensor.Equal(got["h"], want["h"]) {
		t.Errorf("float32: %v (%v), want %v", got["h"], err, want["h"])
	}
	for _, threads := range []int{1, 2} {
		p, err := runtime.Compile(g, runtime.Options{BFloat16: true, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Run(context.Background(), in)
		if err != nil || !tensor.Equal(got["h"], want["h"]) {
			t.Errorf("%d threads: %v (%v), want %v", threads, got["h"], err, want["h"])
		}
		if got := strings.Join(p.Shortened(), " "); got != "b c" {
			t.Errorf("%q are stored as bfloat16, want b c", got)
		}
		if n := testing.AllocsPerRun(5, func() { p.RunInto(context.Background(), in, got) }); n > 0 && !raceEnabled {
			t.Errorf("%v allocations in a run", n)
		}
	}
}

package runtime_test

import (
	"context"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// single builds the graph of one case: operands for which constant holds are
// constants, the others inputs.
func single(c optest.Case, constant func(i int) bool) (*ir.Graph, runtime.Tensors) {
	n := &ir.Node{Name: "node", Op: c.Op}
	g := &ir.Graph{Name: "case", Nodes: []*ir.Node{n}}
	in := runtime.Tensors{}
	for i, x := range c.In {
		if x == nil {
			n.In = append(n.In, nil)
			continue
		}
		name := "x" + string(rune('a'+i))
		v := ir.NewConst(name, x)
		if !constant(i) {
			v = &ir.Value{Name: name, Fact: op.TensorFact(x.Type(), op.Known(x.Shape()...))}
			g.Inputs = append(g.Inputs, v)
			in[name] = x
		}
		n.In = append(n.In, v)
	}
	for i, w := range c.Want {
		if w == nil && i > 0 {
			n.Out = append(n.Out, nil)
			continue
		}
		v := &ir.Value{Name: "y" + string(rune('a'+i))}
		n.Out = append(n.Out, v)
		g.Outputs = append(g.Outputs, v)
	}
	return g, in
}

// TestCases runs the table of operator cases through compiled programs, with
// the first operand computed and the others constant or computed.
func TestCases(t *testing.T) {
	for _, form := range []struct {
		name     string
		constant func(i int) bool
	}{
		{"constants", func(i int) bool { return i > 0 }},
		{"inputs", func(int) bool { return false }},
	} {
		for _, c := range optest.All() {
			t.Run(form.name+"/"+c.Name, func(t *testing.T) {
				if len(c.Want) == 0 {
					t.Skip("the case has no outputs")
				}
				g, in := single(c, form.constant)
				p, err := runtime.Compile(g, runtime.Options{Threads: 2})
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // the second run reuses the first one's memory
					out, err := p.Run(context.Background(), in)
					if err != nil {
						t.Fatal(err)
					}
					got := make([]*tensor.Tensor, len(c.Want))
					k := 0
					for i, v := range g.Nodes[0].Out {
						if v != nil {
							got[i] = out[g.Outputs[k].Name]
							k++
						}
					}
					optest.Check(t, c, got)
				}
			})
		}
	}
}

func parse(t *testing.T, text string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return g
}

func ramp(n int, f func(i int) float32, shape ...int) *tensor.Tensor {
	x := make([]float32, n)
	for i := range x {
		x[i] = f(i)
	}
	return tensor.FromSlice(x, shape...)
}

const chain = `graph chain
input x float32[n,4]
const w float32[4,4] = [1 2 3 4 -1 -2 -3 -4 0.5 0 0.5 0 1 1 -1 -1]
a float32[n,4] = MatMul(x, w)
b float32[n,4] = Relu(a)
c float32[n,4] = Reshape(b, shape)
d float32[n,4] = Add(c, a)
e float32[n,4] = Sigmoid(d)
f float32[n,4] = Mul(e, x)
output f
output b
`

func chainGraph(t *testing.T) *ir.Graph {
	return parse(t, replaceLine(chain, "const w", "const shape int64[2] = [-1 4]\nconst w"))
}

func replaceLine(text, from, to string) string {
	i := 0
	for ; i+len(from) <= len(text); i++ {
		if text[i:i+len(from)] == from {
			return text[:i] + to + text[i+len(from):]
		}
	}
	return text
}

// TestProgramsEqualTheReference compares a chain, whose values share an arena,
// with the interpreter, for several batch sizes one after another.
func TestProgramsEqualTheReference(t *testing.T) {
	g := chainGraph(t)
	p, err := runtime.Compile(g, runtime.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 3, 1, 7, 2, 3} {
		x := ramp(4*n, func(i int) float32 { return float32(i%7) - 2.5 }, n, 4)
		want, err := ir.Eval(g, op.Of(x))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Run(context.Background(), runtime.Tensors{"x": x})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range g.Outputs {
			if !tensor.Equal(got[v.Name], want[i].Tensor) {
				t.Errorf("batch %d: output %s differs", n, v.Name)
			}
		}
	}
}

func TestRunIsSafeForManyGoroutines(t *testing.T) {
	g := chainGraph(t)
	p, err := runtime.Compile(g, runtime.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 8)
	for k := range 8 {
		go func() {
			errs <- func() error {
				for i := range 50 {
					x := ramp(8, func(j int) float32 { return float32(j*(k+1)+i) / 10 }, 2, 4)
					want, err := ir.Eval(g, op.Of(x))
					if err != nil {
						return err
					}
					got, err := p.Run(context.Background(), runtime.Tensors{"x": x})
					if err != nil {
						return err
					}
					if err := optest.Compare(got["f"], want[0].Tensor, 0); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestObserveSeesKeptValues(t *testing.T) {
	g := chainGraph(t)
	p, err := runtime.Compile(g, runtime.Options{Keep: []string{"x", "a", "d"}})
	if err != nil {
		t.Fatal(err)
	}
	x := ramp(4, func(i int) float32 { return float32(i) }, 1, 4)
	seen := map[string]*tensor.Tensor{}
	if _, err := p.Observe(context.Background(), runtime.Tensors{"x": x}, func(name string, v *tensor.Tensor) { seen[name] = v.Clone() }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 || !tensor.Equal(seen["x"], x) {
		t.Errorf("saw %v", seen)
	}
	want, err := ir.Eval(g, op.Of(x))
	if err != nil {
		t.Fatal(err)
	}
	relu := tensor.Data[float32](want[1].Tensor)
	for i, v := range tensor.Data[float32](seen["a"]) {
		if max(v, 0) != relu[i] {
			t.Errorf("a[%d] = %v, Relu gave %v", i, v, relu[i])
		}
	}
}

func TestRunRefuses(t *testing.T) {
	p, err := runtime.Compile(chainGraph(t), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := ramp(4, func(int) float32 { return 1 }, 1, 4)
	for name, in := range map[string]runtime.Tensors{
		"missing":     {},
		"unknown":     {"x": x, "z": x},
		"wrong type":  {"x": tensor.New(dtype.Int64, 1, 4)},
		"wrong shape": {"x": tensor.New(dtype.Float32, 1, 5)},
		"wrong rank":  {"x": tensor.New(dtype.Float32, 4)},
	} {
		if _, err := p.Run(context.Background(), in); err == nil {
			t.Errorf("%s: got nil, want an error", name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Run(ctx, runtime.Tensors{"x": x}); err != context.Canceled {
		t.Errorf("cancelled: got %v", err)
	}
	custom := parse(t, "graph g\ninput x float32[1]\ny float32[1] = \"acme::F\"(x) @odd\noutput y")
	if _, err := runtime.Compile(custom, runtime.Options{}); err == nil {
		t.Errorf("an unknown operator: got nil, want an error that names it")
	}
}

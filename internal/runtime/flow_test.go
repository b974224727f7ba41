package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// wave returns numbers of both signs.
func wave(shape ...int) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	x := make([]float32, n)
	for i := range x {
		x[i] = float32((i*7+3)%11)/4 - 1
	}
	return tensor.FromSlice(x, shape...)
}

func boolean(b bool) *tensor.Tensor {
	if b {
		return tensor.FromInts(dtype.Bool, []int64{1})
	}
	return tensor.FromInts(dtype.Bool, []int64{0})
}

func parsed(t *testing.T, text string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestBodiesEqualTheReference: compiled bodies compute what the operators mean,
// to the bit, prepared and not, on one thread and more, run after run.
func TestBodiesEqualTheReference(t *testing.T) {
	for _, c := range flowCases {
		t.Run(c.name, func(t *testing.T) {
			g := parsed(t, c.graph)
			ready, _ := g.Clone()
			if err := pass.Prepare(ready, pass.Options{Verify: true}); err != nil {
				t.Fatal(err)
			}
			for _, g := range []*ir.Graph{g, ready} {
				for _, o := range []runtime.Options{{Threads: 1}, {Threads: 3}, {NoFusion: true, NoInteger: true, KeepLayout: true}} {
					o.AnyKind = true
					p, err := runtime.Compile(g, o)
					if err != nil {
						t.Fatal(err)
					}
					for round := range 3 {
						for _, in := range c.in {
							want, err := ir.Eval(g, in)
							if err != nil {
								t.Fatal(err)
							}
							got, err := p.RunData(context.Background(), in)
							if err != nil {
								t.Fatal(err)
							}
							for i := range want {
								if !same(got[i], want[i]) {
									t.Errorf("%+v, round %d: output %d is %v, want %v", o, round, i, text(got[i]), text(want[i]))
								}
							}
						}
					}
				}
			}
		})
	}
}

func text(d op.Datum) string {
	if d.Tensor != nil {
		return ir.TensorText(d.Tensor)
	}
	s := d.Kind.String()
	for _, e := range d.Seq {
		s += " " + text(e)
	}
	return s
}

// TestBodiesAreShared: many goroutines run one program, whose inputs differ.
func TestBodiesAreShared(t *testing.T) {
	for _, c := range flowCases {
		p, err := runtime.Compile(parsed(t, c.graph), runtime.Options{AnyKind: true, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		want := make([][]op.Datum, len(c.in))
		for i, in := range c.in {
			if want[i], err = p.RunData(context.Background(), in); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for k := range 4 {
			wg.Go(func() {
				for i := range 8 {
					at := (i + k) % len(c.in)
					got, err := p.RunData(context.Background(), c.in[at])
					if err != nil {
						t.Error(err)
						return
					}
					for o := range got {
						if !same(got[o], want[at][o]) {
							t.Errorf("%s: output %d is %v, want %v", c.name, o, text(got[o]), text(want[at][o]))
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestOutputsOfBodiesStay: what a run returned is not written by the next one,
// and the inputs are not written at all.
func TestOutputsOfBodiesStay(t *testing.T) {
	for _, c := range flowCases {
		g := parsed(t, c.graph)
		p, err := runtime.Compile(g, runtime.Options{AnyKind: true})
		if err != nil {
			t.Fatal(err)
		}
		first, err := p.RunData(context.Background(), c.in[0])
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(texts(first), texts(c.in[0]))
		other := make([]op.Datum, len(c.in[0]))
		for i, d := range c.in[0] {
			other[i] = op.Datum{Tensor: d.Tensor.Clone()}
			if d.Tensor.Type() == dtype.Float32 {
				for k, x := range tensor.Data[float32](d.Tensor) {
					tensor.Data[float32](other[i].Tensor)[k] = 2*x + 1
				}
			}
		}
		if _, err := p.RunData(context.Background(), other); err != nil {
			t.Fatal(err)
		}
		if after := fmt.Sprint(texts(first), texts(c.in[0])); after != before {
			t.Errorf("%s: %s became %s", c.name, before, after)
		}
	}
}

func texts(ds []op.Datum) (out []string) {
	for _, d := range ds {
		out = append(out, text(d))
	}
	return out
}

// TestSequencesAtTheEdge: what tensors cannot hold is refused by name when the
// program is made, unless it is asked for.
func TestSequencesAtTheEdge(t *testing.T) {
	g := parsed(t, "graph g\ninput x float32[2]\nlist seq(float32[2]) = SequenceConstruct(x, x)\noutput list\n")
	if _, err := runtime.Compile(g, runtime.Options{}); err == nil || !strings.Contains(err.Error(), `output "list" is a sequence`) {
		t.Errorf("got %v", err)
	}
	g = parsed(t, "graph g\ninput l seq(float32[...])\nn int64[] = SequenceLength(l)\noutput n\n")
	if _, err := runtime.Compile(g, runtime.Options{}); err == nil || !strings.Contains(err.Error(), `input "l" is a sequence`) {
		t.Errorf("got %v", err)
	}
	p, err := runtime.Compile(g, runtime.Options{AnyKind: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]op.Datum{nil, op.Of(wave(2)), {{Kind: op.SequenceKind, Seq: op.Of(tensor.Scalar[int64](1))}}, {{}}} {
		if _, err := p.RunData(context.Background(), bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	out, err := p.RunData(context.Background(), []op.Datum{{Kind: op.SequenceKind, Seq: op.Of(wave(2), wave(3))}})
	if err != nil || tensor.Data[int64](out[0].Tensor)[0] != 2 {
		t.Errorf("got %v, %v, want 2", out, err)
	}
	if _, err := p.Run(context.Background(), runtime.Tensors{"l": wave(2)}); err == nil {
		t.Error("a tensor was taken for a sequence")
	}
}

// TestTripsAreLimited: the error names the node, the limit and what to do, and
// loops share the count also where they are nested.
func TestTripsAreLimited(t *testing.T) {
	g := parsed(t, `graph g
input x float32[]
input n int64[]
y float32[] = Loop(n, _, x; n) @outer
{
  graph body
  input i int64[]
  input c bool[]
  input v float32[]
  input n int64[]
  w float32[] = Loop(n, _, v) @inner
  {
    graph body
    input j int64[]
    input d bool[]
    input u float32[]
    t float32[] = Neg(u)
    output d
    output t
  }
  output c
  output w
}
output y
`)
	p, err := runtime.Compile(g, runtime.Options{Trips: 12})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // a run does not pay for those before it
		if _, err := p.Run(context.Background(), runtime.Tensors{"x": tensor.Scalar[float32](1), "n": tensor.Scalar[int64](3)}); err != nil {
			t.Errorf("3 times 3 trips and 3: %v", err)
		}
	}
	_, err = p.Run(context.Background(), runtime.Tensors{"x": tensor.Scalar[float32](1), "n": tensor.Scalar[int64](4)})
	if !errors.Is(err, op.ErrTrips) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{`node "outer"`, `node "inner"`, "12 times", "by which it ends"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
}

// TestCancelledLoops: a run ends between two steps of a body.
func TestCancelledLoops(t *testing.T) {
	g := parsed(t, "graph g\ninput x float32[]\ny float32[] = Loop(_, _, x)\n{\n  graph body\n  input i int64[]\n  input c bool[]\n  input v float32[]\n  w float32[] = Neg(v)\n  output c\n  output w\n}\noutput y\n")
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Run(ctx, runtime.Tensors{"x": tensor.Scalar[float32](1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestBranchesAllocateNothing: an If of tensors whose shapes are known is run
// without memory of its own, whichever branch it takes.
func TestBranchesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	g := parsed(t, `graph g
input x float32[4,8]
input c bool[]
const w float32[8,8] = [1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8]
a float32[4,8] = Relu(x)
b float32[4,8] = If(c; a, w)
{
  graph then
  input a float32[4,8]
  input w float32[8,8]
  m float32[4,8] = MatMul(a, w)
  n float32[4,8] = Relu(m)
  output n
}
{
  graph else
  input a float32[4,8]
  input w float32[8,8]
  m float32[4,8] = Softmax(a)
  output m
}
y float32[4,8] = Add(b, a)
output y
`)
	for _, threads := range []int{1, 2} {
		p, err := runtime.Compile(g, runtime.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []bool{true, false} {
			in := runtime.Tensors{"x": wave(4, 8), "c": boolean(c)}
			out, err := p.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			n := testing.AllocsPerRun(20, func() {
				if err := p.RunInto(context.Background(), in, out); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%d threads, %v: %v allocations a run", threads, c, n)
			}
		}
	}
}

// TestOutputsAreApart: outputs share no memory with each other, with inputs or
// with what the program keeps.
func TestOutputsAreApart(t *testing.T) {
	for _, c := range flowCases {
		p, err := runtime.Compile(parsed(t, c.graph), runtime.Options{AnyKind: true})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for range 2 { // the second run sees what the first one left
			out, err := p.RunData(context.Background(), c.in[0])
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = texts(out)
			}
			for i, d := range out {
				if got := text(d); got != want[i] {
					t.Errorf("%s: output %d is %s, want %s: another was written", c.name, i, got, want[i])
				}
				scribble(d)
			}
		}
	}
}

// scribble writes over the elements of d.
func scribble(d op.Datum) {
	if t := d.Tensor; t != nil && t.Type() != dtype.String {
		for i := range t.Bytes() {
			t.Bytes()[i] ^= 1
		}
	} else if t != nil {
		for i := range t.Strings() {
			t.Strings()[i] += "!"
		}
	}
	for _, e := range d.Seq {
		scribble(e)
	}
}

func words(text ...string) *tensor.Tensor {
	t, err := tensor.FromStrings(text, len(text))
	if err != nil {
		panic(err)
	}
	return t
}
